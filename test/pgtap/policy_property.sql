-- Policies compared with plain definitions in SQL on random input: which policy
-- governs a sale, which policies tie, which change the policy of a sale, and
-- which give less than the law. The seed is fixed, so every run has the same
-- input.

SELECT plan(10);

SELECT setseed(0.20250610);
SET returns.clock = '2025-06-10 12:00+05';
DELETE FROM returns.policy;

CREATE FUNCTION pick(choices text[]) RETURNS text VOLATILE LANGUAGE sql AS
$$ SELECT choices[1 + floor(random() * array_length(choices, 1))] $$;

-- In one: markets, a tree of categories, reasons of each fault, sellers. The
-- last of each is named by no policy.
INSERT INTO returns.market (code, timezone, calendar, currency)
SELECT 'm' || i, 'Asia/Almaty', 'kz', 'KZT' FROM generate_series(1, 4) AS i;
INSERT INTO returns.category (code, parent)
SELECT 'c' || i, CASE WHEN i > 3 THEN 'c' || 1 + floor(random() * (i - 1)) END FROM generate_series(1, 29) AS i;
INSERT INTO returns.category VALUES ('c30', NULL);
INSERT INTO returns.reason (code, fault)
SELECT f || i, f FROM unnest('{none,seller,carrier,platform}'::text[]) AS f, generate_series(1, 3) AS i;

-- Instants are on a grid of slots; a combination of keys always uses slots of
-- one length, so that versions do not tie.
CREATE FUNCTION slot(n int) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS
$$ SELECT timestamptz '2024-03-01' + n * interval '10 days' $$;

CREATE FUNCTION any_policies(n int) RETURNS SETOF returns.policy VOLATILE LANGUAGE sql AS $$
	WITH keys AS MATERIALIZED (
		SELECT i,
			pick('{m1,m2,m3,NULL,NULL,NULL}') AS market,
			CASE WHEN random() < 0.6 THEN 'c' || 1 + floor(random() * 29) END AS category,
			pick('{none1,none2,seller1,seller2,carrier1,NULL,NULL,NULL,NULL,NULL}') AS reason,
			pick('{none,seller,carrier,platform,NULL,NULL,NULL,NULL}') AS fault,
			pick('{s1,s2,s3,s4,s5,s6,s7,s8,NULL,NULL,NULL,NULL,NULL,NULL}') AS seller,
			floor(random() * 24)::int AS at,
			1 + floor(random() * 30)::int AS term
		  FROM generate_series(1, n) AS i
	), sized AS MATERIALIZED (
		SELECT k.*, 1 << (abs(hashtext(concat_ws('|', k.market, k.category, k.reason, k.fault, k.seller))) % 4) AS size
		  FROM keys AS k LEFT JOIN returns.reason AS r ON r.code = k.reason
		 WHERE r.fault IS NULL OR k.fault IS NULL OR r.fault = k.fault
	)
	SELECT (jsonb_populate_record(NULL::returns.policy, jsonb_build_object(
			'id', 100000 + i, 'market', market, 'category', category, 'reason', reason, 'fault', fault,
			'seller_ref', seller, 'valid_from', slot(at / size * size), 'valid_to', slot((at / size + 1) * size),
			'returnable', true, 'window_term', term, 'window_unit', 'day', 'window_from', 'delivered',
			'window_roll', true, 'resolutions', '{refund,exchange}'::text[], 'restocking_percent', 0,
			'refund_shipping', false, 'statutory', false))).*
	  FROM sized
$$;

-- How specific a policy is for a category: a greater number is more specific. -1:
-- the policy does not apply to it.
CREATE TABLE above AS
WITH RECURSIVE up (code, ancestor, steps) AS (
	SELECT code, code, 0 FROM returns.category WHERE code ~ '^c\d+$'
	UNION ALL
	SELECT up.code, c.parent, up.steps + 1 FROM up JOIN returns.category AS c ON c.code = up.ancestor
	 WHERE c.parent IS NOT NULL
)
SELECT code, jsonb_object_agg(ancestor, steps) AS steps FROM up GROUP BY code;

CREATE FUNCTION specificity(p returns.policy, steps jsonb) RETURNS int[] IMMUTABLE LANGUAGE sql AS $$
	SELECT ARRAY[(p.seller_ref IS NOT NULL)::int, coalesce(100 - (steps ->> p.category)::int, 0),
		(p.reason IS NOT NULL)::int, (p.fault IS NOT NULL)::int, (p.market IS NOT NULL)::int]
