-- The refund machine: permissions to report, retries, late answers, leases.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

\ir ../harness/money.sql

SELECT pg_temp.settle_all() AS ok \gset
SELECT pg_temp.sell('m', 1, 10, 100);
SELECT pg_temp.pay('m', 1, 35, 'USD', 100, 'psp');
SELECT pg_temp.pay('m', 2, 65, 'USD', 200, 'other');
SELECT pg_temp.decide('m', pg_temp.units(1, 4)) AS id \gset
SELECT is(pg_temp.refunds(:id), '1:35.00:pending 2:5.00:pending', 'a return of two payments has two refunds');
SELECT min(id) AS r1, max(id) AS r2 FROM returns.refund WHERE return_id = :id \gset

SELECT throws_ok(format('UPDATE returns.refund SET %I = %s WHERE id = %s', c, v, :r1), 'RT007', NULL, c || ' of a refund is computed')
FROM (VALUES ('amount', '1'), ('currency', '''EUR'''), ('attempt', '9'), ('idempotency_key', '''x'''), ('provider', '''other'''), ('order_ref', '''x'''),
	('return_id', '-1'), ('payment_no', '2'), ('created_at', 'now()'), ('sent_at', 'now()'), ('settled_at', 'now()'), ('failed_at', 'now()'), ('lease_until', 'now()')) v (c, v);
SELECT throws_ok(format('INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency, idempotency_key, created_at) VALUES (''m'', %s, 1, 1, ''USD'', ''x'', now())', :id),
	'RT007', NULL, 'a client cannot insert a refund');
SELECT throws_ok(format('DELETE FROM returns.refund WHERE id = %s', :r1), 'RT007', NULL, 'a client cannot delete a refund');
SELECT throws_ok('TRUNCATE returns.refund', 'RT007', NULL, 'TRUNCATE of refund is refused');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''settled'' WHERE id = %s', :r1), 'RT001', NULL, 'a refund that was never sent cannot settle');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''nonsense'' WHERE id = %s', :r1), 'RT010', NULL, 'a refund cannot get an unknown status');
SELECT throws_ok(format('UPDATE returns.refund SET status = NULL WHERE id = %s', :r1), '23502', NULL, 'the status of a refund cannot be NULL');
SELECT throws_ok(format('UPDATE returns.refund SET failure = ''x'' WHERE id = %s', :r1), 'RT007', NULL, 'a failure text is refused on a refund that has not failed');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''sent'', failure = ''x'' WHERE id = %s', :r1), 'RT007', NULL, 'a failure text is refused with the status sent');
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''refunded'' WHERE id = %s', :id), 'RT002', NULL, 'a return cannot become refunded before its refunds settle');

