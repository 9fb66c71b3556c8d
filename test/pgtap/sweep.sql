-- The sweep: moves, reminders and overdue marks at deadlines, failures, and
-- sweeps after an outage.
\set QUIET on
SET client_min_messages = error;
SET timezone = 'Asia/Almaty';
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';   -- a Monday
SET returns.actor = 'operator:desk';

-- An order of one unit, paid; returns are named after it.
CREATE FUNCTION pg_temp.sell(o text, cat text DEFAULT 'clothing', mkt text DEFAULT 'kz') RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, currency, purchased_at, delivered_at)
	VALUES (o, 1, 'b', 's', 'sku', cat, mkt, 1, 100, 'KZT', returns.now() - interval '3 days', returns.now() - interval '1 day');
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
	VALUES (o, 1, 'card', 100, 'KZT', 'psp', returns.now() - interval '3 days');
$$;
-- A return of the order, moved to a state by an operator.
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
CREATE FUNCTION pg_temp.due(o text) RETURNS timestamptz LANGUAGE sql AS $$
	SELECT due_at FROM returns.return_request WHERE order_ref = o
$$;
CREATE FUNCTION pg_temp.wake(o text) RETURNS timestamptz LANGUAGE sql AS $$
	SELECT wake_at FROM returns.return_request WHERE order_ref = o
$$;
-- The events of a return from seq on: kind/actor:from>to
CREATE FUNCTION pg_temp.story(o text, since int DEFAULT 3) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(kind || '/' || actor || ':' || from_state || '>' || to_state, ' ' ORDER BY seq)
	FROM returns.return_event WHERE order_ref = o AND seq >= since
$$;
CREATE FUNCTION pg_temp.act(o text, state text, who text DEFAULT 'seller:s') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('returns.actor', who, true);
	RETURN returns.act((SELECT id FROM returns.return_request WHERE order_ref = o), state, 'note');
END $$;

-- ---------------------------------------------------------------- arguments
SELECT throws_ok('SELECT returns.run_deadlines(NULL)', '22004', NULL, 'run_deadlines() refuses max_rows NULL');
SELECT throws_ok('SELECT returns.run_deadlines(0)', '22023', NULL, 'run_deadlines() refuses max_rows 0');
SELECT throws_ok('SELECT returns.run_deadlines(-5)', '22023', NULL, 'run_deadlines() refuses a negative max_rows');
SELECT throws_ok('CALL returns.sweep(0)', '22023', NULL, 'sweep() refuses a batch of 0');
SELECT throws_ok('CALL returns.sweep(NULL)', '22004', NULL, 'sweep() refuses a batch of NULL');
SELECT throws_ok('CALL returns.sweep()', '2D000', NULL, 'sweep() refuses to run inside a transaction');
SELECT is(returns.run_deadlines(), 0, 'run_deadlines() moves nothing in an empty table');
SELECT is(returns.run_deadlines(2147483647), 0, 'run_deadlines() accepts the largest max_rows');
BEGIN READ ONLY;
SELECT throws_ok('SELECT returns.run_deadlines()', '25006', NULL, 'run_deadlines() refuses a read-only transaction');
ROLLBACK;

-- ---------------------------------------------------------------- the instant
SELECT pg_temp.sell('a' || i), pg_temp.bring('a' || i) FROM generate_series(1, 5) i;
SELECT is(pg_temp.due('a1'), '2026-03-05 00:00+05', 'a requested return has a deadline of two business days');

SET returns.clock = '2026-03-04 23:59:59.999999+05';
SELECT is(returns.run_deadlines(), 0, 'nothing moves a microsecond before the deadline');
SELECT is(pg_temp.act('a1', 'rejected'), 'rejected', 'a seller may act a microsecond before the deadline');
SET returns.clock = '2026-03-05 00:00:00+05';
SELECT throws_ok($$SELECT pg_temp.act('a2', 'rejected')$$, 'RT003', NULL, 'a seller may not act at the deadline before the sweep');
SET returns.clock = '2026-03-05 00:00:00.000001+05';
SELECT throws_ok($$SELECT pg_temp.act('a2', 'rejected')$$, 'RT003', NULL, 'a seller may not act a microsecond after the deadline');
SELECT is(pg_temp.act('a3', 'rejected', 'operator:desk'), 'rejected', 'an operator may act after the deadline');
SET returns.clock = '2026-03-05 00:00:00+05';
SELECT is(returns.run_deadlines(), 3, 'returns move at the deadline');
SELECT is(pg_temp.state('a2'), 'approved', 'a return moves to the target of its timer');
SELECT is(pg_temp.story('a2'), 'transition/system:requested>approved', 'a move by the sweep is one event of the system');
SELECT is((SELECT actor_ref FROM returns.return_event WHERE order_ref = 'a2' AND seq = 3), NULL, 'an event of the system has no actor_ref');
SELECT is(returns.run_deadlines(), 0, 'a return that has moved does not move again');
SELECT is(pg_temp.state('a1') || pg_temp.state('a3'), 'rejectedrejected', 'a return whose party acted in time does not move');