$$;

CREATE FUNCTION speaks_of(p returns.policy, market text, steps jsonb, reason text, fault text, seller text, at timestamptz)
RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
	SELECT p.valid_from <= at AND at < p.valid_to AND (p.market IS NULL OR p.market = market)
		AND (p.category IS NULL OR steps ? p.category) AND (p.reason IS NULL OR p.reason IS NOT DISTINCT FROM reason)
		AND (p.fault IS NULL OR p.fault = fault) AND (p.seller_ref IS NULL OR p.seller_ref = seller)
$$;

-- ------------------------------------------------------- which governs a sale

INSERT INTO returns.policy
SELECT DISTINCT ON (market, category, reason, fault, seller_ref, valid_from) * FROM any_policies(5000);
SELECT cmp_ok(count(*), '>', 3000::bigint, 'the test has thousands of random policies') FROM returns.policy;

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT 'o' || i, 1, 'b', 's' || 1 + floor(random() * 9), 'sku', 'c' || 1 + floor(random() * 30),
	'm' || 1 + floor(random() * 4), 1, 10, 'KZT', at, at
  FROM (SELECT i, CASE WHEN i % 3 = 0 THEN slot(floor(random() * 26)::int - 1)
					   ELSE slot(0) + (random() * 260 - 10) * interval '1 day' END AS at
		  FROM generate_series(1, 400) AS i) AS line;

CREATE TABLE asked AS
SELECT code AS reason, fault FROM returns.reason WHERE code ~ '\d' UNION ALL VALUES (NULL, 'none');

CREATE TABLE answer AS
SELECT q.*, best.id, best.rank
  FROM (SELECT s.order_ref, s.market, s.seller_ref AS seller, s.purchased_at AS at, above.steps, asked.reason, asked.fault
		  FROM returns.sale_line AS s JOIN above ON above.code = s.category CROSS JOIN asked) AS q
  LEFT JOIN LATERAL (
	SELECT p.id, specificity(p, q.steps) AS rank FROM returns.policy AS p
	 WHERE speaks_of(p, q.market, q.steps, q.reason, q.fault, q.seller, q.at)
	 ORDER BY rank DESC LIMIT 1) AS best ON true;

SELECT cmp_ok(count(*) FILTER (WHERE id IS NULL), '>', 100::bigint, 'some random sales have no policy') FROM answer;
SELECT cmp_ok(count(DISTINCT rank), '>', 40::bigint, 'policies of many shapes govern random sales') FROM answer;
SELECT is_empty($$
	SELECT order_ref, reason, id, returns.policy_for(order_ref, 1, reason) FROM answer
	 WHERE id IS DISTINCT FROM returns.policy_for(order_ref, 1, reason)$$,
	'the policy that governs a sale is the one of the plain definition');

-- ------------------------------------------------------------- ties and past

-- The result of inserting a policy, which is rolled back.
CREATE FUNCTION outcome(p returns.policy) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
BEGIN
	p.id := p.id + 100000;
	INSERT INTO returns.policy SELECT p.*;
	RAISE SQLSTATE 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN RETURN 'accepted';
	WHEN SQLSTATE 'RT009' THEN
		GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
		RETURN CASE WHEN message ~ 'ties' THEN 'tie' WHEN message ~ 'existing sales' THEN 'past' ELSE 'law' END;
END $$;

-- Half of them are existing policies moved by a slot, so that some tie.
CREATE TABLE tried (t returns.policy);
INSERT INTO tried SELECT p FROM any_policies(200) AS p;
INSERT INTO tried
SELECT jsonb_populate_record(p, jsonb_build_object('valid_from', (p).valid_to + (floor(random() * 3) - 1) * interval '10 days',
	'valid_to', (p).valid_to + interval '30 days'))
  FROM (SELECT p FROM returns.policy AS p ORDER BY random() LIMIT 150) AS sample;

CREATE TABLE outcomes AS
SELECT outcome(t) AS found, CASE
	WHEN EXISTS (SELECT FROM returns.policy AS p
		 WHERE (p.market, p.category, p.reason, p.fault, p.seller_ref) IS NOT DISTINCT FROM ((t).market, (t).category, (t).reason, (t).fault, (t).seller_ref)
		   AND p.valid_from < (t).valid_to AND (t).valid_from < p.valid_to) THEN 'tie'
	WHEN EXISTS (SELECT FROM answer
		 WHERE id IS NOT NULL AND speaks_of(t, market, steps, reason, fault, seller, at) AND specificity(t, steps) > rank) THEN 'past'
	ELSE 'accepted' END AS expected
  FROM tried;
