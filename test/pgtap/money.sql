-- Money: exact shares, the split over tenders, the refund machine, the ledger.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';

-- A market without a statute, so that its policies may charge a fee.
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('xx', 'UTC', 'kz', 'USD');
INSERT INTO returns.policy (market, category, fault, window_term, restocking_percent, refund_shipping, source) VALUES
	('xx', NULL,        NULL,     14, 0,      true,  'test'),
	('xx', 'furniture', 'none',   14, 15,     false, 'test'),
	('xx', 'toys',      'none',   14, 33.333, true,  'test'),
	('xx', 'books',     'none',   14, 100,    false, 'test'),
	('xx', 'other',     NULL,     14, 10,     false, 'test');

CREATE FUNCTION pg_temp.sell(o text, l int, q int, paid numeric, shipping numeric DEFAULT 0,
	cur text DEFAULT 'USD', rate numeric DEFAULT 0, cat text DEFAULT 'clothing') RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
	VALUES (o, l, 'b', 's', 'sku', cat, 'xx', q, paid, shipping, rate, cur,
		'2026-02-25 10:00+00', '2026-02-27 10:00+00')
$$;
CREATE FUNCTION pg_temp.pay(o text, n int, amount numeric, cur text DEFAULT 'USD', rank int DEFAULT 100,
	provider text DEFAULT 'psp', captured boolean DEFAULT true, chargeback text DEFAULT 'none') RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, provider_ref, refund_rank,
		captured_at, chargeback)
	VALUES (o, n, 'card', amount, cur, provider, 'ch-' || o || '-' || n, rank,
		CASE WHEN captured THEN timestamptz '2026-02-25 10:00+00' END, chargeback)
$$;
-- Open a return and have its goods received.
CREATE FUNCTION pg_temp.receive(o text, lines jsonb, reason text DEFAULT 'changed_mind', resolution text DEFAULT 'refund')
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := returns.open_return(o, lines, reason, resolution);
BEGIN
	PERFORM returns.act(id, 'approved');
	PERFORM returns.act(id, 'received');
	RETURN id;
END $$;
CREATE FUNCTION pg_temp.decide(o text, lines jsonb, reason text DEFAULT 'changed_mind')
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := pg_temp.receive(o, lines, reason);
BEGIN
	PERFORM returns.act(id, 'refund_due');
	RETURN id;
END $$;
CREATE FUNCTION pg_temp.total(ret bigint) RETURNS numeric LANGUAGE sql AS $$
	SELECT refund_total FROM returns.return_request WHERE id = ret
$$;
-- Decide a return of one unit of line 1; what it pays.
CREATE FUNCTION pg_temp.paid(o text) RETURNS numeric LANGUAGE sql AS $$
	SELECT pg_temp.total(pg_temp.decide(o, '[{"line_no": 1, "quantity": 1}]'))
