-- Random lives of returns and their money: every operation in any order, with
-- reports that are late, repeated or wrong. Each refusal comes from a rule, each
-- refund is what a slow definition says, and verify() finds nothing at any time.
--
-- RETURNS_PROPERTY_LIVES=20000 test/run test pgtap/money_lives runs this
-- number of lives, RETURNS_PROPERTY_SEED repeats a run.
\set QUIET on
SET client_min_messages = warning;
\getenv lives RETURNS_PROPERTY_LIVES
\if :{?lives}
\else
\set lives 300
\endif
\getenv seed RETURNS_PROPERTY_SEED
\if :{?seed}
\else
SELECT floor(random() * 1000000) AS seed \gset
\endif
\echo '# seed' :seed

SELECT plan(13);

\ir ../harness/lives.sql

SELECT setseed(:seed / 1000000.0) \gset
CALL life.live(:lives, true);

SELECT is_empty('SELECT * FROM life.wrong LIMIT 20', 'no operation of a random life fails without a rule');
SELECT is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing after random lives');
SELECT is_empty($$SELECT order_ref, payment_no FROM returns.payment p WHERE refunded <> (SELECT coalesce(sum(amount), 0) FROM returns.refund r
	WHERE r.order_ref = p.order_ref AND r.payment_no = p.payment_no AND status <> 'failed') OR refunded > amount$$, 'payments have refunded the sum of their live refunds and no more than their amount');

-- The results of the rules, computed from the facts alone: for each sale line the
-- returned units and their value, for each return line the fee, for each return
-- the money.
CREATE VIEW life.decided AS
SELECT l.*, q.reason, q.buyer_ref, s.category, s.amount_paid, s.shipping_paid, s.quantity AS sold, c.minor_units, f.fault,
	CASE WHEN f.fault <> 'none' THEN 0 WHEN s.category = 'furniture' THEN 15 WHEN s.category = 'toys' THEN 33.333 WHEN s.category = 'books' THEN 100 ELSE 0 END AS percent,
	s.category NOT IN ('furniture', 'books') OR f.fault <> 'none' AS with_shipping
FROM returns.return_line l
JOIN returns.return_request q ON q.id = l.return_id
JOIN returns.sale_line s ON s.order_ref = l.order_ref AND s.line_no = l.line_no
JOIN returns.currency c ON c.code = s.currency
JOIN returns.reason f ON f.code = q.reason
WHERE l.refund_goods IS NOT NULL;
-- An exchange called off leaves a gap of one minor unit at most, until the next
-- decision closes it.
CREATE FUNCTION life.gap(o text, line int, units bigint, sold int, minor_units int) RETURNS numeric LANGUAGE sql AS $$
	SELECT CASE WHEN units = sold THEN 0 ELSE count(*) * 10.0 ^ -minor_units END
	FROM returns.return_line l JOIN returns.return_event e ON e.order_ref = l.order_ref AND e.return_id = l.return_id AND e.to_state = 'exchange_due'
	WHERE l.order_ref = o AND l.line_no = line AND l.refund_goods IS NULL
$$;
SELECT is_empty($$SELECT order_ref, line_no, sum(refund_goods) FROM life.decided GROUP BY order_ref, line_no, amount_paid, sold, minor_units
	HAVING abs(sum(refund_goods) - round(amount_paid * sum(accepted) / sold, minor_units)) > life.gap(order_ref, line_no, sum(accepted), sold, minor_units)$$, 'the shares of returned units sum to what was paid for them');
SELECT is_empty($$SELECT order_ref, line_no, sum(refund_shipping) FROM life.decided GROUP BY order_ref, line_no, shipping_paid, sold, minor_units
	HAVING CASE WHEN bool_and(with_shipping) THEN abs(sum(refund_shipping) - round(shipping_paid * sum(accepted) / sold, minor_units)) > life.gap(order_ref, line_no, sum(accepted), sold, minor_units)
		ELSE sum(refund_shipping) FILTER (WHERE NOT with_shipping) <> 0 OR sum(refund_shipping) > shipping_paid END$$, 'the shipping shares of returned units sum to what was paid for them');