SET returns.actor = '';
SELECT throws_ok(format('UPDATE returns.refund SET status = ''sent'' WHERE id = %s', :r1), 'RT002', NULL, 'a session without an actor cannot report on a refund');
SELECT throws_ok(format('UPDATE returns.refund SET provider_ref = ''x'' WHERE id = %s', :r1), 'RT002', NULL, 'a session without an actor cannot write a provider_ref');
SELECT throws_ok('SELECT returns.claim_refunds(1)', 'RT002', NULL, 'a session without an actor cannot claim refunds');
SET returns.actor = 'buyer:b';
SELECT throws_ok(format('UPDATE returns.refund SET status = ''sent'' WHERE id = %s', :r1), 'RT002', NULL, 'a buyer cannot report on a refund');
SELECT throws_ok('SELECT returns.claim_refunds(1)', 'RT002', NULL, 'a buyer cannot claim refunds');
SET returns.actor = 'seller:s';
SELECT throws_ok(format('UPDATE returns.refund SET status = ''sent'' WHERE id = %s', :r1), 'RT002', NULL, 'a seller cannot report on a refund');
SET returns.actor = 'provider:other';
SELECT throws_ok(format('UPDATE returns.refund SET status = ''sent'' WHERE id = %s', :r1), 'RT002', NULL, 'another provider cannot report on a refund');
SELECT throws_ok(format('UPDATE returns.refund SET provider_ref = ''x'' WHERE id = %s', :r1), 'RT002', NULL, 'another provider cannot write a provider_ref');
SELECT results_eq('SELECT id, provider, attempt, amount, payment_ref FROM returns.claim_refunds(10)', format('VALUES (%s::bigint, ''other'', 1, 5.00, ''ch-m-2'')', :r2), 'a provider claims its own refunds');
SELECT is_empty('SELECT * FROM returns.claim_refunds(10)', 'a claimed refund is not claimed again');
SET returns.actor = 'operator:desk';
SELECT results_eq('SELECT id, lease_until FROM returns.claim_refunds(10, ''1 hour'')', format('VALUES (%s::bigint, returns.now() + interval ''1 hour'')', :r1), 'an operator claims the refunds of all providers with the lease that it names');
SELECT throws_ok('SELECT returns.claim_refunds(NULL)', '22004', NULL, 'claim_refunds() refuses max_rows NULL');
SELECT throws_ok('SELECT returns.claim_refunds(0)', '22023', NULL, 'claim_refunds() refuses max_rows 0');
SELECT throws_ok('SELECT returns.claim_refunds(-1)', '22023', NULL, 'claim_refunds() refuses a negative max_rows');
SELECT throws_ok('SELECT returns.claim_refunds(1, NULL)', '22004', NULL, 'claim_refunds() refuses a lease of NULL');
SELECT throws_ok('SELECT returns.claim_refunds(1, ''0'')', '22023', NULL, 'claim_refunds() refuses a lease of zero');
SELECT throws_ok('SELECT returns.claim_refunds(1, ''-1 day'')', '22023', NULL, 'claim_refunds() refuses a negative lease');

SET returns.actor = 'provider:psp';
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-1' WHERE id = :r1;
SELECT is(pg_temp.status(:id), 'refund_due', 'a return stays refund_due after one of two refunds settled');
SELECT pg_temp.book('m') AS before \gset
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-1' WHERE id = :r1;
SELECT is(pg_temp.book('m'), :'before', 'the same report twice changes nothing');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''settled'', provider_ref = ''p-2'' WHERE id = %s', :r1), 'RT011', NULL, 'a settled refund refuses a report with another provider_ref');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''failed'', provider_ref = ''p-2'' WHERE id = %s', :r1), 'RT011', NULL, 'a settled refund refuses a failure with another provider_ref');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''sent'' WHERE id = %s', :r1), 'RT001', NULL, 'a settled refund does not become sent');
SET returns.actor = 'operator:desk';
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-1' WHERE id = :r2;
SELECT is(pg_temp.status(:id), 'refunded', 'a return is refunded as soon as all its refunds settled');
SELECT is((SELECT string_agg(coalesce(actor_ref, actor) || '>' || to_state, ' ' ORDER BY seq) FROM returns.return_event WHERE return_id = :id AND seq > 5),
	'other>refund_due desk>refund_due psp>refund_due desk>refund_due system>refunded', 'the history names the actor of every report');
SELECT is((SELECT details - '{refund_id,booked}'::text[] FROM returns.return_event WHERE return_id = :id AND seq = 8),
	'{"from": "sent", "status": "settled", "amount": 35.00, "currency": "USD", "attempt": 1, "payment_no": 1, "provider": "psp", "provider_ref": "p-1"}', 'the event of a report describes the refund');
SELECT is(pg_temp.transfers(:id), '1:refund_due 2:refund_sent 3:refund_sent 4:refund_settled 5:refund_settled', 'the ledger has one transfer for each step of a refund');
SELECT is(pg_temp.entries(:id, 3), 'buyer_payable/b 35.00, provider_clearing/psp -35.00', 'the transfer of a sent refund moves it from the buyer to the provider');
SELECT is(pg_temp.entries(:id, 4), 'cash/psp -35.00, provider_clearing/psp 35.00', 'the transfer of a settled refund moves it from the provider to cash');

