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

SELECT is(due('draft'), '2026-03-04 00:00', 'a draft has a deadline of 1 day');
SELECT is(due('requested'), '2026-03-05 00:00', 'a requested return has a deadline of 2 business days');
SELECT is(due('approved'), '2026-03-11 00:00', 'a deadline of 7 days that ends on a holiday moves on');
SELECT is(due('received'), '2026-03-06 00:00', 'a received return has a deadline of 3 business days');
SELECT is(due('due'), '2026-03-04 00:00', 'a refund_due return has a deadline of 1 business day');
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'remind'), '2026-03-04 00:00', 'a reminder wakes a return one day before its deadline');

SELECT is(returns.reschedule(), 0, 'reschedule() changes nothing while no rule has changed');
SELECT is((SELECT count(*) FROM returns.return_event WHERE kind = 'override'), 0::bigint, 'reschedule() that changes nothing writes no event');

-- ------------------------------------------------------- days become holidays

CREATE TABLE before AS SELECT * FROM r;
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES
	('kz', '2026-03-03', false, 'Storm'), ('kz', '2026-03-04', false, 'Storm');
SELECT is(returns.reschedule(), 7, 'reschedule() moves the seven deadlines that two new days off concern');
SELECT is(due('draft'), '2026-03-06 00:00', 'the deadline of a draft moves on from a last day that became a day off');
SELECT is(due('requested'), '2026-03-07 00:00', 'two business days skip two new days off');
SELECT is(due('approved'), '2026-03-11 00:00', 'a deadline in days that ends on neither day off stays');
SELECT is(due('received'), '2026-03-11 00:00', 'three business days skip new days off, a weekend and a holiday');
SELECT is(due('due'), '2026-03-06 00:00', 'one business day skips two new days off');
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'remind'), '2026-03-06 00:00', 'reschedule() moves the reminder with the deadline');
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'received'), due('received'), 'reschedule() moves wake_at with the deadline');
SELECT is((SELECT due_at FROM r WHERE order_ref = 'closed'), NULL, 'reschedule() gives a closed return no deadline');
SELECT results_eq(
	$$SELECT kind, actor, actor_ref, from_state, to_state, details, due_at FROM returns.return_event
	   WHERE order_ref = 'received' ORDER BY seq DESC LIMIT 1$$,
	$$VALUES ('override', 'operator', 'o', 'received', 'received', '{"due_at_before": "2026-03-05T19:00:00+00:00"}'::jsonb, due('received'))$$,
	'reschedule() writes an event with the old deadline and the actor');
SELECT is((SELECT count(*) FROM returns.return_event WHERE kind = 'override'), 7::bigint, 'reschedule() writes one event for each changed return');
SELECT is((SELECT count(*) FROM before b JOIN r USING (id) WHERE to_jsonb(b) = to_jsonb(r)), 4::bigint, 'reschedule() does not touch the other returns');
SELECT is((SELECT string_agg(on_timeout, ',' ORDER BY order_ref) FROM r WHERE due_at IS NOT NULL),
	(SELECT string_agg(on_timeout, ',' ORDER BY order_ref) FROM before WHERE due_at IS NOT NULL), 'reschedule() keeps on_timeout');
SELECT is((SELECT count(*) FROM returns.return_line l JOIN r ON r.id = l.return_id
	WHERE window_ends_at IS DISTINCT FROM '2026-03-28 00:00' AND r.order_ref <> 'draft'), 0::bigint, 'reschedule() moves no return window');
SELECT is(returns.reschedule(), 0, 'a second reschedule() changes nothing');

-- ------------------------------------------------------ holidays become days

DELETE FROM returns.calendar_day WHERE calendar = 'kz' AND day IN ('2026-03-03', '2026-03-04', '2026-03-09');
SELECT is(returns.reschedule(), 0, 'reschedule() shortens no deadline when days off become working days');
SELECT is(due('received'), '2026-03-11 00:00', 'a deadline that was promised stays after days off are removed');
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES
	('kz', '2026-03-03', false, 'Storm'), ('kz', '2026-03-04', false, 'Storm'), ('kz', '2026-03-09', false, 'Women''s Day');
SELECT is(returns.reschedule(), 0, 'reschedule() changes nothing when the days off return');

-- ---------------------------------------------------- overdue marks are removed

SET returns.clock = '2026-03-06 12:00+05';
SELECT is(returns.run_deadlines(), 1, 'the sweep cancels the draft at its new deadline');
SELECT ok(overdue AND wake_at IS NULL, 'the refund_due return is marked overdue at its new deadline') FROM r WHERE order_ref = 'due';
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'remind'), '2026-03-07 00:00', 'the reminded return wakes next at its deadline');
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES
	('kz', '2026-03-05', false, 'Storm'), ('kz', '2026-03-06', false, 'Storm');
SELECT is(returns.reschedule(), 6, 'reschedule() moves six deadlines for two more days off');
SELECT is(due('due'), '2026-03-11 00:00', 'reschedule() moves the deadline of an overdue return');
SELECT ok(NOT overdue AND wake_at = due_at, 'reschedule() clears overdue when the new deadline lies ahead') FROM r WHERE order_ref = 'due';
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'remind'), '2026-03-11 00:00', 'a return is reminded again of a deadline that moved');
SELECT is((SELECT status FROM r WHERE order_ref = 'draft'), 'cancelled', 'reschedule() does not undo what a deadline has done');
SELECT is(due('received'), '2026-03-13 00:00', 'three business days skip four new days off');

