-- The price of a return: shares of goods and shipping, fees, deductions,
-- commission, and the party that bears the shipping.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

\ir ../harness/money.sql

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

-- loaded history may have no policy, and counts nevertheless
SELECT pg_temp.sell('history', 1, 2, 10.01);
SELECT pg_temp.pay('history', 1, 10.01);
SELECT pg_temp.decide('history', pg_temp.units(1, 1)) AS id \gset
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE returns.return_line SET policy_id = NULL WHERE return_id = :id;
COMMIT;
SELECT is(pg_temp.paid('history'), 5.00, 'a line decided without a policy has its share');

-- the rest of the line becomes less than a deduction that was valid when it
-- was entered
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

-- shipping is shared by units, independent of the shares of earlier units
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
SELECT is(pg_temp.refunds(:id), '1:10.00:pending', 'units that were not accepted are not refunded');
SELECT is(pg_temp.book('accepted'), '1:1,0,10.00 2:0,0,0 1=10.00 1 1 refund_due,7,1', 'units that were not accepted are free again');

SELECT * FROM finish();