-- Any caller: the sweep does not use the actor of the session, and keeps it.
SET returns.clock = '2026-03-02 10:00:00+05';
SELECT pg_temp.sell('actor'), pg_temp.bring('actor');
SET returns.clock = '2026-03-05 09:00:00+05';
SET returns.actor = '';
SELECT is(returns.run_deadlines(), 1, 'run_deadlines() needs no actor');
SELECT throws_ok($$UPDATE returns.return_request SET status = 'cancelled' WHERE order_ref = 'actor'$$, 'RT002', NULL,
	'the caller of run_deadlines() does not become the system');
SET returns.actor = 'operator:desk';

-- ---------------------------------------------------------------- number and order
-- Opened on Thursday, Wednesday, Tuesday, Monday.
SELECT set_config('returns.clock', (timestamptz '2026-04-10 10:00+05' - i * interval '1 day')::text, false), pg_temp.sell('m' || i), pg_temp.bring('m' || i)
FROM generate_series(1, 4) i;
SELECT results_eq($$SELECT order_ref FROM returns.return_request WHERE order_ref LIKE 'm%' ORDER BY due_at$$,
	'{m4,m3,m2,m1}'::text[], 'the returns of the test are due in the reverse order of their numbers');
SET returns.clock = '2026-04-08 23:00:00+05';
SELECT cmp_ok(returns.run_deadlines(), '>', 3, 'the returns of the earlier tests move');
SET returns.clock = '2026-04-15 10:00:00+05';
SELECT is(returns.run_deadlines(2), 2, 'run_deadlines(2) moves two of four due returns');
SELECT results_eq($$SELECT order_ref FROM returns.return_request WHERE order_ref LIKE 'm%' AND status <> 'requested' ORDER BY 1$$,
	'{m3,m4}'::text[], 'run_deadlines(2) moves the two with the earliest deadlines');
SELECT is(returns.run_deadlines(1000), 2, 'a second call moves the other two returns');
SELECT is((SELECT count(*) FROM returns.return_request WHERE order_ref LIKE 'm%' AND status = 'approved'), 4::bigint, 'all four returns move by one stage');

-- After a rollback the returns are due again.
SET returns.clock = '2026-03-02 10:00:00+05';
SELECT pg_temp.sell('undo'), pg_temp.bring('undo');
SET returns.clock = '2026-04-15 11:00:00+05';
BEGIN;
SELECT is(returns.run_deadlines(), 1, 'a due return moves before a rollback');
ROLLBACK;
SELECT is(pg_temp.state('undo'), 'requested', 'a rollback undoes the move of the sweep');
BEGIN;
SAVEPOINT s;
SELECT is(returns.run_deadlines(), 1, 'a due return moves again in the next transaction');
ROLLBACK TO s;
SELECT is(returns.run_deadlines(), 1, 'a due return moves again after a rollback to a savepoint');
COMMIT;
SELECT is(pg_temp.story('undo'), 'transition/system:requested>approved', 'one event is left of a move that was rolled back twice');
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT is(returns.run_deadlines(), 0, 'run_deadlines() runs in a serializable transaction');
COMMIT;

-- ---------------------------------------------------------------- a money stage: marked, once
SET returns.clock = '2026-04-13 10:00:00+05';
SELECT pg_temp.sell('late'), pg_temp.bring('late', 'approved', 'in_transit', 'received', 'refund_due');
SELECT is(pg_temp.due('late'), '2026-04-15 00:00+05', 'a refund is due in one business day');
SET returns.clock = '2026-04-15 00:00:00+05';
SELECT is(returns.run_deadlines(), 0, 'a refund that is late does not move its return');
SELECT results_eq($$SELECT status, overdue, wake_at IS NULL, on_timeout IS NULL, due_at FROM returns.return_request WHERE order_ref = 'late'$$,
	$$VALUES ('refund_due', true, true, true, timestamptz '2026-04-15 00:00+05')$$, 'a return with a late refund stays, is overdue and has no wake_at');