-- ------------------------------------------------- deadlines that have passed

SET returns.clock = '2026-03-13 10:00+05';
SET returns.actor = 'seller:acme';
SELECT throws_ok($$SELECT walk('received', 'refund_due')$$, 'RT003', NULL, 'a seller may not act after the deadline');
SET returns.actor = 'operator:o';
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES ('kz', '2026-03-12', false, 'Flood');
SELECT is(returns.reschedule(), 3, 'reschedule() moves the three deadlines that end after the new day off');
SELECT is(due('received'), '2026-03-14 00:00', 'a deadline that is just over moves for a day off before its end');
SELECT is(due('requested'), '2026-03-12 00:00', 'a deadline that was over before the new day off stays');
SET returns.actor = 'seller:acme';
SELECT is(walk('received', 'refund_due'), 'refund_due', 'a seller may act again after the deadline moved');
SET returns.actor = 'operator:o';

CREATE SCHEMA shop;
CREATE FUNCTION shop.not_guarded(bigint, text) RETURNS text LANGUAGE sql AS $$
	SELECT 'ask the boss' FROM returns.return_request WHERE id = $1 AND order_ref = 'guarded'
$$;
UPDATE returns.transition SET guard = 'shop.not_guarded' WHERE from_state = 'received' AND to_state = 'refund_due';
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES ('kz', '2026-03-13', false, 'Flood');
SET returns.clock = '2026-03-18 12:00+05';
SELECT is(returns.reschedule(), 2, 'reschedule() moves two deadlines for a day off that is entered late');
SELECT is(due('late'), '2026-03-17 00:00', 'a late entry of a day off moves a deadline that is over');
SELECT is((SELECT wake_at FROM r WHERE order_ref = 'late'), '2026-03-14 00:00', 'a moved deadline that is still over keeps its wake_at');
SELECT cmp_ok(returns.run_deadlines(), '>=', 1, 'the sweep moves a return whose moved deadline is over');
SELECT is((SELECT status FROM r WHERE order_ref = 'late'), 'refund_due', 'a return whose moved deadline is over is refund_due');
SELECT is(due('late'), '2026-03-19 00:00', 'the next term is counted from the moved deadline and not from the sweep');
SELECT ok(status = 'received' AND failures = 1 AND overdue AND wake_at = '2026-03-18 12:01+05', 'a return whose guard refuses is put off and marked overdue')
  FROM r WHERE order_ref = 'guarded';
SELECT is(returns.reschedule(), 0, 'reschedule() changes nothing again after the sweep');
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES
	('kz', '2026-03-16', false, 'Flood'), ('kz', '2026-03-17', false, 'Flood'), ('kz', '2026-03-18', false, 'Flood');
SELECT cmp_ok(returns.reschedule(), '>=', 2, 'reschedule() moves deadlines for three more days off');
SELECT is(due('late'), '2026-03-20 00:00', 'the following term skips the new days off');
SELECT is(due('guarded'), '2026-03-20 00:00', 'the deadline of a return that was put off moves');
SELECT ok(failures = 0 AND NOT overdue AND wake_at = due_at, 'reschedule() clears the failures of a return whose deadline lies ahead again') FROM r WHERE order_ref = 'guarded';

-- --------------------------------------------------------------- other rules

UPDATE returns.stage_deadline SET on_timeout = NULL WHERE state = 'outcome_disputed';
UPDATE returns.stage_deadline SET term = 9 WHERE state = 'outcome_disputed';
SELECT is(returns.reschedule(), 1, 'reschedule() applies a longer term to returns that are in the stage');
SELECT is((SELECT on_timeout FROM r WHERE order_ref = 'chain'), 'refund_due', 'reschedule() keeps the on_timeout that was promised');
DELETE FROM returns.stage_deadline WHERE state = 'outcome_disputed';
SELECT is(returns.reschedule(), 0, 'reschedule() changes nothing for a timer that was deleted');
SELECT isnt(due('chain'), NULL, 'a deadline stays after its timer is deleted');
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
SELECT is(shortened(), 1, 'a term that leaves its calendar does not stop reschedule() of another market');
SELECT is((SELECT string_agg(r.order_ref, ',') FROM before_short AS b JOIN r USING (id) WHERE r.due_at <> b.due_at), 'far',
	'a return whose term leaves its calendar keeps its deadline');
UPDATE returns.calendar SET last_day = '2027-12-31' WHERE code = 'kz';

-- -------------------------------------------------------------------- rights

SET ROLE app;
SET returns.actor = 'seller:acme';
SELECT throws_ok('SELECT returns.reschedule()', '42501', NULL, 'a seller may not call reschedule()');
SET returns.actor = '';
SELECT throws_ok('SELECT returns.reschedule()', '42501', NULL, 'a role without an actor may not call reschedule()');
SET returns.actor = 'operator:o';
SELECT lives_ok('SELECT returns.reschedule()', 'an operator may call reschedule()');
RESET ROLE;
SET returns.actor = '';
SELECT lives_ok('SELECT returns.reschedule()', 'the owner of the tables may call reschedule() without an actor');
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES ('kz', '2026-03-19', false, 'Flood');
SELECT cmp_ok(returns.reschedule(), '>=', 1, 'reschedule() by the owner moves deadlines');
SELECT is((SELECT actor FROM returns.return_event WHERE kind = 'override' ORDER BY epoch DESC, xid DESC LIMIT 1), 'system',
	'reschedule() by the owner without an actor is an event of the system');

SELECT * FROM finish();
