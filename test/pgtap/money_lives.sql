-- Random lives of returns and their money: everything anybody may try, in any
-- order, with every report late, twice or wrong. Whatever is refused is refused
-- by a rule; whatever is paid is what a slow definition says; the audit finds
-- nothing at any time.
--
-- RETURNS_PROPERTY_COUNT=100000 test/run test pgtap/money_lives lives longer,
-- RETURNS_PROPERTY_SEED repeats a life.
\set QUIET on
SET client_min_messages = warning;
\getenv count RETURNS_PROPERTY_COUNT
\if :{?count}
\else
\set count 4000
\endif
\getenv seed RETURNS_PROPERTY_SEED
\if :{?seed}
\else
SELECT floor(random() * 1000000) AS seed \gset
\endif
\echo '# seed' :seed

SELECT plan(9);

\ir ../harness/lives.sql

SELECT setseed(:seed / 1000000.0) \gset
CALL life.live(:count, true);

SELECT is_empty('SELECT * FROM life.wrong LIMIT 20', 'nothing goes wrong');
SELECT is_empty('SELECT * FROM returns.verify()', 'the audit finds nothing');
SELECT is_empty($$SELECT order_ref, payment_no FROM returns.payment p WHERE refunded <> (SELECT coalesce(sum(amount), 0) FROM returns.refund r
	WHERE r.order_ref = p.order_ref AND r.payment_no = p.payment_no AND status <> 'failed') OR refunded > amount$$, 'payments give what they have');
SELECT is_empty($$SELECT order_ref, line_no FROM returns.sale_line s WHERE market = 'life' AND (SELECT sum(accepted) FROM returns.return_line l
		WHERE l.order_ref = s.order_ref AND l.line_no = s.line_no AND refund_goods IS NOT NULL) = quantity
	AND amount_paid <> (SELECT sum(refund_goods) FROM returns.return_line l WHERE l.order_ref = s.order_ref AND l.line_no = s.line_no)$$,
	'a line that came back whole is worth what was paid for it');
SELECT isnt_empty($$SELECT order_ref, line_no FROM returns.sale_line s WHERE market = 'life' AND quantity > 1 AND (SELECT sum(accepted) FROM returns.return_line l
		WHERE l.order_ref = s.order_ref AND l.line_no = s.line_no AND refund_goods IS NOT NULL) = quantity$$, '(there are such lines)');
SELECT is_empty($$SELECT currency FROM returns.trial_balance GROUP BY 1 HAVING sum(balance) <> 0$$, 'the books balance');
SELECT results_eq($$SELECT currency, sum(CASE WHEN status = 'settled' THEN amount ELSE 0 END) FROM returns.refund GROUP BY 1 ORDER BY 1$$,
	$$SELECT currency, coalesce(-sum(balance) FILTER (WHERE account = 'cash'), 0) FROM returns.trial_balance GROUP BY 1 ORDER BY 1$$, 'cash left for what is settled');
SELECT is_empty($$SELECT op FROM unnest('{sell,open,act,receipt,claim,report,payment,grant,time}'::text[]) op
	WHERE NOT EXISTS (SELECT FROM life.outcome o WHERE o.op = op.op AND code = 'ok')$$, 'everything succeeded at some time');
SELECT :count >= 4000 AS long \gset
\if :long
SELECT is_empty($$SELECT s FROM unnest('{refund_due,refunded,exchange_due,rejected,closed}'::text[]) s
	WHERE NOT EXISTS (SELECT FROM returns.return_event WHERE to_state = s AND kind = 'transition')$$, 'and lives took every turn');
\else
SELECT pass('(a short life takes few turns)');
\endif
SELECT diag(op || ': ' || string_agg(code || ' ' || times, ', ' ORDER BY times DESC))
FROM (SELECT op, code, count(*) AS times FROM life.outcome GROUP BY 1, 2) o GROUP BY op ORDER BY op;
SELECT * FROM finish();
