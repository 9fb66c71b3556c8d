-- preview_refund(): what a decision would refund, before and after it.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

\ir ../harness/money.sql

SELECT pg_temp.sell('pre', 1, 2, 10, 1, 'USD', 0, 'furniture');
SELECT pg_temp.sell('pre', 2, 1, 7, 1);
SELECT pg_temp.pay('pre', 1, 5);
SELECT pg_temp.pay('pre', 2, 14);
INSERT INTO returns.return_request (order_ref, reason) VALUES ('pre', 'changed_mind') RETURNING id \gset
SELECT is_empty(format('SELECT * FROM returns.preview_refund(%s)', :id), 'the preview of a return without lines is empty');
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:id, 2, 1), (:id, 1, 1);
SELECT results_eq(format('SELECT p::text FROM returns.preview_refund(%s) p', :id),
	ARRAY['(line,1,,5.00,0.75,0.00,0.00,4.25,USD)', '(line,2,,7.00,0.00,0.00,1.00,8.00,USD)', '(tender,,1,,,,,5.00,USD)', '(tender,,2,,,,,7.25,USD)'],
	'the preview of a draft shows its lines and payments');
SELECT returns.act(:id, 'requested') AS ok \gset
SELECT returns.act(:id, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds(:id), '1:5.00:pending 2:7.25:pending', 'the refunds are the ones that the preview of the draft showed');
SELECT throws_ok('SELECT * FROM returns.preview_refund(-1)', 'RT010', NULL, 'the preview of an unknown return is refused');
SELECT throws_ok('SELECT * FROM returns.preview_refund(NULL)', '22004', NULL, 'preview_refund(NULL) is refused');
SELECT returns.open_return('pre', pg_temp.units(1, 1), 'changed_mind') AS id \gset
SELECT returns.act(:id, 'cancelled') AS ok \gset
SELECT is_empty(format('SELECT * FROM returns.preview_refund(%s)', :id), 'the preview of a cancelled return is empty');

SELECT * FROM finish();
