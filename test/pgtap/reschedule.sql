-- reschedule(): a calendar changes under open returns.
-- In March 2026 the kz calendar has the 9th, 21st, 22nd, 23rd, 24th and 25th off.

SET client_min_messages = error;
SET timezone = 'Asia/Almaty';
SET returns.actor = 'operator:o';
SET returns.clock = '2026-03-02 12:00+05';

SELECT plan(64);

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'ann', 'acme', 'lamp', 'appliances', 'kz', 1, 100, 'KZT', '2026-02-20 10:00+05', '2026-02-25 10:00+05'
  FROM unnest('{draft,requested,approved,rejected,chain,received,due,closed,late,guarded,remind}'::text[]) AS o;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT order_ref, 1, 'card', 100, 'KZT', 'bank', purchased_at FROM returns.sale_line;

CREATE VIEW r AS SELECT * FROM returns.return_request;
CREATE FUNCTION open(o text) RETURNS bigint LANGUAGE sql AS $$
	SELECT returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'defective')
$$;
CREATE FUNCTION walk(o text, VARIADIC states text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s text;
BEGIN
	FOREACH s IN ARRAY states LOOP
		PERFORM returns.act((SELECT id FROM r WHERE order_ref = o), s, 'note', '{"carrier":"post","tracking_ref":"T"}');
	END LOOP;
	RETURN (SELECT status FROM r WHERE order_ref = o);
END $$;
CREATE FUNCTION due(o text) RETURNS timestamptz LANGUAGE sql AS $$ SELECT due_at FROM r WHERE order_ref = o $$;

-- ------------------------------------------------------------------ the data

INSERT INTO returns.return_request (order_ref, reason) VALUES ('draft', 'defective');
INSERT INTO returns.return_line (order_ref, return_id, line_no, quantity) SELECT 'draft', id, 1, 1 FROM r WHERE order_ref = 'draft';
SELECT open(o) FROM unnest('{requested,approved,rejected,chain,received,due,closed,late,guarded}'::text[]) AS o;
SELECT walk('approved', 'approved'), walk('chain', 'approved', 'in_transit'), walk('received', 'approved', 'received'),
	walk('rejected', 'rejected'), walk('due', 'approved', 'received', 'refund_due'), walk('closed', 'cancelled'),
	walk('late', 'approved', 'received'), walk('guarded', 'approved', 'received');
UPDATE returns.stage_deadline SET remind = 1 WHERE state = 'requested';
SELECT open('remind');

SELECT is(due('draft'), '2026-03-04 00:00', 'draft: 1 day');
SELECT is(due('requested'), '2026-03-05 00:00', 'requested: 2 business days');
SELECT is(due('approved'), '2026-03-11 00:00', 'approved: 7 days end on a holiday');
SELECT is(due('received'), '2026-03-06 00:00', 'received: 3 business days');
SELECT is(due('due'), '2026-03-04 00:00', 'refund_due: 1 business day');
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'remind'), '2026-03-04 00:00', 'a reminder a day before');

SELECT is(returns.reschedule(), 0, 'nothing has changed, and nothing changes');
SELECT is((SELECT count(*) FROM returns.return_event WHERE kind = 'override'), 0::bigint, 'nor is anything told');

-- ------------------------------------------------------- days become holidays

CREATE TABLE before AS SELECT * FROM r;
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES
	('kz', '2026-03-03', false, 'Storm'), ('kz', '2026-03-04', false, 'Storm');
SELECT is(returns.reschedule(), 7, 'two days of storm: who counts working days or ends on one gets more time');
SELECT is(due('draft'), '2026-03-06 00:00', 'draft: its last day is a day off now');
SELECT is(due('requested'), '2026-03-07 00:00', 'requested: 5 and 6 March');
SELECT is(due('approved'), '2026-03-11 00:00', 'approved: does not end on either');
SELECT is(due('received'), '2026-03-11 00:00', 'received: 5, 6 and, over the weekend and a holiday, 10 March');
SELECT is(due('due'), '2026-03-06 00:00', 'refund_due: 5 March');
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'remind'), '2026-03-06 00:00', 'the reminder moves too');
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'received'), due('received'), 'and so does the sweep''s instant');
SELECT is((SELECT due_at FROM r WHERE order_ref = 'closed'), NULL, 'what is over stays so');
SELECT results_eq(
	$$SELECT kind, actor, actor_ref, from_state, to_state, details, due_at FROM returns.return_event
	   WHERE order_ref = 'received' ORDER BY seq DESC LIMIT 1$$,
	$$VALUES ('override', 'operator', 'o', 'received', 'received', '{"due_at_before": "2026-03-05T19:00:00+00:00"}'::jsonb, due('received'))$$,
	'the history tells what it was and who asked');
