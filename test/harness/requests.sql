-- Fixtures of the tests of requests: orders, the request of one line by
-- open_return() and by plain statements, and a refund.

-- An order of buyer b-<o> at seller s-<o>: one line for each quantity given.
CREATE FUNCTION pg_temp.sell(o text, VARIADIC quantities int[]) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, currency, purchased_at, delivered_at)
	SELECT o, n, 'b-' || o, 's-' || o, 'sku', 'clothing', 'kz', q, q * 10, 'KZT', '2026-02-25 10:00+05', '2026-02-27 10:00+05'
	  FROM unnest(quantities) WITH ORDINALITY AS u (q, n);
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
	SELECT o, 1, 'card', sum(q) * 10, 'KZT', 'psp', '2026-02-25 10:00+05' FROM unnest(quantities) AS q;
$$;
CREATE FUNCTION pg_temp.be(actor text) RETURNS void LANGUAGE sql AS $$
	SELECT set_config('returns.actor', actor, false)
$$;
CREATE FUNCTION pg_temp.ask(o text, line int, units int, key text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
	SELECT returns.open_return(o, jsonb_build_array(jsonb_build_object('line_no', line, 'quantity', units)),
		'changed_mind', idempotency_key => key)
$$;
-- The same by plain statements, as an ORM does it.
CREATE FUNCTION pg_temp.ask_by_hand(o text, line int, units int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r bigint;
BEGIN
	INSERT INTO returns.return_request (order_ref, reason) VALUES (o, 'changed_mind') RETURNING id INTO r;
	INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (r, line, units);
	UPDATE returns.return_request SET status = 'requested' WHERE id = r;
	RETURN r;
END $$;
CREATE FUNCTION pg_temp.units(o text, line int) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s reserved, %s returned of %s', reserved, returned, quantity)
	  FROM returns.sale_line WHERE order_ref = o AND line_no = line
$$;
CREATE FUNCTION pg_temp.refund(r bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	was text := current_setting('returns.actor');
BEGIN
	PERFORM pg_temp.be('operator:desk');
	PERFORM returns.act(r, s) FROM unnest('{approved,received,refund_due}'::text[]) AS s;
	PERFORM returns.claim_refunds(100);
	UPDATE returns.refund SET status = 'settled', provider_ref = 'p' || id WHERE return_id = r;
	PERFORM pg_temp.be(was);
	RETURN (SELECT status FROM returns.return_request WHERE id = r);
END $$;