SELECT is_empty('SELECT expected, found, count(*) FROM outcomes WHERE found <> expected GROUP BY 1, 2',
	'a policy is refused exactly when it ties or changes the rule of a sale');
SELECT cmp_ok(min(n), '>', 20::bigint, 'every expected outcome of a new policy happens often') FROM (SELECT count(*) AS n FROM outcomes GROUP BY expected) AS counts;

-- Policies can be deleted only before they begin.
CREATE FUNCTION deleted(policy_id bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM returns.policy WHERE id = policy_id;
	RAISE SQLSTATE 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN RETURN 'accepted';
	WHEN SQLSTATE 'RT009' THEN RETURN 'in force';
END $$;
SET returns.clock = '2024-06-29';
CREATE TABLE deletions AS
SELECT deleted(id) AS found, CASE WHEN valid_from <= '2024-06-29' THEN 'in force' ELSE 'accepted' END AS expected
  FROM (SELECT id, valid_from FROM returns.policy ORDER BY random() LIMIT 200) AS sample;
SELECT is_empty('SELECT expected, found, count(*) FROM deletions WHERE found <> expected GROUP BY 1, 2',
	'a policy can be deleted exactly until it begins');
SELECT cmp_ok(min(n), '>', 20::bigint, 'every expected outcome of a deletion happens often') FROM (SELECT count(*) AS n FROM deletions GROUP BY expected) AS counts;
SET returns.clock = '2025-06-10 12:00+05';

-- ------------------------------------------------------------------------ law

DELETE FROM returns.sale_line WHERE order_ref ~ '^o\d';
DELETE FROM returns.policy;

-- Fewer categories and sellers, so that all combinations can be checked.
CREATE FUNCTION few_policies(n int, is_law boolean) RETURNS SETOF returns.policy VOLATILE LANGUAGE sql AS $$
	SELECT (jsonb_populate_record(p, jsonb_build_object('statutory', is_law,
		'category', CASE WHEN substr(p.category, 2)::int < 7 THEN p.category END,
		'seller_ref', CASE WHEN p.seller_ref < 's3' THEN 's1' END))).*
	  FROM any_policies(n) AS p
$$;
INSERT INTO returns.policy
SELECT DISTINCT ON (market, category, reason, fault, seller_ref) * FROM few_policies(90, true);

CREATE TABLE law AS
SELECT q.*, best.rank, best.window_term
  FROM (SELECT 'm' || m AS market, above.steps, asked.reason, asked.fault, seller, slot(at) AS at
		  FROM generate_series(1, 4) AS m CROSS JOIN above CROSS JOIN asked CROSS JOIN unnest('{s1,s9}'::text[]) AS seller
		  CROSS JOIN generate_series(0, 23) AS at
		 WHERE substr(above.code, 2)::int < 7 OR above.code = 'c30') AS q
  CROSS JOIN LATERAL (
	SELECT p.window_term, specificity(p, q.steps) AS rank FROM returns.policy AS p
	 WHERE speaks_of(p, q.market, q.steps, q.reason, q.fault, q.seller, q.at)
	 ORDER BY rank DESC LIMIT 1) AS best;

CREATE TABLE held AS
SELECT outcome(t) AS found, CASE
	WHEN EXISTS (SELECT FROM law
		 WHERE t.window_term < law.window_term AND speaks_of(t, market, steps, reason, fault, seller, at) AND specificity(t, steps) > rank)
	THEN 'law' ELSE 'accepted' END AS expected
  FROM few_policies(400, false) AS t
 WHERE NOT EXISTS (SELECT FROM returns.policy AS p
	 WHERE (p.market, p.category, p.reason, p.fault, p.seller_ref) IS NOT DISTINCT FROM (t.market, t.category, t.reason, t.fault, t.seller_ref));
SELECT is_empty('SELECT expected, found, count(*) FROM held WHERE found <> expected GROUP BY 1, 2',
	'a policy is refused exactly when it gives less than the law somewhere');
SELECT cmp_ok(min(n), '>', 20::bigint, 'every expected outcome of the comparison with the law happens often') FROM (SELECT count(*) AS n FROM held GROUP BY expected) AS counts;

SELECT * FROM finish();