$$;
CREATE FUNCTION pg_temp.units(l int, n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_array(jsonb_build_object('line_no', l, 'quantity', n))
$$;
-- The refunds of a return, in order: payment:amount:status
CREATE FUNCTION pg_temp.refunds(ret bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(payment_no || ':' || amount || ':' || status, ' ' ORDER BY id) FROM returns.refund WHERE return_id = ret
$$;
CREATE FUNCTION pg_temp.status(ret bigint) RETURNS text LANGUAGE sql AS $$
	SELECT status FROM returns.return_request WHERE id = ret
$$;
CREATE FUNCTION pg_temp.entries(ret bigint, no int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(account || coalesce('/' || party_ref, '') || ' ' || amount, ', ' ORDER BY account)
	FROM returns.ledger_entry WHERE return_id = ret AND transfer_no = no
$$;
CREATE FUNCTION pg_temp.transfers(ret bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(transfer_no || ':' || kind || coalesce('<' || reverses, ''), ' ' ORDER BY transfer_no)
	FROM returns.ledger_transfer WHERE return_id = ret
$$;
CREATE FUNCTION pg_temp.book(o text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ',
		(SELECT string_agg(line_no || ':' || reserved || ',' || returned || ',' || refunded, ' ' ORDER BY line_no) FROM returns.sale_line WHERE order_ref = o),
		(SELECT string_agg(payment_no || '=' || refunded, ' ' ORDER BY payment_no) FROM returns.payment WHERE order_ref = o),
		(SELECT count(*) FROM returns.refund WHERE order_ref = o),
		(SELECT count(*) FROM returns.ledger_transfer WHERE order_ref = o),
		(SELECT string_agg(status || ',' || last_seq || ',' || last_transfer, ' ' ORDER BY id) FROM returns.return_request WHERE order_ref = o))
$$;
-- Settle every refund that waits.
CREATE FUNCTION pg_temp.settle_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM returns.claim_refunds(100000);
	UPDATE returns.refund SET status = 'settled', provider_ref = 're-' || id WHERE status = 'sent';
END $$;

-- ------------------------------------------------------------------- shares
SELECT pg_temp.sell('usd', 1, 3, 100);
SELECT pg_temp.pay('usd', 1, 100);
SELECT results_eq(
	$$SELECT pg_temp.paid('usd') FROM generate_series(1, 3)$$,
	ARRAY[33.33, 33.34, 33.33], 'three thirds of 100.00 are 33.33, 33.34 and 33.33');
SELECT is((SELECT refunded FROM returns.sale_line WHERE order_ref = 'usd'), 100.00, 'a line whose units are all returned is refunded completely');

SELECT pg_temp.sell('jpy', 1, 3, 100, 0, 'JPY');
SELECT pg_temp.pay('jpy', 1, 100, 'JPY');
SELECT results_eq(
	$$SELECT pg_temp.paid('jpy') FROM generate_series(1, 3)$$,
	ARRAY[33, 34, 33]::numeric[], 'three thirds of 100 yen are 33, 34 and 33');
SELECT pg_temp.sell('kwd', 1, 3, 10, 0, 'KWD');
SELECT pg_temp.pay('kwd', 1, 10, 'KWD');
SELECT results_eq(
	$$SELECT pg_temp.paid('kwd') FROM generate_series(1, 3)$$,
	ARRAY[3.333, 3.334, 3.333], 'three thirds of 10 dinars are 3.333, 3.334 and 3.333');
SELECT is((SELECT array_agg(scale(refund_total) ORDER BY id) FROM returns.return_request WHERE order_ref IN ('jpy', 'usd', 'kwd') AND refund_total > 3),
	'{2,2,2,0,0,0,3,3,3}', 'amounts show the decimals of their currency');

SELECT pg_temp.sell('huge', 1, 7, 99999999999999.9999, 99999999999999.9998, 'CLF');
SELECT pg_temp.pay('huge', 1, 99999999999999.9999, 'CLF');
SELECT pg_temp.pay('huge', 2, 99999999999999.9998, 'CLF');
SELECT pg_temp.decide('huge', pg_temp.units(1, n)) FROM unnest('{2,1,3,1}'::int[]) n;
SELECT is((SELECT refunded FROM returns.sale_line WHERE order_ref = 'huge'), 199999999999999.9997,
	'the largest amounts of the longest currency are shared exactly');
SELECT is((SELECT sum(refund_goods) FROM returns.return_line WHERE order_ref = 'huge'), 99999999999999.9999, 'the shares of the largest amount of goods sum to it');
SELECT is((SELECT sum(refund_shipping) FROM returns.return_line WHERE order_ref = 'huge'), 99999999999999.9998, 'the shares of the largest amount of shipping sum to it');

-- every amount of a few minor units, every number of units, every first return
CREATE TEMP TABLE split (o text, first int);
INSERT INTO split SELECT format('split-%s-%s-%s', a, q, f), f
FROM generate_series(0, 7) a, generate_series(1, 5) q, generate_series(1, q) f;
SELECT count(pg_temp.sell(format('split-%s-%s-%s', a, q, f), 1, q, a / 100.0, (7 - a) / 100.0)) > 0 AS ok
FROM generate_series(0, 7) a, generate_series(1, 5) q, generate_series(1, q) f \gset
SELECT count(pg_temp.pay(o, 1, 0.07)) > 0 AS ok FROM split \gset
SELECT count(pg_temp.decide(o, pg_temp.units(1, first))) > 0 AS ok FROM split \gset
SELECT is_empty($$
	SELECT s.order_ref, l.refund_goods, l.refund_shipping FROM split JOIN returns.sale_line s ON s.order_ref = o
	JOIN returns.return_line l ON l.order_ref = o
	WHERE l.refund_goods <> round(s.amount_paid * first / s.quantity, 2)
		OR l.refund_shipping <> round(s.shipping_paid * first / s.quantity, 2)$$,
	'the first k of q units are worth round(A k / q)');
SELECT count(pg_temp.decide(o, pg_temp.units(1, s.quantity - first))) > 0 AS ok
FROM split JOIN returns.sale_line s ON s.order_ref = o WHERE first < s.quantity \gset
SELECT is_empty($$
	SELECT * FROM returns.sale_line s WHERE order_ref LIKE 'split-%' AND refunded <> amount_paid + shipping_paid$$,
	'the last units of a line bring its refunds to what was paid');
SELECT is_empty($$SELECT * FROM returns.return_line WHERE refund_goods < 0 OR refund_shipping < 0$$, 'no share is negative');

-- an exchange takes its units' share of the line, and gives it back when called off
SELECT pg_temp.sell('exchange', 1, 3, 100);
SELECT pg_temp.pay('exchange', 1, 100);
SELECT pg_temp.receive('exchange', pg_temp.units(1, 1), 'changed_mind', 'exchange') AS ex \gset
SELECT returns.act(:ex, 'exchange_due') AS ok \gset
SELECT is((SELECT refund_goods FROM returns.return_line WHERE return_id = :ex), 33.33, 'a decided exchange holds its share');
SELECT is(pg_temp.book('exchange'), '1:1,0,0 1=0 0 0 exchange_due,5,0', 'a decided exchange moves no money');
SELECT pg_temp.decide('exchange', pg_temp.units(1, 1)) AS id \gset
SELECT is((SELECT refund_total FROM returns.return_request WHERE id = :id), 33.34, 'the next unit is worth the next share');
SELECT returns.act(:ex, 'refund_due') AS ok \gset
SELECT is((SELECT refund_total FROM returns.return_request WHERE id = :ex), 33.33, 'an exchange that becomes a refund pays the share it held');
SELECT pg_temp.decide('exchange', pg_temp.units(1, 1)) AS id \gset
SELECT is((SELECT refunded FROM returns.sale_line WHERE order_ref = 'exchange'), 100.00, 'all units of a line with an exchange are refunded with what was paid');

SELECT pg_temp.sell('called-off', 1, 3, 100);
SELECT pg_temp.pay('called-off', 1, 100);
SELECT pg_temp.receive('called-off', pg_temp.units(1, 1), 'changed_mind', 'exchange') AS ex \gset
SELECT returns.act(:ex, 'exchange_due') AS ok \gset
SELECT pg_temp.decide('called-off', pg_temp.units(1, 1)) AS id \gset
UPDATE returns.return_request SET status = 'exchange_sent', carrier = 'c', tracking_ref = 't' WHERE id = :ex;
SELECT returns.act(:ex, 'outcome_disputed', 'not what I wanted') AS ok \gset
SELECT returns.act(:ex, 'closed', 'the buyer keeps it') AS ok \gset
SELECT is((SELECT (refund_goods, refund_fee, refund_shipping)::text FROM returns.return_line WHERE return_id = :ex), '(,,)',
	'an exchange that is called off releases its share');
SELECT pg_temp.sell('gap', 1, 3, 33.37, 4.39);
SELECT pg_temp.pay('gap', 1, 37.76);
SELECT pg_temp.paid('gap') AS first \gset
SELECT pg_temp.receive('gap', pg_temp.units(1, 1), 'changed_mind', 'exchange') AS ex \gset
SELECT returns.act(:ex, 'exchange_due') AS ok \gset
SELECT pg_temp.paid('gap') AS third \gset
UPDATE returns.return_request SET status = 'exchange_sent', carrier = 'c', tracking_ref = 't' WHERE id = :ex;
SELECT returns.act(:ex, 'outcome_disputed', 'wrong item') AS ok, returns.act(:ex, 'closed', 'kept') AS ok \gset
SELECT is(:first + :third + pg_temp.paid('gap'), 37.76, 'the units after an exchange that was called off are refunded without a gap');
SELECT pg_temp.decide('called-off', pg_temp.units(1, 1)) AS id \gset
SELECT pg_temp.decide('called-off', pg_temp.units(1, 1)) AS id \gset
SELECT is((SELECT string_agg(refund_goods::text, ' ' ORDER BY return_id) FROM returns.return_line WHERE order_ref = 'called-off' AND refund_goods IS NOT NULL),
	'33.34 33.33 33.33', 'the shares of a line sum to what was paid after the unit of a cancelled exchange is returned');

-- history may know no policy, and is counted all the same
SELECT pg_temp.sell('history', 1, 2, 10.01);
SELECT pg_temp.pay('history', 1, 10.01);
SELECT pg_temp.decide('history', pg_temp.units(1, 1)) AS id \gset
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE returns.return_line SET policy_id = NULL WHERE return_id = :id;
COMMIT;
SELECT is(pg_temp.paid('history'), 5.00, 'a line decided without a policy has its share');

-- what is left of the line shrinks below a deduction that was right when it was entered
SELECT pg_temp.sell('cut', 1, 3, 100);
SELECT pg_temp.pay('cut', 1, 100);
SELECT pg_temp.receive('cut', pg_temp.units(1, 1)) AS id \gset
SELECT pg_temp.decide('cut', pg_temp.units(1, 1)) AS other \gset
UPDATE returns.return_line SET deduction = 33.34, deduction_note = 'worn out' WHERE return_id = :id;
SELECT pg_temp.decide('cut', pg_temp.units(1, 1)) AS other \gset
SELECT is((SELECT string_agg(goods || '-' || deduction || '=' || amount, ' ') FROM returns.preview_refund(:id)), '33.33-33.33=0.00',
	'a deduction is cut to the share of its line');
SELECT is(returns.act(:id, 'refund_due'), 'refunded', 'a return whose deduction takes everything is refunded');
SELECT is((SELECT (refund_goods, deduction, deduction_note)::text FROM returns.return_line WHERE return_id = :id), '(33.33,33.33,"worn out")', 'the line shows the deduction that was taken');
SELECT is((SELECT actor || ' ' || details FROM returns.return_event WHERE return_id = :id AND kind = 'receipt' ORDER BY seq DESC LIMIT 1),
	'system {"line_no": 1, "accepted": 1, "deduction": 33.33}', 'the history says that the system corrected the deduction');
SELECT pg_temp.sell('cut-ex', 1, 3, 100);
SELECT pg_temp.pay('cut-ex', 1, 100);
SELECT pg_temp.receive('cut-ex', pg_temp.units(1, 1), 'changed_mind', 'exchange') AS id \gset
SELECT pg_temp.decide('cut-ex', pg_temp.units(1, 1)) AS other \gset
UPDATE returns.return_line SET received = 1, deduction = 33.34 WHERE return_id = :id;
SELECT pg_temp.decide('cut-ex', pg_temp.units(1, 1)) AS other \gset
SELECT returns.act(:id, 'exchange_due') AS ok \gset
SELECT is(returns.act(:id, 'refund_due'), 'refunded', 'a deduction is cut to the share when an exchange becomes a refund');

-- -------------------------------------------------- fee, deduction, shipping
SELECT pg_temp.sell('fee', 1, 1, 99.99, 10, 'USD', 0.1, 'furniture');
SELECT pg_temp.pay('fee', 1, 109.99);
SELECT pg_temp.receive('fee', pg_temp.units(1, 1)) AS id \gset
SELECT throws_ok(format('UPDATE returns.return_line SET deduction = 85.00 WHERE return_id = %s', :id), 'RT006', NULL,
	'a deduction beyond goods less fee is refused when it is entered');
SELECT throws_ok(format('UPDATE returns.return_line SET deduction = ''NaN'' WHERE return_id = %s', :id), '22003', NULL, 'a deduction of NaN is refused');
SELECT throws_ok(format('UPDATE returns.return_line SET deduction = ''Infinity'' WHERE return_id = %s', :id), '22003', NULL, 'an infinite deduction is refused');
SELECT throws_ok(format('UPDATE returns.return_line SET deduction = 1e400 WHERE return_id = %s', :id), '22003', NULL, 'a deduction of 1e400 is refused');
SELECT throws_ok(format('UPDATE returns.return_line SET deduction = 0.001 WHERE return_id = %s', :id), '22003', NULL, 'a deduction of a tenth of a cent is refused');
SELECT throws_ok(format('UPDATE returns.return_line SET deduction = -0.01 WHERE return_id = %s', :id), '23514', NULL, 'a negative deduction is refused');
UPDATE returns.return_line SET deduction = 4.990, deduction_note = 'scratched' WHERE return_id = :id;
SELECT returns.act(:id, 'refund_due') AS ok \gset
SELECT is((SELECT (refund_goods, refund_fee, deduction, refund_shipping)::text FROM returns.return_line WHERE return_id = :id),
	'(99.99,15.00,4.990,0.00)', 'the fee is a rounded percentage of the goods and shipping is not refunded');
SELECT is(pg_temp.refunds(:id), '1:80.00:pending', 'a refund is goods less fee less deduction');
SELECT is(pg_temp.entries(:id, 1), 'buyer_payable/b -80.00, commission_income 9.50, restocking_income -15.00, seller_receivable/s 85.50',
	'the ledger takes the price from the seller and gives its commission back');

SELECT pg_temp.sell('third', 1, 3, 0.05, 0.05, 'USD', 0, 'toys');
SELECT pg_temp.pay('third', 1, 1);
SELECT is((SELECT string_agg(p.goods || '-' || p.fee || '+' || p.shipping || '=' || p.amount, ' ')
	FROM returns.preview_refund(returns.open_return('third', pg_temp.units(1, 2), 'changed_mind')) p WHERE kind = 'line'),
	'0.03-0.01+0.03=0.05', 'the fee of a partial return is rounded once');

SELECT pg_temp.sell('full-fee', 1, 1, 50, 0, 'USD', 0.2, 'books');
SELECT pg_temp.pay('full-fee', 1, 50);
SELECT pg_temp.decide('full-fee', pg_temp.units(1, 1)) AS id \gset
SELECT is(pg_temp.status(:id), 'refunded', 'a return with nothing to pay is refunded at once');
SELECT is(pg_temp.entries(:id, 1), 'commission_income 10.00, restocking_income -50.00, seller_receivable/s 40.00',
	'the fee of a return with nothing to pay is posted');

SELECT pg_temp.sell('fault', 1, 1, 99.99, 10, 'USD', 0.1, 'furniture');
SELECT pg_temp.pay('fault', 1, 109.99);
SELECT pg_temp.receive('fault', pg_temp.units(1, 1), 'defective') AS id \gset
SELECT throws_ok(format('UPDATE returns.return_line SET deduction = 1 WHERE return_id = %s', :id), 'RT006', NULL,
	'a deduction is refused where a party is at fault');
SELECT returns.act(:id, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds(:id), '1:109.99:pending', 'no fee is taken where a party is at fault');
SELECT is(pg_temp.entries(:id, 1), 'buyer_payable/b -109.99, commission_income 10.00, seller_receivable/s 99.99',
	'the ledger takes price and shipping from a seller at fault');

SELECT pg_temp.sell('any-fault', 1, 2, 20, 0, 'USD', 0, 'other');
SELECT pg_temp.pay('any-fault', 1, 20);
SELECT pg_temp.decide('any-fault', pg_temp.units(1, 1)) AS id, pg_temp.decide('any-fault', pg_temp.units(1, 1), 'defective') AS id2 \gset
SELECT is((SELECT string_agg(amount::text, ' ' ORDER BY id) FROM returns.refund WHERE order_ref = 'any-fault'), '9.00 10.00',
	'a policy with a fee for any reason takes none where a party is at fault');

INSERT INTO returns.reason (code, fault, name) VALUES ('our_mistake', 'platform', 'Our mistake');
SELECT pg_temp.sell('platform', 1, 1, 20, 5);
SELECT pg_temp.pay('platform', 1, 25);
SELECT pg_temp.decide('platform', pg_temp.units(1, 1), 'our_mistake') AS id \gset
SELECT is(pg_temp.entries(:id, 1), 'buyer_payable/b -25.00, seller_receivable/s 20.00, shipping_expense 5.00', 'the platform at fault bears the shipping');
SELECT pg_temp.sell('carrier', 1, 1, 20, 5);
SELECT pg_temp.pay('carrier', 1, 25);
SELECT pg_temp.receive('carrier', pg_temp.units(1, 1), 'damaged_in_delivery') AS id \gset
UPDATE returns.return_request SET carrier = 'dhl' WHERE id = :id;
SELECT returns.act(:id, 'refund_due') AS ok \gset
SELECT is(pg_temp.entries(:id, 1), 'buyer_payable/b -25.00, carrier_receivable/dhl 5.00, seller_receivable/s 20.00', 'the carrier at fault is billed for the shipping');

-- shipping is shared by units, whatever the units before were given of it
SELECT pg_temp.sell('mixed', 1, 3, 30, 9, 'USD', 0, 'furniture');
SELECT pg_temp.pay('mixed', 1, 39);
SELECT pg_temp.decide('mixed', pg_temp.units(1, 1)) AS id \gset
SELECT pg_temp.decide('mixed', pg_temp.units(1, 1), 'defective') AS id \gset
SELECT is((SELECT refund_shipping FROM returns.return_line WHERE return_id = :id), 3.00, 'a unit is refunded its own share of the shipping only');

-- commission over partial returns is rounded once
SELECT pg_temp.sell('commission', 1, 3, 0.10, 0, 'USD', 0.15);
SELECT pg_temp.pay('commission', 1, 0.10);
SELECT count(pg_temp.decide('commission', pg_temp.units(1, 1))) FROM generate_series(1, 3) \gset
SELECT is((SELECT sum(amount) FROM returns.ledger_entry WHERE order_ref = 'commission' AND account = 'commission_income'), 0.02,
	'the commission of partial returns sums to the commission of the whole');

-- accepted units only
SELECT pg_temp.sell('accepted', 1, 3, 30);
SELECT pg_temp.sell('accepted', 2, 1, 7);
SELECT pg_temp.pay('accepted', 1, 37);
SELECT pg_temp.receive('accepted', '[{"line_no":1,"quantity":3},{"line_no":2,"quantity":1}]') AS id \gset
UPDATE returns.return_line SET received = 2, accepted = 1 WHERE return_id = :id AND line_no = 1;
UPDATE returns.return_line SET accepted = 0 WHERE return_id = :id AND line_no = 2;
SELECT returns.act(:id, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds(:id), '1:10.00:pending', 'what was not accepted is not refunded');
SELECT is(pg_temp.book('accepted'), '1:1,0,10.00 2:0,0,0 1=10.00 1 1 refund_due,7,1', 'units that were not accepted are free again');

-- --------------------------------------------------------------- waterfall
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

-- what a payment gave is gone for the next
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

-- not exact, not finite
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, 1.001)$$, '22003', NULL, 'an amount_paid with a tenth of a cent is refused');
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, 1, 0.5, 'JPY')$$, '22003', NULL, 'shipping_paid with half a yen is refused');
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, 'NaN')$$, '22003', NULL, 'an amount_paid of NaN is refused');
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, 'Infinity')$$, '22003', NULL, 'an infinite amount_paid is refused');
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, 1e14)$$, '22003', NULL, 'an amount_paid of 1e14 is refused');
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, -1)$$, '23514', NULL, 'a negative amount_paid is refused');
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, NULL)$$, '23502', NULL, 'an amount_paid of NULL is refused');
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, 1, 0, 'USD', 'NaN')$$, '23514', NULL, 'a commission_rate of NaN is refused');
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, 1, 0, 'XXX')$$, 'RT010', NULL, 'a sale in an unknown currency is refused');
SELECT throws_ok($$SELECT pg_temp.sell('bad', 1, 1, 1, 0, 'USD', 0, 'nonsense')$$, 'RT010', NULL, 'a sale in an unknown category is refused');
SELECT throws_ok($$UPDATE returns.sale_line SET market = 'zz' WHERE order_ref = 'third'$$, 'RT007', NULL, 'a sale line with a return cannot get another market');
SELECT throws_ok($$SELECT pg_temp.pay('bad', 1, 1.001)$$, '22003', NULL, 'a payment with a tenth of a cent is refused');
SELECT throws_ok($$SELECT pg_temp.pay('bad', 1, 'NaN')$$, '22003', NULL, 'a payment of NaN is refused');
SELECT throws_ok($$SELECT pg_temp.pay('bad', 1, '-Infinity')$$, '22003', NULL, 'an infinite payment is refused');
SELECT throws_ok($$SELECT pg_temp.pay('bad', 1, 1, 'XXX')$$, 'RT010', NULL, 'a payment in an unknown currency is refused');
SELECT lives_ok($$SELECT pg_temp.sell('good', 1, 1, 1.500000)$$, 'an amount with zeros behind its decimals is accepted');

