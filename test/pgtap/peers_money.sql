-- Money defects that were reported against systems which do this in
-- application code, each as a test that it cannot happen here.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';

CREATE FUNCTION pg_temp.sell(o text, l int, q int, paid numeric, shipping numeric DEFAULT 0, rate numeric DEFAULT 0) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
	VALUES (o, l, 'b-' || o, 's-' || o, 'sku', 'clothing', 'kz', q, paid, shipping, rate, 'KZT',
		'2026-02-25 10:00+05', '2026-02-27 10:00+05')
$$;
CREATE FUNCTION pg_temp.pay(o text, n int, amount numeric, method text DEFAULT 'card', rank int DEFAULT 100, captured boolean DEFAULT true) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, refund_rank, captured_at)
	VALUES (o, n, method, amount, 'KZT', CASE WHEN method = 'card' THEN 'psp' END, rank,
		CASE WHEN captured THEN timestamptz '2026-02-25 10:00+05' END)
$$;
CREATE FUNCTION pg_temp.receive(o text, l int, n int, reason text DEFAULT 'changed_mind') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := returns.open_return(o, jsonb_build_array(jsonb_build_object('line_no', l, 'quantity', n)), reason);
BEGIN
	PERFORM returns.act(id, 'approved');
	PERFORM returns.act(id, 'received');
	RETURN id;
END $$;
CREATE FUNCTION pg_temp.decide(o text, l int, n int, reason text DEFAULT 'changed_mind') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := pg_temp.receive(o, l, n, reason);
BEGIN
	PERFORM returns.act(id, 'refund_due');
	RETURN id;