SELECT is((SELECT count(*) FROM returns.return_event WHERE kind = 'override'), 7::bigint, 'one event for each return changed');
SELECT is((SELECT count(*) FROM before b JOIN r USING (id) WHERE to_jsonb(b) = to_jsonb(r)), 4::bigint, 'the others were not touched');
SELECT is((SELECT string_agg(on_timeout, ',' ORDER BY order_ref) FROM r WHERE due_at IS NOT NULL),
	(SELECT string_agg(on_timeout, ',' ORDER BY order_ref) FROM before WHERE due_at IS NOT NULL), 'what follows stays');
SELECT is((SELECT count(*) FROM returns.return_line l JOIN r ON r.id = l.return_id
	WHERE window_ends_at IS DISTINCT FROM '2026-03-28 00:00' AND r.order_ref <> 'draft'), 0::bigint, 'no window has moved');
SELECT is(returns.reschedule(), 0, 'done once, it is done');

-- ------------------------------------------------------ holidays become days

DELETE FROM returns.calendar_day WHERE calendar = 'kz' AND day IN ('2026-03-03', '2026-03-04', '2026-03-09');
SELECT is(returns.reschedule(), 0, 'the storm is called off: nothing is shortened');
SELECT is(due('received'), '2026-03-11 00:00', 'what was promised stands');
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES
	('kz', '2026-03-03', false, 'Storm'), ('kz', '2026-03-04', false, 'Storm'), ('kz', '2026-03-09', false, 'Women''s Day');
SELECT is(returns.reschedule(), 0, 'and back again: nothing to do');

-- ---------------------------------------------------- marked, and then not so

SET returns.clock = '2026-03-06 12:00+05';
SELECT is(returns.run_deadlines(), 1, 'the draft goes');
SELECT ok(overdue AND wake_at IS NULL, 'the money is late') FROM r WHERE order_ref = 'due';
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'remind'), '2026-03-07 00:00', 'the reminder is out');
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES
	('kz', '2026-03-05', false, 'Storm'), ('kz', '2026-03-06', false, 'Storm');
SELECT is(returns.reschedule(), 6, 'two days more of storm');
SELECT is(due('due'), '2026-03-11 00:00', 'the money has time until 10 March');
SELECT ok(NOT overdue AND wake_at = due_at, 'so it is not late') FROM r WHERE order_ref = 'due';
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'remind'), '2026-03-11 00:00', 'a deadline that moved is reminded of again');
SELECT is((SELECT status FROM r WHERE order_ref = 'draft'), 'cancelled', 'what the deadline has done is not undone');
SELECT is(due('received'), '2026-03-13 00:00', 'received: 10, 11, 12 March');

-- ------------------------------------------------- over, still over, and again

SET returns.clock = '2026-03-13 10:00+05';
SET returns.actor = 'seller:acme';
SELECT throws_ok($$SELECT walk('received', 'refund_due')$$, 'RT003', NULL, 'too late for the seller');
SET returns.actor = 'operator:o';
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES ('kz', '2026-03-12', false, 'Flood');
SELECT is(returns.reschedule(), 3, 'a flood, but for who had until then');
SELECT is(due('received'), '2026-03-14 00:00', 'received: 10, 11, 13 March');
SELECT is(due('requested'), '2026-03-12 00:00', 'requested: has been over before it');
SET returns.actor = 'seller:acme';
SELECT is(walk('received', 'refund_due'), 'refund_due', 'not too late any more');
SET returns.actor = 'operator:o';

CREATE SCHEMA shop;
CREATE FUNCTION shop.not_guarded(bigint, text) RETURNS text LANGUAGE sql AS $$
	SELECT 'ask the boss' FROM returns.return_request WHERE id = $1 AND order_ref = 'guarded'