-- ------------------------------------------------------------------- facts
SELECT throws_ok($$INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at, refunded)
	VALUES ('bad', 1, 'b', 's', 'x', 'goods', 'xx', 1, 1, 'USD', now(), 1)$$, 'RT007', NULL, 'a sale line cannot be inserted with refunded');
SELECT throws_ok($$INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, refunded)
	VALUES ('bad', 1, 'card', 1, 'USD', 0.01)$$, 'RT007', NULL, 'a payment cannot be inserted with refunded');
SELECT lives_ok($$UPDATE returns.sale_line SET amount_paid = 2, quantity = 2, delivered_at = NULL WHERE order_ref = 'good'$$, 'a sale line without a return may be corrected');
SELECT throws_ok($$UPDATE returns.sale_line SET amount_paid = 2.001 WHERE order_ref = 'good'$$, '22003', NULL, 'a corrected amount must fit the currency');
SELECT throws_ok($$UPDATE returns.sale_line SET reserved = 1 WHERE order_ref = 'good'$$, 'RT007', NULL, 'the counter reserved cannot be written');
SELECT pg_temp.pay('good', 1, 2);
INSERT INTO returns.return_request (order_ref, reason) VALUES ('good', 'changed_mind') RETURNING id AS draft \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:draft, 1, 1);
SELECT throws_ok(format('UPDATE returns.sale_line SET %I = %s WHERE order_ref = ''good''', c, v), 'RT007', NULL, c || ' stands once a return exists')
FROM (VALUES ('buyer_ref', '''x'''), ('seller_ref', '''x'''), ('sku', '''x'''), ('category', '''goods'''), ('market', '''kz'''), ('quantity', '9'),
	('amount_paid', '9'), ('shipping_paid', '9'), ('commission_rate', '0.9'), ('currency', '''EUR'''), ('purchased_at', 'now()'), ('line_no', '9')) v (c, v);
