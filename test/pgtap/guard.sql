-- Guards of transitions: functions of the user that the extension runs as the
-- owner of the tables. They write no protected table, and the owner needs the
-- privilege to run them.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'sku', 'books', 'kz', 4, 40, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM unnest('{open,due,draft}'::text[]) AS o;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT o, 1, 'card', 40, 'KZT', 'psp', '2026-03-01 10:00+05' FROM unnest('{open,due}'::text[]) AS o;
SELECT returns.open_return('open', '[{"line_no":1,"quantity":1}]', 'changed_mind') AS id,
	returns.open_return('due', '[{"line_no":1,"quantity":1}]', 'changed_mind') AS due \gset
SELECT returns.act(:due, s) FROM unnest('{approved,received,refund_due}'::text[]) AS s \g /dev/null
SELECT returns.checkpoint_balances() \g /dev/null

CREATE SCHEMA guard;
CREATE TABLE guard.statement (statement text);
CREATE TABLE guard.log (return_id bigint, to_state text, role name);
-- Lets the move pass after it has run the statement of the table.
CREATE FUNCTION guard.runs(return_id bigint, to_state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s text;
BEGIN
	FOR s IN SELECT statement FROM guard.statement LOOP
		EXECUTE s;
	END LOOP;
	INSERT INTO guard.log VALUES (return_id, to_state, current_user);
	RETURN NULL;
END $$;
UPDATE returns.transition SET guard = 'guard.runs' WHERE machine = 'return' AND from_state = 'requested' AND to_state = 'approved';

-- ------------------------------------------------- a guard writes no protected table
-- The result of a move by each kind of statement when its guard runs a
-- statement; rolled back.
CREATE FUNCTION pg_temp.guarded(door text, body text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO guard.statement SELECT body WHERE body IS NOT NULL;
	EXECUTE door;
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = (SELECT count(*) FROM guard.log);
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE door (name text, statement text);
INSERT INTO door VALUES
	('UPDATE', format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :id)),
	('act()', format('SELECT returns.act(%s, ''approved'')', :id));
CREATE TEMP TABLE forbidden (statement text);
INSERT INTO forbidden VALUES
	('UPDATE returns.sale_line SET reserved = 0'), ('UPDATE returns.sale_line SET returned = 1'), ('UPDATE returns.sale_line SET refunded = 1'),
	('UPDATE returns.payment SET refunded = 0'), ('DELETE FROM returns.payment'), ('DELETE FROM returns.sale_line'),
	('UPDATE returns.return_request SET last_seq = 99'), ('UPDATE returns.return_request SET due_at = NULL'),
	('UPDATE returns.return_request SET refund_total = 1'), ('UPDATE returns.return_request SET buyer_ref = ''mine'''),
	('DELETE FROM returns.return_request WHERE status <> ''draft'''),
	('UPDATE returns.return_line SET quantity = 2'), ('UPDATE returns.return_line SET policy_id = NULL'), ('UPDATE returns.return_line SET refund_goods = 1'),
	('DELETE FROM returns.return_line'),
	('INSERT INTO returns.return_event SELECT * FROM returns.return_event LIMIT 1'), ('UPDATE returns.return_event SET note = ''mine'''),
	('DELETE FROM returns.return_event'),
	('INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency, idempotency_key, created_at)'
		' SELECT order_ref, return_id, payment_no, amount, currency, ''mine'', created_at FROM returns.refund LIMIT 1'),
	('UPDATE returns.refund SET amount = 1'), ('DELETE FROM returns.refund'),
	('INSERT INTO returns.ledger_transfer SELECT * FROM returns.ledger_transfer LIMIT 1'), ('UPDATE returns.ledger_transfer SET kind = ''mine'''),
	('DELETE FROM returns.ledger_transfer'),
	('INSERT INTO returns.ledger_entry SELECT * FROM returns.ledger_entry LIMIT 1'), ('UPDATE returns.ledger_entry SET amount = 1'),
	('DELETE FROM returns.ledger_entry'),
	('UPDATE returns.ledger_checkpoint SET debit = 0'), ('DELETE FROM returns.ledger_checkpoint'),
	('UPDATE returns.ledger_horizon SET written = 0'), ('UPDATE returns.installation SET epoch = 2'),
	('TRUNCATE returns.return_event'), ('TRUNCATE returns.ledger_entry');
SELECT is(pg_temp.guarded(d.statement, f.statement), 'RT007', format('a guard of a move by %s may not run %s', d.name, left(f.statement, 80)))
  FROM door AS d, forbidden AS f;
SELECT is(pg_temp.guarded(statement, NULL), '1', format('a guard of a move by %s is asked once', name)) FROM door;
SELECT is(pg_temp.guarded(statement, 'UPDATE returns.return_request SET note = ''by the guard'' WHERE order_ref = ''due'''), '1',
	format('a guard of a move by %s may write what a client may write', name)) FROM door;
SELECT is(status, 'requested', 'the moves that were tried are undone') FROM returns.return_request WHERE id = :id;

-- An AFTER trigger of the user on rows that a guard wrote is refused as well.
CREATE FUNCTION guard.intrude() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE returns.sale_line SET reserved = 0; RETURN NULL; END $$;
CREATE TRIGGER intrude AFTER INSERT ON guard.log FOR EACH ROW EXECUTE FUNCTION guard.intrude();
SELECT is(pg_temp.guarded(statement, NULL), 'RT007', format('a trigger on a table that the guard of a move by %s writes may not write protected columns', name)) FROM door;
DROP TRIGGER intrude ON guard.log;

-- --------------------------------------------- privileges of the owner
CREATE ROLE guard_owner;
CREATE ROLE guard_client BYPASSRLS;
GRANT USAGE ON SCHEMA returns, guard, tap TO guard_owner, guard_client;
GRANT SELECT, UPDATE ON returns.return_request TO guard_client;
GRANT SELECT ON guard.statement TO guard_owner;
GRANT INSERT ON guard.log TO guard_owner;
REVOKE EXECUTE ON FUNCTION guard.runs(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION guard.runs(bigint, text) TO guard_owner;
INSERT INTO returns.actor_grant (db_role, actor) VALUES ('guard_client', 'seller');
CREATE FUNCTION pg_temp.belong_to(owner text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t regclass;
BEGIN
	FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO %I', t, owner);
	END LOOP;
END $$;
SELECT pg_temp.belong_to('guard_owner') \g /dev/null

SET returns.actor = 'seller:s';
BEGIN;
SET LOCAL ROLE guard_client;
SELECT lives_ok(format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :id),
	'a client that may not run the guard itself moves a return whose guard the owner of the tables may run');
RESET ROLE;
SELECT results_eq('SELECT * FROM guard.log', format('VALUES (%s::bigint, ''approved'', ''guard_owner''::name)', :id), 'a guard gets the return and the target, and runs as the owner of the tables');
ROLLBACK;
REVOKE EXECUTE ON FUNCTION guard.runs(bigint, text) FROM guard_owner;
GRANT EXECUTE ON FUNCTION guard.runs(bigint, text) TO guard_client;
SET ROLE guard_client;
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :id), 'RT009', NULL,
	'a move is refused when the owner of the tables may not execute its guard, also where the client may');