SELECT is(pg_temp.story('late', 7), 'overdue/system:refund_due>refund_due', 'a late refund is an event in the history');
SET returns.clock = '2026-04-20 00:00:00+05';
SELECT returns.run_deadlines();
SELECT is(pg_temp.story('late', 8), NULL, 'a late refund is one event only');
UPDATE returns.refund SET status = 'sent' WHERE order_ref = 'late';
UPDATE returns.refund SET status = 'settled', provider_ref = 'r1' WHERE order_ref = 'late';
SELECT is((SELECT status || overdue FROM returns.return_request WHERE order_ref = 'late'), 'refundedfalse', 'a refunded return is not overdue');

-- ---------------------------------------------------------------- reminders
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('rm', 'Asia/Almaty', 'kz', 'KZT');
INSERT INTO returns.policy (market, window_term, source) VALUES ('rm', 300, 'test');
CREATE FUNCTION pg_temp.remind_at(started timestamptz, t int, u text, r int) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
	o text := 'r' || nextval('pg_temp.orders');
BEGIN
	DELETE FROM returns.stage_deadline WHERE market = 'rm';
	INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout, remind) VALUES ('rm', 'requested', t, u, 'approved', r);
	PERFORM set_config('returns.clock', started::text, false);
	PERFORM pg_temp.sell(o, 'clothing', 'rm'), pg_temp.bring(o);
	RETURN pg_temp.wake(o);
END $$;
CREATE SEQUENCE pg_temp.orders;
-- Monday 2 March 2026; 8, 9, 21 to 24 March are off in Kazakhstan.
SELECT is(pg_temp.remind_at('2026-03-02 10:00+05', 48, 'hour', 6), '2026-03-04 04:00+05', 'a reminder in hours counts from the end of the term');
SELECT is(pg_temp.remind_at('2026-03-02 10:00+05', 4, 'day', 1), '2026-03-06 00:00+05', 'a reminder of one day wakes on the last day');
SELECT is(pg_temp.remind_at('2026-03-02 10:00+05', 5, 'day', 1), '2026-03-10 00:00+05', 'a reminder of one day wakes on the day to which the term moves on');
SELECT is(pg_temp.remind_at('2026-03-02 10:00+05', 5, 'day', 3), '2026-03-08 00:00+05', 'a reminder of three days counts from the end of the moved term');
SELECT is(pg_temp.remind_at('2026-03-02 10:00+05', 6, 'business_day', 2), '2026-03-10 00:00+05', 'a reminder of two business days wakes on the first of the last two');
SELECT is(pg_temp.remind_at('2026-03-02 10:00+05', 2, 'business_day', 1), '2026-03-04 00:00+05', 'a reminder of one business day wakes on the last business day');
SELECT is(pg_temp.remind_at('2026-01-31 10:00+05', 2, 'month', 1), '2026-03-01 00:00+05', 'a reminder of one month wakes before the last month');
SELECT is(pg_temp.remind_at('2026-02-28 10:00+05', 3, 'month', 1), '2026-04-29 00:00+05', 'a reminder of one month counts back from the last day of the term');
INSERT INTO returns.calendar (code, first_day, last_day) VALUES ('sweep', '1990-01-01', '2039-12-31');
UPDATE returns.market SET calendar = 'sweep' WHERE code = 'rm';
SELECT is(pg_temp.remind_at('2026-03-02 10:00+05', 2, 'year', 1), '2027-03-03 00:00+05', 'a reminder of one year wakes before the last year');
SELECT is(pg_temp.remind_at('1999-12-30 10:00+06', 4, 'day', NULL), '2000-01-04 00:00+06', 'without a reminder a return wakes at its deadline, also in a year before 2000');
UPDATE returns.market SET calendar = 'kz' WHERE code = 'rm';
SET returns.clock = '2026-03-02 10:00+05';
INSERT INTO returns.stage_deadline (market, category, state, term, unit, on_timeout) VALUES ('rm', 'clothing', 'draft', 1, 'day', 'cancelled');
SELECT pg_temp.sell('drafted', 'clothing', 'rm');
INSERT INTO returns.return_request (order_ref, reason) VALUES ('drafted', 'changed_mind');
SELECT is(pg_temp.due('drafted'), NULL, 'the timer of a category does not run for a draft, whose lines are not known yet');
DELETE FROM returns.return_request WHERE order_ref = 'drafted';
DELETE FROM returns.stage_deadline WHERE market = 'rm' AND state = 'draft';