SELECT lives_ok($$UPDATE returns.sale_line SET amount_paid = 2.00, seller_ref = 's', delivered_at = NULL WHERE order_ref = 'good'$$, 'a sale line with a return may be written back unchanged');
SELECT lives_ok($$UPDATE returns.sale_line SET delivered_at = '2026-02-27 10:00+00' WHERE order_ref = 'good'$$, 'delivered_at may be set on a sale line with a return');
SELECT throws_ok($$UPDATE returns.sale_line SET delivered_at = NULL WHERE order_ref = 'good'$$, 'RT007', NULL, 'delivered_at of a sale line with a return cannot be removed');
SELECT throws_ok($$DELETE FROM returns.sale_line WHERE order_ref = 'good'$$, 'RT007', NULL, 'a sale line with a return cannot be deleted');
SELECT throws_ok('TRUNCATE returns.sale_line CASCADE', 'RT007', NULL, 'TRUNCATE of sale_line is refused');
SELECT throws_ok('TRUNCATE returns.payment CASCADE', 'RT007', NULL, 'TRUNCATE of payment is refused');
SELECT returns.act(:draft, 'requested') AS ok \gset
SELECT returns.act(:draft, 'approved') AS ok \gset
SELECT returns.act(:draft, 'received') AS ok \gset
SELECT lives_ok($$UPDATE returns.payment SET amount = 1, method = 'cash' WHERE order_ref = 'good'$$, 'a payment without a refund may be corrected');
SELECT returns.act(:draft, 'refund_due') AS ok \gset
SELECT throws_ok(format('UPDATE returns.payment SET %I = %s WHERE order_ref = ''good''', c, v), 'RT007', NULL, c || ' stands once a refund exists')
FROM (VALUES ('method', '''x'''), ('amount', '9'), ('currency', '''EUR'''), ('provider', '''x'''), ('provider_ref', '''x'''), ('captured_at', 'NULL'), ('refunded', '0')) v (c, v);
SELECT lives_ok($$UPDATE returns.payment SET refund_rank = 3, chargeback = 'won' WHERE order_ref = 'good'$$, 'refund_rank and chargeback of a payment with a refund may change');
SELECT throws_ok($$DELETE FROM returns.payment WHERE order_ref = 'good'$$, 'RT007', NULL, 'a payment with a refund cannot be deleted');
SELECT lives_ok($$SELECT pg_temp.sell('gone', 1, 1, 1), pg_temp.pay('gone', 1, 1)$$, 'an order can be inserted to be deleted');
SELECT lives_ok($$DELETE FROM returns.sale_line WHERE order_ref = 'gone'$$, 'a sale line without a return can be deleted');
SELECT lives_ok($$DELETE FROM returns.payment WHERE order_ref = 'gone'$$, 'a payment without a refund can be deleted');

