-- What the owner of the tables damages with triggers disabled or tables dropped:
-- the next use of it is refused with its own SQLSTATE, and changes nothing.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00+05';
SET returns.actor = 'operator:o';
\ir ../harness/refunds.sql
SELECT pg_temp.sell(o, 1, 2, 60), pg_temp.pay(o, 1, 60) FROM unnest('{new,requested,received,refund_due}'::text[]) AS o \g /dev/null
SELECT returns.open_return('requested', '[{"line_no":1,"quantity":1}]', 'changed_mind') AS requested, pg_temp.receive('received', 1, 1) AS received,
	pg_temp.decide('refund_due', 1, 1) AS refund_due \gset

INSERT INTO returns.return_request (order_ref, reason) VALUES ('new', 'changed_mind') RETURNING id AS draft \gset

-- Do the damage, and say what a statement after it ends with.
CREATE FUNCTION pg_temp.damaged(damage text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	context text;
BEGIN
	EXECUTE damage;
	SET CONSTRAINTS ALL DEFERRED;
	EXECUTE statement;
	RAISE EXCEPTION USING ERRCODE = 'P0999';
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN 'done';
WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	RETURN SQLSTATE || CASE WHEN context LIKE '%(null)%' THEN ' ' || context ELSE '' END;
END $$;
-- Without the triggers of a table, but those that make sessions read the rules again.
CREATE FUNCTION pg_temp.unguarded(tab text, statement text) RETURNS text LANGUAGE sql AS $$
	SELECT format('ALTER TABLE returns.%I DISABLE TRIGGER ALL; %s; %s; ALTER TABLE returns.%1$I ENABLE TRIGGER USER', tab,
		(SELECT string_agg(format('ALTER TABLE returns.%I ENABLE ALWAYS TRIGGER %I', tab, tgname), '; ') FROM pg_trigger
			WHERE tgrelid = format('returns.%I', tab)::regclass AND tgname LIKE '00\_returns\_rules\_%'), statement)
$$;
CREATE TEMP TABLE use (what text, statement text);
INSERT INTO use VALUES
	('a request', $$SELECT returns.open_return('new', '[{"line_no":1,"quantity":1}]', 'changed_mind')$$),
	('a move', format('SELECT returns.act(%s, ''approved'')', :requested)),
	('a decision', format('SELECT returns.act(%s, ''refund_due'')', :received)),
	('a receipt', format('UPDATE returns.return_line SET received = 1 WHERE return_id = %s', :received)),
	('a claim', 'SELECT returns.claim_refunds(10)'),
	('a deletion', format('DELETE FROM returns.return_request WHERE id = %s', :draft)),
	('a report', format('UPDATE returns.refund SET status = ''sent'' WHERE return_id = %s', :refund_due));

SELECT is(pg_temp.damaged('SELECT', statement), 'done', what || ' is accepted before any damage') FROM use;
SELECT is(pg_temp.damaged(damage, (SELECT statement FROM use WHERE use.what = v.use)), outcome, format('after %s, %s is refused', v.what, v.use))
  FROM (VALUES
	('the row of installation was deleted', pg_temp.unguarded('installation', 'DELETE FROM returns.installation'), 'a request', 'RT012'),
	('the row of installation was deleted', pg_temp.unguarded('installation', 'DELETE FROM returns.installation'), 'a move', 'RT012'),
	('the initial state was deleted', 'DELETE FROM returns.transition WHERE from_state = ''draft''; DELETE FROM returns.stage_deadline WHERE state = ''draft'';
		DELETE FROM returns.state WHERE code = ''draft''', 'a request', 'RT012'),
	('the table policy was dropped', 'DROP TABLE returns.policy CASCADE', 'a request', 'RT012'),
	('a market got an unknown time zone', pg_temp.unguarded('market', 'UPDATE returns.market SET timezone = ''Mars/Olympus'''), 'a move', 'RT009'),
	('a category became its own ancestor', pg_temp.unguarded('category', 'UPDATE returns.category SET parent = ''toys'' WHERE code = ''goods'''), 'a request', 'RT009'),
	('the calendar of a market was deleted', pg_temp.unguarded('calendar', 'DELETE FROM returns.calendar'), 'a request', 'RT010'),
	('a return lost its state', 'ALTER TABLE returns.return_request ALTER status DROP NOT NULL; ' || pg_temp.unguarded('return_request', format('UPDATE returns.return_request SET status = NULL WHERE id = %s', :requested)), 'a move', 'RT010'),
	('a return lost its state', 'ALTER TABLE returns.return_request ALTER status DROP NOT NULL; ' || pg_temp.unguarded('return_request', format('UPDATE returns.return_request SET status = NULL WHERE id = %s', :received)), 'a receipt', 'RT010'),
	('a return lost its state', 'ALTER TABLE returns.return_request ALTER status DROP NOT NULL; ' || pg_temp.unguarded('return_request', format('UPDATE returns.return_request SET status = NULL WHERE id = %s', :draft)), 'a deletion', 'RT007'),
	('a return got an unknown state', pg_temp.unguarded('return_request', format('UPDATE returns.return_request SET status = ''lost'' WHERE id = %s', :requested)), 'a move', 'RT010'),
	('a return got an unknown state', pg_temp.unguarded('return_request', format('UPDATE returns.return_request SET status = ''lost'' WHERE id = %s', :received)), 'a receipt', 'RT010'),
	('the lines of a return were deleted', pg_temp.unguarded('return_line', format('DELETE FROM returns.return_line WHERE return_id = %s', :received)), 'a decision', 'RT004'),
	('most of a line was counted as refunded', pg_temp.unguarded('sale_line', 'UPDATE returns.sale_line SET refunded = 31 WHERE order_ref = ''received'''), 'a decision', 'RT006'),
	('the row trigger of return_request was disabled', 'ALTER TABLE returns.return_request DISABLE TRIGGER zz_returns_request', 'a move', 'RT007'),
	('the row trigger of return_request was disabled', 'ALTER TABLE returns.return_request DISABLE TRIGGER zz_returns_request', 'a claim', 'RT007'),
	('the row trigger of return_request was disabled', 'ALTER TABLE returns.return_request DISABLE TRIGGER zz_returns_request', 'a report', 'RT007'),
	('the row trigger of return_request was dropped', 'DROP TRIGGER zz_returns_request ON returns.return_request', 'a request', 'RT012')) AS v (what, damage, use, outcome);
SELECT is(pg_temp.damaged(pg_temp.unguarded('sale_line', 'UPDATE returns.sale_line SET refunded = 30 WHERE order_ref = ''received'''), statement), 'done',
	'a decision is accepted when exactly what was paid for a line has become due')
  FROM use WHERE what = 'a decision';

-- The history of a statement is written by a trigger of its end.
BEGIN;
ALTER TABLE returns.return_request DISABLE TRIGGER zz_returns_request_flush;
UPDATE returns.return_request SET status = 'approved' WHERE id = :requested;
\set ON_ERROR_STOP off
COMMIT;
\set ON_ERROR_STOP on
SELECT is(:'SQLSTATE'::text, 'RT007', 'COMMIT of a move is refused when the statement trigger of return_request was disabled');
SELECT is(pg_temp.status(:requested), 'requested', 'a move whose history was not written is undone');

SELECT * FROM finish();
