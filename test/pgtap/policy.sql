-- Policies: which one governs a sale, which answer it gives, and which
-- definitions are refused. policy_property.sql compares the look-up with a
-- plain one on random policies.

SELECT plan(179);

SET returns.clock = '2025-06-10 12:00+05';

SELECT lives_ok('DELETE FROM returns.policy', 'all policies may be deleted before the first sale');

-- Two markets without statutory policies, and a tree of categories with three
-- levels.
INSERT INTO returns.market (code, timezone, calendar, currency)
VALUES ('m1', 'Asia/Almaty', 'kz', 'KZT'), ('m2', 'Europe/Berlin', 'kz', 'EUR');
INSERT INTO returns.category (code, parent)
VALUES ('top', NULL), ('middle', 'top'), ('leaf', 'middle'), ('aside', 'top'), ('strange', NULL), ('spare', NULL);

-- The refusal of a statement as text, or its result.
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || message || '; ' || detail;
END $$;

-- The same, and an accepted statement is rolled back.
CREATE FUNCTION tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE SQLSTATE 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN RETURN 'accepted';
	WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

CREATE PROCEDURE sell(order_ref text, line_no int, category text, purchased timestamptz,
	delivered timestamptz DEFAULT NULL, market text DEFAULT 'm1', seller text DEFAULT 's1',
	quantity int DEFAULT 1, amount numeric DEFAULT 100)
LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
		quantity, amount_paid, currency, purchased_at, delivered_at)
	VALUES (order_ref, line_no, 'b1', seller, 'sku', category, market, quantity, amount,
		(SELECT m.currency FROM returns.market AS m WHERE m.code = sell.market), purchased, delivered)
$$;

-- ------------------------------------------------------------- which policy
-- All 64 combinations of keys that match one sale: the more specific ended the
-- earlier, so on each day another is the most specific of those in force.

CREATE TABLE ranks AS
SELECT row_number() OVER (ORDER BY seller IS NULL, depth, reason IS NULL, fault IS NULL, market IS NULL) - 1 AS rank, *
  FROM (VALUES (NULL), ('r1')) AS seller (seller),
	   (VALUES (0, 'leaf'), (1, 'middle'), (2, 'top'), (3, NULL)) AS category (depth, category),
	   (VALUES (NULL), ('changed_mind')) AS reason (reason),
	   (VALUES (NULL), ('none')) AS fault (fault),
	   (VALUES (NULL), ('m1')) AS market (market);

SELECT lives_ok($$
	INSERT INTO returns.policy (seller_ref, category, reason, fault, market, valid_from, valid_to, window_term, source)
	SELECT seller, category, reason, fault, market, '2024-02-01', timestamptz '2024-02-01' + (rank + 1) * interval '1 day', 1, 'rank ' || rank
	  FROM ranks ORDER BY random()$$, 'policies with all combinations of keys are accepted together');

-- Policies that never match: another seller, category, reason, fault or market.
INSERT INTO returns.policy (seller_ref, category, reason, fault, market, valid_from, valid_to, window_term, source)
VALUES ('r2', 'leaf', 'changed_mind', 'none', 'm1', '2024-02-01', '2024-06-01', 1, 'wrong'),
	   ('r1', 'aside', 'changed_mind', 'none', 'm1', '2024-02-01', '2024-06-01', 1, 'wrong'),
	   ('r1', 'leaf', 'wrong_size', 'none', 'm1', '2024-02-01', '2024-06-01', 1, 'wrong'),
	   ('r1', 'leaf', NULL, 'seller', 'm1', '2024-02-01', '2024-06-01', 1, 'wrong'),
	   ('r1', 'leaf', 'changed_mind', 'none', 'm2', '2024-02-01', '2024-06-01', 1, 'wrong');

DO $$
BEGIN
	FOR day IN 0..64 LOOP
		CALL sell('ranks', day, 'leaf', timestamptz '2024-02-01' + day * interval '1 day', seller => 'r1');
	END LOOP;
END $$;

SELECT results_eq(
	$$SELECT day, (SELECT source FROM returns.policy WHERE id = returns.policy_for('ranks', day, 'changed_mind'))
	    FROM generate_series(0, 64) AS day$$,
	$$SELECT day, CASE WHEN day < 64 THEN 'rank ' || day END FROM generate_series(0, 64) AS day$$,
	'the most specific policy governs a sale: seller, then nearest category, reason, fault, market');

SELECT results_eq(
	$$SELECT day, (SELECT source FROM returns.policy WHERE id = returns.policy_for('ranks', day))
	    FROM generate_series(0, 64) AS day$$,
	$$SELECT day, 'rank ' || (SELECT min(rank) FROM ranks WHERE reason IS NULL AND rank >= day)
	    FROM generate_series(0, 64) AS day$$,
	'without a reason a sale falls under policies for any reason or for no fault');

SELECT results_eq(
	$$SELECT day, (SELECT source FROM returns.policy WHERE id = returns.policy_for('ranks', day, 'damaged_in_delivery'))
	    FROM generate_series(0, 64) AS day$$,
	$$SELECT day, 'rank ' || (SELECT min(rank) FROM ranks WHERE reason IS NULL AND fault IS NULL AND rank >= day)
	    FROM generate_series(0, 64) AS day$$,
	'a policy for no fault does not govern a fault of the carrier');

CALL sell('ranks', 100, 'strange', '2024-02-01', market => 'm2', seller => 's9');
SELECT is(returns.policy_for('ranks', 100, 'changed_mind'),
	(SELECT id FROM returns.policy WHERE source = 'rank 57'),
	'a sale of a market, category and seller that no policy names falls under reason and fault');

-- validity: from valid_from on, no longer at valid_to, versions follow one another
INSERT INTO returns.policy (market, category, reason, valid_from, valid_to, window_term, source)
VALUES ('m2', 'top', 'changed_mind', '2024-04-02 00:00+00', '2024-04-03 00:00+00', 1, 'first'),
	   ('m2', 'top', 'changed_mind', '2024-04-03 00:00+00', 'infinity', 1, 'second');
CALL sell('versions', 1, 'aside', '2024-04-01 23:59:59.999999+00', market => 'm2', seller => 's9');
CALL sell('versions', 2, 'aside', '2024-04-02 00:00+00', market => 'm2', seller => 's9');
CALL sell('versions', 3, 'aside', '2024-04-02 23:59:59.999999+00', market => 'm2', seller => 's9');
CALL sell('versions', 4, 'aside', '2024-04-03 00:00+00', market => 'm2', seller => 's9');
SELECT results_eq(
	$$SELECT l, (SELECT source FROM returns.policy WHERE id = returns.policy_for('versions', l, 'changed_mind'))
	    FROM generate_series(1, 4) AS l$$,
	$$VALUES (1, 'rank 61'), (2, 'first'), (3, 'first'), (4, 'second')$$,
	'a policy is valid from valid_from on and no longer at valid_to');