-- --------------------------------------------------------- refund machine
SELECT pg_temp.settle_all() AS ok \gset
SELECT pg_temp.sell('m', 1, 10, 100);
SELECT pg_temp.pay('m', 1, 35, 'USD', 100, 'psp');
SELECT pg_temp.pay('m', 2, 65, 'USD', 200, 'other');
SELECT pg_temp.decide('m', pg_temp.units(1, 4)) AS id \gset
SELECT is(pg_temp.refunds(:id), '1:35.00:pending 2:5.00:pending', 'a return of two payments has two refunds');
SELECT min(id) AS r1, max(id) AS r2 FROM returns.refund WHERE return_id = :id \gset

SELECT throws_ok(format('UPDATE returns.refund SET %I = %s WHERE id = %s', c, v, :r1), 'RT007', NULL, c || ' of a refund is computed')
FROM (VALUES ('amount', '1'), ('currency', '''EUR'''), ('attempt', '9'), ('idempotency_key', '''x'''), ('provider', '''other'''), ('order_ref', '''x'''),
	('return_id', '1'), ('payment_no', '2'), ('created_at', 'now()'), ('sent_at', 'now()'), ('settled_at', 'now()'), ('failed_at', 'now()'), ('lease_until', 'now()')) v (c, v);
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

-- late failure, and the way back
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

-- the reference is told after the money moved, and the failure after it failed
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

-- a retry after the money went elsewhere
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
-- the answer to the first attempt arrives when the second has run out too
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

-- ------------------------------------------------------------------ ledger
SELECT throws_ok(format('INSERT INTO returns.ledger_transfer (order_ref, return_id, transfer_no, kind, at) VALUES (''bulk'', %s, 99, ''x'', now())', :id), 'RT007', NULL, 'a client cannot insert into ledger_transfer');
SELECT throws_ok('UPDATE returns.ledger_transfer SET kind = ''x''', 'RT007', NULL, 'a client cannot update ledger_transfer');
SELECT throws_ok('DELETE FROM returns.ledger_transfer', 'RT007', NULL, 'a client cannot delete from ledger_transfer');
SELECT throws_ok('TRUNCATE returns.ledger_transfer CASCADE', 'RT007', NULL, 'a client cannot truncate ledger_transfer');
SELECT throws_ok(format('INSERT INTO returns.ledger_entry (order_ref, return_id, transfer_no, entry_no, account, amount, currency) VALUES (''bulk'', %s, 1, 99, ''cash'', 1, ''USD'')', :id), 'RT007', NULL, 'a client cannot insert into ledger_entry');
SELECT throws_ok('UPDATE returns.ledger_entry SET amount = 1', 'RT007', NULL, 'a client cannot update ledger_entry');
SELECT throws_ok('DELETE FROM returns.ledger_entry', 'RT007', NULL, 'a client cannot delete from ledger_entry');
SELECT throws_ok('TRUNCATE returns.ledger_entry', 'RT007', NULL, 'a client cannot truncate ledger_entry');
-- not even from within one of our own writes
CREATE FUNCTION pg_temp.forge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO returns.ledger_entry (order_ref, return_id, transfer_no, entry_no, account, amount, currency)
	VALUES (new.order_ref, new.return_id, new.transfer_no, 99, 'cash', 1, 'USD');
	RETURN NULL;