SET returns.clock = '2026-03-04 04:00+05';
DELETE FROM returns.stage_deadline WHERE market = 'rm';
INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout, remind) VALUES ('rm', 'requested', 48, 'hour', 'approved', 6);
SET returns.clock = '2026-03-02 10:00:00+05';
SELECT pg_temp.sell('rem', 'clothing', 'rm'), pg_temp.bring('rem');
SET returns.clock = '2026-03-04 03:59:59.999999+05';
SELECT returns.run_deadlines();
SELECT is(pg_temp.story('rem'), NULL, 'no reminder is written a microsecond before its time');
SET returns.clock = '2026-03-04 04:00+05';
SELECT returns.run_deadlines();
SELECT is(pg_temp.story('rem'), 'reminder/system:requested>requested', 'a reminder is written at its time');
SELECT is(pg_temp.wake('rem'), pg_temp.due('rem'), 'a reminded return wakes next at its deadline');
SELECT is((SELECT overdue FROM returns.return_request WHERE order_ref = 'rem'), false, 'a reminded return is not overdue');
SET returns.clock = '2026-03-04 09:59+05';
SELECT returns.run_deadlines();
SELECT is(pg_temp.story('rem', 4), NULL, 'a return is reminded once');
SELECT is(pg_temp.act('rem', 'rejected'), 'rejected', 'a reminded seller may act before the deadline');
SET returns.actor = 'operator:desk';
-- An outage during both: due returns move, and no reminder is sent for a stage
-- that has ended.
SET returns.clock = '2026-03-02 10:00:00+05';
SELECT pg_temp.sell('rem2', 'clothing', 'rm'), pg_temp.bring('rem2');
SET returns.clock = '2026-03-04 12:00+05';
SELECT returns.run_deadlines();
SELECT is(pg_temp.story('rem2'), 'transition/system:requested>approved', 'a return past its deadline moves without a reminder');

-- A reminder that cannot be sent is tried again, and keeps the deadline.
CREATE FUNCTION public.no_reminder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.kind = 'reminder' THEN RAISE EXCEPTION 'no reminders here'; END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER user_check BEFORE INSERT ON returns.return_event FOR EACH ROW EXECUTE FUNCTION public.no_reminder();
SET returns.clock = '2026-03-02 10:00:00+05';
SELECT pg_temp.sell('rem3', 'clothing', 'rm'), pg_temp.bring('rem3');
CREATE FUNCTION pg_temp.remind_again() RETURNS interval LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('returns.clock', pg_temp.wake('rem3')::text, false);
	PERFORM returns.run_deadlines();
	RETURN pg_temp.wake('rem3') - returns.now();
END $$;
SELECT is(array_agg(pg_temp.remind_again()), '{1m,2m,4m,8m,16m,32m,64m,128m,105m}'::interval[], 'a reminder that fails is put off at most to the deadline')
FROM generate_series(1, 9);
SELECT results_eq($$SELECT status, overdue, failures, wake_at = due_at FROM returns.return_request WHERE order_ref = 'rem3'$$,
	$$VALUES ('requested', false, 9, true)$$, 'a return whose reminder fails stays and is not overdue');
SELECT pg_temp.remind_again();
SELECT is(pg_temp.state('rem3'), 'approved', 'a return whose reminder fails moves at its deadline');
DROP TRIGGER user_check ON returns.return_event;

-- ---------------------------------------------------------------- one that fails
CREATE TABLE public.released (order_ref text);
CREATE FUNCTION public.refuses(return_id bigint, to_state text) RETURNS text LANGUAGE sql AS $$
	SELECT 'on hold' FROM returns.return_request r WHERE r.id = return_id AND r.order_ref LIKE 'bad%'
		AND NOT EXISTS (SELECT FROM public.released WHERE order_ref = r.order_ref)
$$;
UPDATE returns.transition SET guard = 'public.refuses' WHERE machine = 'return' AND from_state = 'requested' AND to_state = 'approved';
SET returns.clock = '2026-05-04 10:00:00+05';
SELECT returns.run_deadlines();
SELECT pg_temp.sell(o), pg_temp.bring(o) FROM unnest('{g1,bad1,g2,bad2,g3}'::text[]) o;
SELECT is(pg_temp.due('bad1'), '2026-05-07 00:00+05', 'the returns of the test are due at the same time');
SET returns.clock = '2026-05-07 00:00:00+05';
SELECT is(returns.run_deadlines(), 3, 'two moves that fail do not stop three others');
SELECT is(pg_temp.state('g1') || pg_temp.state('g2') || pg_temp.state('g3'), 'approvedapprovedapproved', 'the three other returns have moved');
SELECT results_eq($$SELECT status, overdue, failures, wake_at - returns.now() FROM returns.return_request WHERE order_ref = 'bad1'$$,
	$$VALUES ('requested', true, 1, interval '1 minute')$$, 'a return whose move fails is overdue and put off by a minute');