SELECT throws_ok($$SELECT returns.policy_for('nowhere', 1)$$, 'RT010', NULL, 'an unknown order is refused');
SELECT throws_ok($$SELECT returns.policy_for('versions', 1, 'whim')$$, 'RT010', NULL, 'an unknown reason is refused');
SELECT throws_ok($$SELECT returns.policy_for(NULL, 1)$$, '22004', NULL, 'an order must be named');
SELECT throws_ok($$SELECT returns.policy_for('versions', NULL)$$, '22004', NULL, 'a line must be named');
SELECT is(returns.policy_for('versions', 99), NULL, 'a line that does not exist has no policy');

-- ------------------------------------------------------------------ windows
-- From here on each subject has a market of its own.

CREATE PROCEDURE make_market(code text, zone text DEFAULT 'Asia/Almaty') LANGUAGE sql AS $$
	INSERT INTO returns.market (code, timezone, calendar, currency) VALUES (code, zone, 'kz', 'KZT')
$$;

CREATE FUNCTION window_of(order_ref text, line_no int, reason text DEFAULT NULL) RETURNS timestamptz
LANGUAGE sql AS $$
	SELECT e.window_ends_at FROM returns.eligibility(order_ref, reason) AS e WHERE e.line_no = window_of.line_no
$$;

CALL make_market('win');
INSERT INTO returns.policy (market, category, window_term, window_unit, window_from, window_roll, extended_until, valid_to)
VALUES ('win', 'top', 14, 'day', 'delivered', true, NULL, 'infinity'),
	   ('win', 'middle', 14, 'day', 'purchased', false, NULL, 'infinity'),
	   ('win', 'leaf', 48, 'hour', 'delivered', true, NULL, 'infinity'),
	   ('win', 'aside', 5, 'day', 'delivered', false, '2025-06-20', 'infinity'),
	   ('win', 'strange', 1, 'month', 'delivered', false, '2025-06-20', 'infinity');

CALL sell('win', 1, 'top', '2025-02-10 10:00+05', '2025-02-15 10:00+05', 'win');
CALL sell('win', 2, 'top', '2025-02-10 10:00+05', NULL, 'win');
CALL sell('win', 3, 'middle', '2025-02-15 23:59:59+05', '2025-03-01 10:00+05', 'win');
CALL sell('win', 4, 'middle', '2025-02-16 00:00+05', NULL, 'win');
CALL sell('win', 5, 'leaf', '2025-03-01 10:00+05', '2025-03-06 10:00+05', 'win');
CALL sell('win', 6, 'aside', '2025-06-01 10:00+05', '2025-06-02 10:00+05', 'win');
CALL sell('win', 7, 'aside', '2025-06-10 10:00+05', '2025-06-19 10:00+05', 'win');
CALL sell('win', 8, 'strange', '2025-01-31 10:00+05', '2025-01-31 10:00+05', 'win');

SELECT is(window_of('win', 1), timestamptz '2025-03-04 00:00+05', 'a window of 14 days from delivery moves on from a day off');
SELECT is(window_of('win', 2), NULL, 'a line that is not delivered has no window from delivery');
SELECT is(window_of('win', 3), timestamptz '2025-03-02 00:00+05', 'a window of 14 days from purchase does not move on without window_roll');
SELECT is(window_of('win', 4), timestamptz '2025-03-03 00:00+05', 'a window from purchase is known before delivery and counts days of the market');
SELECT is(window_of('win', 5), timestamptz '2025-03-08 10:00+05', 'a window in hours ends to the second');
SELECT is(window_of('win', 6), timestamptz '2025-06-21 00:00+05', 'a window ends no earlier than the local day extended_until');
SELECT is(window_of('win', 7), timestamptz '2025-06-25 00:00+05', 'extended_until does not cut a longer window');
SELECT is(window_of('win', 8), timestamptz '2025-06-21 00:00+05', 'extended_until extends a window in months');
SELECT results_eq(
	$$SELECT line_no, sqlstate FROM returns.eligibility('win') WHERE line_no IN (2, 4)$$,
	$$VALUES (2, 'RT004'), (4, 'RT004')$$, 'a line that is not delivered is not returnable with any start of the window');

SET TimeZone = 'Pacific/Auckland';
SELECT is(window_of('win', 1), timestamptz '2025-03-04 00:00+05', 'the window does not depend on the time zone of the session');
RESET TimeZone;

-- --------------------------------------------------------------- eligibility

CALL make_market('eli');
INSERT INTO returns.policy (market, category, fault, window_term, window_roll, returnable, resolutions, source)
VALUES ('eli', 'top', NULL, 14, false, true, '{refund}', 'shop'),
	   ('eli', 'leaf', 'none', NULL, true, false, '{}', 'final sale');
CALL sell('eli', 1, 'top', '2025-05-20 10:00+05', '2025-05-28 10:00+05', 'eli', quantity => 3, amount => 100);
CALL sell('eli', 2, 'leaf', '2025-05-20 10:00+05', '2025-05-28 10:00+05', 'eli', seller => 's2');
CALL sell('eli', 3, 'strange', '2025-05-20 10:00+05', '2025-05-28 10:00+05', 'eli');
CALL sell('eli', 4, 'top', '2025-05-20 10:00+05', NULL, 'eli');

SELECT is((e.returnable, e.units_left, e.amount_left, e.window_ends_at, e.sqlstate, e.why)::text,
	(true, 3, 100.00, timestamptz '2025-06-12 00:00+05', NULL::text, NULL::text)::text, 'eligibility() shows units, amount and window of a returnable line')
  FROM returns.eligibility('eli') AS e WHERE line_no = 1;
SELECT is(e.sqlstate || ' ' || e.why,
	'RT004 Policy ' || p.id || ' (final sale) accepts no returns for an unspecified reason in category "leaf" (line 2).',
	'eligibility() says which policy takes nothing back')
  FROM returns.eligibility('eli') AS e, returns.policy AS p WHERE line_no = 2 AND p.source = 'final sale';
SELECT ok(returnable, 'eligibility() allows a line of a final sale for a fault of the seller')
  FROM returns.eligibility('eli', 'defective') WHERE line_no = 2;
