-- The plan of a refund: the part that each payment gives.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

\ir ../harness/money.sql

SELECT pg_temp.sell('fall', 1, 1, 100);
SELECT pg_temp.pay('fall', 1, 30);
SELECT pg_temp.pay('fall', 2, 20, 'USD', 10);
SELECT pg_temp.pay('fall', 3, 500, 'USD', 5, 'psp', false);
SELECT pg_temp.pay('fall', 4, 500, 'KZT', 5);
SELECT pg_temp.pay('fall', 5, 40, 'USD', 10, NULL);
SELECT pg_temp.pay('fall', 6, 500, 'USD', 100, 'psp', true, 'won');
SELECT pg_temp.decide('fall', pg_temp.units(1, 1)) AS id \gset
SELECT is(pg_temp.refunds(:id), '2:20.00:pending 5:40.00:pending 1:30.00:pending 6:10.00:pending',
	'a refund uses captured payments of its currency by rank and number');
SELECT results_eq(format('SELECT payment_no, amount FROM returns.preview_refund(%s) WHERE kind = ''tender''', :id),
	format('SELECT payment_no, amount FROM returns.refund WHERE return_id = %s ORDER BY id', :id), 'the preview of a decided return shows its refunds');
SELECT is((SELECT count(DISTINCT idempotency_key) FROM returns.refund), (SELECT count(*) FROM returns.refund), 'every refund has a key of its own');

-- A payment does not give the same money twice.
SELECT pg_temp.sell('pending', 1, 2, 60);
SELECT pg_temp.pay('pending', 1, 40);
SELECT pg_temp.decide('pending', pg_temp.units(1, 1)) AS id \gset
SELECT pg_temp.receive('pending', pg_temp.units(1, 1)) AS second \gset
SELECT pg_temp.book('pending') AS before \gset
SELECT throws_ok(format('SELECT returns.act(%s, ''refund_due'')', :second), 'RT006', NULL, 'a pending refund counts against its payment');
SELECT throws_ok(format('SELECT * FROM returns.preview_refund(%s)', :second), 'RT006', NULL, 'the preview refuses a refund that payments cannot cover');
SELECT is(pg_temp.book('pending'), :'before', 'a refund that payments cannot cover changes nothing');
SELECT pg_temp.pay('pending', 2, 20);
SELECT is((SELECT string_agg(payment_no || ':' || amount, ' ') FROM returns.preview_refund(:second) WHERE kind = 'tender'), '1:10.00 2:20.00', 'the preview shows the payments that will be used');
SELECT returns.act(:second, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds(:second), '1:10.00:pending 2:20.00:pending', 'the refunds are the ones that the preview showed');

SELECT pg_temp.sell('chargeback', 1, 1, 100);
SELECT pg_temp.pay('chargeback', 1, 100, 'USD', 100, 'psp', true, 'open');
SELECT pg_temp.receive('chargeback', pg_temp.units(1, 1)) AS id \gset
SELECT throws_ok(format('SELECT returns.act(%s, ''refund_due'')', :id), 'RT006', NULL, 'a payment with an open chargeback gives no refund');
UPDATE returns.payment SET chargeback = 'lost' WHERE order_ref = 'chargeback';
SELECT throws_ok(format('SELECT returns.act(%s, ''refund_due'')', :id), 'RT006', NULL, 'a payment with a lost chargeback gives no refund');
UPDATE returns.payment SET chargeback = 'won' WHERE order_ref = 'chargeback';
SELECT returns.act(:id, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds(:id), '1:100.00:pending', 'a payment with a won chargeback gives the refund');
UPDATE returns.payment SET chargeback = 'open' WHERE order_ref = 'chargeback';
SELECT is_empty(format('SELECT * FROM returns.claim_refunds(1000) WHERE return_id = %s', :id), 'a refund is not claimed while a chargeback is open');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''sent'' WHERE return_id = %s', :id), 'RT006', NULL, 'a refund is not sent while a chargeback is open');
UPDATE returns.payment SET chargeback = 'lost' WHERE order_ref = 'chargeback';
SELECT is_empty(format('SELECT * FROM returns.claim_refunds(1000) WHERE return_id = %s', :id), 'a refund is not claimed after a chargeback was lost');
SET returns.actor = 'provider:psp';
SELECT throws_ok(format('UPDATE returns.refund SET status = ''sent'' WHERE return_id = %s', :id), 'RT006', NULL, 'a provider cannot send a refund after a lost chargeback');
SET returns.actor = 'operator:desk';
UPDATE returns.refund SET status = 'sent' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled', provider_ref = 'the bank' WHERE return_id = :id;
SELECT is(pg_temp.status(:id), 'refunded', 'an operator may record that a lost chargeback has paid the refund');

SELECT * FROM finish();
