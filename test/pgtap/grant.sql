-- grant_refund(): a refund beyond the rules, which the platform bears.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

\ir ../harness/money.sql

SELECT pg_temp.sell('gift', 1, 2, 100);
SELECT pg_temp.pay('gift', 1, 100);
SELECT returns.open_return('gift', pg_temp.units(1, 1), 'changed_mind') AS id \gset
SELECT returns.act(:id, 'rejected', 'worn') AS ok \gset
SELECT throws_ok(format('SELECT returns.grant_refund(%s, 100.01, ''x'')', :id), 'RT006', NULL, 'a grant of more than was paid is refused');
SELECT throws_ok(format('SELECT returns.grant_refund(%s, 0, ''x'')', :id), '22023', NULL, 'a grant of zero is refused');
SELECT throws_ok(format('SELECT returns.grant_refund(%s, -1, ''x'')', :id), '22023', NULL, 'a negative grant is refused');
SELECT throws_ok(format('SELECT returns.grant_refund(%s, ''NaN'', ''x'')', :id), '22003', NULL, 'a grant of NaN is refused');
SELECT throws_ok(format('SELECT returns.grant_refund(%s, 0.001, ''x'')', :id), '22003', NULL, 'a grant with a tenth of a cent is refused');
SELECT throws_ok(format('SELECT returns.grant_refund(%s, 1, '' '')', :id), 'RT008', NULL, 'a grant without a reason is refused');
SELECT throws_ok(format('SELECT returns.grant_refund(%s, NULL, ''x'')', :id), '22004', NULL, 'a grant of NULL is refused');
SELECT throws_ok('SELECT returns.grant_refund(-1, 1, ''x'')', 'RT010', NULL, 'a grant for an unknown return is refused');
SET returns.actor = 'seller:s';
SELECT throws_ok(format('SELECT returns.grant_refund(%s, 1, ''x'')', :id), 'RT002', NULL, 'a seller cannot grant a refund');
SET returns.actor = 'operator:desk';
SELECT is(returns.grant_refund(:id, 20, 'a regular customer'), 20::numeric, 'grant_refund() gives the amount that it grants');
SELECT is(pg_temp.refunds(:id) || ' ' || pg_temp.status(:id), '1:20.00:pending rejected', 'a grant issues a refund and keeps the status');
SELECT is(pg_temp.entries(:id, 1), 'buyer_payable/b -20.00, goodwill_expense 20.00', 'a grant is an expense of the platform');
SELECT is((SELECT kind || ' ' || actor_ref || ' ' || note || ' ' || (details - 'booked')::text FROM returns.return_event WHERE return_id = :id ORDER BY seq DESC LIMIT 1),
	'override desk a regular customer {"amount": 20.00}', 'the history has the actor and the reason of a grant');
SELECT pg_temp.settle_all() AS ok \gset
SELECT is(pg_temp.status(:id), 'rejected', 'a rejected return stays rejected after its grant is paid');
SELECT pg_temp.decide('gift', pg_temp.units(1, 1)) AS id2 \gset
SELECT pg_temp.settle_all() AS ok \gset
SELECT is(pg_temp.status(:id2), 'refunded', 'another return of the order can be refunded after a grant');
SELECT returns.grant_refund(:id2, 30, 'late') AS ok \gset
SELECT is(pg_temp.status(:id2), 'refund_due', 'a grant makes a refunded return refund_due');
SELECT pg_temp.settle_all() AS ok \gset
SELECT is(pg_temp.status(:id2), 'refunded', 'a return is refunded again after its grant is paid');
SELECT throws_ok(format('SELECT returns.grant_refund(%s, 0.01, ''x'')', :id), 'RT006', NULL, 'a grant is refused when everything was refunded');
INSERT INTO returns.return_request (order_ref, reason) VALUES ('gift', 'changed_mind') RETURNING id AS draft \gset
SELECT throws_ok(format('SELECT returns.grant_refund(%s, 1, ''x'')', :draft), 'RT001', NULL, 'a grant for a draft is refused');
-- A grant precedes a decision with a total of zero.
SELECT pg_temp.sell('gift-0', 1, 1, 50, 0, 'USD', 0, 'books');
SELECT pg_temp.pay('gift-0', 1, 50);
SELECT pg_temp.receive('gift-0', pg_temp.units(1, 1)) AS id \gset
SELECT returns.grant_refund(:id, 5, 'for the fee') AS ok \gset
SELECT is(returns.act(:id, 'refund_due'), 'refund_due', 'a return with a total of zero waits for its granted refund');
SELECT pg_temp.settle_all() AS ok \gset
SELECT is(pg_temp.status(:id), 'refunded', 'a return with a total of zero is refunded after its grant is paid');

SELECT * FROM finish();