RESET ROLE;
SELECT is_empty('TABLE guard.log', 'a guard that the owner of the tables may not execute was not run');
SELECT is((SELECT string_agg(state, ', ') FROM returns.check_workflow()), 'requested', 'check_workflow() finds a guard that the owner of the tables may not execute');
GRANT EXECUTE ON FUNCTION guard.runs(bigint, text) TO guard_owner;
REVOKE USAGE ON SCHEMA guard FROM guard_owner;
SET ROLE guard_client;
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :id), 'RT009', NULL,
	'a move is refused when the owner of the tables may not use the schema of its guard');
RESET ROLE;
GRANT USAGE ON SCHEMA guard TO guard_owner;
SET ROLE guard_client;
SELECT lives_ok(format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :id), 'a move is made as soon as the owner of the tables may execute its guard again');
RESET ROLE;

SET returns.actor = 'operator:o';
SELECT pg_temp.belong_to('postgres') \g /dev/null
UPDATE returns.transition SET guard = NULL WHERE guard IS NOT NULL;
DELETE FROM returns.actor_grant WHERE db_role LIKE 'guard\_%';
DROP OWNED BY guard_owner, guard_client;
DROP ROLE guard_owner, guard_client;
DROP SCHEMA guard CASCADE;

SELECT * FROM finish();
