-- The amount of a refund: the price paid for the units and their delivery.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';
\ir ../harness/refunds.sql

-- Shipping is added twice
SELECT pg_temp.sell('b15', 1, 1, 39.99, 7.50); SELECT pg_temp.pay('b15', 1, 100);
SELECT pg_temp.decide('b15', 1, 1, 'defective') AS id \gset
SELECT is(pg_temp.refunds('b15'), '1:47.49:pending', 'shipping is refunded once');

-- A discount on the order is not in the refund of an item
SELECT pg_temp.sell('b30', 1, 1, 5.40); SELECT pg_temp.sell('b30', 2, 1, 3.60); SELECT pg_temp.pay('b30', 1, 9);
SELECT pg_temp.decide('b30', 1, 1) AS id \gset
SELECT pg_temp.decide('b30', 2, 1) AS id \gset
SELECT is(pg_temp.refunds('b30'), '1:5.40:pending 1:3.60:pending', 'a refund is what was paid for the line after its discount');

-- Refund of everything is a cent above what was paid
SELECT pg_temp.sell('b32', 1, 3, 0.88); SELECT pg_temp.sell('b32', 2, 7, 0.12, 0.01); SELECT pg_temp.pay('b32', 1, 1.01);
SELECT count(pg_temp.decide('b32', 1, 1, 'defective')) FROM generate_series(1, 3) \gset
SELECT count(pg_temp.decide('b32', 2, 1, 'defective')) FROM generate_series(1, 7) \gset
SELECT is((SELECT sum(amount) FROM returns.refund WHERE order_ref = 'b32'), 1.01, 'ten refunds of single units sum to what was paid');

-- Shipping that cost nothing is refunded, or the wrong parcel's
SELECT pg_temp.sell('b33', 1, 1, 10, 0); SELECT pg_temp.sell('b33', 2, 1, 10, 3); SELECT pg_temp.pay('b33', 1, 23);
SELECT pg_temp.decide('b33', 1, 1, 'defective') AS id \gset
SELECT pg_temp.decide('b33', 2, 1, 'defective') AS id \gset
SELECT is(pg_temp.refunds('b33'), '1:10.00:pending 1:13.00:pending', 'a line is refunded the shipping that was paid for it');

-- After the shipping no item can be refunded
SELECT pg_temp.sell('b35', 1, 2, 20, 5); SELECT pg_temp.pay('b35', 1, 25);
SELECT pg_temp.decide('b35', 1, 1, 'defective') AS id \gset
SELECT pg_temp.decide('b35', 1, 1) AS id \gset
SELECT is(pg_temp.refunds('b35'), '1:12.50:pending 1:10.00:pending', 'goods can be refunded after all shipping was');

-- A second return of an order goes wrong
SELECT pg_temp.sell('b47', 1, 2, 20); SELECT pg_temp.sell('b47', 2, 1, 5); SELECT pg_temp.pay('b47', 1, 25);
SELECT pg_temp.settle(pg_temp.decide('b47', 1, 1));
SELECT pg_temp.settle(pg_temp.decide('b47', 2, 1));
SELECT pg_temp.settle(pg_temp.decide('b47', 1, 1));
SELECT is((SELECT string_agg(status || ' ' || refund_total, ', ' ORDER BY id) FROM returns.return_request WHERE order_ref = 'b47'), 'refunded 10.00, refunded 5.00, refunded 10.00', 'each return of an order is refunded by itself');
SELECT is((SELECT refunded FROM returns.payment WHERE order_ref = 'b47'), 25.00, 'all returns of an order sum to what was paid');

SELECT * FROM finish();
