-- A return whose seller never answers is refunded by its deadlines.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';
\ir ../harness/refunds.sql

-- The seller is absent, and the money cannot get out
SELECT pg_temp.sell('b52', 1, 1, 10); SELECT pg_temp.pay('b52', 1, 10);
SELECT returns.open_return('b52', '[{"line_no": 1, "quantity": 1}]', 'defective') AS id \gset
SELECT isnt_empty(format('SELECT * FROM returns.return_request WHERE id = %s AND due_at IS NOT NULL AND on_timeout = ''approved''', :id), 'a request has a deadline and a move for a silent seller');
SET returns.clock = '2026-03-05 10:00:00+05';
SELECT ok(returns.run_deadlines(10000) > 0, 'the sweep moves the request of a silent seller');
SELECT is(pg_temp.status(:id), 'approved', 'the request of a silent seller is approved');
UPDATE returns.return_request SET status = 'in_transit', carrier = 'post', tracking_ref = 't' WHERE id = :id;
SET returns.actor = 'carrier:post';
UPDATE returns.return_request SET status = 'received' WHERE id = :id;
SET returns.actor = 'operator:desk';
SET returns.clock = '2026-03-13 10:00:00+05';
SELECT ok(returns.run_deadlines(10000) > 0, 'the sweep moves the goods that a silent seller received');
SELECT is(pg_temp.status(:id), 'refund_due', 'the return of a silent seller is refund_due');
SELECT pg_temp.settle(:id);
SELECT is(pg_temp.status(:id), 'refunded', 'the return of a silent seller is refunded');
SELECT pg_temp.sell('b52-2', 1, 1, 10); SELECT pg_temp.pay('b52-2', 1, 10);
SELECT returns.open_return('b52-2', '[{"line_no": 1, "quantity": 1}]', 'defective') AS id \gset
SELECT is(returns.act(:id, 'refund_due'), 'refund_due', 'an operator can refund a request before the seller answers');

SELECT * FROM finish();