-- the same reference of the same provider for another refund
SELECT pg_temp.decide('m', pg_temp.units(1, 1)) AS other \gset
SELECT is(pg_temp.refunds(:other), '2:10.00:pending', 'a payment that is used up gives no further refund');
SELECT id AS r3 FROM returns.refund WHERE return_id = :other \gset
UPDATE returns.refund SET status = 'sent' WHERE id = :r3;
SELECT is((SELECT lease_until FROM returns.refund WHERE id = :r3), returns.now() + interval '10 minutes', 'a refund that is sent by an UPDATE has the default lease');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''settled'', provider_ref = ''p-1'' WHERE id = %s', :r3), '23505', NULL, 'a provider_ref cannot belong to two refunds of one provider');

-- a late failure moves the return back
UPDATE returns.refund SET status = 'failed', failure = 'account closed' WHERE id = :r1;
SELECT is(pg_temp.status(:id), 'refund_due', 'a return is refund_due again when a settled refund fails');
SELECT is((SELECT refunded FROM returns.payment WHERE order_ref = 'm' AND payment_no = 1), 0.00, 'a refund that fails late releases its payment');
SELECT is(pg_temp.transfers(:id), '1:refund_due 2:refund_sent 3:refund_sent 4:refund_settled 5:refund_settled 6:refund_failed<4 7:refund_failed<3', 'a refund that fails late reverses its transfers');
SELECT is((SELECT sum(amount) FROM returns.ledger_entry WHERE return_id = :id AND account = 'buyer_payable'), -35.00, 'a refund that fails late is owed to the buyer again');
SELECT pg_temp.book('m') AS before \gset
UPDATE returns.refund SET status = 'failed', failure = 'account closed' WHERE id = :r1;
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-1' WHERE id = :r1;
UPDATE returns.refund SET status = 'settled' WHERE id = :r1;
SELECT is(pg_temp.book('m'), :'before', 'old reports that are repeated after a failure change nothing');
SELECT is((SELECT status FROM returns.refund WHERE id = :r1), 'failed', 'a refund stays failed when old reports are repeated');
UPDATE returns.refund SET failure = 'account closed (R02)' WHERE id = :r1;
SELECT idempotency_key AS key FROM returns.refund WHERE id = :r1 \gset
UPDATE returns.refund SET status = 'pending' WHERE id = :r1;
SELECT results_eq('SELECT id, idempotency_key, attempt FROM returns.claim_refunds(1)', format('VALUES (%s::bigint, %L, 2)', :r1, :'key'), 'a second attempt has the same idempotency key');
SELECT is((SELECT refunded FROM returns.payment WHERE order_ref = 'm' AND payment_no = 1), 35.00, 'a second attempt holds its payment again');
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-1' WHERE id = :r1;
SELECT is((SELECT status FROM returns.refund WHERE id = :r1), 'sent', 'the provider_ref of a failed attempt does not settle the next attempt');
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-9' WHERE id = :r1;
SELECT is(pg_temp.status(:id), 'refunded', 'a new provider_ref settles the second attempt');

-- The provider_ref is reported after the settlement, and the failure text after the failure.
SELECT pg_temp.sell('told', 1, 1, 10);
SELECT pg_temp.pay('told', 1, 10);
SELECT pg_temp.decide('told', pg_temp.units(1, 1)) AS id \gset
UPDATE returns.refund SET status = 'sent' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled' WHERE return_id = :id;
SELECT pg_temp.book('told') AS before \gset
UPDATE returns.refund SET status = 'settled', provider_ref = 'told-1' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled', provider_ref = 'told-1' WHERE return_id = :id;
SELECT is((SELECT details - '{refund_id,booked}'::text[] FROM returns.return_event WHERE return_id = :id ORDER BY seq DESC LIMIT 1),
	'{"from": "settled", "status": "settled", "amount": 10.00, "currency": "USD", "attempt": 1, "payment_no": 1, "provider": "psp", "provider_ref": "told-1"}', 'a provider_ref that is reported after settlement is in the history');
