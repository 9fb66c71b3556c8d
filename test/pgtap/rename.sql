-- A code can be renamed while sales and rules use it. All of them get the new code.

\set QUIET on
SET client_min_messages = warning;
SELECT plan(5);
SET returns.actor = 'operator:o';
SET returns.clock = '2026-03-02 10:00+05';

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('R-1', 1, 'b', 's', 'x', 'toys', 'kz', 1, 10, 'KZT', '2026-02-25 19:40+05', '2026-02-28 12:15+05');

UPDATE returns.category SET code = 'games' WHERE code = 'toys';
UPDATE returns.market SET code = 'qz' WHERE code = 'kz';
SELECT results_eq($$SELECT category, market FROM returns.sale_line WHERE order_ref = 'R-1'$$,
	$$VALUES ('games', 'qz')$$, 'a sale line follows its renamed category and market');
SELECT is((SELECT count(*) FROM returns.stage_deadline WHERE market = 'kz'), 0::bigint, 'the stage deadlines of a market follow its new code');
SELECT lives_ok($$SELECT returns.open_return('R-1', '[{"line_no":1,"quantity":1}]', 'changed_mind')$$,
	'a return can be opened after category and market are renamed');
SELECT is((SELECT market FROM returns.return_request WHERE order_ref = 'R-1'), 'qz', 'a return that is opened after the renaming is in the renamed market');
SELECT isnt((SELECT due_at FROM returns.return_request WHERE order_ref = 'R-1'), NULL, 'a return in a renamed market has a deadline');
SELECT finish();
