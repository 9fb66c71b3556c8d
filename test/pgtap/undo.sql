-- State in the memory of a session is reset with the subtransaction that set it:
-- the work of a batch, the pins of the rules, the right to write protected
-- tables, the events of a statement, the renamed codes, the reports that are not
-- posted yet, and the position of a sweep.

\set QUIET on
SET client_min_messages = error;
SET timezone = 'Asia/Almaty';
SELECT plan(29);
SET returns.actor = 'operator:desk';
SET returns.clock = '2026-03-02 10:00+05';	-- a Monday

-- An order of one unit, paid; returns are named after it.
CREATE FUNCTION pg_temp.sell(o text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, currency, purchased_at, delivered_at)
	VALUES (o, 1, 'b', 's', 'sku', 'clothing', 'kz', 1, 100, 'KZT', returns.now() - interval '3 days', returns.now() - interval '1 day');
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
	VALUES (o, 1, 'card', 100, 'KZT', 'psp', returns.now() - interval '3 days');
$$;
-- A return of the order, moved to a state.
CREATE FUNCTION pg_temp.bring(o text, VARIADIC path text[] DEFAULT '{}') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'changed_mind');
	step text;
BEGIN
	FOREACH step IN ARRAY path LOOP
		PERFORM returns.act(id, step, 'note', '{"carrier": "post", "tracking_ref": "T1"}');
	END LOOP;
	RETURN id;
END $$;
CREATE FUNCTION pg_temp.state(o text) RETURNS text LANGUAGE sql AS $$
	SELECT status FROM returns.return_request WHERE order_ref = o
$$;
-- The events of a return: kind:from>to
CREATE FUNCTION pg_temp.story(o text, since int DEFAULT 3) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(kind || ':' || from_state || '>' || to_state, ' ' ORDER BY seq)
	FROM returns.return_event WHERE order_ref = o AND seq >= since
$$;

-- ---------------------------------------------------------------- the work of a batch

-- The overdue mark of one return fails; another return, which is due earlier,
-- moves. Both are in one batch, which fails at the mark; then each is processed
-- alone.
SELECT pg_temp.sell(o) FROM unnest('{marked,moved}'::text[]) AS o;
SELECT pg_temp.bring('moved'), pg_temp.bring('marked', 'approved', 'in_transit', 'received');
SET returns.clock = '2026-03-04 10:00+05';
SELECT returns.act((SELECT id FROM returns.return_request WHERE order_ref = 'marked'), 'refund_due');
SELECT ok((SELECT due_at FROM returns.return_request WHERE order_ref = 'moved') <
	(SELECT due_at FROM returns.return_request WHERE order_ref = 'marked'), 'the return that moves is due before the one that is marked');
CREATE FUNCTION public.undo_no_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.kind = 'overdue' THEN RAISE EXCEPTION 'no marks here'; END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER user_check BEFORE INSERT ON returns.return_event FOR EACH ROW EXECUTE FUNCTION public.undo_no_mark();
SET returns.clock = '2026-03-10 10:00+05';
SELECT is(returns.run_deadlines(), 1, 'a batch that fails at a mark is done one by one');
SELECT is(pg_temp.story('moved'), 'transition:requested>approved', 'the other return of the batch moves: the mark is not made on it');
SELECT is(pg_temp.story('marked', 7), NULL, 'and the mark that was refused is not made');
DROP TRIGGER user_check ON returns.return_event;

-- ---------------------------------------------------------------- the pins of the rules

SET returns.clock = '2026-03-02 10:00+05';
SELECT pg_temp.sell('pins'), pg_temp.bring('pins') AS pins \gset
BEGIN;
SELECT throws_ok(format('SELECT returns.act(%s, ''refunded'')', :pins), 'RT001', NULL, 'a move is refused while the rules are pinned');
INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('requested', 'received', '{operator}');
SELECT throws_ok(format('SELECT returns.act(%s, ''refunded'')', :pins), 'RT001', NULL, 'and again after a change of the rules');
SELECT lives_ok(format('SELECT returns.act(%s, ''received'')', :pins), 'the rules that hold after a refused move are the new ones');
ROLLBACK;
SELECT is(pg_temp.state('pins'), 'requested', 'all of it was rolled back');
SELECT throws_ok(format('SELECT returns.act(%s, ''received'')', :pins), 'RT001', NULL, 'the change of the rules too');

-- ---------------------------------------------------------------- the right to write protected tables

-- The extension runs the failing statement itself, outside of any trigger.
CREATE FUNCTION public.undo_no_horizon() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no horizon here' USING ERRCODE = '23000';
END $$;
CREATE TRIGGER aaa BEFORE INSERT ON returns.ledger_horizon FOR EACH STATEMENT EXECUTE FUNCTION public.undo_no_horizon();
SELECT pg_temp.sell('own');
BEGIN;
SELECT throws_ok('SELECT returns.checkpoint_balances()', '23000', NULL, 'a statement of the extension''s own fails');
DROP TRIGGER aaa ON returns.ledger_horizon;
SELECT throws_ok($$UPDATE returns.sale_line SET reserved = 1 WHERE order_ref = 'own'$$, 'RT007', NULL,
	'a client may not write a counter after a statement of the extension failed');
SELECT throws_ok('INSERT INTO returns.ledger_horizon VALUES (true, 0)', 'RT007', NULL, 'nor a table that only the extension writes');
COMMIT;

-- ---------------------------------------------------------------- the events of a statement

SELECT pg_temp.sell(o), pg_temp.bring(o) FROM unnest('{event1,event2}'::text[]) AS o;
CREATE FUNCTION public.undo_second(return_id bigint, to_state text) RETURNS text LANGUAGE sql AS $$
	SELECT 'not the second' FROM returns.return_request r WHERE r.id = return_id AND r.order_ref = 'event2'