SELECT ok(NOT returnable AND sqlstate = 'RT004' AND why LIKE 'No policy in force at 2025-05-20 10:00:00+05 (Asia/Almaty) applies to line 3: market "eli", category "strange", seller "s1", reason "defective".',
	'eligibility() says that no policy applies to a line') FROM returns.eligibility('eli', 'defective') WHERE line_no = 3;
SELECT is(count(*), 4::bigint, 'eligibility() has one row for each line of the order') FROM returns.eligibility('eli');
SELECT is(array_agg(line_no), '{1,2,3,4}', 'eligibility() has its rows in the order of the lines') FROM returns.eligibility('eli');

SET returns.clock = '2025-06-11 23:59:59.999999+05';
SELECT ok(returnable, 'a line is returnable in the last microsecond of its window') FROM returns.eligibility('eli') WHERE line_no = 1;
SET returns.clock = '2025-06-12 00:00+05';
SELECT is(e.sqlstate || ' ' || e.why,
	'RT003 Policy ' || p.id || ' (shop) gives 14 days from delivery; for line 1 this window ended at 2025-06-12 00:00:00+05 (Asia/Almaty), and the time is now 2025-06-12 00:00:00+05 (Asia/Almaty).',
	'eligibility() says that the window ended')
  FROM returns.eligibility('eli') AS e, returns.policy AS p WHERE line_no = 1 AND p.source = 'shop';
SET returns.clock = '2025-06-10 12:00+05';

-- units that are returned or in open returns are not left, and neither is
-- their exact share of the money
ALTER TABLE returns.sale_line DISABLE TRIGGER USER;
UPDATE returns.sale_line SET reserved = 1 WHERE order_ref = 'eli' AND line_no = 1;
SELECT is((units_left, amount_left, returnable)::text, (2, 66.67, true)::text, 'a unit in an open return is not left for another return')
  FROM returns.eligibility('eli') WHERE line_no = 1;
UPDATE returns.sale_line SET returned = 2 WHERE order_ref = 'eli' AND line_no = 1;
SELECT is((units_left, amount_left, returnable, sqlstate, why)::text,
	(0, 0.00, false, 'RT005', 'Line 1 has 0 of 3 units left (1 in open returns, 2 returned), but the request is for 1.')::text, 'eligibility() says that no unit is left')
  FROM returns.eligibility('eli') WHERE line_no = 1;
UPDATE returns.sale_line SET reserved = 0, returned = 0 WHERE order_ref = 'eli' AND line_no = 1;
ALTER TABLE returns.sale_line ENABLE TRIGGER USER;

SELECT throws_ok($$SELECT * FROM returns.eligibility('nowhere')$$, 'RT010', NULL, 'eligibility() refuses an unknown order');
SELECT throws_ok($$SELECT * FROM returns.eligibility('eli', 'whim')$$, 'RT010', NULL, 'eligibility() refuses an unknown reason');
SELECT throws_ok($$SELECT * FROM returns.eligibility(NULL)$$, '22004', NULL, 'eligibility() refuses an order of NULL');

-- visibility
CREATE ROLE policy_reader;
CREATE ROLE policy_stranger;
GRANT USAGE ON SCHEMA returns, tap, public TO policy_reader, policy_stranger;
INSERT INTO returns.actor_grant (db_role, actor) SELECT 'policy_reader', a FROM unnest('{buyer,seller,carrier,operator}'::text[]) AS a;
CREATE FUNCTION seen(actor text, order_ref text DEFAULT 'eli') RETURNS int[] LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('returns.actor', actor, true);
	RETURN (SELECT array_agg(line_no) FROM returns.eligibility(order_ref));
END $$;
SET ROLE policy_reader;
SELECT is(seen('buyer:b1'), '{1,2,3,4}', 'a buyer sees all lines of an own order');
SELECT is(seen('buyer:b2'), NULL, 'another buyer sees no line of an order');
SELECT is(seen('seller:s1'), '{1,3,4}', 'a seller sees own lines');
SELECT is(seen('seller:s2'), '{2}', 'another seller sees own lines');
SELECT is(seen('carrier:c1'), NULL, 'a carrier sees no line of an order');
SELECT is(seen('operator:o1'), '{1,2,3,4}', 'an operator sees all lines of an order');
SELECT is(seen('', 'eli'), NULL, 'a session without an actor sees no line of an order');
SELECT is(seen('buyer:b2', 'nowhere'), NULL, 'an order that does not exist looks like one that is not theirs');
SELECT throws_ok($$SELECT seen('operator:o1', 'nowhere')$$, 'RT010', NULL, 'eligibility() reports an unknown order to an operator');
SELECT is(returns.policy_for('eli', 1), NULL, 'policy_for() does not show a policy to a session that does not see the line');
SELECT set_config('returns.actor', 'buyer:b1', false) \g /dev/null
SELECT isnt(returns.policy_for('eli', 1), NULL, 'policy_for() shows the policy of an own line to its buyer');
RESET returns.actor;
RESET ROLE;
SET ROLE policy_stranger;
SELECT is(seen('operator:o1'), NULL, 'a role without a grant for operator does not see as an operator');
RESET ROLE;
SELECT is(seen(''), '{1,2,3,4}', 'the owner of the tables sees all without an actor');
SELECT is(seen('seller:s2'), '{2}', 'the owner of the tables sees as its actor');
REVOKE ALL ON SCHEMA returns, tap, public FROM policy_reader, policy_stranger;
DELETE FROM returns.actor_grant WHERE db_role = 'policy_reader';
DROP ROLE policy_reader, policy_stranger;

-- --------------------------------------------------------------------- codes

