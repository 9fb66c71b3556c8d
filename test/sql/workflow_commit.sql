-- An edit of the workflow is checked when its transaction commits.
\set VERBOSITY default
\set SHOW_CONTEXT never

-- An edit by one statement, which is its own transaction.
INSERT INTO returns.state (code, kind) VALUES ('inspection', 'open');
SELECT count(*) FROM returns.state WHERE code = 'inspection';

-- The order of the statements is free if the result is sound.
BEGIN;
INSERT INTO returns.transition (from_state, to_state, actors) VALUES
	('received', 'inspection', '{seller}'),
	('inspection', 'refund_due', '{seller,system}');
INSERT INTO returns.state (code, kind) VALUES ('inspection', 'open');
INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout) VALUES ('kz', 'inspection', 5, 'day', 'refund_due');
COMMIT;
SELECT * FROM returns.check_workflow();

-- A defect is created and corrected before the commit.
BEGIN;
DELETE FROM returns.transition WHERE from_state = 'inspection';
SELECT state, defect FROM returns.check_workflow();
INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('inspection', 'refund_due', '{seller,operator,system}');
COMMIT;

-- The workflow is checked before the commit, and again after a later edit.
BEGIN;
UPDATE returns.stage_deadline SET term = 6 WHERE state = 'inspection';
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM returns.transition WHERE from_state = 'inspection';
COMMIT;
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
DELETE FROM returns.transition WHERE from_state = 'inspection';
COMMIT;

-- A defect that is rolled back to a savepoint does not count; one that is kept
-- does.
BEGIN;
SAVEPOINT s;
DELETE FROM returns.transition WHERE from_state = 'inspection';
ROLLBACK TO s;
UPDATE returns.stage_deadline SET term = 7 WHERE state = 'inspection';
COMMIT;
BEGIN;
SAVEPOINT s;
DELETE FROM returns.transition WHERE from_state = 'inspection';
RELEASE s;
UPDATE returns.stage_deadline SET term = 8 WHERE state = 'inspection';
COMMIT;
SELECT term FROM returns.stage_deadline WHERE state = 'inspection';

-- In a market with timers for some states only, a return can wait for ever in
-- the others.
DELETE FROM returns.stage_deadline WHERE state IN ('inspection', 'received') AND resolution IS DISTINCT FROM 'refund';
INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout) VALUES
	('kz', 'inspection', 7, 'day', 'refund_due'), ('kz', 'received', 9, 'day', NULL);

-- An editor needs no rights beyond those on the rule tables.
CREATE ROLE workflow_editor;
GRANT USAGE ON SCHEMA returns TO workflow_editor;
GRANT SELECT, INSERT, UPDATE, DELETE ON returns.state, returns.transition, returns.stage_deadline TO workflow_editor;
SET ROLE workflow_editor;
UPDATE returns.transition SET actors = '{buyer}' WHERE from_state = 'rejected' AND to_state = 'closed';
UPDATE returns.stage_deadline SET term = 10 WHERE state = 'received' AND resolution IS NULL;
-- The check runs as the owner, also if the role has changed before the commit.
BEGIN;
UPDATE returns.stage_deadline SET term = 11 WHERE state = 'received' AND resolution IS NULL;
SET LOCAL ROLE app;
COMMIT;
RESET ROLE;
SELECT state, resolution, term FROM returns.stage_deadline WHERE state = 'received' ORDER BY 2 NULLS LAST;
REVOKE ALL ON returns.state, returns.transition, returns.stage_deadline FROM workflow_editor;
REVOKE ALL ON SCHEMA returns FROM workflow_editor;
DROP ROLE workflow_editor;

-- setup() runs again, twice in one transaction, with deferred checks pending.
BEGIN;
UPDATE returns.stage_deadline SET term = 12 WHERE state = 'received' AND resolution IS NULL;
CALL returns.setup('eu');
CALL returns.setup('ru', 'uk', 'us');
COMMIT;
SELECT count(*) FROM returns.market;
SELECT * FROM returns.check_workflow();

-- setup() itself is refused when the workflow is not sound.
ALTER TABLE returns.transition DISABLE TRIGGER "00_returns_workflow";
DELETE FROM returns.transition WHERE from_state = 'inspection';
ALTER TABLE returns.transition ENABLE TRIGGER "00_returns_workflow";
SELECT state, defect FROM returns.check_workflow();
UPDATE returns.stage_deadline SET term = 13 WHERE state = 'received' AND resolution IS NULL;
DELETE FROM returns.state WHERE code = 'inspection';
BEGIN;
DELETE FROM returns.stage_deadline WHERE state = 'inspection';
DELETE FROM returns.transition WHERE to_state = 'inspection';
DELETE FROM returns.state WHERE code = 'inspection';
COMMIT;
SELECT * FROM returns.check_workflow();