END $$;
CREATE FUNCTION pg_temp.settle(ret bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM returns.claim_refunds(1000);
	UPDATE returns.refund SET status = 'settled', provider_ref = 're-' || id WHERE return_id = ret;
END $$;
CREATE FUNCTION pg_temp.refunds(o text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(payment_no || ':' || amount || ':' || status, ' ' ORDER BY id) FROM returns.refund WHERE order_ref = o
$$;
CREATE FUNCTION pg_temp.status(ret bigint) RETURNS text LANGUAGE sql AS $$
	SELECT status FROM returns.return_request WHERE id = ret
$$;
CREATE FUNCTION pg_temp.cash(o text) RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(-sum(amount), 0) FROM returns.ledger_entry WHERE order_ref = o AND account = 'cash'
$$;

-- B1: 100 captured, two refunds of 60 both succeed
SELECT pg_temp.sell('b01', 1, 1, 60); SELECT pg_temp.sell('b01', 2, 1, 60); SELECT pg_temp.pay('b01', 1, 100);
SELECT pg_temp.decide('b01', 1, 1) AS id \gset
SELECT throws_ok('SELECT pg_temp.decide(''b01'', 2, 1)', 'RT006', NULL, 'b01_two_refunds_of_one_capture: the second is refused');
SELECT is((SELECT refunded FROM returns.payment WHERE order_ref = 'b01'), 60.00, 'b01_two_refunds_of_one_capture: 60 of 100 are gone');

-- B2: after total - 1 any amount passes
SELECT pg_temp.sell('b02', 1, 1, 100); SELECT pg_temp.pay('b02', 1, 100);
SELECT returns.open_return('b02', '[{"line_no": 1, "quantity": 1}]', 'changed_mind') AS id \gset
SELECT returns.grant_refund(:id, 99, 'all but one') AS ok \gset
SELECT throws_ok(format('SELECT returns.grant_refund(%s, %s, ''more'')', :id, a), 'RT006', NULL, 'b02_total_minus_one: then ' || a || ' is refused')
FROM unnest('{1.01,2,99,100}'::numeric[]) a;
SELECT lives_ok(format('SELECT returns.grant_refund(%s, 1, ''the rest'')', :id), 'b02_total_minus_one: 1 is not');

-- B3: the browser repeats the request
SELECT pg_temp.sell('b03', 1, 2, 20); SELECT pg_temp.pay('b03', 1, 20);
SELECT returns.open_return('b03', '[{"line_no": 1, "quantity": 1}]', 'changed_mind', idempotency_key => 'k-b03') AS first,
	returns.open_return('b03', '[{"line_no": 1, "quantity": 1}]', 'changed_mind', idempotency_key => 'k-b03') AS again \gset
SELECT is(:again::bigint, :first::bigint, 'b03_replayed_request: the same return');
SELECT throws_ok($$SELECT returns.open_return('b03', '[{"line_no": 1, "quantity": 2}]', 'changed_mind', idempotency_key => 'k-b03')$$, 'RT011', NULL, 'b03_replayed_request: other content is refused');
SELECT returns.act(:first, 'approved') AS ok \gset
SELECT returns.act(:first, 'received') AS ok \gset
SELECT returns.act(:first, 'refund_due') AS ok \gset
SELECT returns.act(:first, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds('b03'), '1:10.00:pending', 'b03_replayed_request: one refund');

-- B4: the provider times out after paying; the retry pays again under a new key
SELECT pg_temp.sell('b04', 1, 1, 50); SELECT pg_temp.pay('b04', 1, 50);
SELECT pg_temp.decide('b04', 1, 1) AS id \gset
SELECT idempotency_key AS key1 FROM returns.claim_refunds(100) WHERE return_id = :id \gset
UPDATE returns.refund SET status = 'failed', failure = 'timeout' WHERE return_id = :id;
SELECT is(pg_temp.refunds('b04'), '1:50.00:failed', 'b04_key_survives: the failed attempt stays');
UPDATE returns.refund SET status = 'pending' WHERE return_id = :id;
SELECT idempotency_key AS key2 FROM returns.claim_refunds(100) WHERE return_id = :id \gset
SELECT is(:'key2'::text, :'key1'::text, 'b04_key_survives: the retry asks under the same key');
UPDATE returns.refund SET status = 'settled', provider_ref = 'b04' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled', provider_ref = 'b04' WHERE return_id = :id;
SELECT is(pg_temp.cash('b04'), 50.00, 'b04_key_survives: paid once');

-- B6: two members of staff press refund
SELECT pg_temp.sell('b06', 1, 1, 50); SELECT pg_temp.pay('b06', 1, 100);
SELECT pg_temp.decide('b06', 1, 1) AS id \gset
SET returns.actor = 'operator:colleague';
UPDATE returns.return_request SET status = 'refund_due' WHERE id = :id;
SELECT is(pg_temp.refunds('b06'), '1:50.00:pending', 'b06_double_click: one refund');
SET returns.actor = 'operator:desk';

-- B8: the provider's notification of our own refund creates another
SET returns.actor = 'operator:desk';
SELECT pg_temp.sell('b08', 1, 1, 50); SELECT pg_temp.pay('b08', 1, 100);
SELECT pg_temp.decide('b08', 1, 1) AS id \gset
SELECT count(*) FROM returns.claim_refunds(100) \gset
SET returns.actor = 'provider:psp';
UPDATE returns.refund SET status = 'settled', provider_ref = 'b08' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled', provider_ref = 'b08' WHERE provider = 'psp' AND provider_ref = 'b08';
SELECT throws_ok(format('INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency, idempotency_key, created_at) VALUES (''b08'', %s, 1, 50, ''KZT'', ''x'', now())', :id),
	'RT007', NULL, 'b08_own_notification: a report makes no refund');
SET returns.actor = 'operator:desk';
SELECT is(pg_temp.refunds('b08') || ' ' || pg_temp.cash('b08'), '1:50.00:settled 50.00', 'b08_own_notification: one refund, paid once');

-- B9: one click, two gateway refunds
SELECT pg_temp.sell('b09', 1, 1, 50); SELECT pg_temp.pay('b09', 1, 100);
SELECT pg_temp.decide('b09', 1, 1) AS id \gset
SELECT is((SELECT count(*) FROM returns.claim_refunds(100) WHERE return_id = :id), 1::bigint, 'b09_one_click: one worker gets it');
SELECT is((SELECT count(*) FROM returns.claim_refunds(100) WHERE return_id = :id), 0::bigint, 'b09_one_click: no other does');

-- B10: two returns for the last unit
SELECT pg_temp.sell('b10', 1, 1, 50); SELECT pg_temp.pay('b10', 1, 100);
SELECT returns.open_return('b10', '[{"line_no": 1, "quantity": 1}]', 'changed_mind') AS id \gset
SELECT throws_ok($$SELECT returns.open_return('b10', '[{"line_no": 1, "quantity": 1}]', 'changed_mind')$$, 'RT005', NULL, 'b10_last_unit: the second is refused');

-- B11: capture, refund and cancel interleave
SELECT pg_temp.sell('b11', 1, 1, 50); SELECT pg_temp.pay('b11', 1, 50);
SELECT pg_temp.decide('b11', 1, 1) AS id \gset
SELECT count(*) FROM returns.claim_refunds(100) \gset
SELECT throws_ok(format('SELECT returns.act(%s, ''cancelled'')', :id), 'RT001', NULL, 'b11_interleaving: no cancel while money is on its way');
SELECT throws_ok('UPDATE returns.payment SET captured_at = NULL WHERE order_ref = ''b11''', 'RT007', NULL, 'b11_interleaving: no capture is taken back');
SELECT throws_ok('UPDATE returns.payment SET amount = 1 WHERE order_ref = ''b11''', 'RT007', NULL, 'b11_interleaving: none shrinks');

-- B13: negative refund accepted, zero refunds everything
SELECT pg_temp.sell('b13', 1, 2, 50); SELECT pg_temp.pay('b13', 1, 50);
SELECT throws_ok(format('SELECT returns.open_return(''b13'', ''[{"line_no": 1, "quantity": %s}]'', ''changed_mind'')', q), code, NULL, 'b13_zero_is_not_everything: quantity ' || q)
FROM (VALUES ('0', '23514'), ('-1', '23514'), ('null', '22023')) v (q, code);
SELECT pg_temp.receive('b13', 1, 2) AS id \gset
SELECT throws_ok(format('SELECT returns.grant_refund(%s, %s, ''x'')', :id, a), '22023', NULL, 'b13_zero_is_not_everything: amount ' || a) FROM unnest('{0,-1}'::text[]) a;
SELECT throws_ok(format('SELECT returns.grant_refund(%s, NULL, ''x'')', :id), '22004', NULL, 'b13_zero_is_not_everything: no amount');
UPDATE returns.return_line SET accepted = 0 WHERE return_id = :id;
SELECT is(returns.act(:id, 'refund_due') || coalesce(pg_temp.refunds('b13'), ' nothing'), 'refunded nothing', 'b13_zero_is_not_everything: none accepted, none refunded');

-- B14: marked as paid again, refunded again
SELECT pg_temp.sell('b14', 1, 2, 50); SELECT pg_temp.pay('b14', 1, 50);
SELECT pg_temp.settle(pg_temp.decide('b14', 1, 1));
SELECT pg_temp.settle(pg_temp.decide('b14', 1, 1));
SELECT throws_ok('UPDATE returns.payment SET captured_at = now() WHERE order_ref = ''b14''', 'RT007', NULL, 'b14_paid_again: no flag brings the money back');
SELECT throws_ok('UPDATE returns.payment SET refunded = 0 WHERE order_ref = ''b14''', 'RT007', NULL, 'b14_paid_again: nor the sum itself');
SELECT throws_ok('UPDATE returns.sale_line SET refunded = 0, returned = 0 WHERE order_ref = ''b14''', 'RT007', NULL, 'b14_paid_again: nor the line''s');
SELECT throws_ok('SELECT pg_temp.decide(''b14'', 1, 1)', 'RT005', NULL, 'b14_paid_again: no third unit');

-- B15: shipping is added twice
SELECT pg_temp.sell('b15', 1, 1, 39.99, 7.50); SELECT pg_temp.pay('b15', 1, 100);
SELECT pg_temp.decide('b15', 1, 1, 'defective') AS id \gset
SELECT is(pg_temp.refunds('b15'), '1:47.49:pending', 'b15_shipping_once: 39.99 + 7.50');

-- B16: one unit, refunded twice because the order has money left
SELECT pg_temp.sell('b16', 1, 1, 10); SELECT pg_temp.sell('b16', 2, 1, 90); SELECT pg_temp.pay('b16', 1, 100);
SELECT pg_temp.settle(pg_temp.decide('b16', 1, 1));
SELECT throws_ok('SELECT pg_temp.decide(''b16'', 1, 1)', 'RT005', NULL, 'b16_unit_cap: units are counted apart from money');

-- B17: two units, three returns
SELECT pg_temp.sell('b17', 1, 2, 10); SELECT pg_temp.pay('b17', 1, 100);
SELECT pg_temp.decide('b17', 1, 1) AS id \gset
SELECT pg_temp.decide('b17', 1, 1) AS id \gset
SELECT throws_ok('SELECT pg_temp.decide(''b17'', 1, 1)', 'RT005', NULL, 'b17_third_of_two: refused');

-- B23: 13.700000000000001 is not 13.7
SELECT throws_ok('SELECT pg_temp.sell(''b23'', 1, 1, 13.700000000000001)', '22003', NULL, 'b23_exact: what is no amount is not stored');
SELECT pg_temp.sell('b23', 1, 1, 13.7); SELECT pg_temp.pay('b23', 1, 13.700);
SELECT pg_temp.receive('b23', 1, 1) AS id \gset
SELECT lives_ok(format('UPDATE returns.return_line SET deduction = 13.7000 WHERE return_id = %s', :id), 'b23_exact: 13.7000 is 13.7');
SELECT is(returns.act(:id, 'refund_due'), 'refunded', 'b23_exact: and nothing is left over');

-- B30: a discount on the order is not in the refund of an item
SELECT pg_temp.sell('b30', 1, 1, 5.40); SELECT pg_temp.sell('b30', 2, 1, 3.60); SELECT pg_temp.pay('b30', 1, 9);
SELECT pg_temp.decide('b30', 1, 1) AS id \gset
SELECT pg_temp.decide('b30', 2, 1) AS id \gset
SELECT is(pg_temp.refunds('b30'), '1:5.40:pending 1:3.60:pending', 'b30_discount: what was paid, not the price');

-- B32: refund of everything is a cent above what was paid
SELECT pg_temp.sell('b32', 1, 3, 0.88); SELECT pg_temp.sell('b32', 2, 7, 0.12, 0.01); SELECT pg_temp.pay('b32', 1, 1.01);
SELECT count(pg_temp.decide('b32', 1, 1, 'defective')) FROM generate_series(1, 3) \gset
SELECT count(pg_temp.decide('b32', 2, 1, 'defective')) FROM generate_series(1, 7) \gset
SELECT is((SELECT sum(amount) FROM returns.refund WHERE order_ref = 'b32'), 1.01, 'b32_last_unit: ten returns sum to what was paid');

-- B33: shipping that cost nothing is refunded, or the wrong parcel's
SELECT pg_temp.sell('b33', 1, 1, 10, 0); SELECT pg_temp.sell('b33', 2, 1, 10, 3); SELECT pg_temp.pay('b33', 1, 23);
SELECT pg_temp.decide('b33', 1, 1, 'defective') AS id \gset
SELECT pg_temp.decide('b33', 2, 1, 'defective') AS id \gset
SELECT is(pg_temp.refunds('b33'), '1:10.00:pending 1:13.00:pending', 'b33_free_shipping: as much as was paid, for its own line');

-- B34: a refund above what was paid, found out too late
SELECT pg_temp.sell('b34', 1, 1, 80); SELECT pg_temp.pay('b34', 1, 50);
SELECT pg_temp.receive('b34', 1, 1) AS id \gset
SELECT throws_ok(format('SELECT returns.act(%s, ''refund_due'')', :id), 'RT006', NULL, 'b34_all_or_nothing: not covered');
SELECT is(pg_temp.status(:id) || coalesce(pg_temp.refunds('b34'), ' nothing ') || (SELECT refunded FROM returns.sale_line WHERE order_ref = 'b34'), 'received nothing 0', 'b34_all_or_nothing: nothing is done');

-- B35: after the shipping no item can be refunded
SELECT pg_temp.sell('b35', 1, 2, 20, 5); SELECT pg_temp.pay('b35', 1, 25);
SELECT pg_temp.decide('b35', 1, 1, 'defective') AS id \gset
SELECT pg_temp.decide('b35', 1, 1) AS id \gset
SELECT is(pg_temp.refunds('b35'), '1:12.50:pending 1:10.00:pending', 'b35_components: goods and shipping have caps of their own');

-- B37: a gift card is paid back by card
SELECT pg_temp.sell('b37', 1, 1, 100); SELECT pg_temp.pay('b37', 1, 70); SELECT pg_temp.pay('b37', 2, 30, 'gift_card', 200);
SELECT pg_temp.decide('b37', 1, 1) AS id \gset
SELECT is(pg_temp.refunds('b37'), '1:70.00:pending 2:30.00:pending', 'b37_gift_card: each tender its own');
SELECT pg_temp.settle(:id);
SELECT is((SELECT string_agg(party_ref || ' ' || amount, ', ' ORDER BY party_ref) FROM returns.ledger_entry WHERE order_ref = 'b37' AND account = 'cash'), 'gift_card -30.00, psp -70.00', 'b37_gift_card: and its own entry');

-- B38: refund of a payment that was never captured
SELECT pg_temp.sell('b38', 1, 1, 100); SELECT pg_temp.pay('b38', 1, 100, 'card', 100, false);
SELECT pg_temp.receive('b38', 1, 1) AS id \gset
SELECT throws_ok(format('SELECT returns.act(%s, ''refund_due'')', :id), 'RT006', NULL, 'b38_uncaptured: nothing to refund');
UPDATE returns.payment SET captured_at = '2026-03-01' WHERE order_ref = 'b38';
SELECT is(returns.act(:id, 'refund_due'), 'refund_due', 'b38_uncaptured: once captured there is');

-- B39: several refunds of a split payment go to the wrong method
SELECT pg_temp.sell('b39', 1, 4, 100); SELECT pg_temp.pay('b39', 1, 60); SELECT pg_temp.pay('b39', 2, 40, 'gift_card', 50);
SELECT count(pg_temp.decide('b39', 1, 1)) FROM generate_series(1, 4) \gset
SELECT is(pg_temp.refunds('b39'), '2:25.00:pending 2:15.00:pending 1:10.00:pending 1:25.00:pending 1:25.00:pending', 'b39_split_tenders: each up to what it paid');

-- B40: a failed refund blocks the money
SELECT pg_temp.sell('b40', 1, 2, 20); SELECT pg_temp.pay('b40', 1, 10);
SELECT pg_temp.decide('b40', 1, 1) AS id \gset
UPDATE returns.refund SET status = 'failed' WHERE order_ref = 'b40';
SELECT is((SELECT refunded FROM returns.payment WHERE order_ref = 'b40'), 0.00, 'b40_failed_releases: the payment is free');
SELECT lives_ok('UPDATE returns.refund SET status = ''pending'' WHERE order_ref = ''b40''', 'b40_failed_releases: and the refund can be tried again');
SELECT throws_ok('SELECT pg_temp.decide(''b40'', 1, 1)', 'RT006', NULL, 'b40_failed_releases: then it is held again');

-- B41: the gateway has paid, the transaction rolls back
SELECT pg_temp.sell('b41', 1, 1, 10); SELECT pg_temp.pay('b41', 1, 10);
SELECT pg_temp.decide('b41', 1, 1) AS id \gset
CREATE FUNCTION pg_temp.claim_and_fail() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM returns.claim_refunds(1000);
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	RETURN 'rolled back';
END $$;
SELECT is(pg_temp.claim_and_fail(), 'rolled back', 'b41_intent_first: a claim that is rolled back');
SELECT is((SELECT status || attempt FROM returns.refund WHERE order_ref = 'b41'), 'pending0', 'b41_intent_first: was none');
SELECT is((SELECT count(*) FROM returns.ledger_transfer WHERE order_ref = 'b41'), 1::bigint, 'b41_intent_first: not in the books either');

-- B42: "refunded" is a label that anybody sets
SELECT pg_temp.sell('b42', 1, 1, 10); SELECT pg_temp.pay('b42', 1, 10);
SELECT pg_temp.decide('b42', 1, 1) AS id \gset
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''refunded'' WHERE id = %s', :id), 'RT002', NULL, 'b42_label: not even an operator');
SELECT throws_ok(format('UPDATE returns.return_request SET refund_total = 0 WHERE id = %s', :id), 'RT007', NULL, 'b42_label: the total is computed');
SELECT pg_temp.settle(:id);
SELECT is(pg_temp.status(:id) || ' ' || pg_temp.cash('b42'), 'refunded 10.00', 'b42_label: money settled, status follows');

-- B43: status and money are derived in two places
SELECT pg_temp.sell('b43', 1, 1, 10); SELECT pg_temp.pay('b43', 1, 4); SELECT pg_temp.pay('b43', 2, 6);
SELECT pg_temp.decide('b43', 1, 1) AS id \gset
SELECT count(*) FROM returns.claim_refunds(100) \gset
UPDATE returns.refund SET status = 'settled', provider_ref = 'b43-1' WHERE return_id = :id AND payment_no = 1;
SELECT is(pg_temp.status(:id) || ' ' || pg_temp.cash('b43'), 'refund_due 4.00', 'b43_one_derivation: partly paid is not refunded');
UPDATE returns.refund SET status = 'settled', provider_ref = 'b43-2' WHERE return_id = :id AND payment_no = 2;
SELECT is(pg_temp.status(:id) || ' ' || pg_temp.cash('b43'), 'refunded 10.00', 'b43_one_derivation: wholly paid is');

-- B44: a payout fails and stays "settled"
UPDATE returns.refund SET status = 'failed', failure = 'returned by the bank' WHERE return_id = :id AND payment_no = 2;
SELECT is(pg_temp.status(:id) || ' ' || pg_temp.cash('b43'), 'refund_due 4.00', 'b44_late_failure: the books and the status go back');
SELECT is((SELECT returned FROM returns.sale_line WHERE order_ref = 'b43'), 0, 'b44_late_failure: the unit is not finally back');

-- B46: an item that was never paid for is refunded
SELECT pg_temp.sell('b46', 1, 1, 0); SELECT pg_temp.sell('b46', 2, 1, 10); SELECT pg_temp.pay('b46', 1, 10);
SELECT pg_temp.decide('b46', 1, 1) AS id \gset
SELECT is(pg_temp.status(:id) || coalesce(pg_temp.refunds('b46'), ' nothing'), 'refunded nothing', 'b46_unpaid_item: nothing paid, nothing back');

-- B47: a second return of an order goes wrong
SELECT pg_temp.sell('b47', 1, 2, 20); SELECT pg_temp.sell('b47', 2, 1, 5); SELECT pg_temp.pay('b47', 1, 25);
SELECT pg_temp.settle(pg_temp.decide('b47', 1, 1));
SELECT pg_temp.settle(pg_temp.decide('b47', 2, 1));
SELECT pg_temp.settle(pg_temp.decide('b47', 1, 1));
SELECT is((SELECT string_agg(status || ' ' || refund_total, ', ' ORDER BY id) FROM returns.return_request WHERE order_ref = 'b47'), 'refunded 10.00, refunded 5.00, refunded 10.00', 'b47_second_return: each is paid by itself');
SELECT is((SELECT refunded FROM returns.payment WHERE order_ref = 'b47'), 25.00, 'b47_second_return: together what was paid');

-- B49: the buyer is refunded, the seller is paid out all the same
SELECT pg_temp.sell('b49', 1, 2, 100, 0, 0.1); SELECT pg_temp.pay('b49', 1, 100);
SELECT pg_temp.decide('b49', 1, 1) AS id \gset
SELECT is((SELECT balance FROM returns.account_balance WHERE account = 'seller_receivable' AND party_ref = 's-b49'), 45.00, 'b49_seller_reversal: the seller owes it from the moment the refund is due');

-- B50: a refund after the payout breaks the next payout
SELECT pg_temp.decide('b49', 1, 1) AS id \gset
SELECT is((SELECT string_agg(amount || '=' || balance, ' ' ORDER BY balance) FROM returns.seller_statement WHERE seller_ref = 's-b49'), '45.00=45.00 45.00=90.00', 'b50_after_payout: what he owes adds up until it is netted');

-- B52: the seller is absent, and the money cannot get out
SELECT pg_temp.sell('b52', 1, 1, 10); SELECT pg_temp.pay('b52', 1, 10);
SELECT returns.open_return('b52', '[{"line_no": 1, "quantity": 1}]', 'defective') AS id \gset
SELECT isnt_empty(format('SELECT * FROM returns.return_request WHERE id = %s AND due_at IS NOT NULL AND on_timeout = ''approved''', :id), 'b52_absent_seller: his silence has an end, and a meaning');
SET returns.clock = '2026-03-05 10:00:00+05';
SELECT ok(returns.run_deadlines(10000) > 0, 'b52_absent_seller: time passes');
SELECT is(pg_temp.status(:id), 'approved', 'b52_absent_seller: silence was consent');
UPDATE returns.return_request SET status = 'in_transit', carrier = 'post', tracking_ref = 't' WHERE id = :id;
SET returns.actor = 'carrier:post';
UPDATE returns.return_request SET status = 'received' WHERE id = :id;
SET returns.actor = 'operator:desk';
SET returns.clock = '2026-03-13 10:00:00+05';
SELECT ok(returns.run_deadlines(10000) > 0, 'b52_absent_seller: time passes');
SELECT is(pg_temp.status(:id), 'refund_due', 'b52_absent_seller: the money gets out without him');
SELECT pg_temp.settle(:id);
SELECT is(pg_temp.status(:id), 'refunded', 'b52_absent_seller: and arrives');
SELECT pg_temp.sell('b52-2', 1, 1, 10); SELECT pg_temp.pay('b52-2', 1, 10);
SELECT returns.open_return('b52-2', '[{"line_no": 1, "quantity": 1}]', 'defective') AS id \gset
SELECT is(returns.act(:id, 'refund_due'), 'refund_due', 'b52_absent_seller: the platform need not wait');

SELECT is_empty('SELECT currency FROM returns.trial_balance GROUP BY 1 HAVING sum(balance) <> 0', 'the books balance');
SELECT is_empty('SELECT order_ref FROM returns.payment WHERE refunded > amount OR refunded < 0', 'no payment gave more than it had');

SELECT * FROM finish();