SELECT throws_ok($$INSERT INTO returns.policy (market, window_term) VALUES ('nowhere', 1)$$, 'RT010', NULL, 'a policy for an unknown market is refused');
SELECT throws_ok($$INSERT INTO returns.policy (category, window_term) VALUES ('nothing', 1)$$, 'RT010', NULL, 'a policy for an unknown category is refused');
SELECT throws_ok($$INSERT INTO returns.policy (reason, window_term) VALUES ('whim', 1)$$, 'RT010', NULL, 'a policy for an unknown reason is refused');
SELECT throws_ok($$INSERT INTO returns.policy (fault, window_term) VALUES ('nobody', 1)$$, 'RT010', NULL, 'a policy for an unknown fault is refused');
SELECT throws_ok($$INSERT INTO returns.policy (window_unit, window_term) VALUES ('week', 1)$$, 'RT010', NULL, 'a policy with an unknown window_unit is refused');
SELECT throws_ok($$INSERT INTO returns.policy (market, returnable) VALUES ('m1', true)$$, '23514', NULL, 'a returnable policy without a term is refused');
SELECT throws_ok($$INSERT INTO returns.policy (window_term, valid_from) VALUES (1, NULL)$$, '23502', NULL, 'a policy with valid_from NULL is refused');
SELECT throws_ok($$INSERT INTO returns.policy (window_term, valid_from, valid_to) VALUES (1, '2026-01-02', '2026-01-01')$$, '23514', NULL, 'a policy that ends before it begins is refused');
SELECT throws_ok($$INSERT INTO returns.policy (window_term, restocking_percent) VALUES (1, 'NaN')$$, '23514', NULL, 'a policy with a fee of NaN is refused');
SELECT throws_ok($$INSERT INTO returns.policy (window_term, restocking_percent) VALUES (1, 100.5)$$, '23514', NULL, 'a policy with a fee above 100 percent is refused');
SELECT throws_ok($$INSERT INTO returns.policy (window_term, restocking_percent) VALUES (1, 1.0000001)$$, '22003', NULL, 'a policy with a fee finer than millionths of a percent is refused');
SELECT throws_ok($$INSERT INTO returns.policy (window_term, keep_item_below) VALUES (1, 'NaN')$$, '23514', NULL, 'a policy with a limit of NaN is refused');
SELECT throws_ok($$INSERT INTO returns.policy (window_term, window_unit) VALUES (2000000000, 'day')$$, '22008', NULL, 'a policy with a term beyond all dates is refused');
SELECT throws_ok($$INSERT INTO returns.policy (window_term, extended_until) VALUES (1, '5000000-01-01')$$, '22008', NULL, 'a policy with extended_until beyond all timestamps is refused');
SELECT throws_ok($$INSERT INTO returns.policy (market, window_term, resolutions) VALUES ('m1', 1, '{}')$$, 'RT009', NULL, 'a returnable policy without a resolution is refused');
SELECT throws_ok($$INSERT INTO returns.policy (market, window_term, reason, fault) VALUES ('m1', 1, 'defective', 'none')$$, 'RT009', NULL, 'a policy whose reason has another fault is refused');

-- ---------------------------------------------------------------------- ties

CALL make_market('tie');
INSERT INTO returns.policy (id, market, category, window_term, valid_from, valid_to)
VALUES (9001, 'tie', 'top', 1, '2025-01-01', '2025-03-01');
SELECT is(refusal($$INSERT INTO returns.policy (id, market, category, window_term, valid_from) VALUES (9002, 'tie', 'top', 2, '2025-02-28')$$),
	'RT009 policy 9002 ties with policy 9001; Both are for market "tie", category "top", reason any, fault any and seller any, and both are valid at '
	|| timestamptz '2025-02-28' || '.', 'two policies with the same keys and overlapping validity tie');
SELECT is(tried($$INSERT INTO returns.policy (market, category, window_term, valid_from) VALUES ('tie', 'top', 2, '2025-03-01')$$),
	'accepted', 'a policy that begins when another ends does not tie');
SELECT is(tried($$INSERT INTO returns.policy (market, category, window_term, valid_to) VALUES ('tie', 'top', 2, '2025-01-01 00:00:00.000001')$$),
	'RT009', 'a policy that ends after the first instant of another ties');
SELECT is(tried($$INSERT INTO returns.policy (market, category, seller_ref, window_term) VALUES ('tie', 'top', 's1', 2)$$),
	'accepted', 'a policy of a seller does not tie with one for all sellers');
SELECT is(tried($$INSERT INTO returns.policy (market, window_term, valid_from) VALUES ('tie', 2, '2026-01-01'), ('tie', 3, '2026-06-01')$$),
	'RT009', 'two policies of one statement tie');
SELECT is(tried($$INSERT INTO returns.policy (seller_ref, market, window_term) VALUES ('s7', 'tie', 2), ('s8', 'tie', 2), ('s7', 'tie', 3)$$),
	'RT009', 'two policies of one seller tie');
INSERT INTO returns.policy (id, market, category, window_term, valid_from) VALUES (9003, 'tie', 'top', 2, '2026-03-01');
INSERT INTO returns.policy (id, market, category, window_term) VALUES (9006, 'tie', 'aside', 2);
SELECT is(tried('UPDATE returns.policy SET valid_from = ''2025-02-28'' WHERE id = 9003'), 'RT009', 'a policy whose validity is moved into another ties');
SELECT is(tried('UPDATE returns.policy SET valid_to = ''2026-03-02'' WHERE id = 9001'), 'RT009', 'a policy that is prolonged into another ties');
SELECT is(tried('UPDATE returns.policy SET category = ''leaf'', window_term = 3, valid_from = ''2025-07-01'' WHERE id = 9003'),
	'accepted', 'a policy that has not begun may be changed');
SELECT is(tried($$UPDATE returns.policy SET (valid_from, valid_to) = (valid_from + interval '1 year', '2028-01-01') WHERE id = 9003;
	INSERT INTO returns.policy (market, category, window_term, valid_from, valid_to) VALUES ('tie', 'top', 2, '2026-03-01', '2027-03-01')$$),
	'accepted', 'a policy that has not begun may be moved to make room for another');
SELECT is(tried($$WITH ended AS (UPDATE returns.policy SET valid_to = '2025-08-01' WHERE id = 9006 RETURNING *)
	INSERT INTO returns.policy (market, category, window_term, valid_from) SELECT market, category, 7, valid_to FROM ended$$),
	'accepted', 'one statement may end a policy and begin its successor');
SET default_transaction_isolation = 'repeatable read';
SELECT is(tried($$INSERT INTO returns.policy (market, window_term, valid_from) VALUES ('tie', 2, '2026-01-01'), ('tie', 3, '2026-06-01')$$),
	'RT009', 'two of one statement tie under REPEATABLE READ too');
RESET default_transaction_isolation;

-- ------------------------------------------------------------------ in force

CALL make_market('old');
INSERT INTO returns.policy (id, market, category, window_term, source) VALUES (9101, 'old', 'top', 14, 'in force');
INSERT INTO returns.policy (id, market, category, window_term, valid_to) VALUES (9102, 'old', 'strange', 14, '2025-06-01');
INSERT INTO returns.policy (id, market, category, window_term, valid_from) VALUES (9103, 'old', 'aside', 14, '2025-06-10 12:00+05');
INSERT INTO returns.policy (id, market, category, window_term, valid_from) VALUES (9104, 'old', 'spare', 14, '2025-06-10 12:00:01+05');
CALL sell('old', 1, 'leaf', '2025-05-20', '2025-05-21', 'old');
CALL sell('old', 2, 'strange', '2025-06-05', '2025-06-06', 'old');

