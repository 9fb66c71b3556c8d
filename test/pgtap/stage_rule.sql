-- Which timer governs a stage where several have the same market and category.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('m', 'UTC', 'kz', 'KZT');
INSERT INTO returns.policy (market, window_term, resolutions, source) VALUES ('m', 300, '{refund,exchange}', 'test');
INSERT INTO returns.stage_deadline (state, resolution, term, unit, on_timeout) VALUES
	('requested', NULL, 9, 'day', 'approved'), ('requested', 'exchange', 2, 'day', 'approved');
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('o', 1, 'b', 's', 'sku', 'goods', 'm', 2, 20, 'KZT', '2026-02-25', '2026-02-27');
SELECT returns.open_return('o', '[{"line_no":1,"quantity":1}]', 'changed_mind', r) AS id FROM unnest('{refund,exchange}'::text[]) AS r \g /dev/null
SELECT is((SELECT due_at FROM returns.return_request WHERE resolution = 'exchange'), returns.deadline(returns.now(), 2, 'day', 'm'),
	'the timer of its resolution governs an exchange');
SELECT is((SELECT due_at FROM returns.return_request WHERE resolution = 'refund'), returns.deadline(returns.now(), 9, 'day', 'm'),
	'the timer for any resolution governs a refund');
SELECT * FROM finish();