SELECT is(pg_temp.story('bad1'), 'overdue/system:requested>requested', 'a move that fails is an event in the history');
SELECT results_eq($$SELECT note, details ->> 'sqlstate', details ->> 'detail', details ->> 'on_timeout', details ->> 'failures'
	FROM returns.return_event WHERE order_ref = 'bad1' AND seq = 3$$,
	format($$VALUES ('guard "public.refuses" refuses to move return %s from "requested" to "approved"', 'RT001', 'on hold', 'approved', '1')$$,
		(SELECT id FROM returns.return_request WHERE order_ref = 'bad1')), 'the event of a failed move has the error');
SELECT is(returns.run_deadlines(), 0, 'a move that failed is not tried again at once');
SELECT is((SELECT sum(failures) FROM returns.return_request WHERE order_ref LIKE 'bad%'), 2::bigint, 'a move that failed was tried once');
CREATE FUNCTION pg_temp.retry() RETURNS interval LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('returns.clock', pg_temp.wake('bad1')::text, false);
	PERFORM returns.run_deadlines();
	RETURN pg_temp.wake('bad1') - returns.now();
END $$;
SELECT is(array_agg(pg_temp.retry()), '{2m,4m,8m,16m,32m,64m,128m,256m,512m,1024m,24h,24h}'::interval[], 'a move that keeps failing is put off longer each time, up to a day')
FROM generate_series(1, 12);
SELECT is((SELECT count(*) FROM returns.return_event WHERE order_ref = 'bad1' AND kind = 'overdue'), 13::bigint, 'each failed move is an event');
SELECT throws_ok($$SELECT pg_temp.act('bad1', 'rejected')$$, 'RT003', NULL, 'a seller may not act while the move of the timer fails');
INSERT INTO public.released VALUES ('bad1');
SELECT set_config('returns.clock', pg_temp.wake('bad1')::text, false);
SELECT is(returns.run_deadlines(), 1, 'a move succeeds when the cause of its failures is removed');
SELECT results_eq($$SELECT status, overdue, failures FROM returns.return_request WHERE order_ref = 'bad1'$$,
	$$VALUES ('approved', false, 0)$$, 'a return that moves at last has no failures and is not overdue');
SET returns.actor = 'operator:desk';
SELECT is(returns.act((SELECT id FROM returns.return_request WHERE order_ref = 'bad2'), 'cancelled'), 'cancelled', 'an operator may act on a return whose move fails');

-- The record of the failure fails too, and the other returns still move.
CREATE FUNCTION public.no_overdue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.kind = 'overdue' THEN RAISE EXCEPTION 'no overdue events here'; END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER user_check BEFORE INSERT ON returns.return_event FOR EACH ROW EXECUTE FUNCTION public.no_overdue();
SELECT pg_temp.sell(o), pg_temp.bring(o) FROM unnest('{h1,bad3,h2}'::text[]) o;
SELECT set_config('returns.clock', pg_temp.due('bad3')::text, false);
SELECT cmp_ok(returns.run_deadlines(), '>=', 2, 'other returns move when an overdue event cannot be written');
SELECT results_eq($$SELECT failures, overdue FROM returns.return_request WHERE order_ref = 'bad3'$$, $$VALUES (1, false)$$, 'a return is put off when its overdue event cannot be written');
SELECT is(pg_temp.story('bad3'), NULL, 'a return whose overdue event cannot be written has no event');
DROP TRIGGER user_check ON returns.return_event;
INSERT INTO public.released VALUES ('bad3');
UPDATE returns.transition SET guard = NULL WHERE guard IS NOT NULL;

-- An error that would be raised at commit does not affect the other returns
-- either.
CREATE FUNCTION public.no_bad() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.order_ref LIKE 'bad%' AND NEW.status = 'approved' THEN RAISE EXCEPTION 'not this one' USING ERRCODE = '23000'; END IF;
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER user_deferred AFTER UPDATE ON returns.return_request DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION public.no_bad();
SELECT pg_temp.sell(o), pg_temp.bring(o) FROM unnest('{i1,bad6,i2}'::text[]) o;
SELECT set_config('returns.clock', pg_temp.due('bad6')::text, false);
CALL returns.sweep();
SELECT is(pg_temp.state('i1') || pg_temp.state('bad6') || pg_temp.state('i2'), 'approvedrequestedapproved', 'a deferred constraint that refuses one move does not stop the others');
SELECT is((SELECT details ->> 'sqlstate' FROM returns.return_event WHERE order_ref = 'bad6' AND kind = 'overdue'), '23000', 'a move refused by a deferred constraint is an event');
DROP TRIGGER user_deferred ON returns.return_request;

