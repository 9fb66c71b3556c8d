-- The journal keeps the events of a statement in memory until the statement ends.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT 'o-' || n, 1, 'b', 's', 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM generate_series(1, 100) AS n;

BEGIN;
DO $$
BEGIN
	FOR n IN 1..100 LOOP
		PERFORM returns.open_return('o-' || n, '[{"line_no":1,"quantity":1}]', 'changed_mind', note => repeat('x', 10000));
	END LOOP;
END $$;
SELECT cmp_ok(sum(total_bytes), '<', 100000::numeric, 'a transaction of 100 statements does not keep the events of 10 kB that it has written')
  FROM pg_backend_memory_contexts WHERE name = 'returns journal';
COMMIT;
SELECT is(count(*), 200::bigint, 'the events of all statements are written') FROM returns.return_event WHERE length(note) = 10000;

-- Outside of a transaction block: no subtransaction is rolled back, only the whole.
UPDATE returns.return_request SET status = 'cancelled' WHERE order_ref = 'o-2';
\set ON_ERROR_STOP off
UPDATE returns.return_request SET status = 'approved' WHERE order_ref IN ('o-1', 'o-2');
\set ON_ERROR_STOP on
SELECT is(:'SQLSTATE'::text, 'RT001', 'a statement fails at its second return, after the event of the first was made');
UPDATE returns.return_request SET status = 'approved' WHERE order_ref = 'o-3';
SELECT results_eq('SELECT order_ref, to_state FROM returns.return_event WHERE seq > 2 ORDER BY order_ref',
	$$VALUES ('o-2', 'cancelled'), ('o-3', 'approved')$$, 'the next statement of the session writes its own events, and none of a statement that failed');

SELECT * FROM finish();
