-- explain(): the policy of each line, the deadline, and the next moves.

SET client_min_messages = error;
SET timezone = 'UTC';
SET returns.clock = '2026-03-02 12:00+05';
SET returns.actor = 'operator:o';

SELECT plan(32);

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
SELECT o, l, 'ann', 'acme', CASE l WHEN 1 THEN 'lamp' ELSE 'E 5' END, CASE l WHEN 1 THEN 'appliances' ELSE 'phones' END, 'kz',
	3, 100, 'KZT', '2026-02-20 10:00+05', '2026-02-25 10:00+05'
  FROM unnest('{a,b,c,d}'::text[]) AS o, generate_series(1, 2) AS l;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT order_ref, 1, 'card', 600, 'KZT', 'bank', '2026-02-20 10:00+05' FROM returns.sale_line WHERE line_no = 1;

CREATE FUNCTION told(o text) RETURNS text[] LANGUAGE sql AS $$
	SELECT ARRAY(SELECT returns.explain((SELECT id FROM returns.return_request WHERE order_ref = o)))
$$;
-- Its lines from the one with this beginning up to the next one of the same
-- depth.
CREATE FUNCTION told(o text, beginning text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(line, E'\n' ORDER BY i)
	  FROM (SELECT line, i, count(*) FILTER (WHERE line LIKE beginning || '%') OVER (ORDER BY i) AS begun,
			count(*) FILTER (WHERE line !~ '^ ') OVER (ORDER BY i) AS part
			FROM unnest(told(o)) WITH ORDINALITY AS x (line, i)) AS lines
	 WHERE begun = 1 AND part = (SELECT count(*) FILTER (WHERE line !~ '^ ') FROM unnest(told(o)) WITH ORDINALITY AS x (line, i)
		WHERE i <= (SELECT min(i) FROM unnest(told(o)) WITH ORDINALITY AS x (line, i) WHERE line LIKE beginning || '%'))
$$;

-- ------------------------------------------------------------------- a draft

INSERT INTO returns.return_request (order_ref, reason) VALUES ('a', 'changed_mind');
INSERT INTO returns.return_line (order_ref, return_id, line_no, quantity)
SELECT 'a', id, l, 2 FROM returns.return_request, generate_series(1, 2) AS l WHERE order_ref = 'a';
SELECT is((told('a'))[1], 'return ' || id || ' of order "a": refund, reason changed_mind', 'explain() begins with the return, its order, resolution and reason')
  FROM returns.return_request WHERE order_ref = 'a';
SELECT is(told('a', 'line 1'), format('line 1: 2 of 3 "lamp", category appliances, seller acme
  policy %s (%s) governs it
    the most specific policy in force at the purchase, 2026-02-20 10:00:00+05 (Asia/Almaty): it is for fault none, market kz
    window: 14 days from delivery
      event: Wed 2026-02-25 10:00:00+05 (Asia/Almaty); its day is not counted
      14 days after it: Wed 2026-03-11
      in time before: Thu 2026-03-12 00:00:00+05
    it offers refund and exchange; it is statutory', id, source), 'explain() names the policy that would govern a line of a draft')
  FROM returns.policy WHERE market = 'kz' AND category IS NULL AND fault = 'none';
SELECT is(told('a', 'line 2'), format('line 2: 2 of 3 "E 5", category phones, seller acme
  policy %s (%s) governs it
    the most specific policy in force at the purchase, 2026-02-20 10:00:00+05 (Asia/Almaty): it is for category phones, fault none, market kz
    it accepts no returns
  a request would be refused (RT004): Policy %1$s (%2$s) accepts no returns for reason "changed_mind" in category "phones" (line 2).', id, source),
	'explain() says why a request of a draft line would be refused')
  FROM returns.policy WHERE market = 'kz' AND category = 'phones';
SELECT is(told('a', 'state'), 'state "draft" since 2026-03-02 12:00:00+05 (Asia/Almaty)
  timer for market kz: 1 day
    event: Mon 2026-03-02 12:00:00+05 (Asia/Almaty); its day is not counted
    1 day after it: Tue 2026-03-03
    in time before: Wed 2026-03-04 00:00:00+05', 'explain() shows how the deadline of the state is counted');
SELECT is(told('a', 'next'), 'next: if no actor moves it before 2026-03-04 00:00:00+05 (Asia/Almaty), the system moves it to "cancelled"
  buyer, operator may move it to "cancelled"
  buyer, operator may move it to "requested"', 'explain() shows the next move and who may make which moves');

-- --------------------------------------------------------------- a requested

UPDATE returns.stage_deadline SET remind = 1 WHERE state = 'requested';
SELECT returns.open_return('b', '[{"line_no":1,"quantity":1}]', 'defective') AS b \gset
SELECT is(told('b', 'next'), 'next: if no actor moves it before 2026-03-05 00:00:00+05 (Asia/Almaty), the system moves it to "approved"
  a reminder is due at 2026-03-04 00:00:00+05 (Asia/Almaty)
  seller, operator may move it to "approved"
  buyer, operator may move it to "cancelled"
  operator may move it to "refund_due"
  seller, operator may move it to "rejected", with note', 'explain() shows the reminder and what each move requires');
SELECT matches(told('b', 'line 1'), 'window: 30 days from delivery', 'explain() shows the window of a requested line');
-- The calendar changes, and existing deadlines stay.
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES
	('kz', '2026-03-03', false, 'Storm'), ('kz', '2026-03-27', false, 'Flood');
SELECT matches(told('b', 'state'), 'Tue 2026-03-03 is off: Storm.*the rules have changed since: the deadline of this return is still 2026-03-05 00:00:00\+05 \(Asia/Almaty\)',
	'explain() keeps a deadline that was promised before the calendar changed');
SELECT matches(told('b', 'line 1'), 'in time before: Tue 2026-03-31.*when the return was requested, the window ended at 2026-03-28 00:00:00\+05 \(Asia/Almaty\); this end applies',
	'explain() keeps a window that was promised before the calendar changed');
SELECT returns.reschedule();
SELECT doesnt_match(told('b', 'state'), 'the rules have changed', 'explain() shows the new deadline after reschedule()');
DELETE FROM returns.calendar_day WHERE calendar = 'kz' AND day IN ('2026-03-03', '2026-03-27');
SELECT returns.act(:b, 'approved');
SELECT doesnt_match(told('b', 'next'), 'system may', 'explain() does not list the system among the actors of a move');
-- the deadline has passed, and the sweep is late
SET returns.clock = '2026-03-20 12:00+05';
SELECT is(split_part(told('b', 'next'), E'\n', 1), 'next: its time ended at 2026-03-11 00:00:00+05 (Asia/Almaty), and the next sweep moves it to "expired"',
	'explain() says that a stage is over and waits for the sweep');
SET returns.clock = '2026-03-09 12:00+05';
SELECT returns.act(:b, 'in_transit', details => '{"carrier":"post","tracking_ref":"T"}');
SET returns.clock = '2026-03-31 12:00+05';
SELECT returns.run_deadlines();
SELECT matches(told('b', 'state'), 'state "outcome_disputed" since 2026-03-31 12:00:00\+05 \(Asia/Almaty\)
  timer for market kz: 5 business days, counted from the end of the previous stage
    event: Fri 2026-03-27 00:00:00\+05', 'explain() says that a term is counted from the end of the previous stage');
-- put off
CREATE SCHEMA shop;
CREATE FUNCTION shop.no(bigint, text) RETURNS text LANGUAGE sql AS $$ SELECT 'not now' $$;
UPDATE returns.transition SET guard = 'shop.no' WHERE from_state = 'outcome_disputed' AND to_state = 'refund_due';
SET returns.clock = '2026-04-06 12:00+05';
SELECT returns.run_deadlines();
SELECT is(told('b', 'next'), 'next: the move to "refund_due" was due at 2026-04-04 00:00:00+05 (Asia/Almaty) and has failed 1 time(s); the next attempt is at 2026-04-06 12:01:00+05 (Asia/Almaty)
  operator may move it to "closed", with note
  operator may move it to "refund_due", if the guard allows it: shop.no', 'explain() shows a move that fails, its failures and the next try');
UPDATE returns.transition SET guard = NULL;
UPDATE returns.stage_deadline SET on_timeout = NULL WHERE state = 'outcome_disputed';
DELETE FROM returns.stage_deadline WHERE state = 'outcome_disputed';
SELECT matches(told('b', 'state'), 'its timer was deleted, but the deadline that it set still applies', 'explain() keeps the deadline of a timer that was deleted');
-- money
SELECT returns.act(:b, 'refund_due');
SELECT is(told('b', 'next'), 'next: if it is still in this state at 2026-04-08 00:00:00+05 (Asia/Almaty), it is marked overdue and stays
  when all its refunds are settled, the system moves it to "refunded"', 'explain() says that a stage without a target is marked overdue');
SET returns.clock = '2026-04-08 12:00+05';
SELECT matches(told('b', 'next'), 'it has been overdue since 2026-04-08 00:00:00\+05', 'explain() says since when a return is overdue');
SELECT id FROM returns.claim_refunds(10);
UPDATE returns.refund SET status = 'settled', provider_ref = 'p' WHERE return_id = :b;
SELECT is(told('b', 'next'), 'next: nothing, this state is final', 'explain() says that a final state is the end');

-- ------------------------------------------------------------- other windows

INSERT INTO returns.policy (market, seller_ref, category, reason, fault, valid_from, window_term, window_unit, window_from, extended_until,
	resolutions, source)
VALUES ('kz', 'acme', 'goods', 'defective', 'seller', '2026-04-09', 1, 'month', 'purchased', '2026-06-10', '{refund}', 'acme''s own');
SET returns.clock = '2026-04-20 12:00+05';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('e', 1, 'ann', 'acme', 'lamp', 'appliances', 'kz', 1, 100, 'KZT', '2026-04-15 10:00+05', NULL);
INSERT INTO returns.return_request (order_ref, reason) VALUES ('e', 'defective');
INSERT INTO returns.return_line (order_ref, return_id, line_no, quantity) SELECT 'e', id, 1, 1 FROM returns.return_request WHERE order_ref = 'e';
SELECT is(told('e', 'line 1'), format('line 1: 1 of 1 "lamp", category appliances, seller acme
  policy %s (acme''s own) governs it
    the most specific policy in force at the purchase, 2026-04-15 10:00:00+05 (Asia/Almaty): it is for seller acme, category goods, reason defective, fault seller, market kz
    window: 1 month from purchase
      event: Wed 2026-04-15 10:00:00+05 (Asia/Almaty); its day is not counted
      1 month after it: Fri 2026-05-15
      in time before: Sat 2026-05-16 00:00:00+05
      the window ends no earlier than 2026-06-11 00:00:00+05 (Asia/Almaty), by the policy''s extended_until
    it offers refund
  a request would be refused (RT004): Line 1 has no delivered_at: only delivered units can be returned.', id), 'explain() shows a seller''s own policy with its extension')
  FROM returns.policy WHERE source = 'acme''s own';

INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('m', 'Europe/Berlin', 'kz', 'EUR');
INSERT INTO returns.policy (window_term, window_unit, restocking_percent, refund_shipping, source) VALUES (48, 'hour', 10, true, NULL);
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('f', 1, 'ann', 'acme', 'lamp', 'appliances', 'm', 1, 100, 'EUR', '2026-04-15 10:00+02', '2026-04-18 10:00+02');
INSERT INTO returns.return_request (order_ref, reason) VALUES ('f', 'changed_mind');
INSERT INTO returns.return_line (order_ref, return_id, line_no, quantity) SELECT 'f', id, 1, 1 FROM returns.return_request WHERE order_ref = 'f';
SELECT is(told('f', 'line 1'), format('line 1: 1 of 1 "lamp", category appliances, seller acme
  policy %s governs it
    the most specific policy in force at the purchase, 2026-04-15 10:00:00+02 (Europe/Berlin): it is for every sale
    window: 48 hours from delivery
      event: Sat 2026-04-18 10:00:00+02 (Europe/Berlin)
      48 hours after it, to the second: hours are never moved
      in time before: Mon 2026-04-20 10:00:00+02
    it offers refund and exchange, less a restocking fee, and delivery is refunded', id), 'explain() shows a policy for all markets with hours and a fee')
  FROM returns.policy WHERE market IS NULL;
SELECT is(told('f', 'next'), 'next: nothing without a move, because no timer runs
  buyer, operator may move it to "cancelled"
  buyer, operator may move it to "requested"', 'explain() says that a market without timers moves nothing by itself');

-- a timer that is defined while the return waits
UPDATE returns.return_request SET status = 'requested' WHERE order_ref = 'f';
INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout) VALUES ('m', 'requested', 3, 'day', 'approved');
SELECT matches(told('f', 'state'), 'timer for market m: 3 days.*no deadline', 'explain() says that a return has no deadline by a timer that was defined later');
SELECT matches(told('f', 'next'), 'no timer runs', 'explain() does not let a timer that was defined later move the return');

-- ------------------------------------------------------------------ visibility

SET ROLE app;
SET returns.actor = 'buyer:ann';
SELECT cmp_ok(cardinality(told('b')), '>', 5, 'the buyer of a return can explain it');
SET returns.actor = 'seller:acme';
SELECT cmp_ok(cardinality(told('b')), '>', 5, 'the seller of a return can explain it');
SET returns.actor = 'carrier:post';
SELECT cmp_ok(cardinality(told('b')), '>', 5, 'the carrier of a return can explain it');
SET returns.actor = 'buyer:bob';
SELECT throws_ok(format('SELECT returns.explain(%s)', :b), 'RT010', NULL, 'another buyer cannot explain a return');
SET returns.actor = '';
SELECT throws_ok(format('SELECT returns.explain(%s)', :b), 'RT010', NULL, 'a session without an actor cannot explain a return');
RESET ROLE;
SELECT cmp_ok(cardinality(told('b')), '>', 5, 'the owner of the tables can explain every return');
SELECT throws_ok('SELECT returns.explain(0)', 'RT010', NULL, 'explain() refuses a return that does not exist');
SELECT is_empty('SELECT returns.explain(NULL)', 'explain(NULL) gives no rows');
SET timezone = 'America/New_York';
SET datestyle = 'SQL, DMY';
SELECT matches(told('b', 'state'), 'since 2026-04-08 12:00:00\+05 \(Asia/Almaty\)', 'explain() shows the time of the market in any session time zone and datestyle');

SELECT * FROM finish();