SELECT is(refusal('UPDATE returns.policy SET window_term = 30 WHERE id = 9101'),
	'RT009 policy 9101 is in force and cannot be changed; It began at -infinity, and column "window_term" would change for sales made since then.',
	'a policy in force cannot be changed');
SELECT is(tried('UPDATE returns.policy SET source = ''x'' WHERE id = 9101'), 'RT009', 'the source of a policy in force cannot be changed');
SELECT is(tried('UPDATE returns.policy SET valid_from = ''2025-06-11'' WHERE id = 9101'), 'RT009', 'a policy in force cannot be put off');
SELECT is(tried('UPDATE returns.policy SET window_term = 30 WHERE id = 9102'), 'RT009', 'a policy that has ended cannot be changed');
SELECT is(tried('UPDATE returns.policy SET window_term = 30 WHERE id = 9103'), 'RT009', 'a policy cannot be changed from the instant when it begins');
SELECT is(tried('UPDATE returns.policy SET window_term = 30 WHERE id = 9104'), 'accepted', 'a policy can be changed until it begins');
SELECT is(tried('UPDATE returns.policy SET window_term = 14, restocking_percent = 0.00, source = source WHERE id = 9101'),
	'accepted', 'a policy in force may be written back unchanged');
SELECT is(tried('UPDATE returns.policy SET valid_to = returns.now() WHERE id = 9101'), 'accepted', 'a policy in force can be ended now');
SELECT is(tried('UPDATE returns.policy SET valid_to = ''2026-01-01'' WHERE id = 9101'), 'accepted', 'a policy in force can be ended later');
SELECT is(tried('UPDATE returns.policy SET valid_to = returns.now() - interval ''1 microsecond'' WHERE id = 9101'),
	'RT009', 'a policy in force cannot be ended in the past');
SELECT is(tried($$INSERT INTO returns.category VALUES ('successor', NULL);
	INSERT INTO returns.policy (id, market, category, window_term, valid_from, valid_to) VALUES (9121, 'tie', 'successor', 1, '-infinity', '2030-01-01'),
		(9122, 'tie', 'successor', 2, '2030-01-01', 'infinity');
	CALL sell('successor', 1, 'successor', returns.now(), market => 'tie');
	UPDATE returns.policy SET valid_to = returns.now() WHERE id = 9121$$), 'RT009', 'a policy with a later version cannot end before a sale of this instant');
SELECT is(tried('UPDATE returns.policy SET valid_to = ''2025-06-02'' WHERE id = 9102'), 'RT009', 'a policy that has ended cannot end at another instant of the past');
SELECT is(tried('UPDATE returns.policy SET valid_to = ''infinity'' WHERE id = 9102'), 'accepted', 'a policy that has ended can be resumed when a sale without a policy gets it');
SELECT is(refusal('DELETE FROM returns.policy WHERE id = 9101'),
	'RT009 policy 9101 is in force and cannot be deleted; It began at -infinity, and there are sales.', 'a policy in force cannot be deleted');
SELECT is(tried('DELETE FROM returns.policy WHERE id = 9102'), 'RT009', 'a policy that has ended cannot be deleted');
SELECT is(tried('DELETE FROM returns.policy WHERE id = 9103'), 'RT009', 'a policy that begins now cannot be deleted');
SELECT is(tried('DELETE FROM returns.policy WHERE id = 9104'), 'accepted', 'a policy that has not begun can be deleted');
SELECT is(tried($$WITH gone AS (DELETE FROM returns.policy WHERE id = 9103 RETURNING *)
	INSERT INTO returns.policy (market, category, window_term) SELECT market, category, 30 FROM gone$$), 'RT009', 'a policy that begins now cannot be deleted and replaced in one statement');
SELECT is(tried('TRUNCATE returns.policy'), 'RT009', 'TRUNCATE of policy is refused');

-- Foreign keys carry a renamed code into policies: this changes no rule.
INSERT INTO returns.policy (id, market, category, reason, window_term) VALUES (9105, 'tie', 'spare', 'late_delivery', 14);
SELECT is(tried($$UPDATE returns.category SET code = 'summit' WHERE code = 'spare'$$), 'accepted', 'a category of a policy may be renamed');
SELECT is(tried($$UPDATE returns.market SET code = 'tied' WHERE code = 'tie'$$), 'accepted', 'a market of a policy may be renamed');
SELECT is(tried($$UPDATE returns.reason SET code = 'whim' WHERE code = 'late_delivery'$$), 'accepted', 'a reason of a policy may be renamed');
SELECT is(tried($$UPDATE returns.policy SET category = 'aside' WHERE id = 9105$$), 'RT009', 'a policy in force cannot get another category');
SELECT is(tried($$UPDATE returns.category SET code = 'summit' WHERE code = 'top';
	UPDATE returns.category SET code = 'top' WHERE code = 'summit'$$), 'accepted', 'a category may be renamed and renamed back');
SELECT is(tried($$WITH gone AS (DELETE FROM returns.category WHERE code = 'spare' RETURNING code)
	UPDATE returns.policy SET category = 'aside' WHERE category = (SELECT code FROM gone)$$),
	'RT009', 'a policy in force cannot get another category in the statement that deletes the first');
SELECT is(tried($$INSERT INTO returns.category VALUES ('x', NULL), ('y', NULL);
	INSERT INTO returns.policy (market, category, window_term, valid_from) VALUES ('tie', 'x', 1, '2030-01-01'), ('tie', 'y', 2, '2030-01-01');
	WITH gone AS (DELETE FROM returns.category WHERE code = 'x' RETURNING code)
	UPDATE returns.policy SET category = 'y' WHERE category = (SELECT code FROM gone)$$),
	'RT009', 'a policy whose category is deleted cannot be moved into a tie');
SELECT is(tried($$UPDATE returns.category SET code = 'summit' WHERE code = 'spare';
	INSERT INTO returns.category VALUES ('spare', NULL);
	INSERT INTO returns.policy (id, market, category, window_term) VALUES (9106, 'tie', 'spare', 1);
	WITH gone AS (DELETE FROM returns.category WHERE code = 'spare' RETURNING code)
	UPDATE returns.policy SET category = 'summit' WHERE id = 9106$$),
	'RT009', 'a policy in force cannot get a renamed category whose old name it has');

-- ---------------------------------------------------------------------- past

SELECT matches(refusal($$INSERT INTO returns.policy (id, market, category, window_term) VALUES (9201, 'old', 'leaf', 30)$$),
	'^RT009 the policy of existing sales would change; Order "old" has a line in category "leaf", sold at 2025-05-20 00:00:00\+00\. It is governed by policy 9101 \(in force\), and would be governed by policy 9201\.$',
	'a policy that begins in the past and changes the rule of a sale is refused');
