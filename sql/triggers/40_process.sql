-- The process tables: rules on the way in, history on the way out.
-- zz_: BEFORE ROW triggers fire in the order of their names, ours last.

CREATE OR REPLACE TRIGGER zz_returns_request
	BEFORE INSERT OR UPDATE OR DELETE ON returns.return_request
	FOR EACH ROW EXECUTE FUNCTION returns.request_row();
CREATE OR REPLACE TRIGGER zz_returns_request_inserted
	AFTER INSERT ON returns.return_request
	FOR EACH ROW EXECUTE FUNCTION returns.request_row();
CREATE OR REPLACE TRIGGER zz_returns_request_flush
	AFTER INSERT OR UPDATE ON returns.return_request
	FOR EACH STATEMENT EXECUTE FUNCTION returns.journal_flush();
CREATE OR REPLACE TRIGGER zz_returns_request_truncate
	BEFORE TRUNCATE ON returns.return_request
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected();

CREATE OR REPLACE TRIGGER zz_returns_line
	BEFORE INSERT OR UPDATE OR DELETE ON returns.return_line
	FOR EACH ROW EXECUTE FUNCTION returns.line_row();
CREATE OR REPLACE TRIGGER zz_returns_line_truncate
	BEFORE TRUNCATE ON returns.return_line
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected();

CREATE OR REPLACE TRIGGER zz_returns_event
	BEFORE INSERT OR UPDATE OR DELETE ON returns.return_event
	FOR EACH ROW EXECUTE FUNCTION returns.protected();
CREATE OR REPLACE TRIGGER zz_returns_event_truncate
	BEFORE TRUNCATE ON returns.return_event
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected();

-- Who sees what. The owner of the tables sees all; for the others every
-- policy asks who acts, once for each query.

ALTER TABLE returns.return_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE returns.return_line ENABLE ROW LEVEL SECURITY;
ALTER TABLE returns.return_event ENABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS returns_parties ON returns.return_request;
CREATE POLICY returns_parties ON returns.return_request USING (
	(SELECT returns.acting_as('operator')) IS NOT NULL
	OR buyer_ref = (SELECT returns.acting_as('buyer'))
	OR seller_ref = (SELECT returns.acting_as('seller'))
	OR carrier = (SELECT returns.acting_as('carrier')));

DROP POLICY IF EXISTS returns_parties ON returns.return_line;
CREATE POLICY returns_parties ON returns.return_line USING (EXISTS (
	SELECT FROM returns.return_request r
	WHERE r.order_ref = return_line.order_ref AND r.id = return_line.return_id));

DROP POLICY IF EXISTS returns_parties ON returns.return_event;
CREATE POLICY returns_parties ON returns.return_event USING (EXISTS (
	SELECT FROM returns.return_request r
	WHERE r.order_ref = return_event.order_ref AND r.id = return_event.return_id));
