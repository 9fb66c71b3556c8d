-- Triggers and child tables of users on our tables: they may add effects, but
-- not undo ours.

\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00+05';
SET returns.actor = 'operator:desk';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'x', 'toys', 'kz', 5, 50, 'KZT', '2026-02-25 19:40+05', '2026-02-28 12:15+05'
  FROM (VALUES ('A'), ('B'), ('decided')) AS v (o);
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
VALUES ('decided', 1, 'card', 50, 'KZT', 'psp', '2026-02-25 19:41+05');

CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

SELECT returns.open_return('A', '[{"line_no":1,"quantity":1}]', 'defective') AS id \gset
SELECT returns.open_return('decided', '[{"line_no":1,"quantity":1}]', 'defective') AS decided \gset
SELECT returns.act(:decided, s) FROM unnest('{approved,received,refund_due}'::text[]) AS s \g /dev/null

-- A trigger cannot write protected tables, also not during a statement of the
-- extension.
CREATE FUNCTION public.intrude() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE tg_argv[0];
	RETURN new;
END $$;
CREATE FUNCTION pg_temp.with_trigger(timing text, event text, t text, body text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER intruder %s %s ON returns.%s FOR EACH ROW EXECUTE FUNCTION public.intrude(%L)', timing, event, t, body);
	EXECUTE statement;
	RAISE EXCEPTION USING ERRCODE = 'P0999';
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN 'done';
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.with_trigger(timing, event, t, body, format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :id)),
	'RT007', format('a trigger %s %s of %s cannot execute: %s', timing, event, t, body))
  FROM (VALUES ('BEFORE', 'UPDATE', 'return_request'), ('AFTER', 'UPDATE', 'return_request'), ('AFTER', 'INSERT', 'return_event')) AS v (timing, event, t),
	unnest(ARRAY['DELETE FROM returns.return_event', 'UPDATE returns.return_event SET note = ''mine''',
	'INSERT INTO returns.return_event SELECT * FROM returns.return_event LIMIT 1', 'UPDATE returns.sale_line SET reserved = 2',
	'UPDATE returns.payment SET refunded = 1', 'DELETE FROM returns.ledger_entry']) AS body;
SELECT is(pg_temp.with_trigger('AFTER', 'UPDATE', 'sale_line', body, format('SELECT returns.act(%s, ''cancelled'')', :id)),
	'RT007', 'a trigger on a row that the extension writes cannot execute: ' || body)
  FROM unnest(ARRAY['DELETE FROM returns.return_event', 'UPDATE returns.payment SET refunded = 1',
	'UPDATE returns.return_request SET last_seq = 9', 'INSERT INTO returns.ledger_entry SELECT * FROM returns.ledger_entry LIMIT 1']) AS body;
SELECT is(pg_temp.with_trigger('BEFORE', 'UPDATE', 'return_request', 'SELECT 1', format('SELECT returns.act(%s, ''approved'')', :id)),
	'done', 'a trigger that writes nothing of the extension is allowed');
CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.last_seq := 99; RETURN new; END $$;
CREATE TRIGGER zzz_meddle BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.meddle();
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :id), 'RT007', NULL, 'a trigger that fires after the rules cannot change a computed column');
ALTER TRIGGER zzz_meddle ON returns.return_request RENAME TO meddle;
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''approved'', last_seq = last_seq WHERE id = %s', :id), 'RT007', NULL,
	'a trigger that fires before the rules cannot change a computed column');
DROP TRIGGER meddle ON returns.return_request;
DROP FUNCTION public.meddle(), public.intrude();

-- A trigger that fires before ours cannot change computed columns.
CREATE FUNCTION public.set_seq() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.last_seq := 99; RETURN NEW; END';
CREATE FUNCTION public.set_total() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.refund_total := 1e6; RETURN NEW; END';
CREATE FUNCTION public.set_reason() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.reason := ''changed_mind''; RETURN NEW; END';
CREATE FUNCTION public.set_status() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := ''refunded''; RETURN NEW; END';
CREATE FUNCTION public.add_note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := coalesce(NEW.note, ''of the shop''); RETURN NEW; END';

CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.set_seq();
SELECT throws_ok(format('SELECT returns.act(%s, ''approved'')', :id), 'RT007', NULL, 'a BEFORE trigger cannot set last_seq');
DROP TRIGGER aaa ON returns.return_request;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.set_total();
SELECT throws_ok(format('SELECT returns.act(%s, ''approved'')', :id), 'RT007', NULL, 'a BEFORE trigger cannot set refund_total');
DROP TRIGGER aaa ON returns.return_request;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.set_reason();
SELECT throws_ok(format('SELECT returns.act(%s, ''approved'')', :id), 'RT007', NULL, 'a BEFORE trigger cannot set the reason of a requested return');
DROP TRIGGER aaa ON returns.return_request;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.set_status();
SELECT throws_ok(format('UPDATE returns.return_request SET note = ''x'' WHERE id = %s', :id), 'RT001', NULL, 'a status that a BEFORE trigger sets must be an allowed move');
DROP TRIGGER aaa ON returns.return_request;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.add_note();
SELECT lives_ok(format('SELECT returns.act(%s, ''approved'')', :id), 'a BEFORE trigger may set the note');
SELECT is((SELECT note FROM returns.return_request WHERE id = :id), 'of the shop', 'the note that a BEFORE trigger sets is stored');
DROP TRIGGER aaa ON returns.return_request;

-- Nor may it leave a draft without a resolution, which the timers ask for.
CREATE FUNCTION public.clear_resolution() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.resolution := NULL; RETURN NEW; END';
INSERT INTO returns.return_request (order_ref, reason) VALUES ('B', 'defective') RETURNING id AS draft \gset
UPDATE returns.stage_deadline SET term = 9 WHERE state = 'draft';
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.clear_resolution();
SELECT throws_ok('SELECT returns.reschedule()', '23502', NULL, 'a BEFORE trigger cannot clear the resolution of a draft that is rescheduled');
SELECT throws_ok(format('SELECT returns.act(%s, ''cancelled'')', :draft), '23502', NULL, 'a BEFORE trigger cannot clear the resolution of a draft that moves');
DROP TRIGGER aaa ON returns.return_request;
DELETE FROM returns.return_request WHERE id = :draft;

-- No trigger may fire after ours.
CREATE TRIGGER zzz BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.add_note();
SELECT throws_ok(format('SELECT returns.act(%s, ''received'')', :id), 'RT007', NULL, 'a trigger that fires after the trigger of requests is refused');
DROP TRIGGER zzz ON returns.return_request;
CREATE TRIGGER zzz BEFORE INSERT ON returns.return_line FOR EACH ROW EXECUTE FUNCTION public.add_note();
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', NULL, 'a trigger that fires after the trigger of return lines is refused');
DROP TRIGGER zzz ON returns.return_line;
CREATE TRIGGER zzz BEFORE UPDATE ON returns.sale_line FOR EACH ROW EXECUTE FUNCTION public.add_note();
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', NULL, 'a trigger that fires after the trigger of sale lines is refused');
DROP TRIGGER zzz ON returns.sale_line;

-- The rows of a child table would be returns without rules.
CREATE TABLE public.child () INHERITS (returns.return_request);
SELECT throws_ok(format('SELECT returns.act(%s, ''received'')', :id), 'RT007', 'table "return_request" has a child table "child"', 'a child table of return_request is refused');
ALTER TABLE public.child NO INHERIT returns.return_request;
DROP TABLE public.child;
CREATE TABLE public.child () INHERITS (returns.return_line);
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', 'table "return_line" has a child table "child"', 'a child table of return_line is refused');
DROP TABLE public.child;
CREATE TABLE public.child () INHERITS (returns.sale_line);
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', 'table "sale_line" has a child table "child"', 'a child table of sale_line is refused');
DROP TABLE public.child;
CREATE TABLE public.child () INHERITS (returns.payment);
SELECT throws_ok($$INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency) VALUES ('A', 9, 'card', 1, 'KZT')$$, 'RT007', 'table "payment" has a child table "child"', 'a child table of payment is refused');
DROP TABLE public.child;

-- A trigger of the shop moves other returns while the history of some is written.
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'sku', 'clothing', 'kz', 1, 10, 'KZT', returns.now() - interval '3 days', returns.now() - interval '1 day' FROM unnest('{outer1,outer2,outer3,inner1,inner2,inner3}'::text[]) AS o;
SELECT returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'changed_mind') FROM unnest('{outer1,outer2,outer3,inner1,inner2,inner3}'::text[]) AS o \g /dev/null
CREATE FUNCTION public.follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1..3 LOOP
		UPDATE returns.return_request SET status = 'rejected', note = repeat('inner ', 100) WHERE order_ref = 'inner' || n;
	END LOOP;
	RETURN NEW;
