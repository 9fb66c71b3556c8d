-- Facts that the shop supplies: checked when written, kept once in use.

CREATE OR REPLACE TRIGGER zz_returns_sale_line
	BEFORE INSERT OR UPDATE OR DELETE ON returns.sale_line
	FOR EACH ROW EXECUTE FUNCTION returns.sale_line_row();
CREATE OR REPLACE TRIGGER zz_returns_sale_line_truncate
	BEFORE TRUNCATE ON returns.sale_line
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected();

CREATE OR REPLACE TRIGGER zz_returns_payment
	BEFORE INSERT OR UPDATE OR DELETE ON returns.payment
	FOR EACH ROW EXECUTE FUNCTION returns.payment_row();
CREATE OR REPLACE TRIGGER zz_returns_payment_truncate
	BEFORE TRUNCATE ON returns.payment
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected();
