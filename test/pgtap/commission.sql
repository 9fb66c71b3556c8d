-- The commission that is given back to the seller: for all returns of a line
-- together, the rate of their goods less deductions, rounded once.

\set QUIET on
SET client_min_messages = warning;
SELECT plan(8);
SET returns.actor = 'operator:desk';
SET returns.clock = '2026-03-02 10:00+00';

-- A market without statutory policies.
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('xx', 'UTC', 'kz', 'USD');
INSERT INTO returns.policy (market, window_term, source) VALUES ('xx', 14, 'test');
-- A line of two units at five cents, with a commission of one half.
CREATE FUNCTION pg_temp.sell(o text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, commission_rate, currency, purchased_at, delivered_at)
	VALUES (o, 1, 'b', 's', 'sku', 'clothing', 'xx', 2, 0.10, 0.5, 'USD', '2026-02-25', '2026-02-27');
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
	VALUES (o, 1, 'card', 0.10, 'USD', 'psp', '2026-02-25');
$$;
-- A return of one unit, with its deduction, moved to the state in which its
-- money is decided.
CREATE FUNCTION pg_temp.decide(o text, less numeric, resolution text DEFAULT 'refund') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r bigint := returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'changed_mind', resolution);
BEGIN
	PERFORM returns.act(r, 'approved');
	PERFORM returns.act(r, 'received');
	UPDATE returns.return_line SET deduction = less, deduction_note = 'worn' WHERE return_id = r AND less > 0;
	PERFORM returns.act(r, resolution || '_due');
	RETURN r;
END $$;
CREATE FUNCTION pg_temp.commission(r bigint) RETURNS numeric LANGUAGE sql AS $$
	SELECT sum(amount) FROM returns.ledger_entry WHERE return_id = r AND account = 'commission_income'
$$;

SELECT pg_temp.sell(o) FROM unnest('{whole,less_first,less_second,exchange}'::text[]) AS o;

SELECT pg_temp.decide('whole', 0) AS first, pg_temp.decide('whole', 0) AS second \gset
SELECT is(pg_temp.commission(:first), 0.03, 'half of five cents is three');
SELECT is(pg_temp.commission(:second), 0.02, 'and of ten cents it is five: two are left');

SELECT pg_temp.decide('less_first', 0.01) AS first, pg_temp.decide('less_first', 0) AS second \gset
SELECT is(pg_temp.commission(:first), 0.02, 'a deduction lowers the commission that is given back');
SELECT is(pg_temp.commission(:second), 0.03, 'and the next return starts from what was taken back less the deduction');

SELECT pg_temp.decide('less_second', 0) AS first, pg_temp.decide('less_second', 0.01) AS second \gset
SELECT is(pg_temp.commission(:first), 0.03, 'without a deduction in the first return');
SELECT is(pg_temp.commission(:second), 0.02, 'the second lowers its own commission');

-- The price of an exchange is not posted, but the next return starts from it.
SELECT pg_temp.decide('exchange', 0, 'exchange') AS exchange, pg_temp.decide('exchange', 0) AS second \gset
SELECT is(pg_temp.commission(:second), 0.02, 'a return after an exchange leaves the rounding with the exchange');
SELECT is_empty('SELECT * FROM returns.verify()', 'the audit finds all of these commissions right');
SELECT finish();