END $$;
CREATE TRIGGER forge AFTER INSERT ON returns.ledger_transfer FOR EACH ROW EXECUTE FUNCTION pg_temp.forge();
SELECT throws_ok(format('UPDATE returns.refund SET status = ''pending'' WHERE return_id = %s AND payment_no = 1; UPDATE returns.refund SET status = ''sent'' WHERE return_id = %s AND payment_no = 1', :id, :id),
	'RT007', NULL, 'a trigger on ledger_transfer cannot insert into ledger_entry');
DROP TRIGGER forge ON returns.ledger_transfer;
SELECT is_empty('SELECT order_ref, return_id, transfer_no FROM returns.ledger_entry GROUP BY 1, 2, 3 HAVING sum(amount) <> 0 OR count(DISTINCT currency) <> 1 OR count(*) < 2',
	'every transfer balances in one currency');
SELECT is_empty('SELECT currency FROM returns.trial_balance GROUP BY 1 HAVING sum(balance) <> 0', 'the trial balance of every currency is zero');
SELECT is_empty('SELECT * FROM returns.trial_balance WHERE name IS NULL', 'every account of the ledger is in the chart of accounts');
SELECT is_empty($$SELECT r.id FROM returns.return_request r
	WHERE coalesce(-(SELECT sum(e.amount) FROM returns.ledger_entry e WHERE e.return_id = r.id AND e.account = 'cash'), 0)
		<> coalesce((SELECT sum(f.amount) FROM returns.refund f WHERE f.return_id = r.id AND f.status = 'settled'), 0)$$,
	'cash has left for settled refunds only');
SELECT is_empty($$SELECT r.id FROM returns.return_request r WHERE r.status = 'refunded'
	AND (SELECT sum(e.amount) FROM returns.ledger_entry e WHERE e.return_id = r.id AND e.account IN ('buyer_payable', 'provider_clearing')) <> 0$$,
	'a refunded return owes nothing to buyer or provider');
SELECT is((SELECT balance FROM returns.seller_statement ORDER BY at DESC, order_ref DESC, return_id DESC, transfer_no DESC LIMIT 1),
	(SELECT sum(balance) FROM returns.account_balance WHERE account = 'seller_receivable' AND currency = (SELECT currency FROM returns.seller_statement ORDER BY at DESC, order_ref DESC, return_id DESC, transfer_no DESC LIMIT 1)),
	'the seller statement ends with the balance of the seller');
SELECT is((SELECT count(*) FROM returns.refund_register), (SELECT count(*) FROM returns.refund), 'the refund register lists every refund');

