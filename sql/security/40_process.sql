-- Row-level security of the process: the parties of a return see it.  The owner
-- of the tables sees all rows; for other roles each policy asks for the actor
-- of the session, once for each query.

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
