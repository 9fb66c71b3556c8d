-- Fixtures of the tests of money: a market whose policies may charge a fee,
-- sales and payments in any currency, returns up to their decision, and
-- reports on the money.

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';

-- A market without statutory policies, so that its policies may charge a fee.
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('xx', 'UTC', 'kz', 'USD');
INSERT INTO returns.policy (market, category, fault, window_term, restocking_percent, refund_shipping, source) VALUES
	('xx', NULL,        NULL,     14, 0,      true,  'test'),
	('xx', 'furniture', 'none',   14, 15,     false, 'test'),
	('xx', 'toys',      'none',   14, 33.333, true,  'test'),
	('xx', 'books',     'none',   14, 100,    false, 'test'),
	('xx', 'other',     NULL,     14, 10,     false, 'test');

CREATE FUNCTION pg_temp.sell(o text, l int, q int, paid numeric, shipping numeric DEFAULT 0,
	cur text DEFAULT 'USD', rate numeric DEFAULT 0, cat text DEFAULT 'clothing') RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
	VALUES (o, l, 'b', 's', 'sku', cat, 'xx', q, paid, shipping, rate, cur,
		'2026-02-25 10:00+00', '2026-02-27 10:00+00')
$$;
CREATE FUNCTION pg_temp.pay(o text, n int, amount numeric, cur text DEFAULT 'USD', rank int DEFAULT 100,
	provider text DEFAULT 'psp', captured boolean DEFAULT true, chargeback text DEFAULT 'none') RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, provider_ref, refund_rank,
		captured_at, chargeback)
	VALUES (o, n, 'card', amount, cur, provider, 'ch-' || o || '-' || n, rank,
		CASE WHEN captured THEN timestamptz '2026-02-25 10:00+00' END, chargeback)
$$;
-- Open a return and have its goods received.
CREATE FUNCTION pg_temp.receive(o text, lines jsonb, reason text DEFAULT 'changed_mind', resolution text DEFAULT 'refund')
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := returns.open_return(o, lines, reason, resolution);
BEGIN
	PERFORM returns.act(id, 'approved');
	PERFORM returns.act(id, 'received');
	RETURN id;
END $$;
CREATE FUNCTION pg_temp.decide(o text, lines jsonb, reason text DEFAULT 'changed_mind')
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := pg_temp.receive(o, lines, reason);
BEGIN
	PERFORM returns.act(id, 'refund_due');
	RETURN id;
END $$;
CREATE FUNCTION pg_temp.total(ret bigint) RETURNS numeric LANGUAGE sql AS $$
	SELECT refund_total FROM returns.return_request WHERE id = ret
$$;
-- Decide a return of one unit of line 1; returns the amount that it pays.
CREATE FUNCTION pg_temp.paid(o text) RETURNS numeric LANGUAGE sql AS $$
	SELECT pg_temp.total(pg_temp.decide(o, '[{"line_no": 1, "quantity": 1}]'))
$$;
CREATE FUNCTION pg_temp.units(l int, n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_array(jsonb_build_object('line_no', l, 'quantity', n))
$$;
-- The refunds of a return, in order: payment:amount:status
CREATE FUNCTION pg_temp.refunds(ret bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(payment_no || ':' || amount || ':' || status, ' ' ORDER BY id) FROM returns.refund WHERE return_id = ret
$$;
CREATE FUNCTION pg_temp.status(ret bigint) RETURNS text LANGUAGE sql AS $$
	SELECT status FROM returns.return_request WHERE id = ret
$$;
CREATE FUNCTION pg_temp.entries(ret bigint, no int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(account || coalesce('/' || party_ref, '') || ' ' || amount, ', ' ORDER BY account)
	FROM returns.ledger_entry WHERE return_id = ret AND transfer_no = no
$$;
CREATE FUNCTION pg_temp.transfers(ret bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(transfer_no || ':' || kind || coalesce('<' || reverses, ''), ' ' ORDER BY transfer_no)
	FROM returns.ledger_transfer WHERE return_id = ret
$$;
CREATE FUNCTION pg_temp.book(o text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ',
		(SELECT string_agg(line_no || ':' || reserved || ',' || returned || ',' || refunded, ' ' ORDER BY line_no) FROM returns.sale_line WHERE order_ref = o),
		(SELECT string_agg(payment_no || '=' || refunded, ' ' ORDER BY payment_no) FROM returns.payment WHERE order_ref = o),
		(SELECT count(*) FROM returns.refund WHERE order_ref = o),
		(SELECT count(*) FROM returns.ledger_transfer WHERE order_ref = o),
		(SELECT string_agg(status || ',' || last_seq || ',' || last_transfer, ' ' ORDER BY id) FROM returns.return_request WHERE order_ref = o))
$$;
-- Settle every refund that is pending.
CREATE FUNCTION pg_temp.settle_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM returns.claim_refunds(100000);
	UPDATE returns.refund SET status = 'settled', provider_ref = 're-' || id WHERE status = 'sent';
END $$;