SELECT is((SELECT last_seq FROM returns.return_request WHERE id = :id), 9, 'a provider_ref that is reported twice is in the history once');
SELECT is(regexp_replace(pg_temp.book('told'), 'refunded,9', 'refunded,8'), :'before', 'a provider_ref that is reported after settlement moves no money');
UPDATE returns.refund SET status = 'failed' WHERE return_id = :id;
UPDATE returns.refund SET failure = 'account closed' WHERE return_id = :id;
SELECT is((SELECT details->>'failure' FROM returns.return_event WHERE return_id = :id ORDER BY seq DESC LIMIT 1), 'account closed', 'a failure text that is reported after the failure is in the history');
UPDATE returns.refund SET status = 'settled', provider_ref = 'told-1' WHERE return_id = :id;
SELECT is(pg_temp.refunds(:id) || ' ' || pg_temp.status(:id), '1:10.00:failed refund_due', 'a failed refund ignores the old report of its settlement');

-- the old report without a reference comes again while the retry waits
SELECT pg_temp.sell('again', 1, 1, 10);
SELECT pg_temp.pay('again', 1, 10);
SELECT pg_temp.decide('again', pg_temp.units(1, 1)) AS id \gset
UPDATE returns.refund SET status = 'sent' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled' WHERE return_id = :id;
UPDATE returns.refund SET status = 'failed' WHERE return_id = :id;
UPDATE returns.refund SET status = 'pending' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled' WHERE return_id = :id;
SELECT is(pg_temp.refunds(:id) || ' ' || pg_temp.status(:id), '1:10.00:pending refund_due', 'a retry that was not sent ignores a settlement without a provider_ref');
UPDATE returns.refund SET status = 'sent' WHERE return_id = :id;
UPDATE returns.refund SET status = 'failed' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled' WHERE return_id = :id;
SELECT is(pg_temp.refunds(:id) || ' ' || pg_temp.status(:id), '1:10.00:settled refunded', 'a retry that was sent and failed can settle late');

-- a retry after other refunds have used the payment
SELECT pg_temp.sell('gone', 1, 2, 20);
SELECT pg_temp.pay('gone', 1, 10);
SELECT pg_temp.decide('gone', pg_temp.units(1, 1)) AS id \gset
UPDATE returns.refund SET status = 'failed', failure = 'no such card' WHERE return_id = :id;
SELECT is(pg_temp.transfers(:id), '1:refund_due', 'a refund that fails before it was sent reverses no transfer');
SELECT pg_temp.decide('gone', pg_temp.units(1, 1)) AS id2 \gset
SELECT throws_ok(format('UPDATE returns.refund SET status = ''pending'' WHERE return_id = %s', :id), 'RT006', NULL, 'a failed refund is not retried while another refund holds its payment');
UPDATE returns.refund SET status = 'failed' WHERE return_id = :id2;
SELECT lives_ok(format('UPDATE returns.refund SET status = ''pending'' WHERE return_id = %s', :id), 'a failed refund is retried after the other refund failed');