-- ---------------------------------------------------------------- meddlers
CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT pg_temp.sell('meddler', 1, 3, 30);
SELECT pg_temp.pay('meddler', 1, 30);
SELECT pg_temp.decide('meddler', pg_temp.units(1, 1)) AS waits \gset
SELECT pg_temp.receive('meddler', pg_temp.units(1, 1)) AS id \gset
SELECT pg_temp.book('meddler') AS before \gset
CREATE FUNCTION pg_temp.meddled(tab text, event text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text := 'done';
BEGIN
	EXECUTE format('CREATE TRIGGER aaa BEFORE %s ON returns.%I FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow()', event, tab);
	BEGIN
		EXECUTE statement;
	EXCEPTION WHEN OTHERS THEN
		said := sqlstate;
	END;
	EXECUTE format('DROP TRIGGER aaa ON returns.%I', tab);
	RETURN said;
END $$;
SELECT is(pg_temp.meddled(t, e, format('SELECT returns.act(%s, ''refund_due'')', :id)), 'RT007', format('a decision fails when a trigger suppresses the %s of %s', e, t))
FROM (VALUES ('sale_line', 'UPDATE'), ('return_line', 'UPDATE'), ('payment', 'UPDATE'), ('refund', 'INSERT'), ('ledger_transfer', 'INSERT'), ('ledger_entry', 'INSERT')) v (t, e);
SELECT is(pg_temp.meddled('payment', 'UPDATE', format('UPDATE returns.refund SET status = ''failed'' WHERE return_id = %s', :waits)), 'RT007', 'the failure of a refund is refused when a trigger suppresses the UPDATE of its payment');
SELECT is(pg_temp.meddled('refund', 'UPDATE', 'SELECT returns.claim_refunds(100)'), 'RT007', 'a claim is refused when a trigger suppresses the UPDATE of the refund');
SELECT is(pg_temp.book('meddler'), :'before', 'refused writes of suppressed rows change nothing');
SELECT returns.act(:id, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds(:id), '1:10.00:pending', 'a return is decided after the suppressing triggers are dropped');

-- a trigger that answers the change of a refund with another
CREATE FUNCTION pg_temp.pay_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.refund SET status = 'settled', provider_ref = 'at-once-' || id WHERE id = NEW.id;
	RETURN NULL;
END $$;
SELECT pg_temp.settle_all() AS ok \gset
SELECT pg_temp.sell('at-once', 1, 1, 30);
SELECT pg_temp.pay('at-once', n, 10) FROM generate_series(1, 3) n;
SELECT pg_temp.decide('at-once', pg_temp.units(1, 1)) AS id \gset
CREATE FUNCTION pg_temp.pay_all_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.refund SET status = 'settled', provider_ref = 'at-once-' || id WHERE return_id = NEW.return_id AND status = 'sent';
	RETURN NULL;
END $$;
CREATE TRIGGER " early" AFTER UPDATE ON returns.refund FOR EACH ROW WHEN (NEW.status = 'sent') EXECUTE FUNCTION pg_temp.pay_at_once();
SELECT throws_ok('SELECT returns.claim_refunds(100)', 'RT007', NULL, 'a trigger cannot report on a refund before the first report is posted');
DROP TRIGGER " early" ON returns.refund;
CREATE TRIGGER after_it AFTER UPDATE ON returns.refund FOR EACH ROW WHEN (NEW.status = 'sent') EXECUTE FUNCTION pg_temp.pay_all_at_once();
SELECT throws_ok('SELECT returns.claim_refunds(100)', 'RT007', NULL, 'a trigger cannot report on another refund of the same statement');
DROP TRIGGER after_it ON returns.refund;
CREATE TRIGGER after_it AFTER UPDATE ON returns.refund FOR EACH ROW WHEN (NEW.status = 'sent') EXECUTE FUNCTION pg_temp.pay_at_once();
SELECT is((SELECT count(*) FROM returns.claim_refunds(100)), 3::bigint, 'a trigger may report on a refund after its report is posted');
SELECT is(pg_temp.status(:id), 'refunded', 'a return is refunded by a trigger that settles its refunds');
SELECT is((SELECT string_agg(to_state || coalesce('/' || (details->>'status'), ''), ' ' ORDER BY seq) FROM returns.return_event WHERE return_id = :id AND seq > 5),
	'refund_due/sent refund_due/settled refund_due/sent refund_due/settled refund_due/sent refund_due/settled refunded', 'the history has the reports of a trigger in the order in which they happened');
DROP TRIGGER after_it ON returns.refund;

-- --------------------------------------------------------------- checkpoint
CREATE FUNCTION pg_temp.balances_differ() RETURNS SETOF text LANGUAGE sql AS $$
	WITH slow AS (SELECT account, party_ref, currency, sum(amount) FROM returns.ledger_entry GROUP BY 1, 2, 3)
	(SELECT s::text FROM (TABLE slow EXCEPT SELECT * FROM returns.account_balance) s)
	UNION ALL (SELECT b::text FROM (SELECT * FROM returns.account_balance EXCEPT TABLE slow) b)
$$;
-- How many entries are before the horizon: transactions of others, in whatever
-- database, may hold it back.
CREATE FUNCTION pg_temp.before_horizon() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM returns.ledger_entry WHERE written < (SELECT h.written FROM returns.ledger_horizon h)
$$;
-- ten thousand entries are worth one to sweep()
SET session_replication_role = replica;
INSERT INTO returns.ledger_entry (order_ref, return_id, written, transfer_no, entry_no, account, amount, currency)
SELECT 'many', n, 1, 1, 1, 'cash', 1, 'USD' FROM generate_series(1, 10000) n;
RESET session_replication_role;
CALL returns.sweep();
SELECT ok((SELECT debit >= 10000 FROM returns.ledger_checkpoint WHERE account = 'cash' AND party_ref IS NULL), 'sweep() brings the checkpoint forward');
SET session_replication_role = replica;
DELETE FROM returns.ledger_entry WHERE order_ref = 'many';
DELETE FROM returns.ledger_checkpoint;
DELETE FROM returns.ledger_horizon;
RESET session_replication_role;
SELECT is((SELECT count(*) FROM returns.ledger_checkpoint), 0::bigint, 'the test has removed the checkpoint');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances without a checkpoint are the sums of the ledger');
SELECT is(returns.checkpoint_balances(1000000), 0::bigint, 'checkpoint_balances() does nothing for fewer entries than asked for');
SELECT returns.checkpoint_balances() AS took \gset
SELECT is(:took::bigint, pg_temp.before_horizon(), 'a checkpoint takes in all entries before the horizon');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances with a checkpoint are the same sums');
SELECT returns.checkpoint_balances() AS more \gset
SELECT is(:took::bigint + :more, pg_temp.before_horizon(), 'a second checkpoint takes in no entry twice');
SELECT pg_temp.sell('since', 1, 1, 30);
SELECT pg_temp.pay('since', 1, 30);
SELECT pg_temp.decide('since', pg_temp.units(1, 1)) AS id \gset
SELECT isnt_empty('SELECT * FROM returns.ledger_since_checkpoint()', 'a posting after the checkpoint is counted apart from it');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances add the postings after the checkpoint');
-- the database comes to another cluster, where transaction ids start anew
SET session_replication_role = replica;
UPDATE returns.ledger_entry SET written = written + 1000000000;
UPDATE returns.ledger_horizon SET written = written + 1000000000;
UPDATE returns.installation SET system_identifier = system_identifier + 1;
RESET session_replication_role;
SELECT pg_temp.settle_all() AS ok \gset
SELECT ok((SELECT max(written) - min(written) > 1::bigint << 47 FROM returns.ledger_entry), 'the test has entries of two clusters');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances are right after the database moved to another cluster');
SELECT returns.checkpoint_balances() AS there \gset
SELECT is(:took::bigint + :more + :there, pg_temp.before_horizon(), 'a checkpoint takes in the entries of both clusters');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances are right after the checkpoint in the new cluster');
SELECT throws_ok('UPDATE returns.ledger_checkpoint SET debit = 0', 'RT007', NULL, 'a client cannot update ledger_checkpoint');
SELECT throws_ok('DELETE FROM returns.ledger_checkpoint', 'RT007', NULL, 'a client cannot delete from ledger_checkpoint');
SELECT throws_ok('UPDATE returns.ledger_horizon SET written = 0', 'RT007', NULL, 'a client cannot update ledger_horizon');
SELECT throws_ok('TRUNCATE returns.ledger_checkpoint, returns.ledger_horizon', 'RT007', NULL, 'a client cannot truncate the checkpoint');
SELECT throws_ok('SELECT returns.checkpoint_balances(NULL)', '22004', NULL, 'checkpoint_balances() refuses NULL');

-- ---------------------------------------------------------------- goodwill
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
-- granted before, and then nothing due by the rule
SELECT pg_temp.sell('gift-0', 1, 1, 50, 0, 'USD', 0, 'books');
SELECT pg_temp.pay('gift-0', 1, 50);
SELECT pg_temp.receive('gift-0', pg_temp.units(1, 1)) AS id \gset
SELECT returns.grant_refund(:id, 5, 'for the fee') AS ok \gset
SELECT is(returns.act(:id, 'refund_due'), 'refund_due', 'a return with a total of zero waits for its granted refund');
SELECT pg_temp.settle_all() AS ok \gset
SELECT is(pg_temp.status(:id), 'refunded', 'a return with a total of zero is refunded after its grant is paid');

-- ----------------------------------------------------------------- preview
SELECT pg_temp.sell('pre', 1, 2, 10, 1, 'USD', 0, 'furniture');
SELECT pg_temp.sell('pre', 2, 1, 7, 1);
SELECT pg_temp.pay('pre', 1, 5);
SELECT pg_temp.pay('pre', 2, 14);
INSERT INTO returns.return_request (order_ref, reason) VALUES ('pre', 'changed_mind') RETURNING id \gset
SELECT is_empty(format('SELECT * FROM returns.preview_refund(%s)', :id), 'the preview of a return without lines is empty');
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:id, 2, 1), (:id, 1, 1);
SELECT results_eq(format('SELECT p::text FROM returns.preview_refund(%s) p', :id),
	ARRAY['(line,1,,5.00,0.75,0.00,0.00,4.25,USD)', '(line,2,,7.00,0.00,0.00,1.00,8.00,USD)', '(tender,,1,,,,,5.00,USD)', '(tender,,2,,,,,7.25,USD)'],
	'the preview of a draft shows its lines and payments');
