-- Reversals: a return leaves a final state, and its units are reserved again.

SET client_min_messages = error;
SET returns.clock = '2026-03-02 12:00+05';
SET returns.actor = 'operator:o';

SELECT plan(29);

BEGIN;
INSERT INTO returns.transition (from_state, to_state, actors, reversal) VALUES
	('closed', 'outcome_disputed', '{operator}', true), ('cancelled', 'requested', '{buyer,operator}', true),
	('cancelled', 'approved', '{operator}', true), ('exchanged', 'received', '{operator}', true),
	('exchanged', 'closed', '{operator}', true), ('closed', 'cancelled', '{operator}', true);
COMMIT;
SELECT is_empty('SELECT * FROM returns.check_workflow()', 'a workflow with reversals out of final states is sound');

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
SELECT o, l, 'ann', 'acme', 'lamp', 'appliances', 'kz', 3, 100, 'KZT', '2026-02-20 10:00+05', '2026-02-25 10:00+05'
  FROM unnest('{closed,draft,late,swap}'::text[]) AS o, generate_series(1, 2) AS l;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT order_ref, 1, 'card', 200, 'KZT', 'bank', '2026-02-20 10:00+05' FROM returns.sale_line WHERE line_no = 1;
CREATE FUNCTION units(o text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(reserved || '/' || returned, ' ' ORDER BY line_no) FROM returns.sale_line WHERE order_ref = o
$$;
CREATE FUNCTION walk(id bigint, VARIADIC states text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s text;
BEGIN
	FOREACH s IN ARRAY states LOOP
		PERFORM returns.act(id, s, 'note', jsonb_build_object('carrier', 'post', 'tracking_ref', gen_random_uuid()));
	END LOOP;
	RETURN (SELECT status FROM returns.return_request r WHERE r.id = walk.id);
END $$;

-- ------------------------------------------------------------------ requested

SELECT returns.open_return('closed', '[{"line_no":1,"quantity":2},{"line_no":2,"quantity":3}]', 'defective') AS a \gset
SELECT is(units('closed'), '2/0 3/0', 'a requested return reserves its units');
SELECT walk(:a, 'approved', 'received');
UPDATE returns.return_line SET received = 1, accepted = 1 WHERE return_id = :a AND line_no = 1;
SELECT walk(:a, 'declined');
SET returns.clock = '2026-03-20 12:00+05';
SELECT returns.run_deadlines();
SELECT is(status || ' ' || units('closed'), 'closed 0/0 0/0', 'a return that is closed by its deadline releases its units') FROM returns.return_request WHERE id = :a;
SELECT is(walk(:a, 'outcome_disputed'), 'outcome_disputed', 'a closed return can be reopened by a reversal');
SELECT is(units('closed'), '2/0 3/0', 'a reopened return reserves its units again');
SELECT ok(closed_at IS NULL AND due_at > '2026-03-20' AND requested_at = '2026-03-02 12:00+05', 'a reopened return has a new deadline and keeps its requested_at')
  FROM returns.return_request WHERE id = :a;
SELECT is(walk(:a, 'closed', 'cancelled'), 'cancelled', 'a reopened return can be closed again and moved on to another final state');
SELECT is(units('closed'), '0/0 0/0', 'a move between two final states releases units only once');
-- another return holds the units
SELECT returns.open_return('closed', '[{"line_no":2,"quantity":1}]', 'defective') AS b \gset
SELECT throws_ok(format('SELECT walk(%s, ''approved'')', :a), 'RT005', NULL, 'a return is not reopened while another return holds its units');
SELECT is(status || ' ' || units('closed'), 'cancelled 0/0 1/0', 'a refused reopening changes no status and no unit') FROM returns.return_request WHERE id = :a;
SELECT walk(:b, 'cancelled');
SELECT is(walk(:a, 'approved', 'received', 'refund_due'), 'refund_due', 'a return is reopened after the other return released the units');
SELECT is(units('closed'), '1/0 3/0', 'a decided reopened return holds the accepted units only');
SELECT count(*) FROM returns.claim_refunds(10);
UPDATE returns.refund SET status = 'settled', provider_ref = 'p' WHERE return_id = :a;
SELECT is(units('closed'), '0/1 0/3', 'a refunded reopened return counts its units as returned');

-- ------------------------------------------------------- a draft that was never requested

INSERT INTO returns.return_request (order_ref, reason) VALUES ('draft', 'changed_mind') RETURNING id AS d \gset
INSERT INTO returns.return_line (order_ref, return_id, line_no, quantity) VALUES ('draft', :d, 1, 1);
SET returns.clock = '2026-03-11 12:00+05';
SELECT is(walk(:d, 'cancelled'), 'cancelled', 'a draft can be cancelled');
SELECT is(units('draft'), '0/0 0/0', 'a cancelled draft has never reserved units');
SET returns.clock = '2026-03-12 12:00+05';
SELECT throws_ok(format('SELECT walk(%s, ''requested'')', :d), 'RT003', NULL, 'a cancelled draft cannot be requested after its window');
SET returns.clock = '2026-03-11 12:00+05';
SET returns.actor = 'buyer:ann';
SELECT is(walk(:d, 'requested'), 'requested', 'a cancelled draft can be requested within its window');
SELECT is(units('draft'), '1/0 0/0', 'a cancelled draft that is requested reserves its units');
SELECT ok(requested_at = '2026-03-11 12:00+05' AND seller_ref = 'acme' AND categories = '{appliances}', 'a cancelled draft that is requested gets requested_at, a seller and categories')
  FROM returns.return_request WHERE id = :d;
SELECT ok(policy_id IS NOT NULL AND window_ends_at = '2026-03-12 00:00+05', 'a cancelled draft that is requested gets a policy and a window') FROM returns.return_line WHERE return_id = :d;
SELECT is(walk(:d, 'cancelled', 'requested'), 'requested', 'a return can be cancelled and requested again');
SELECT is(units('draft'), '1/0 0/0', 'a return that is requested again reserves its units once');
SELECT is(requested_at, '2026-03-11 12:00+05', 'a return that is requested again keeps its first requested_at') FROM returns.return_request WHERE id = :d;
SET returns.actor = 'operator:o';

-- ------------------------------------------------------------------ exchanged

INSERT INTO returns.return_request (order_ref, reason, resolution) VALUES ('swap', 'defective', 'exchange') RETURNING id AS s \gset
INSERT INTO returns.return_line (order_ref, return_id, line_no, quantity) VALUES ('swap', :s, 1, 2);
SELECT is(walk(:s, 'requested', 'approved', 'received', 'exchange_due', 'exchange_sent', 'exchanged'), 'exchanged', 'an exchange reaches its final state');
SELECT is(units('swap'), '0/2 0/0', 'the units of a finished exchange count as returned');
SELECT is(walk(:s, 'received'), 'received', 'a finished exchange can be undone by a reversal');
SELECT is(units('swap'), '2/0 0/0', 'an exchange that is undone reserves its units again');
SELECT is(walk(:s, 'exchange_due', 'exchange_sent', 'exchanged', 'closed'), 'closed', 'an exchange can be finished again and then closed by a reversal');
SELECT is(units('swap'), '0/0 0/0', 'an exchange that is closed releases its units');

SELECT * FROM finish();