-- Neither does a trigger that suppresses the write of one return; this counts
-- as a failure.
CREATE FUNCTION public.not_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN OLD.order_ref = 'bad7' AND NEW.status <> OLD.status OR OLD.order_ref = 'bad8' THEN NULL ELSE NEW END;
END $$;
SELECT pg_temp.sell(o), pg_temp.bring(o) FROM unnest('{j1,bad7,bad8,j2}'::text[]) o;
CREATE TRIGGER user_check BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.not_written();
SELECT set_config('returns.clock', pg_temp.due('bad7')::text, false);
SELECT cmp_ok(returns.run_deadlines(), '>=', 2, 'other returns move when a trigger suppresses two');
SELECT is(pg_temp.state('j1') || pg_temp.state('bad7') || pg_temp.state('bad8') || pg_temp.state('j2'), 'approvedrequestedrequestedapproved', 'returns whose UPDATE is suppressed do not move');
SELECT is((SELECT details ->> 'sqlstate' FROM returns.return_event WHERE order_ref = 'bad7' AND kind = 'overdue'), 'RT007', 'a suppressed move is an event with RT007');
SELECT is((SELECT failures FROM returns.deadline_board WHERE order_ref = 'bad7'), 1, 'a suppressed move is counted on the deadline board');
SELECT is(pg_temp.story('bad8'), NULL, 'a return of which every UPDATE is suppressed has no event');
DROP TRIGGER user_check ON returns.return_request;
SELECT is(returns.run_deadlines(), 1, 'a return moves as soon as its UPDATE is not suppressed');

-- ---------------------------------------------------------------- after an outage
SET returns.clock = '2026-06-01 10:00:00+05';  -- a Monday
SELECT returns.run_deadlines();
SELECT pg_temp.sell(o) FROM unnest('{silent,moving,check,dispute,swap}'::text[]) o;
SELECT pg_temp.bring('silent'), pg_temp.bring('moving', 'approved', 'in_transit'), pg_temp.bring('check', 'approved', 'in_transit', 'received');
SET returns.clock = '2026-07-01 15:00:00+05';  -- a Wednesday, after a month without a sweep
SELECT returns.run_deadlines();
-- The buyer could not send the goods before the approval: full term from now.
SELECT is(pg_temp.story('silent'), 'transition/system:requested>approved', 'a late sweep stops at a stage in which the buyer acts');
SELECT is(pg_temp.due('silent'), returns.deadline('2026-07-01 15:00+05', 7, 'day', 'kz'), 'the stage of a buyer after a late sweep has its full term');
-- The stages of the platform are counted as if there had been no outage.
SELECT is(pg_temp.story('moving', 5),
	'transition/system:in_transit>outcome_disputed transition/system:outcome_disputed>refund_due overdue/system:refund_due>refund_due',
	'a late sweep makes every step of the platform an event');
SELECT results_eq($$SELECT from_state, due_at FROM returns.return_event WHERE order_ref = 'moving' AND seq >= 5 ORDER BY seq$$,
	$$SELECT * FROM (VALUES
		('in_transit', returns.deadline('2026-06-16 00:00+05', 5, 'business_day', 'kz')),
		('outcome_disputed', returns.deadline(returns.deadline('2026-06-16 00:00+05', 5, 'business_day', 'kz'), 1, 'business_day', 'kz')),
		('refund_due', returns.deadline(returns.deadline('2026-06-16 00:00+05', 5, 'business_day', 'kz'), 1, 'business_day', 'kz'))) v$$,
	'a late sweep counts each stage of the platform from the previous deadline');