SELECT returns.act(:id, 'requested') AS ok \gset
SELECT returns.act(:id, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds(:id), '1:5.00:pending 2:7.25:pending', 'the refunds are the ones that the preview of the draft showed');
SELECT throws_ok('SELECT * FROM returns.preview_refund(-1)', 'RT010', NULL, 'the preview of an unknown return is refused');
SELECT throws_ok('SELECT * FROM returns.preview_refund(NULL)', '22004', NULL, 'preview_refund(NULL) is refused');
SELECT returns.open_return('pre', pg_temp.units(1, 1), 'changed_mind') AS id \gset
SELECT returns.act(:id, 'cancelled') AS ok \gset
SELECT is_empty(format('SELECT * FROM returns.preview_refund(%s)', :id), 'the preview of a cancelled return is empty');

-- ----------------------------------------------------------- who sees what
CREATE ROLE money_app;
GRANT USAGE ON SCHEMA returns TO money_app;
GRANT SELECT ON ALL TABLES IN SCHEMA returns TO money_app;
GRANT UPDATE ON returns.refund TO money_app;
INSERT INTO returns.actor_grant (db_role, actor, ref) VALUES ('money_app', 'buyer', 'b'), ('money_app', 'buyer', 'x'), ('money_app', 'seller', 's'),
	('money_app', 'seller', 'psp'), ('money_app', 'provider', 'other'), ('money_app', 'carrier', 'dhl'), ('money_app', 'operator', NULL);
-- What a query says to that role as that actor; an error is its SQLSTATE.
CREATE FUNCTION pg_temp.told(actor text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('role', 'money_app', true), set_config('returns.actor', actor, true);
	EXECUTE query INTO answer;
	PERFORM set_config('role', 'none', true), set_config('returns.actor', 'operator:desk', true);
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate;
END $$;
CREATE FUNCTION pg_temp.seen(actor text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.told(actor, $q$SELECT concat_ws(' ', (SELECT count(*) > 0 FROM returns.refund),
		(SELECT count(*) > 0 FROM returns.ledger_transfer), (SELECT string_agg(DISTINCT account, ',') FROM returns.ledger_entry))$q$)
$$;
SELECT is(pg_temp.seen(''), 'f f', 'a session without an actor sees no money');
SELECT is(pg_temp.seen('buyer:b'), 't t buyer_payable', 'a buyer sees the own refunds and entries');
SELECT is(pg_temp.seen('buyer:x'), 'f f', 'another buyer sees no refund and no entry');
SELECT is(pg_temp.seen('seller:s'), 't t seller_receivable', 'a seller sees the own refunds and entries');
SELECT is(pg_temp.seen('seller:psp'), 'f f', 'a seller with the name of a provider sees nothing of the provider');
SELECT is(pg_temp.seen('carrier:dhl'), 'f f', 'a carrier sees no refund and no entry');
SELECT is(pg_temp.seen('buyer:z'), 'f f', 'an actor without a grant sees no money');
SELECT is(pg_temp.seen('provider:other'), 't f', 'a provider sees refunds and no ledger');
SELECT is(pg_temp.told('provider:other', 'SELECT array_agg(DISTINCT provider) FROM returns.refund'), '{other}', 'a provider sees its own refunds only');
SELECT is(pg_temp.told('seller:s', 'SELECT string_agg(DISTINCT account || ''/'' || party_ref, '','') FROM returns.account_balance'), 'seller_receivable/s', 'a seller sees the own balance with a checkpoint');
SELECT is(pg_temp.told('buyer:x', 'SELECT count(*) FROM returns.account_balance'), '0', 'another buyer sees no balance');
SELECT is(pg_temp.told('operator:me', 'SELECT count(*) FROM returns.trial_balance WHERE currency = ''USD'''), '9', 'an operator sees all balances');
SELECT is(pg_temp.told('buyer:x', 'SELECT count(*) FROM returns.preview_refund(1)'), 'RT010', 'a buyer cannot preview the return of another buyer');
SELECT is(pg_temp.told('buyer:b', 'SELECT count(*) FROM returns.preview_refund(1)'), '2', 'a buyer can preview the own return');
-- rights on one table are enough to use it
REVOKE ALL ON ALL TABLES IN SCHEMA returns FROM money_app;
GRANT SELECT, UPDATE ON returns.refund TO money_app;
SELECT is(pg_temp.told('provider:other', 'SELECT array_agg(DISTINCT provider) FROM returns.refund'), '{other}', 'a provider with rights on refund only sees its own refunds');
SELECT is(pg_temp.told('provider:other', 'SELECT count(*) FROM returns.claim_refunds(10)'), '0', 'a provider with rights on refund only can claim refunds');
SELECT is(pg_temp.told('provider:other', format('UPDATE returns.refund SET status = ''failed'' WHERE id = %s RETURNING status', :r2)), 'failed', 'a provider with rights on refund only can report on refunds');
SELECT is(pg_temp.told('buyer:b', 'SELECT count(*) > 0 FROM returns.refund'), 'true', 'a buyer with rights on refund only sees the own refunds');
SELECT is(pg_temp.told('buyer:x', 'SELECT count(*) > 0 FROM returns.refund'), 'false', 'another buyer with rights on refund only sees no refund');
REVOKE ALL ON ALL TABLES IN SCHEMA returns FROM money_app;
GRANT SELECT ON returns.ledger_transfer, returns.ledger_entry TO money_app;
SELECT is(pg_temp.told('operator:me', 'SELECT count(*) > 0 FROM returns.ledger_transfer'), 'true', 'an operator with rights on the ledger only sees transfers');
SELECT is(pg_temp.told('operator:me', 'INSERT INTO returns.ledger_transfer VALUES (''x'', 1, 1, NULL, ''x'', now(), NULL) RETURNING kind'), '42501', 'a client without the right cannot insert into ledger_transfer');

SET returns.actor = 'operator:desk';
DELETE FROM returns.actor_grant WHERE db_role = 'money_app';
DROP OWNED BY money_app;
DROP ROLE money_app;

SELECT * FROM finish();