SELECT is_empty($$SELECT return_id, line_no, refund_fee FROM life.decided WHERE refund_fee <> round(refund_goods * percent / 100, minor_units)
	OR deduction > 0 AND fault <> 'none' OR refund_goods - refund_fee - coalesce(deduction, 0) < 0$$, 'fees and deductions are taken only where no party is at fault');
SELECT is_empty($$SELECT r.id, r.refund_total, rules.amount, operators.amount, given.amount FROM returns.return_request r
	CROSS JOIN LATERAL (SELECT coalesce(sum(refund_goods - refund_fee - coalesce(deduction, 0) + refund_shipping), 0) AS amount FROM returns.return_line l
		WHERE l.order_ref = r.order_ref AND l.return_id = r.id AND EXISTS (SELECT FROM returns.return_event e
			WHERE e.order_ref = r.order_ref AND e.return_id = r.id AND e.to_state = 'refund_due' AND e.kind = 'transition')) rules
	CROSS JOIN LATERAL (SELECT coalesce(sum((e.details ->> 'amount')::numeric), 0) AS amount FROM returns.return_event e
		WHERE e.order_ref = r.order_ref AND e.return_id = r.id AND e.kind = 'override') operators
	CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS amount FROM returns.refund f WHERE f.order_ref = r.order_ref AND f.return_id = r.id) given
	WHERE coalesce(r.refund_total, 0) <> rules.amount OR given.amount <> rules.amount + operators.amount$$, 'every return refunds what the rules and the granted amounts say');
SELECT isnt_empty($$SELECT order_ref, line_no FROM life.decided GROUP BY order_ref, line_no, sold HAVING count(*) > 1 AND sum(accepted) = sold$$,
	'some lines came back as a whole in several returns');
SELECT is_empty($$SELECT currency FROM returns.trial_balance GROUP BY 1 HAVING sum(balance) <> 0$$, 'the ledger balances after random lives');
SELECT results_eq($$SELECT currency, sum(CASE WHEN status = 'settled' THEN amount ELSE 0 END) FROM returns.refund GROUP BY 1 ORDER BY 1$$,
	$$SELECT currency, coalesce(-sum(balance) FILTER (WHERE account = 'cash'), 0) FROM returns.trial_balance GROUP BY 1 ORDER BY 1$$, 'cash has left for the settled refunds');
SELECT is_empty($$SELECT op FROM unnest('{sell,open,act,receipt,claim,report,payment,grant,time}'::text[]) op
	WHERE NOT EXISTS (SELECT FROM life.outcome o WHERE o.op = op.op AND code = 'ok')$$, 'every kind of operation succeeded at some time');
SELECT CASE WHEN :lives < 3000 THEN '{refund_due,refunded,exchange_due,rejected,closed,cancelled}'
	ELSE '{refund_due,refunded,exchange_due,exchange_sent,exchanged,rejected,request_disputed,declined,outcome_disputed,expired,cancelled,closed}' END AS turns \gset
SELECT is(array(SELECT s FROM unnest(:'turns'::text[]) s
	WHERE NOT EXISTS (SELECT FROM returns.return_event WHERE to_state = s AND kind = 'transition')), '{}', 'random lives reached every expected state');
SELECT cmp_ok((SELECT count(*) FROM returns.return_event WHERE to_state = 'requested' AND kind = 'transition'), '>=', :lives::bigint, 'at least as many returns were requested as lives were asked for');
SELECT diag(op || ': ' || string_agg(code || ' ' || times, ', ' ORDER BY times DESC))
FROM (SELECT op, code, count(*) AS times FROM life.outcome GROUP BY 1, 2) o GROUP BY op ORDER BY op;
SELECT * FROM finish();