SELECT is(tried($$INSERT INTO returns.policy (market, category, window_term, valid_from) VALUES ('old', 'middle', 30, '2025-05-20 00:00:00.000001+00')$$),
	'accepted', 'a policy that begins after a sale is accepted');
SELECT is(tried($$INSERT INTO returns.policy (market, category, window_term, valid_to) VALUES ('old', 'middle', 30, '2025-05-20 00:00:00+00')$$),
	'accepted', 'a policy that ends at the instant of a sale is accepted');
SELECT is(tried($$INSERT INTO returns.policy (market, window_term) VALUES ('old', 30)$$), 'accepted', 'a policy in the past is accepted when a more specific one governs the sales');
SELECT is(tried($$INSERT INTO returns.policy (category, window_term, fault) VALUES ('leaf', 30, 'carrier')$$), 'RT009', 'a policy in the past is refused when its category is nearer than the market of another');
SELECT is(tried($$INSERT INTO returns.policy (category, window_term, seller_ref) VALUES ('leaf', 30, 's3')$$), 'accepted', 'a policy in the past of a seller without sales is accepted');
SELECT is(tried($$INSERT INTO returns.policy (window_term, seller_ref) VALUES (30, 's1')$$), 'RT009', 'a policy in the past of a seller with sales is refused');
SELECT is(tried($$INSERT INTO returns.policy (market, category, window_term, valid_from) VALUES ('old', 'strange', 3, '2025-06-01')$$),
	'accepted', 'a sale that no policy governs may get one');
SELECT is(tried($$INSERT INTO returns.policy (market, category, fault, window_term, valid_from) VALUES ('old', 'strange', NULL, 3, '2025-06-01'), ('old', 'strange', 'none', 4, '2025-06-01')$$),
	'accepted', 'a sale without a policy may get several of one statement');
SELECT is(tried($$INSERT INTO returns.policy (market, category, window_term, valid_from) VALUES ('old', 'middle', 3, returns.now())$$),
	'accepted', 'a policy that begins now is accepted');
CALL sell('old', 3, 'leaf', '2025-06-10 12:00+05', NULL, 'old');
SELECT is(tried('UPDATE returns.policy SET valid_to = returns.now() WHERE id = 9101'), 'RT009', 'a policy in force cannot end at the instant of a sale under it');
SELECT is(tried($$INSERT INTO returns.policy (market, category, window_term, valid_from) VALUES ('old', 'middle', 3, returns.now())$$),
	'RT009', 'a policy cannot begin at the instant of a sale that it would govern');
SELECT is(tried($$UPDATE returns.policy SET valid_to = returns.now() + interval '1 microsecond' WHERE id = 9101;
	INSERT INTO returns.policy (market, category, window_term, valid_from) VALUES ('old', 'top', 3, returns.now() + interval '1 microsecond')$$),
	'accepted', 'a policy may end and another begin a microsecond after a sale');

-- ----------------------------------------------------------- the law as a floor

CALL make_market('law');
INSERT INTO returns.policy (id, market, category, fault, window_term, window_unit, window_from, window_roll,
	extended_until, resolutions, restocking_percent, refund_shipping, statutory, returnable, source)
VALUES (9301, 'law', NULL, 'none', 14, 'day', 'delivered', true, NULL, '{refund}', 5, true, true, true, 'general'),
	   (9302, 'law', 'leaf', 'none', NULL, 'day', 'delivered', true, NULL, '{}', 0, false, true, false, 'leaves'),
	   (9303, 'law', NULL, 'seller', 2, 'year', 'delivered', false, '2025-12-31', '{refund,exchange}', 0, true, true, true, 'faults');