-- leases
SELECT pg_temp.settle_all() AS ok \gset
SELECT pg_temp.sell('lease', 1, 3, 30);
SELECT pg_temp.pay('lease', 1, 30);
SELECT pg_temp.decide('lease', pg_temp.units(1, 1)) AS id \gset
SELECT id AS r1 FROM returns.refund WHERE return_id = :id \gset
SELECT ok((SELECT count(*) = 1 FROM returns.claim_refunds(10)), 'a pending refund is claimed');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''pending'' WHERE id = %s', :r1), 'RT002', NULL, 'a sent refund does not become pending within its lease');
SET returns.clock = '2026-03-02 10:09:59+05';
SELECT is_empty('SELECT * FROM returns.claim_refunds(10)', 'a refund is not claimed again within its lease');
SET returns.clock = '2026-03-02 10:10:00+05';
SELECT results_eq('SELECT id, attempt FROM returns.claim_refunds(10)', format('VALUES (%s::bigint, 2)', :r1), 'a refund is claimed again when its lease ends');
SELECT is(pg_temp.transfers(:id), '1:refund_due 2:refund_sent 3:refund_pending<2 4:refund_sent', 'a lease that ends reverses the transfer of the sent refund');
-- the answer to the first attempt arrives after the lease of the second has
-- ended too
SET returns.clock = '2026-03-02 11:00:00+05';
SELECT pg_temp.decide('lease', pg_temp.units(1, 1)) AS id2 \gset
UPDATE returns.refund SET status = 'failed' WHERE return_id = :id2;
SELECT is((SELECT count(*) FROM returns.claim_refunds(1)), 1::bigint, 'a refund is claimed a third time when its second lease ends');
UPDATE returns.refund SET status = 'failed', failure = 'timeout' WHERE id = :r1;
SELECT is(pg_temp.transfers(:id), '1:refund_due 2:refund_sent 3:refund_pending<2 4:refund_sent 5:refund_pending<4 6:refund_sent 7:refund_failed<6', 'a refund that fails after it was sent reverses its transfer');
UPDATE returns.refund SET status = 'settled', provider_ref = 'late-1' WHERE id = :r1;
SELECT is(pg_temp.status(:id), 'refunded', 'a settlement that is reported after a failure refunds the return');
SELECT is((SELECT attempt || ' ' || status FROM returns.refund WHERE id = :r1), '3 settled', 'a settlement that is reported late starts no new attempt');
SELECT is((SELECT sum(amount) FROM returns.ledger_entry WHERE return_id = :id AND account = 'cash'), -10.00, 'a settlement that is reported late moves cash once');
SELECT throws_ok(format('UPDATE returns.refund SET status = ''settled'' WHERE return_id = %s', :id2), 'RT001', NULL, 'a failed refund that was never sent cannot settle');

-- several in one statement
SELECT pg_temp.sell('bulk', 1, 1, 30);
SELECT pg_temp.pay('bulk', n, 10) FROM generate_series(1, 3) n;
SELECT pg_temp.decide('bulk', pg_temp.units(1, 1)) AS id \gset
SELECT is((SELECT count(*) FROM returns.claim_refunds(100) WHERE return_id = :id), 3::bigint, 'all refunds of a return are claimed by one call');
UPDATE returns.refund SET status = 'settled', provider_ref = 'bulk-' || payment_no WHERE return_id = :id;
SELECT is((SELECT string_agg(to_state || coalesce('/' || (details->>'payment_no'), ''), ' ' ORDER BY seq) FROM returns.return_event WHERE return_id = :id AND seq > 8),
	'refund_due/1 refund_due/2 refund_due/3 refunded', 'a return moves after the last of the refunds that one statement settles');
UPDATE returns.refund SET status = 'failed' WHERE return_id = :id;
SELECT is((SELECT string_agg(to_state || coalesce('/' || (details->>'payment_no'), ''), ' ' ORDER BY seq) FROM returns.return_event WHERE return_id = :id AND seq > 12),
	'refunded/1 refund_due refund_due/2 refund_due/3', 'a return moves back with the first of the refunds that one statement fails');

-- each report pins the rules and releases them
DO $$
BEGIN
	FOR i IN 1..100 LOOP
		UPDATE returns.refund SET status = 'failed' WHERE order_ref = 'bulk';
	END LOOP;
END $$;
SELECT is((SELECT count(*) FROM returns.refund WHERE order_ref = 'bulk' AND status = 'failed'), 3::bigint, 'a transaction can repeat a report any number of times');

SELECT * FROM finish();
