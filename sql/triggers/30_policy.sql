-- Policies: refused before a row by its own content, after a statement by what
-- it does to the other policies and to sales already made.

-- A seller's own policies are read by seller, and there may be very many.
CREATE INDEX IF NOT EXISTS policy_seller ON returns.policy (seller_ref);

CREATE OR REPLACE TRIGGER returns_policy_lock
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON returns.policy
	FOR EACH STATEMENT EXECUTE FUNCTION returns.policy_lock();

CREATE OR REPLACE TRIGGER zz_returns_policy
	BEFORE INSERT OR UPDATE ON returns.policy
	FOR EACH ROW EXECUTE FUNCTION returns.policy_row();

CREATE OR REPLACE TRIGGER zz_returns_policy_inserted
	AFTER INSERT ON returns.policy REFERENCING NEW TABLE AS written
	FOR EACH STATEMENT EXECUTE FUNCTION returns.policy_changed();
CREATE OR REPLACE TRIGGER zz_returns_policy_updated
	AFTER UPDATE ON returns.policy REFERENCING OLD TABLE AS replaced NEW TABLE AS written
	FOR EACH STATEMENT EXECUTE FUNCTION returns.policy_changed();
CREATE OR REPLACE TRIGGER zz_returns_policy_deleted
	AFTER DELETE ON returns.policy REFERENCING OLD TABLE AS replaced
	FOR EACH STATEMENT EXECUTE FUNCTION returns.policy_changed();
