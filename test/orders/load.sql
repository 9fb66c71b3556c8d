-- A market for the orders, and the orders in it.

INSERT INTO returns.calendar (code, first_day, last_day, name)
VALUES ('orders', '2016-01-01', '2030-12-31', 'weekends only');
INSERT INTO returns.market (code, timezone, calendar, currency, name)
SELECT 'orders', 'America/Sao_Paulo', 'orders', min(currency), 'the market of the real orders'
  FROM staged_line;
INSERT INTO returns.category (code, parent)
SELECT DISTINCT category, 'goods' FROM staged_line ON CONFLICT DO NOTHING;
INSERT INTO returns.policy (market, returnable, window_term, window_unit, refund_shipping, source)
VALUES ('orders', true, 7, 'day', true, 'of this test');
INSERT INTO returns.stage_deadline (machine, market, state, term, unit, on_timeout)
SELECT machine, 'orders', state, term, unit, on_timeout
  FROM returns.stage_deadline WHERE market = 'kz' AND resolution IS NULL;
INSERT INTO returns.stage_deadline (machine, market, resolution, state, term, unit, on_timeout)
SELECT machine, 'orders', resolution, state, term, unit, on_timeout
  FROM returns.stage_deadline WHERE market = 'kz' AND resolution IS NOT NULL;

-- amount_paid is the amount that was really paid. If the payments of an order
-- are a cent or two less than the sum of its lines, the difference is subtracted
-- from its most expensive line.
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, shipping_paid, currency, purchased_at, delivered_at)
SELECT l.order_ref, line_no, buyer_ref, seller_ref, sku, category, 'orders', quantity,
	amount_paid - CASE WHEN line_no = dearest THEN greatest(0, billed - coalesce(paid, 0)) ELSE 0 END,
	shipping_paid, currency, purchased_at AT TIME ZONE 'America/Sao_Paulo',
	delivered_at AT TIME ZONE 'America/Sao_Paulo'
  FROM staged_line l
  JOIN (SELECT order_ref, sum(amount_paid + shipping_paid) AS billed,
			(array_agg(line_no ORDER BY amount_paid DESC))[1] AS dearest
		  FROM staged_line GROUP BY 1) o USING (order_ref)
  LEFT JOIN (SELECT order_ref, sum(amount) AS paid FROM staged_payment GROUP BY 1) p USING (order_ref);

INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, refund_rank, captured_at)
SELECT order_ref, payment_no, method, amount, currency, 'psp',
	CASE method WHEN 'voucher' THEN 200 ELSE 100 END,
	captured_at AT TIME ZONE 'America/Sao_Paulo'
  FROM staged_payment;
