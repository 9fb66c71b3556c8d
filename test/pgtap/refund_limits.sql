-- The limits of refunds: no more money than was paid, no more units than were sold.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';
\ir ../harness/refunds.sql

-- 100 captured, two refunds of 60 both succeed
SELECT pg_temp.sell('b01', 1, 1, 60); SELECT pg_temp.sell('b01', 2, 1, 60); SELECT pg_temp.pay('b01', 1, 100);
SELECT pg_temp.decide('b01', 1, 1) AS id \gset
SELECT throws_ok('SELECT pg_temp.decide(''b01'', 2, 1)', 'RT006', NULL, 'two refunds cannot take more than their payment');
SELECT is((SELECT refunded FROM returns.payment WHERE order_ref = 'b01'), 60.00, 'a refused refund takes nothing from the payment');

-- After total - 1 any amount passes
SELECT pg_temp.sell('b02', 1, 1, 100); SELECT pg_temp.pay('b02', 1, 100);
SELECT returns.open_return('b02', '[{"line_no": 1, "quantity": 1}]', 'changed_mind') AS id \gset
SELECT returns.grant_refund(:id, 99, 'all but one') AS ok \gset
SELECT throws_ok(format('SELECT returns.grant_refund(%s, %s, ''more'')', :id, a), 'RT006', NULL, 'a grant beyond the rest of a payment is refused: ' || a)
FROM unnest('{1.01,2,99,100}'::numeric[]) a;
SELECT lives_ok(format('SELECT returns.grant_refund(%s, 1, ''the rest'')', :id), 'a grant of the rest of a payment succeeds');

-- Two returns for the last unit
SELECT pg_temp.sell('b10', 1, 1, 50); SELECT pg_temp.pay('b10', 1, 100);
SELECT returns.open_return('b10', '[{"line_no": 1, "quantity": 1}]', 'changed_mind') AS id \gset
SELECT throws_ok($$SELECT returns.open_return('b10', '[{"line_no": 1, "quantity": 1}]', 'changed_mind')$$, 'RT005', NULL, 'a second return of the last unit is refused');

-- Negative refund accepted, zero refunds everything
SELECT pg_temp.sell('b13', 1, 2, 50); SELECT pg_temp.pay('b13', 1, 50);
SELECT throws_ok(format('SELECT returns.open_return(''b13'', ''[{"line_no": 1, "quantity": %s}]'', ''changed_mind'')', q), code, NULL, 'open_return() refuses the quantity ' || q)
FROM (VALUES ('0', '23514'), ('-1', '23514'), ('null', '22023')) v (q, code);
SELECT pg_temp.receive('b13', 1, 2) AS id \gset
SELECT throws_ok(format('SELECT returns.grant_refund(%s, %s, ''x'')', :id, a), '22023', NULL, 'grant_refund() refuses the amount ' || a) FROM unnest('{0,-1}'::text[]) a;
SELECT throws_ok(format('SELECT returns.grant_refund(%s, NULL, ''x'')', :id), '22004', NULL, 'grant_refund() refuses an amount of NULL');
UPDATE returns.return_line SET accepted = 0 WHERE return_id = :id;
SELECT is(returns.act(:id, 'refund_due') || coalesce(pg_temp.refunds('b13'), ' nothing'), 'refunded nothing', 'a return without accepted units refunds nothing');

-- Marked as paid again, refunded again
SELECT pg_temp.sell('b14', 1, 2, 50); SELECT pg_temp.pay('b14', 1, 50);
SELECT pg_temp.settle(pg_temp.decide('b14', 1, 1));
SELECT pg_temp.settle(pg_temp.decide('b14', 1, 1));
SELECT throws_ok('UPDATE returns.payment SET captured_at = now() WHERE order_ref = ''b14''', 'RT007', NULL, 'captured_at of a refunded payment cannot change');
SELECT throws_ok('UPDATE returns.payment SET refunded = 0 WHERE order_ref = ''b14''', 'RT007', NULL, 'refunded of a payment cannot be reset');
SELECT throws_ok('UPDATE returns.sale_line SET refunded = 0, returned = 0 WHERE order_ref = ''b14''', 'RT007', NULL, 'refunded and returned of a sale line cannot be reset');
SELECT throws_ok('SELECT pg_temp.decide(''b14'', 1, 1)', 'RT005', NULL, 'a third unit of two cannot be refunded');

-- One unit, refunded twice because the order has money left
SELECT pg_temp.sell('b16', 1, 1, 10); SELECT pg_temp.sell('b16', 2, 1, 90); SELECT pg_temp.pay('b16', 1, 100);
SELECT pg_temp.settle(pg_temp.decide('b16', 1, 1));
SELECT throws_ok('SELECT pg_temp.decide(''b16'', 1, 1)', 'RT005', NULL, 'a refunded unit cannot be refunded again while the payment has money left');

-- Two units, three returns
SELECT pg_temp.sell('b17', 1, 2, 10); SELECT pg_temp.pay('b17', 1, 100);
SELECT pg_temp.decide('b17', 1, 1) AS id \gset
SELECT pg_temp.decide('b17', 1, 1) AS id \gset
SELECT throws_ok('SELECT pg_temp.decide(''b17'', 1, 1)', 'RT005', NULL, 'a third return of two units is refused');

-- 13.700000000000001 is not 13.7
SELECT throws_ok('SELECT pg_temp.sell(''b23'', 1, 1, 13.700000000000001)', '22003', NULL, 'an amount of 13.700000000000001 is refused');
SELECT pg_temp.sell('b23', 1, 1, 13.7); SELECT pg_temp.pay('b23', 1, 13.700);
SELECT pg_temp.receive('b23', 1, 1) AS id \gset
SELECT lives_ok(format('UPDATE returns.return_line SET deduction = 13.7000 WHERE return_id = %s', :id), 'a deduction of 13.7000 is equal to an amount of 13.7');
SELECT is(returns.act(:id, 'refund_due'), 'refunded', 'a return whose deduction takes the whole amount is refunded');

-- A refund above what was paid, found out too late
SELECT pg_temp.sell('b34', 1, 1, 80); SELECT pg_temp.pay('b34', 1, 50);
SELECT pg_temp.receive('b34', 1, 1) AS id \gset
SELECT throws_ok(format('SELECT returns.act(%s, ''refund_due'')', :id), 'RT006', NULL, 'a refund that payments cannot cover is refused');
SELECT is(pg_temp.status(:id) || coalesce(pg_temp.refunds('b34'), ' nothing ') || (SELECT refunded FROM returns.sale_line WHERE order_ref = 'b34'), 'received nothing 0', 'a refused refund changes neither status nor money');

-- An item that was never paid for is refunded
SELECT pg_temp.sell('b46', 1, 1, 0); SELECT pg_temp.sell('b46', 2, 1, 10); SELECT pg_temp.pay('b46', 1, 10);
SELECT pg_temp.decide('b46', 1, 1) AS id \gset
SELECT is(pg_temp.status(:id) || coalesce(pg_temp.refunds('b46'), ' nothing'), 'refunded nothing', 'a line without a price refunds nothing');

SELECT is_empty('SELECT currency FROM returns.trial_balance GROUP BY 1 HAVING sum(balance) <> 0', 'the ledger balances after all cases');
SELECT is_empty('SELECT order_ref FROM returns.payment WHERE refunded > amount OR refunded < 0', 'no payment has refunded more than its amount');

SELECT * FROM finish();
