-- Fixtures of the tests of refunds: sales, payments, returns up to their
-- decision, and reports on the money.

CREATE FUNCTION pg_temp.sell(o text, l int, q int, paid numeric, shipping numeric DEFAULT 0, rate numeric DEFAULT 0) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
	VALUES (o, l, 'b-' || o, 's-' || o, 'sku', 'clothing', 'kz', q, paid, shipping, rate, 'KZT',
		'2026-02-25 10:00+05', '2026-02-27 10:00+05')
$$;
CREATE FUNCTION pg_temp.pay(o text, n int, amount numeric, method text DEFAULT 'card', rank int DEFAULT 100, captured boolean DEFAULT true) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, refund_rank, captured_at)
	VALUES (o, n, method, amount, 'KZT', CASE WHEN method = 'card' THEN 'psp' END, rank,
		CASE WHEN captured THEN timestamptz '2026-02-25 10:00+05' END)
$$;
CREATE FUNCTION pg_temp.receive(o text, l int, n int, reason text DEFAULT 'changed_mind') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := returns.open_return(o, jsonb_build_array(jsonb_build_object('line_no', l, 'quantity', n)), reason);
BEGIN
	PERFORM returns.act(id, 'approved');
	PERFORM returns.act(id, 'received');
	RETURN id;
END $$;
CREATE FUNCTION pg_temp.decide(o text, l int, n int, reason text DEFAULT 'changed_mind') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := pg_temp.receive(o, l, n, reason);
BEGIN
	PERFORM returns.act(id, 'refund_due');
	RETURN id;
END $$;
CREATE FUNCTION pg_temp.settle(ret bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM returns.claim_refunds(1000);
	UPDATE returns.refund SET status = 'settled', provider_ref = 're-' || id WHERE return_id = ret;
END $$;
CREATE FUNCTION pg_temp.refunds(o text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(payment_no || ':' || amount || ':' || status, ' ' ORDER BY id) FROM returns.refund WHERE order_ref = o
$$;
CREATE FUNCTION pg_temp.status(ret bigint) RETURNS text LANGUAGE sql AS $$
	SELECT status FROM returns.return_request WHERE id = ret
$$;
CREATE FUNCTION pg_temp.cash(o text) RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(-sum(amount), 0) FROM returns.ledger_entry WHERE order_ref = o AND account = 'cash'
$$;