SELECT is(pg_temp.due('check'), returns.deadline('2026-06-05 00:00+05', 1, 'business_day', 'kz'), 'a late sweep counts a refund from the deadline of the seller');
SELECT is((SELECT overdue FROM returns.return_request WHERE order_ref = 'check'), true, 'a refund that became due before a late sweep is overdue');
SELECT is((SELECT bool_and(at = returns.now()) FROM returns.return_event WHERE order_ref = 'moving' AND seq >= 5), true, 'the events of a late sweep have the time of the sweep');
SELECT is(returns.run_deadlines(), 0, 'one call of run_deadlines() makes all steps');
-- Every row of the table in doc/deadlines.md, and the other actors that can
-- act.
SET returns.clock = '2026-06-01 10:00:00+05';
SELECT returns.open_return('swap', '[{"line_no":1,"quantity":1}]', 'wrong_size', 'exchange') AS swap \gset
SELECT returns.act(:swap, s, 'note', '{"carrier": "post", "tracking_ref": "T1"}') FROM unnest('{approved,in_transit,received}'::text[]) AS s;
BEGIN;
INSERT INTO returns.market (code, timezone, calendar, currency)
SELECT 'for_' || who, 'Asia/Almaty', 'kz', 'KZT' FROM unnest('{buyer,seller,carrier,operator}'::text[]) AS who;
INSERT INTO returns.policy (market, window_term, source) SELECT code, 300, 'test' FROM returns.market WHERE code LIKE 'for_%';
INSERT INTO returns.state (code, kind) SELECT code, 'open' FROM returns.market WHERE code LIKE 'for_%';
INSERT INTO returns.transition (from_state, to_state, actors)
SELECT 'requested', code, '{system}'::text[] FROM returns.market WHERE code LIKE 'for_%'
UNION ALL SELECT code, 'received', ARRAY[substr(code, 5)] FROM returns.market WHERE code LIKE 'for_%'
UNION ALL SELECT code, 'closed', '{system}' FROM returns.market WHERE code LIKE 'for_%';
INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout)
SELECT code, 'requested', 2, 'business_day', code FROM returns.market WHERE code LIKE 'for_%'
UNION ALL SELECT code, code, 3, 'day', 'closed' FROM returns.market WHERE code LIKE 'for_%';
COMMIT;
SELECT pg_temp.sell(code, 'clothing', code), pg_temp.bring(code) FROM returns.market WHERE code LIKE 'for_%';
SET returns.clock = '2026-07-01 15:00:00+05';
SELECT returns.run_deadlines();
SELECT is(pg_temp.story('swap', 6), 'transition/system:received>exchange_due', 'an exchange that the seller did not check goes on to exchange_due');
SELECT is(pg_temp.due('swap'), returns.deadline('2026-07-01 15:00+05', 5, 'business_day', 'kz'), 'a stage in which the seller must act has its whole term after an outage');
SELECT is(pg_temp.story('for_' || who), format('transition/system:requested>for_%s', who),
	format('the seller did not answer, and only the %s can act now', who)) FROM unnest('{buyer,seller,carrier}'::text[]) AS who;
SELECT is(pg_temp.due('for_' || who), returns.deadline('2026-07-01 15:00+05', 3, 'day', 'kz'),
	format('the %s has all of the term from now', who)) FROM unnest('{buyer,seller,carrier}'::text[]) AS who;
SELECT is(pg_temp.story('for_operator'), 'transition/system:requested>for_operator transition/system:for_operator>closed',
	'the term of a stage in which only the operator can act runs from the previous deadline');

-- A running sweep does not skip a stage that has already ended when it begins.
SET returns.clock = '2026-06-01 10:00:00+05';
SELECT pg_temp.sell('step'), pg_temp.bring('step', 'approved', 'in_transit');
SET returns.clock = '2026-07-01 15:00:00+05';
SELECT is(returns.run_deadlines(1), 1, 'run_deadlines(1) makes one move of a return that is several stages behind');
SELECT results_eq($$SELECT status, due_at < returns.now(), wake_at = returns.now() FROM returns.return_request WHERE order_ref = 'step'$$,
	$$VALUES ('outcome_disputed', true, true)$$, 'a stage that is over when it begins wakes at once, not in the past');
SELECT is(returns.run_deadlines(), 1, 'the next sweep ends a stage that is over when it begins');

-- A chain of moves that fails in its second move keeps the first.
UPDATE returns.transition SET guard = 'public.refuses' WHERE machine = 'return' AND from_state = 'outcome_disputed' AND to_state = 'refund_due';
SET returns.clock = '2026-06-01 10:00:00+05';
SELECT pg_temp.sell('bad4'), pg_temp.bring('bad4', 'approved', 'in_transit');
SET returns.clock = '2026-07-01 16:00:00+05';
SELECT is(returns.run_deadlines(), 1, 'a chain whose second step fails makes one step');
SELECT is(pg_temp.story('bad4', 5), 'transition/system:in_transit>outcome_disputed overdue/system:outcome_disputed>outcome_disputed', 'a chain whose second step fails keeps the first');
INSERT INTO public.released VALUES ('bad4');
SET returns.clock = '2026-07-01 16:01:00+05';
SELECT is(returns.run_deadlines(), 1, 'the second step follows when its cause is removed');
UPDATE returns.transition SET guard = NULL WHERE guard IS NOT NULL;

-- ---------------------------------------------------------------- its index
DROP INDEX returns.return_request_wake;
CREATE INDEX not_all ON returns.return_request (wake_at, id) WHERE seller_ref = 's';
SELECT throws_ok('SELECT returns.run_deadlines()', 'RT012', NULL, 'run_deadlines() refuses to run without a complete index on wake_at');
DROP INDEX returns.not_all;
CREATE INDEX all_of_them ON returns.return_request (wake_at, id) INCLUDE (status);
SELECT lives_ok('SELECT returns.run_deadlines()', 'run_deadlines() uses another complete index on wake_at');
CALL returns.setup();
DROP INDEX returns.all_of_them;
SELECT lives_ok('SELECT returns.run_deadlines()', 'setup() creates the index on wake_at again');