$$;
UPDATE returns.transition SET guard = 'shop.not_guarded' WHERE from_state = 'received' AND to_state = 'refund_due';
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES ('kz', '2026-03-13', false, 'Flood');
SET returns.clock = '2026-03-18 12:00+05';
SELECT is(returns.reschedule(), 2, 'a flood noticed late');
SELECT is(due('late'), '2026-03-17 00:00', 'late: 10, 11, 16 March');
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'late'), '2026-03-14 00:00', 'is over all the same, and the sweep may come');
SELECT cmp_ok(returns.run_deadlines(), '>=', 1, 'it comes');
SELECT is((SELECT status FROM r WHERE order_ref = 'late'), 'refund_due', 'late: moved');
SELECT is(due('late'), '2026-03-19 00:00', 'and the next term is counted from the deadline, not from the sweep: 18 March');
SELECT ok(status = 'received' AND failures = 1 AND overdue AND wake_at = '2026-03-18 12:01+05', 'guarded: put off')
  FROM r WHERE order_ref = 'guarded';
SELECT is(returns.reschedule(), 0, 'and counted from there again');
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES
	('kz', '2026-03-16', false, 'Flood'), ('kz', '2026-03-17', false, 'Flood'), ('kz', '2026-03-18', false, 'Flood');
SELECT cmp_ok(returns.reschedule(), '>=', 2, 'the flood stays');
SELECT is(due('late'), '2026-03-20 00:00', 'late: 19 March');
SELECT is(due('guarded'), '2026-03-20 00:00', 'guarded: 10, 11, 19 March');
SELECT ok(failures = 0 AND NOT overdue AND wake_at = due_at, 'guarded: no longer put off') FROM r WHERE order_ref = 'guarded';

-- --------------------------------------------------------------- other rules

UPDATE returns.stage_deadline SET on_timeout = NULL WHERE state = 'outcome_disputed';
UPDATE returns.stage_deadline SET term = 9 WHERE state = 'outcome_disputed';
SELECT is(returns.reschedule(), 1, 'a longer term is for those who are in it too');
SELECT is((SELECT on_timeout FROM r WHERE order_ref = 'chain'), 'refund_due', 'but what follows was promised');
DELETE FROM returns.stage_deadline WHERE state = 'outcome_disputed';
SELECT is(returns.reschedule(), 0, 'a timer taken out');
SELECT isnt(due('chain'), NULL, 'takes back no deadline');
INSERT INTO returns.calendar (code, first_day, last_day) VALUES ('far', '2026-01-01', '2026-12-31');
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('far', 'Asia/Almaty', 'far', 'KZT');
INSERT INTO returns.policy (market, window_term, valid_from) VALUES ('far', 60, '2026-01-01');
INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout) VALUES ('far', 'requested', 3, 'business_day', 'approved');
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('far', 1, 'ann', 'acme', 'lamp', 'appliances', 'far', 1, 100, 'KZT', '2026-03-10 10:00+05', '2026-03-11 10:00+05');
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
VALUES ('far', 1, 'card', 100, 'KZT', 'bank', '2026-03-10 10:00+05');
SELECT open('far');
CREATE FUNCTION shortened() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.calendar SET last_day = '2026-03-17' WHERE code = 'kz';
	INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES ('far', due('far')::date - 1, false, 'Storm');
	RETURN returns.reschedule();
END $$;
CREATE TABLE before_short AS SELECT * FROM r;
SELECT is(shortened(), 1, 'a term that leaves its calendar holds up nobody in another market');
SELECT is((SELECT string_agg(r.order_ref, ',') FROM before_short AS b JOIN r USING (id) WHERE r.due_at <> b.due_at), 'far',
	'and its return keeps its deadline');
UPDATE returns.calendar SET last_day = '2027-12-31' WHERE code = 'kz';

-- -------------------------------------------------------------------- rights

SET ROLE app;
SET returns.actor = 'seller:acme';
SELECT throws_ok('SELECT returns.reschedule()', '42501', NULL, 'not for a seller');
SET returns.actor = '';
SELECT throws_ok('SELECT returns.reschedule()', '42501', NULL, 'not for nobody');
SET returns.actor = 'operator:o';
SELECT lives_ok('SELECT returns.reschedule()', 'for an operator');
RESET ROLE;
SET returns.actor = '';
SELECT lives_ok('SELECT returns.reschedule()', 'for the owner of the tables');
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES ('kz', '2026-03-19', false, 'Flood');
SELECT cmp_ok(returns.reschedule(), '>=', 1, 'who need not be an actor');
SELECT is((SELECT actor FROM returns.return_event WHERE kind = 'override' ORDER BY epoch DESC, xid DESC LIMIT 1), 'system',
	'and is the system then');

SELECT * FROM finish();