END $$;
CREATE TRIGGER follow BEFORE INSERT ON returns.return_event FOR EACH ROW WHEN (NEW.order_ref = 'outer1') EXECUTE FUNCTION public.follow();
UPDATE returns.return_request SET status = 'approved', note = 'outer' WHERE order_ref LIKE 'outer_';
DROP TRIGGER follow ON returns.return_event;
DROP FUNCTION public.follow();
SELECT results_eq($$SELECT order_ref, to_state, length(note) FROM returns.return_event WHERE seq = 3 AND order_ref ~ '^(outer|inner)' ORDER BY order_ref$$,
	$$VALUES ('inner1', 'rejected', 600), ('inner2', 'rejected', 600), ('inner3', 'rejected', 600), ('outer1', 'approved', 5), ('outer2', 'approved', 5), ('outer3', 'approved', 5)$$,
	'events are written whole when a trigger on the first of them moves other returns');

-- A suppressed write is detected.
CREATE TRIGGER aaa BEFORE UPDATE ON returns.sale_line FOR EACH ROW EXECUTE FUNCTION public.swallow();
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', NULL, 'a request fails when a trigger suppresses its reservation');
DROP TRIGGER aaa ON returns.sale_line;
CREATE TRIGGER aaa BEFORE INSERT ON returns.return_event FOR EACH ROW EXECUTE FUNCTION public.swallow();
SELECT throws_ok(format('SELECT returns.act(%s, ''received'')', :id), 'RT007', NULL, 'a move fails when a trigger suppresses its event');
DROP TRIGGER aaa ON returns.return_event;

-- While our trigger is disabled, our functions refuse to work.
ALTER TABLE returns.return_request DISABLE TRIGGER zz_returns_request;
SELECT throws_ok(format('SELECT returns.act(%s, ''received'')', :id), 'RT007', NULL, 'act() refuses to run while the trigger of requests is disabled');
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', NULL, 'open_return() refuses to run while the trigger of requests is disabled');
ALTER TABLE returns.return_request ENABLE TRIGGER zz_returns_request;
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective', idempotency_key => '')$$, '22023', NULL, 'open_return() refuses an empty idempotency key');
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1},{"line_no":2,"quantity":1},{"line_no":1,"quantity":2}]', 'defective')$$, '23505', NULL, 'open_return() refuses a line that is named twice');
SELECT lives_ok(format('SELECT returns.act(%s, ''received'')', :id), 'a return moves after the user''s triggers are dropped');

-- A trigger of the shop sweeps after a return that stays due was rescheduled:
-- the sweep moves it, and does not reschedule it once more.
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('due', 1, 'b', 's', 'sku', 'clothing', 'kz', 1, 10, 'KZT', '2026-02-27 10:00+05', '2026-03-01 10:00+05');
SELECT returns.open_return('due', '[{"line_no":1,"quantity":1}]', 'changed_mind') AS due \gset
SET returns.clock = '2026-04-20 10:00+05';
UPDATE returns.stage_deadline SET term = term + 1 WHERE state = 'requested';
CREATE FUNCTION public.sweep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM returns.run_deadlines(); RETURN NULL; END';
CREATE TRIGGER aaa AFTER UPDATE ON returns.return_request FOR EACH ROW WHEN (OLD.order_ref = 'due' AND OLD.status = NEW.status) EXECUTE FUNCTION public.sweep();
SELECT returns.reschedule() \g /dev/null
DROP TRIGGER aaa ON returns.return_request;
DROP FUNCTION public.sweep();
SELECT results_eq(format('SELECT kind, from_state, to_state, actor FROM returns.return_event WHERE return_id = %s AND seq > 2 ORDER BY seq', :due),
	$$VALUES ('override', 'requested', 'requested', 'operator'), ('transition', 'requested', 'approved', 'system')$$,
	'a trigger that sweeps after a return was rescheduled moves it by its timer');

SELECT is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing after the refused triggers');
SELECT finish();