$$;
UPDATE returns.transition SET guard = 'public.undo_second' WHERE from_state = 'requested' AND to_state = 'rejected';
BEGIN;
SELECT throws_ok($$UPDATE returns.return_request SET status = 'rejected', note = 'no' WHERE order_ref IN ('event1', 'event2')$$, 'RT001', NULL,
	'a statement fails at its second return, when the first has an event');
UPDATE returns.return_request SET status = 'approved' WHERE order_ref = 'event2';
COMMIT;
SELECT is(pg_temp.story('event1'), NULL, 'the event of the first return is not written');
SELECT is(pg_temp.story('event2'), 'transition:requested>approved', 'the event of the next statement is');
BEGIN;
SELECT throws_ok($$UPDATE returns.return_request SET status = 'rejected', note = 'no' WHERE order_ref IN ('event1', 'pins', 'event2')$$, 'RT001', NULL,
	'a statement fails, and nothing follows it');
COMMIT;
SELECT is(pg_temp.state('event1'), 'requested', 'the transaction commits, without anything to write');
UPDATE returns.transition SET guard = NULL WHERE guard IS NOT NULL;

-- ---------------------------------------------------------------- the renamed codes

INSERT INTO returns.category (code) VALUES ('undo_hats');
INSERT INTO returns.policy (market, category, window_term, source) VALUES ('kz', 'undo_hats', 300, 'undo');
BEGIN;
SAVEPOINT s;
UPDATE returns.category SET code = 'undo_caps' WHERE code = 'undo_hats';
SELECT is((SELECT category FROM returns.policy WHERE source = 'undo'), 'undo_caps', 'a policy follows its category when that is renamed');
ROLLBACK TO s;
INSERT INTO returns.category (code) VALUES ('undo_caps');
SELECT throws_ok($$UPDATE returns.policy SET category = 'undo_caps' WHERE source = 'undo'$$, 'RT009', NULL,
	'a policy in force is not moved to another category after a rename was rolled back');
COMMIT;

-- ---------------------------------------------------------------- the reports that are not posted yet

CREATE FUNCTION public.undo_no_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no reports here' USING ERRCODE = '23000';
END $$;
CREATE TRIGGER "000_user" AFTER UPDATE ON returns.refund FOR EACH ROW EXECUTE FUNCTION public.undo_no_report();
SELECT pg_temp.sell('report'), pg_temp.bring('report', 'approved', 'received', 'refund_due');
BEGIN;
SELECT throws_ok($$UPDATE returns.refund SET status = 'sent' WHERE order_ref = 'report'$$, '23000', NULL,
	'a report fails between the change of its refund and its posting');
DROP TRIGGER "000_user" ON returns.refund;
SELECT lives_ok($$UPDATE returns.refund SET status = 'sent' WHERE order_ref = 'report'$$, 'the same report is accepted after the cause is gone');
COMMIT;
SELECT is((SELECT sum(amount) FROM returns.ledger_entry WHERE order_ref = 'report' AND account = 'provider_clearing'), -100.00,
	'and is booked once');

-- ---------------------------------------------------------------- the position of a sweep

-- So many returns that the session would not begin at the oldest one again.
SET returns.clock = '2026-03-02 10:00+05';
SELECT count(pg_temp.sell('w' || i)), count(pg_temp.bring('w' || i)) FROM generate_series(1, 1001) AS i;
SET returns.clock = '2026-03-05 10:00+05';
BEGIN;
SAVEPOINT s;
SELECT is(returns.run_deadlines(100000), 1003, 'a sweep of many returns');
ROLLBACK TO s;
SELECT is(returns.run_deadlines(100000), 1003, 'they are due again when it is rolled back to a savepoint');
ROLLBACK;
BEGIN;
SELECT is(returns.run_deadlines(100000), 1003, 'or with its transaction');
ROLLBACK;
BEGIN;
SELECT returns.run_deadlines(100000) AS prepared \gset
PREPARE TRANSACTION 'undo';
ROLLBACK PREPARED 'undo';
SELECT is(:prepared, 1003, 'or after it was prepared');
SELECT is(returns.run_deadlines(100000), 1003, 'and move in the end');
SELECT is((SELECT count(*) FROM returns.return_event WHERE order_ref LIKE 'w%' AND to_state = 'approved'), 1001::bigint, 'each of them once');
-- ---------------------------------------------------------------- events of one statement

-- A trigger rolls a subtransaction back for each row: the events of the rows
-- before it are kept.
SELECT pg_temp.sell(o) FROM unnest('{kept1,kept2,kept3}'::text[]) AS o;
SELECT pg_temp.bring(o) FROM unnest('{kept1,kept2,kept3}'::text[]) AS o;
CREATE FUNCTION public.undo_fails_inside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		RAISE EXCEPTION 'rolled back';
	EXCEPTION WHEN raise_exception THEN
		NULL;
	END;
	RETURN NEW;
END $$;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.undo_fails_inside();
UPDATE returns.return_request SET status = 'approved' WHERE order_ref LIKE 'kept_';
DROP TRIGGER aaa ON returns.return_request;
SELECT results_eq($$SELECT order_ref, pg_temp.story(order_ref) FROM returns.return_request WHERE order_ref LIKE 'kept_' ORDER BY 1$$,
	$$SELECT 'kept' || n, 'transition:requested>approved' FROM generate_series(1, 3) AS n$$,
	'a statement keeps the events of its earlier rows when a trigger rolls back a subtransaction');

SELECT finish();
