-- A line can be returned from its delivery date until the end of its window.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
\ir ../harness/requests.sql

-- No delivery date, so the window never ends
SELECT pg_temp.be('buyer:b-b54') \g /dev/null
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at)
VALUES ('b54', 1, 'b-b54', 's-b54', 'sku', 'clothing', 'kz', 3, 30, 'KZT', '2026-02-25 10:00+05');
SELECT throws_ok('SELECT pg_temp.ask(''b54'', 1, 1)', 'RT004', NULL, 'a line without a delivery date cannot be requested');
SET returns.clock = '2027-03-01 10:00+05';
SELECT throws_ok('SELECT pg_temp.ask(''b54'', 1, 1)', 'RT004', NULL, 'a line without a delivery date cannot be requested a year later');
SET returns.clock = '2026-03-02 10:00:00+05';
SELECT throws_ok('UPDATE returns.sale_line SET delivered_at = ''infinity'' WHERE order_ref = ''b54''', '23514', NULL, 'a delivery date of infinity is refused');
UPDATE returns.sale_line SET delivered_at = '2026-03-01 10:00+05' WHERE order_ref = 'b54';
SELECT ok(pg_temp.ask('b54', 1, 1) > 0, 'a line can be requested after its delivery date is set');
SELECT isnt(window_ends_at, NULL, 'a requested line has an end of its window') FROM returns.return_line WHERE order_ref = 'b54';
SELECT throws_ok('UPDATE returns.sale_line SET delivered_at = NULL WHERE order_ref = ''b54''', 'RT007', NULL, 'the delivery date of a requested line cannot be removed');
SET returns.clock = '2026-06-01 10:00:00+05';
SELECT throws_ok(format('SELECT pg_temp.%I(''b54'', 1, 1)', how), 'RT003', NULL, 'a line cannot be requested after its window by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SET returns.clock = '2026-03-02 10:00:00+05';

SELECT * FROM finish();
