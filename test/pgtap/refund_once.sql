-- A refund is paid once: repeated requests, decisions, claims, reports and retries.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';
\ir ../harness/refunds.sql

-- The browser repeats the request
SELECT pg_temp.sell('b03', 1, 2, 20); SELECT pg_temp.pay('b03', 1, 20);
SELECT returns.open_return('b03', '[{"line_no": 1, "quantity": 1}]', 'changed_mind', idempotency_key => 'k-b03') AS first,
	returns.open_return('b03', '[{"line_no": 1, "quantity": 1}]', 'changed_mind', idempotency_key => 'k-b03') AS again \gset
SELECT is(:again::bigint, :first::bigint, 'an idempotency key gives the same return again');
SELECT throws_ok($$SELECT returns.open_return('b03', '[{"line_no": 1, "quantity": 2}]', 'changed_mind', idempotency_key => 'k-b03')$$, 'RT011', NULL, 'an idempotency key refuses another quantity');
SELECT returns.act(:first, 'approved') AS ok \gset
SELECT returns.act(:first, 'received') AS ok \gset
SELECT returns.act(:first, 'refund_due') AS ok \gset
SELECT returns.act(:first, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds('b03'), '1:10.00:pending', 'a decision that is repeated issues one refund');

-- The provider times out after paying; the retry pays again under a new key
SELECT pg_temp.sell('b04', 1, 1, 50); SELECT pg_temp.pay('b04', 1, 50);
SELECT pg_temp.decide('b04', 1, 1) AS id \gset
SELECT idempotency_key AS key1 FROM returns.claim_refunds(100) WHERE return_id = :id \gset
UPDATE returns.refund SET status = 'failed', failure = 'timeout' WHERE return_id = :id;
SELECT is(pg_temp.refunds('b04'), '1:50.00:failed', 'a failed refund stays failed');
UPDATE returns.refund SET status = 'pending' WHERE return_id = :id;
SELECT idempotency_key AS key2 FROM returns.claim_refunds(100) WHERE return_id = :id \gset
SELECT is(:'key2'::text, :'key1'::text, 'a retry has the idempotency key of the first attempt');
UPDATE returns.refund SET status = 'settled', provider_ref = 'b04' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled', provider_ref = 'b04' WHERE return_id = :id;
SELECT is(pg_temp.cash('b04'), 50.00, 'a settlement that is reported twice moves cash once');

-- Two members of staff press refund
SELECT pg_temp.sell('b06', 1, 1, 50); SELECT pg_temp.pay('b06', 1, 100);
SELECT pg_temp.decide('b06', 1, 1) AS id \gset
SET returns.actor = 'operator:colleague';
UPDATE returns.return_request SET status = 'refund_due' WHERE id = :id;
SELECT is(pg_temp.refunds('b06'), '1:50.00:pending', 'a decision of two operators issues one refund');
SET returns.actor = 'operator:desk';

-- The provider's notification of our own refund creates another
SET returns.actor = 'operator:desk';
SELECT pg_temp.sell('b08', 1, 1, 50); SELECT pg_temp.pay('b08', 1, 100);
SELECT pg_temp.decide('b08', 1, 1) AS id \gset
SELECT count(*) FROM returns.claim_refunds(100) \gset
SET returns.actor = 'provider:psp';
UPDATE returns.refund SET status = 'settled', provider_ref = 'b08' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled', provider_ref = 'b08' WHERE provider = 'psp' AND provider_ref = 'b08';
SELECT throws_ok(format('INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency, idempotency_key, created_at) VALUES (''b08'', %s, 1, 50, ''KZT'', ''x'', now())', :id),
	'RT007', NULL, 'a provider cannot insert a refund');
SET returns.actor = 'operator:desk';
SELECT is(pg_temp.refunds('b08') || ' ' || pg_temp.cash('b08'), '1:50.00:settled 50.00', 'a report of an own refund issues no other refund');

-- One click, two gateway refunds
SELECT pg_temp.sell('b09', 1, 1, 50); SELECT pg_temp.pay('b09', 1, 100);
SELECT pg_temp.decide('b09', 1, 1) AS id \gset
SELECT is((SELECT count(*) FROM returns.claim_refunds(100) WHERE return_id = :id), 1::bigint, 'a refund is claimed by one worker');
SELECT is((SELECT count(*) FROM returns.claim_refunds(100) WHERE return_id = :id), 0::bigint, 'a claimed refund is not claimed by another worker');

-- Capture, refund and cancel interleave
SELECT pg_temp.sell('b11', 1, 1, 50); SELECT pg_temp.pay('b11', 1, 50);
SELECT pg_temp.decide('b11', 1, 1) AS id \gset
SELECT count(*) FROM returns.claim_refunds(100) \gset
SELECT throws_ok(format('SELECT returns.act(%s, ''cancelled'')', :id), 'RT001', NULL, 'a return cannot be cancelled while its refund is sent');
SELECT throws_ok('UPDATE returns.payment SET captured_at = NULL WHERE order_ref = ''b11''', 'RT007', NULL, 'captured_at of a payment with a refund cannot be removed');
SELECT throws_ok('UPDATE returns.payment SET amount = 1 WHERE order_ref = ''b11''', 'RT007', NULL, 'the amount of a payment with a refund cannot be reduced');

-- A failed refund blocks the money
SELECT pg_temp.sell('b40', 1, 2, 20); SELECT pg_temp.pay('b40', 1, 10);
SELECT pg_temp.decide('b40', 1, 1) AS id \gset
UPDATE returns.refund SET status = 'failed' WHERE order_ref = 'b40';
SELECT is((SELECT refunded FROM returns.payment WHERE order_ref = 'b40'), 0.00, 'a failed refund releases its payment');
SELECT lives_ok('UPDATE returns.refund SET status = ''pending'' WHERE order_ref = ''b40''', 'a failed refund can be tried again');
SELECT throws_ok('SELECT pg_temp.decide(''b40'', 1, 1)', 'RT006', NULL, 'a refund that is tried again holds its payment');

-- The gateway has paid, the transaction rolls back
SELECT pg_temp.sell('b41', 1, 1, 10); SELECT pg_temp.pay('b41', 1, 10);
SELECT pg_temp.decide('b41', 1, 1) AS id \gset
CREATE FUNCTION pg_temp.claim_and_fail() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM returns.claim_refunds(1000);
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	RETURN 'rolled back';
END $$;
SELECT is(pg_temp.claim_and_fail(), 'rolled back', 'a claim of refunds is rolled back');
SELECT is((SELECT status || attempt FROM returns.refund WHERE order_ref = 'b41'), 'pending0', 'a refund whose claim was rolled back is pending without an attempt');
SELECT is((SELECT count(*) FROM returns.ledger_transfer WHERE order_ref = 'b41'), 1::bigint, 'a claim that was rolled back leaves no transfer');

SELECT * FROM finish();