-- A policy of the shop for the market, better than the law except in the given
-- columns.
CREATE FUNCTION shop(VARIADIC but text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	p returns.policy := jsonb_populate_record(NULL::returns.policy, '{"id": 9310, "market": "law", "category": "top",
		"fault": "none", "valid_from": "2025-01-01", "valid_to": "infinity", "returnable": true, "window_term": 14,
		"window_unit": "day", "window_from": "delivered", "window_roll": true, "resolutions": ["refund"],
		"restocking_percent": 5, "refund_shipping": true, "statutory": false}');
BEGIN
	FOR i IN 1 .. coalesce(array_length(but, 1), 0) BY 2 LOOP
		p := jsonb_populate_record(p, jsonb_build_object(but[i], CASE but[i] WHEN 'resolutions' THEN to_jsonb(but[i + 1]::text[]) ELSE to_jsonb(but[i + 1]) END));
	END LOOP;
	INSERT INTO returns.policy SELECT p.*;
	RAISE SQLSTATE 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN RETURN 'accepted';
	WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

SELECT is(shop(), 'accepted', 'a policy as good as the law is accepted');
SELECT is(refusal($$INSERT INTO returns.policy (id, market, category, window_term, refund_shipping) VALUES (9311, 'law', 'top', 13, true)$$),
	'RT009 policy 9311 gives the buyer less than the law; It would take precedence over the statutory policy 9301 (general), which gives 14 days from delivery, where this one gives 13 days from delivery.',
	'a policy with a shorter window than the law is refused');
SELECT is(shop('window_from', 'purchased'), 'RT009', 'a policy with a window from purchase is refused where the law counts from delivery');
SELECT is(shop('window_from', 'purchased', 'window_term', '400'), 'RT009', 'a policy with a long window from purchase is refused where the law counts from delivery');
SELECT is(shop('window_roll', 'false'), 'RT009', 'a policy whose window does not move on is refused where the law moves it on');
SELECT is(shop('resolutions', '{exchange}'), 'RT009', 'a policy without a refund is refused where the law gives one');
SELECT is(shop('resolutions', '{refund,exchange}'), 'accepted', 'a policy with an additional exchange is accepted');
SELECT is(shop('restocking_percent', '5.000001'), 'RT009', 'a policy with a higher fee than the law is refused');
SELECT is(shop('restocking_percent', '0'), 'accepted', 'a policy with a lower fee than the law is accepted');
SELECT is(shop('refund_shipping', 'false'), 'RT009', 'a policy that keeps the delivery charge is refused where the law refunds it');
SELECT is(shop('returnable', 'false'), 'RT009', 'a policy that takes nothing back is refused where the law does');
SELECT is(shop('returnable', 'false', 'category', 'leaf', 'reason', 'changed_mind'), 'accepted', 'a policy that takes nothing back is accepted where the law takes nothing back');
SELECT is(shop('window_term', '1', 'category', 'leaf', 'seller_ref', 's1', 'restocking_percent', '50'), 'accepted', 'any policy is accepted where the law takes nothing back');
SELECT is(shop('window_term', '1', 'category', 'middle'), 'RT009', 'a policy above the category of a special law is compared with the general law');
SELECT is(shop('window_term', '1', 'category', NULL, 'fault', NULL), 'accepted', 'a policy less specific than the law is accepted');
SELECT is(shop('window_term', '1', 'category', NULL, 'seller_ref', 's1'), 'RT009', 'a policy of a seller is more specific than the law and is compared with it');
SELECT is(shop('window_term', '1', 'category', NULL, 'market', NULL), 'accepted', 'a policy for all markets is less specific than the law of a market');
SELECT is(shop('window_term', '1', 'market', NULL), 'RT009', 'a policy for all markets with a nearer category is compared with the law');
SELECT is(shop('window_term', '1', 'market', 'm1'), 'accepted', 'a policy for another market is not compared with the law');
SELECT is(shop('window_term', '1', 'fault', 'carrier'), 'accepted', 'a policy for another fault is not compared with the law');
SELECT is(shop('window_term', '1', 'reason', 'changed_mind', 'fault', NULL), 'RT009', 'a policy for a reason with the fault of the law is compared with it');
SELECT is(shop('window_term', '1', 'reason', 'late_delivery', 'fault', NULL), 'accepted', 'a policy for a reason with another fault is not compared with the law');
SELECT is(shop('statutory', 'true', 'window_term', '1'), 'accepted', 'a statutory policy is not compared with another');
SELECT is(shop('valid_from', '2020-01-01', 'valid_to', '2021-01-01', 'window_term', '1'), 'RT009', 'a policy of the past is compared with the law');

-- units of terms: never shorter, on any day
SELECT is(shop('window_unit', 'business_day'), 'accepted', '14 business days are no less than 14 days');
SELECT is(shop('window_unit', 'business_day', 'window_term', '13'), 'RT009', '13 business days may be less than 14 days');
SELECT is(shop('window_unit', 'month', 'window_term', '1'), 'accepted', 'a month is no less than 14 days');
SELECT is(shop('window_unit', 'hour', 'window_term', '1000'), 'RT009', 'a window in hours is less than one that moves on from a day off');
SELECT is(shop('fault', 'seller', 'window_unit', 'month', 'window_term', '24', 'extended_until', '2025-12-31', 'resolutions', '{refund,exchange}'),
	'accepted', '24 months are no less than 2 years');
SELECT is(shop('fault', 'seller', 'window_unit', 'month', 'window_term', '23', 'extended_until', '2025-12-31', 'resolutions', '{refund,exchange}'),
	'RT009', '23 months are less than 2 years');
SELECT is(shop('fault', 'seller', 'window_term', '731', 'extended_until', '2025-12-31', 'resolutions', '{refund,exchange}'),
	'accepted', '731 days are no less than 2 years');
SELECT is(shop('fault', 'seller', 'window_term', '730', 'extended_until', '2025-12-31', 'resolutions', '{refund,exchange}'),
	'RT009', '730 days may be less than 2 years');
SELECT is(shop('fault', 'seller', 'window_unit', 'hour', 'window_term', '17570', 'extended_until', '2025-12-31', 'resolutions', '{refund,exchange}'),
	'accepted', '17570 hours are no less than 2 years with changes of the clocks');
SELECT is(shop('fault', 'seller', 'window_unit', 'hour', 'window_term', '17569', 'extended_until', '2025-12-31', 'resolutions', '{refund,exchange}'),
	'RT009', '17569 hours may be less than 2 years');
SELECT is(shop('fault', 'seller', 'window_unit', 'year', 'window_term', '2', 'extended_until', '2025-12-30', 'resolutions', '{refund,exchange}'),
	'RT009', 'a policy with an earlier extended_until than the law is refused');
SELECT is(shop('fault', 'seller', 'window_unit', 'year', 'window_term', '9', 'resolutions', '{refund,exchange}'), 'RT009', 'a policy without the extended_until of the law is refused');
SELECT is(shop('fault', NULL, 'window_unit', 'year', 'window_term', '2', 'extended_until', '2025-12-31', 'resolutions', '{refund,exchange}'),
	'accepted', 'a policy for every fault is compared with the law of each fault');

-- a month is 28 to 31 days, exactly
CALL make_market('days');
INSERT INTO returns.policy (id, market, reason, window_term, window_unit, window_roll, statutory)
VALUES (9321, 'days', 'changed_mind', 28, 'day', false, true), (9322, 'days', 'wrong_size', 29, 'day', false, true),
	   (9323, 'days', 'defective', 1, 'month', false, true), (9324, 'days', 'wrong_item', 5, 'business_day', true, true);
SELECT results_eq($$
	SELECT shop('market', 'days', 'category', 'top', 'fault', NULL, 'resolutions', '{refund,exchange}', 'restocking_percent', '0',
		'reason', reason, 'window_term', term, 'window_unit', unit)
	  FROM (VALUES (1, 'changed_mind', '1', 'month'), (2, 'wrong_size', '1', 'month'), (3, 'defective', '31', 'day'),
				   (4, 'defective', '30', 'day'), (5, 'wrong_item', '5', 'business_day'), (6, 'wrong_item', '4', 'business_day'),
				   (7, 'wrong_item', '365', 'day'), (8, 'defective', '31', 'business_day')) AS v (i, reason, term, unit) ORDER BY i$$,
	$$VALUES ('accepted'), ('RT009'), ('accepted'), ('RT009'), ('accepted'), ('RT009'), ('RT009'), ('accepted')$$,
	'the shortest length of a term is compared with the longest of the law');

-- When the law changes, all policies are compared with it from then on.
INSERT INTO returns.policy (id, market, category, fault, window_term, resolutions, restocking_percent, refund_shipping)
VALUES (9331, 'law', 'top', 'none', 14, '{refund}', 5, true);
SELECT is(refusal($$INSERT INTO returns.policy (market, category, fault, window_term, statutory, valid_from) VALUES ('law', 'strange', 'none', 30, true, '2026-01-01')$$),
	'accepted', 'a new law for another category is accepted');
SELECT is(tried($$UPDATE returns.policy SET valid_to = '2026-01-01' WHERE id = 9301;
	INSERT INTO returns.policy (market, fault, window_term, statutory, valid_from) VALUES ('law', 'none', 30, true, '2026-01-01')$$),
	'RT009', 'a new law that gives more than a policy in force is refused');
SELECT is(tried($$UPDATE returns.policy SET valid_to = '2026-01-01' WHERE id IN (9301, 9331);
	INSERT INTO returns.policy (market, fault, window_term, statutory, valid_from) VALUES ('law', 'none', 30, true, '2026-01-01')$$),
	'accepted', 'a new law is accepted when the policy below it ends');
SELECT is(refusal($$INSERT INTO returns.policy (market, category, fault, seller_ref, returnable, resolutions) VALUES ('law', 'leaf', 'none', 's1', false, '{}')$$),
	'accepted', 'a policy is accepted that only the law of its category allows');
SELECT is(tried($$UPDATE returns.policy SET valid_to = '2026-01-01' WHERE id = 9302$$), 'RT009',
	'the law of a category cannot end while a policy needs it');
SELECT is(tried($$INSERT INTO returns.policy (seller_ref, category, window_term, returnable, market, statutory, fault)
	VALUES ('s4', 'leaf', NULL, false, 'days', false, NULL), (NULL, NULL, 14, true, 'days', true, NULL), (NULL, 'leaf', NULL, false, 'days', true, NULL)$$),
	'accepted', 'a statement is judged by what it leaves, not by the order of its rows');

-- --------------------------------------------- another parent, another fault

CALL make_market('tree');
INSERT INTO returns.category (code, parent) VALUES
	('gadgets', 'top'), ('drones', 'gadgets'), ('phablets', NULL), ('misc', NULL), ('elsewhere', NULL);
INSERT INTO returns.reason (code, fault) VALUES ('noisy', 'seller'), ('ugly', 'none');
CALL sell('tree', 1, 'drones', '2025-06-09', '2025-06-09', 'tree');
SELECT is(refusal($$UPDATE returns.category SET parent = 'phablets' WHERE code = 'gadgets'$$),
	'RT009 category "gadgets" cannot get another parent; Line 1 of order "tree" was sold in category "drones", and its policy must not change.',
	'a category with sales below it cannot get another parent');
SELECT is(tried($$UPDATE returns.category SET parent = NULL WHERE code = 'drones'$$), 'RT009', 'a category with sales cannot get another parent');
SELECT is(tried($$UPDATE returns.category SET parent = 'misc' WHERE code = 'phablets'$$), 'accepted', 'a category without sales can get another parent');
SELECT is(tried($$UPDATE returns.category SET code = 'devices' WHERE code = 'gadgets'$$), 'accepted', 'the parent of a category with sales may be renamed');
SELECT is(tried($$UPDATE returns.category SET code = 'devices' WHERE code = 'gadgets';
	INSERT INTO returns.category VALUES ('gadgets', 'top'); UPDATE returns.category SET parent = 'gadgets' WHERE code = 'drones'$$),
	'RT009', 'a category with sales cannot get a new parent with the old name of its parent');
SELECT is(tried($$UPDATE returns.category SET (parent, name) = (parent, 'Drones') WHERE code = 'drones'$$), 'accepted', 'the parent of a category with sales may be written back unchanged');
SELECT is(refusal($$UPDATE returns.reason SET fault = 'none' WHERE code = 'noisy'$$),
	'RT009 reason "noisy" cannot get another fault; Line 0 of order "ranks" can be returned for this reason, and its policy must not change.',
	'a reason cannot get another fault after a sale');

-- the law: of another branch, or of another fault
INSERT INTO returns.policy (id, market, category, fault, window_term, statutory) VALUES
	(9501, 'tree', 'misc', 'none', 14, false), (9502, 'tree', 'elsewhere', 'none', 60, true);
SELECT is(refusal($$UPDATE returns.category SET parent = 'elsewhere' WHERE code = 'misc'$$),
	'RT009 policy 9501 gives the buyer less than the law; It would take precedence over the statutory policy 9502, which gives 60 days from delivery, where this one gives 14 days from delivery.',
	'a category cannot move below a law that gives more than its policy');
SELECT is(tried($$UPDATE returns.category SET parent = 'elsewhere' WHERE code = 'phablets'$$), 'accepted', 'a category without a policy can move below a law');
SELECT is(tried($$UPDATE returns.policy SET valid_to = returns.now() WHERE id = 9501;
	UPDATE returns.category SET parent = 'elsewhere' WHERE code = 'misc'$$), 'accepted', 'a category can move below a law when its policy is ended');

CREATE FUNCTION unsold(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM returns.sale_line;
	EXECUTE statement;
	RAISE SQLSTATE 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN RETURN 'accepted';
	WHEN SQLSTATE 'RT009' THEN RETURN 'RT009 ' || SQLERRM;
END $$;
INSERT INTO returns.policy (id, market, reason, fault, window_term) VALUES (9503, 'tree', 'noisy', 'seller', 30), (9504, 'tree', 'ugly', NULL, 30);
INSERT INTO returns.policy (id, market, fault, window_term, statutory) VALUES (9505, 'tree', 'carrier', 31, true);
SELECT is(unsold($$UPDATE returns.reason SET fault = 'platform' WHERE code = 'ugly'$$), 'accepted', 'before the first sale a reason may get another fault');
SELECT is(unsold($$UPDATE returns.reason SET fault = 'carrier' WHERE code = 'ugly'$$), 'RT009 policy 9504 gives the buyer less than the law',
	'a reason cannot get a fault whose law gives more than its policy');
SELECT is(unsold($$UPDATE returns.reason SET fault = 'none' WHERE code = 'noisy'$$), 'RT009 policy 9503 would never apply',
	'a reason cannot get a fault that its policy excludes');

-- --------------------------------------------------------------------- caches

CALL make_market('now');
CALL sell('now', 1, 'top', '2025-06-09', '2025-06-09', 'now');
SELECT is(returns.policy_for('now', 1), NULL, 'a sale in a market without policies has no policy');
BEGIN;
SAVEPOINT here;
INSERT INTO returns.policy (id, market, window_term) VALUES (9401, 'now', 5);
SELECT is(returns.policy_for('now', 1), 9401::bigint, 'a policy counts from the next statement on');
ROLLBACK TO here;
SELECT is(returns.policy_for('now', 1), NULL, 'a policy that is rolled back to a savepoint governs no sale');
INSERT INTO returns.policy (id, market, seller_ref, window_term) VALUES (9402, 'now', 's1', 5);
SELECT is(returns.policy_for('now', 1), 9402::bigint, 'a new policy of a seller counts from the next statement on');
ROLLBACK;
SELECT is(returns.policy_for('now', 1), NULL, 'a policy that is rolled back with its transaction governs no sale');

SELECT * FROM finish();
