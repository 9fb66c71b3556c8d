-- Sales and payments: exact amounts, known codes, and no change once a return
-- or a refund refers to them.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

\ir ../harness/money.sql

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
SELECT pg_temp.sell('used', 1, 1, 1), pg_temp.pay('used', 1, 1);
SELECT returns.open_return('used', pg_temp.units(1, 1), 'changed_mind') AS used \gset
SELECT throws_ok($$UPDATE returns.sale_line SET market = 'zz' WHERE order_ref = 'used'$$, 'RT007', NULL, 'a sale line with a return cannot get another market');
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
SELECT throws_ok(format('UPDATE returns.sale_line SET %I = %s WHERE order_ref = ''good''', c, v), 'RT007', NULL, c || ' cannot change once a return exists')
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
SELECT throws_ok(format('UPDATE returns.payment SET %I = %s WHERE order_ref = ''good''', c, v), 'RT007', NULL, c || ' cannot change once a refund exists')
FROM (VALUES ('method', '''x'''), ('amount', '9'), ('currency', '''EUR'''), ('provider', '''x'''), ('provider_ref', '''x'''), ('captured_at', 'NULL'), ('refunded', '0')) v (c, v);
SELECT lives_ok($$UPDATE returns.payment SET refund_rank = 3, chargeback = 'won' WHERE order_ref = 'good'$$, 'refund_rank and chargeback of a payment with a refund may change');
SELECT throws_ok($$DELETE FROM returns.payment WHERE order_ref = 'good'$$, 'RT007', NULL, 'a payment with a refund cannot be deleted');
SELECT lives_ok($$SELECT pg_temp.sell('gone', 1, 1, 1), pg_temp.pay('gone', 1, 1)$$, 'an order can be inserted to be deleted');
SELECT lives_ok($$DELETE FROM returns.sale_line WHERE order_ref = 'gone'$$, 'a sale line without a return can be deleted');
SELECT lives_ok($$DELETE FROM returns.payment WHERE order_ref = 'gone'$$, 'a payment without a refund can be deleted');

SELECT * FROM finish();
