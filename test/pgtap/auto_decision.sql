-- Automatic decisions: a policy approves a request or refunds it without its goods
-- in the statement that requests it.

\set QUIET on
SET client_min_messages = warning;
SELECT plan(14);

SET returns.clock = '2026-03-02 10:00+05';
SET returns.actor = 'operator:desk';

INSERT INTO returns.policy (market, category, window_term, keep_item_below, auto_approve_below, refund_shipping, resolutions, source)
VALUES ('kz', 'toys', 30, 20, 100, true, '{refund,exchange}', 'test');
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'x', 'toys', 'kz', 1, amount, 'KZT', '2026-02-25 19:40+05', '2026-02-28 12:15+05'
  FROM (VALUES ('cheap', 19.99), ('limit', 20), ('middle', 99.99), ('dear', 100), ('unpaid', 5),
	('swap', 5), ('guarded', 5), ('proof', 50)) AS v (o, amount);
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, captured_at)
SELECT order_ref, 1, 'card', amount_paid, 'KZT', '2026-02-25 19:41+05'
  FROM returns.sale_line WHERE category = 'toys' AND order_ref <> 'unpaid';

-- The status that the statement returns.
CREATE FUNCTION pg_temp.ask(o text, wanted text DEFAULT 'refund') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	opened bigint;
	result text;
BEGIN
	INSERT INTO returns.return_request (order_ref, reason, resolution)
	VALUES (o, 'changed_mind', wanted) RETURNING id INTO opened;
	INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (opened, 1, 1);
	UPDATE returns.return_request SET status = 'requested' WHERE id = opened RETURNING status INTO result;
	RETURN result;
END $$;

SELECT is(pg_temp.ask('cheap'), 'refund_due', 'a request below keep_item_below gets a refund without its goods');
SELECT is(pg_temp.ask('limit'), 'approved', 'an amount equal to keep_item_below is not below it');
SELECT is(pg_temp.ask('middle'), 'approved', 'a request below auto_approve_below is approved at once');
SELECT is(pg_temp.ask('dear'), 'requested', 'a request above both limits waits for the seller');
SELECT is(pg_temp.ask('unpaid'), 'approved', 'a request that payments cannot cover does not become refund_due');
SELECT is(pg_temp.ask('swap', 'exchange'), 'approved', 'an exchange below keep_item_below is approved and keeps its way');

SELECT results_eq($$SELECT to_state, actor FROM returns.return_event JOIN returns.return_request r ON r.id = return_id
	WHERE r.order_ref = 'cheap' AND kind = 'transition' ORDER BY seq$$,
	$$VALUES ('draft', 'operator'), ('requested', 'operator'), ('refund_due', 'system')$$,
	'an automatic decision is an event of the system');
SELECT is((SELECT amount FROM returns.refund JOIN returns.return_request r ON r.id = return_id WHERE r.order_ref = 'cheap'),
	19.99, 'an automatic decision issues the refund');
SELECT is((SELECT requested_at FROM returns.return_request WHERE order_ref = 'cheap'), '2026-03-02 10:00+05'::timestamptz,
	'an automatic decision leaves requested_at as it is');

-- A policy makes no move that the system may not make.
CREATE FUNCTION public.fraud_check(bigint, text) RETURNS text LANGUAGE sql AS
	$$SELECT CASE WHEN $2 = 'refund_due' THEN 'looks odd' END$$;
UPDATE returns.transition SET guard = 'public.fraud_check' WHERE from_state = 'requested' AND to_state = 'refund_due';
SELECT is(pg_temp.ask('guarded'), 'approved', 'a guard that refuses keep_item_below leaves the decision to auto_approve_below');
UPDATE returns.transition SET guard = NULL WHERE guard IS NOT NULL;
DROP FUNCTION public.fraud_check;

UPDATE returns.transition SET requires = '{evidence}' WHERE from_state = 'requested' AND to_state = 'approved';
SELECT is(pg_temp.ask('proof'), 'requested', 'a request that needs evidence is not approved automatically');
SELECT lives_ok($$SELECT returns.act(max(id), 'approved', details => '{"evidence":["photo"]}') FROM returns.return_request$$,
	'a request that needs evidence can be approved with evidence');
SELECT is((SELECT status FROM returns.return_request WHERE order_ref = 'proof'), 'approved', 'a return that needs evidence is approved after the evidence is given');
UPDATE returns.transition SET requires = '{}' WHERE from_state = 'requested' AND to_state = 'approved';
SELECT is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing after automatic decisions');
SELECT finish();