-- ---------------------------------------------------------------- CALL sweep()
SET returns.clock = '2026-08-03 10:00:00+05';
SELECT returns.run_deadlines();
SELECT pg_temp.sell('w' || i), pg_temp.bring('w' || i) FROM generate_series(1, 25) i;
SELECT pg_temp.sell('lease'), pg_temp.bring('lease', 'approved', 'received', 'refund_due');
SELECT count(*) FROM returns.claim_refunds(1000, '10 minutes');
SET returns.clock = '2026-08-06 00:00:00+05';
CALL returns.sweep(10);
SELECT is((SELECT count(*) FROM returns.return_request WHERE order_ref LIKE 'w%' AND status = 'approved'), 25::bigint, 'sweep() moves all due returns');
SELECT is((SELECT count(DISTINCT xid) FROM returns.return_event WHERE order_ref LIKE 'w%' AND to_state = 'approved'), 3::bigint, 'sweep() commits each batch');
SELECT is((SELECT status || attempt FROM returns.refund WHERE order_ref = 'lease'), 'pending1', 'sweep() releases a refund whose lease ended');
SELECT is((SELECT count(*) FROM returns.refund WHERE status = 'sent'), 0::bigint, 'no refund stays sent after its lease ended');

-- ---------------------------------------------------------------- interrupts
-- A slow trigger is cancelled: this ends the sweep, and is no failure of one
-- return.
SET returns.clock = '2026-08-10 10:00:00+05';  -- a Monday
SELECT pg_temp.sell('t' || i), pg_temp.bring('t' || i) FROM generate_series(1, 3) AS i;
CREATE SEQUENCE public.slept;
CREATE FUNCTION public.interrupted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('public.slept') > 1 THEN
		RETURN NEW;
	ELSIF tg_argv[0] LIKE '_____' THEN
		RAISE EXCEPTION 'not for one return alone' USING ERRCODE = tg_argv[0];
	ELSIF tg_argv[0] = 'cancel' THEN
		PERFORM pg_cancel_backend(pg_backend_pid());
	END IF;
	PERFORM pg_sleep(60);
	RETURN NEW;
END $$;
CREATE FUNCTION pg_temp.sqlstate_of_sweep(how text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.interrupted(%L)', how);
	PERFORM setval('public.slept', 1, false);
	RETURN returns.run_deadlines()::text;
EXCEPTION WHEN query_canceled OR OTHERS THEN
	RETURN SQLSTATE;
END $$;
SET returns.clock = '2026-08-13 10:00:00+05';
SET statement_timeout = '200ms';
SELECT is(pg_temp.sqlstate_of_sweep('timeout'), '57014', 'statement_timeout ends a sweep');
RESET statement_timeout;
SELECT is(pg_temp.sqlstate_of_sweep('cancel'), '57014', 'a cancel request ends a sweep');
SELECT is(pg_temp.sqlstate_of_sweep('53100'), '53100', 'a full disk ends a sweep');
SELECT is(pg_temp.sqlstate_of_sweep('RT012'), 'RT012', 'tables that are not set up end a sweep');
SELECT is((SELECT count(*) FROM returns.return_event WHERE order_ref LIKE 't_' AND seq > 2), 0::bigint, 'a sweep that was ended leaves no event');
SELECT is(returns.run_deadlines(), 3, 'the next sweep makes the moves of a sweep that was ended');

-- ---------------------------------------------------------------- many of them
-- So many returns that the second pass would not begin at the oldest one. It must
-- not skip stages that have already ended when they begin.
SET returns.clock = '2026-08-17 10:00:00+05';
SELECT count(pg_temp.sell('x' || i)), count(pg_temp.bring('x' || i)) FROM generate_series(1, 1001) AS i;
SELECT pg_temp.sell('x'), pg_temp.bring('x', 'approved', 'in_transit');
SET returns.clock = '2026-10-01 15:00:00+05';
SELECT cmp_ok(returns.run_deadlines(100000), '>', 1000, 'one sweep moves many returns and one that is several stages behind');
SELECT is(pg_temp.story('x', 5),
	'transition/system:in_transit>outcome_disputed transition/system:outcome_disputed>refund_due overdue/system:refund_due>refund_due',
	'a return that is several stages behind goes through all of them in one sweep');

SELECT finish();
