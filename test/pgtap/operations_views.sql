-- The views of operations: deadline_board, seller_scorecard, category_report.
\set QUIET on
SET client_min_messages = error;
SET timezone = 'Asia/Almaty';
-- as: app
SELECT tap.no_plan();

SET returns.clock = '2026-06-01 10:00:00+05';  -- a Monday
SET returns.actor = 'operator:desk';

-- Two sellers with two orders each of ten units, one without a return.
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b-' || o, s, 'sku', c, 'kz', 10, 1000, 'KZT', '2026-05-25 10:00+05', '2026-05-30 10:00+05'
  FROM (VALUES ('q1', 'quick', 'books'), ('q2', 'quick', 'toys'), ('l1', 'lazy', 'books'), ('l2', 'lazy', 'books'),
	('n1', 'new', 'books')) v (o, s, c);
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT order_ref, 1, 'card', 1000, 'KZT', 'psp', '2026-05-25 10:00+05' FROM returns.sale_line;

CREATE FUNCTION pg_temp.ask(o text, units int, why text) RETURNS bigint LANGUAGE sql AS $$
	SELECT returns.open_return(o, jsonb_build_array(jsonb_build_object('line_no', 1, 'quantity', units)), why)
$$;
CREATE FUNCTION pg_temp.act(o text, state text, who text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('returns.actor', who, false);
	RETURN returns.act((SELECT id FROM returns.return_request WHERE order_ref = o), state, 'note');
END $$;

SELECT pg_temp.ask('q1', 2, 'defective'), pg_temp.ask('q2', 1, 'changed_mind'), pg_temp.ask('l1', 3, 'defective'), pg_temp.ask('l2', 1, 'changed_mind');

SELECT tap.results_eq($$SELECT order_ref, seller_ref, status, label, waits_for, due_at, on_timeout, time_left, overdue, failures
	FROM returns.deadline_board WHERE order_ref = 'q1'$$,
	$$VALUES ('q1', 'quick', 'requested', 'Return requested', '{buyer,operator,seller}'::text[],
		timestamptz '2026-06-04 00:00+05', 'approved', interval '62 hours', false, 0)$$, 'the deadline board shows which actors a return waits for and until when');
SET returns.language = 'ru';
SELECT tap.is((SELECT label FROM returns.deadline_board WHERE order_ref = 'q1'), 'Возврат запрошен', 'the deadline board shows labels in the language of the session');
RESET returns.language;

SET returns.clock = '2026-06-01 12:00:00+05';
SELECT pg_temp.act('q1', 'approved', 'seller:quick');
SET returns.clock = '2026-06-01 16:00:00+05';
SELECT pg_temp.act('q2', 'rejected', 'seller:quick');
SET returns.clock = '2026-06-05 00:00:00+05';
SELECT pg_temp.act('q2', 'request_disputed', 'buyer:b-q2');
SELECT pg_temp.act('q2', 'approved', 'operator:desk');
SELECT tap.is(returns.run_deadlines(), 2, 'the sweep moves the two returns of the silent seller');
SELECT pg_temp.act('q1', 'received', 'seller:quick'), pg_temp.act('l1', 'received', 'seller:lazy');
SET returns.actor = 'operator:desk';
SELECT tap.is((SELECT waits_for FROM returns.deadline_board WHERE order_ref = 'q1'), '{operator,seller}'::text[], 'the deadline board counts moves of the resolution of a return only');
SELECT pg_temp.act('q1', 'refund_due', 'seller:quick');
SET returns.clock = '2026-06-11 00:00:00+05';
SET returns.actor = 'operator:desk';
SELECT tap.is(returns.run_deadlines(), 1, 'the sweep moves the return that the silent seller does not check');
SELECT tap.results_eq($$SELECT status, overdue, on_timeout, time_left < interval '0', waits_for FROM returns.deadline_board WHERE order_ref = 'q1'$$,
	$$VALUES ('refund_due', true, NULL::text, true, NULL::text[])$$, 'the deadline board shows a late refund as overdue');
UPDATE returns.refund SET status = 'sent';
UPDATE returns.refund SET status = 'settled', provider_ref = 'r' || id;
SELECT tap.results_eq('SELECT order_ref FROM returns.deadline_board ORDER BY due_at, order_ref', '{l2,q2}'::text[],
	'a return that ended is not on the deadline board');

SELECT tap.results_eq($$SELECT seller_ref, units_sold, units_returned, return_rate, returns, open, answered, silent, answer_time,
	rejected, unchecked, declined, disputed, overruled, refund_total FROM returns.seller_scorecard ORDER BY 1$$,
	$$VALUES
	('lazy', 20::bigint, 3::bigint, 15.00, 2::bigint, 1::bigint, 0::bigint, 2::bigint, NULL::interval,
		0::bigint, 1::bigint, 0::bigint, 0::bigint, 0::bigint, 300.00),
	('new', 10, 0, 0.00, 0, 0, 0, 0, NULL, 0, 0, 0, 0, 0, 0),
	('quick', 20, 2, 10.00, 2, 1, 2, 0, interval '4 hours', 1, 0, 0, 1, 1, 200.00)$$, 'the seller scorecard counts sales, answers, disputes and refunds');
SELECT tap.results_eq($$SELECT category, market, units_sold, units_returned, return_rate, units_open, returns, units_requested,
	units_seller_fault, main_reason, refunded FROM returns.category_report ORDER BY 1$$,
	$$VALUES
	('books', 'kz', 40::bigint, 5::bigint, 12.50, 1::bigint, 3::bigint, 6::bigint, 5::bigint, 'defective', 500.00),
	('toys', 'kz', 10, 0, 0.00, 1, 1, 1, 0, 'changed_mind', 0)$$, 'the category report counts units, reasons and refunds');

-- A party sees its own returns only, an operator all.
SET returns.actor = 'seller:lazy';
SELECT tap.results_eq('SELECT order_ref FROM returns.deadline_board ORDER BY 1',
	CASE WHEN current_user = 'app' THEN '{l2}' ELSE '{l2,q2}' END::text[], 'the deadline board obeys row-level security');
SELECT tap.finish();
