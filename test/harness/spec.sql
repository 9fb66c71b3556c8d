-- Fixtures of the isolation specs, in the schema spec of every test database:
-- orders, and returns known by a name that the spec gives them ('it' if there
-- is only one). The setup of each permutation creates new ones under the same
-- names. So no teardown is needed.

CREATE SCHEMA spec;
CREATE SEQUENCE spec.order_no;
CREATE TABLE spec.named (name text PRIMARY KEY, order_ref text NOT NULL, id bigint);
GRANT USAGE ON SCHEMA spec TO app;
GRANT SELECT ON spec.named TO app;

CREATE FUNCTION spec.id(n text DEFAULT 'it') RETURNS bigint STABLE LANGUAGE sql
	AS 'SELECT id FROM spec.named WHERE name = n';
CREATE FUNCTION spec.order_ref(n text DEFAULT 'it') RETURNS text STABLE LANGUAGE sql
	AS 'SELECT order_ref FROM spec.named WHERE name = n';

-- Sell and deliver an order of equal lines; returns its reference.
CREATE FUNCTION spec.sell(lines int DEFAULT 1, units int DEFAULT 1, amount numeric DEFAULT 60, payments numeric[] DEFAULT '{}')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	o text := 'spec-' || pg_catalog.nextval('spec.order_no');
BEGIN
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, currency, purchased_at, delivered_at)
	SELECT o, l, 'b', 's', 'sku', 'clothing', 'kz', units, amount, 'KZT', '2026-02-25', '2026-02-27'
	FROM pg_catalog.generate_series(1, lines) l;
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
	SELECT o, n, 'card', p, 'KZT', 'psp', '2026-02-25' FROM pg_catalog.unnest(payments) WITH ORDINALITY AS u (p, n);
	RETURN o;
END $$;

CREATE PROCEDURE spec.name(n text, o text, r bigint DEFAULT NULL) LANGUAGE sql AS $$
	INSERT INTO spec.named VALUES (n, o, r)
	ON CONFLICT (name) DO UPDATE SET order_ref = excluded.order_ref, id = excluded.id
$$;

-- Request the return of one unit of a line.
CREATE PROCEDURE spec.request(n text, o text, line int DEFAULT 1, reason text DEFAULT 'changed_mind') LANGUAGE plpgsql
SET returns.actor = 'operator:spec' SET returns.clock = '2026-03-02 10:00+05' AS $$
BEGIN
	CALL spec.name(n, o, returns.open_return(o,
		pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('line_no', line, 'quantity', 1)), reason));
END $$;

-- Request it, approve it and receive the goods.
CREATE PROCEDURE spec.receive(n text, o text, line int DEFAULT 1) LANGUAGE plpgsql
SET returns.actor = 'operator:spec' SET returns.clock = '2026-03-02 10:00+05' AS $$
BEGIN
	CALL spec.request(n, o, line);
	PERFORM returns.act(spec.id(n), 'approved');
	PERFORM returns.act(spec.id(n), 'received');
END $$;

-- The teardown of a spec that sweeps: no due return may be left to the next
-- permutation.
CREATE PROCEDURE spec.leave_nothing_due() LANGUAGE sql
SET returns.actor = 'operator:spec' SET returns.clock = '2026-03-05 00:00+05' AS $$
	UPDATE returns.return_request SET status = 'cancelled' WHERE status IN ('requested', 'approved');
	UPDATE returns.return_request SET status = 'refund_due' WHERE status = 'received';
$$;

CREATE VIEW spec.look AS
	SELECT name, status, refund_total FROM spec.named JOIN returns.return_request USING (id) ORDER BY name;

CREATE VIEW spec.sweep_look AS
	SELECT name, status, overdue, failures,
		(SELECT pg_catalog.string_agg(actor || ':' || to_state, ' ' ORDER BY seq) FROM returns.return_event e
			WHERE e.return_id = r.id AND seq > 2) AS events
	FROM spec.named JOIN returns.return_request r USING (id) ORDER BY name;

CREATE VIEW spec.money AS
	SELECT payment_no, p.amount, p.refunded,
		(SELECT pg_catalog.string_agg(r.amount || ' ' || r.status, ', ' ORDER BY r.id) FROM returns.refund r
			WHERE r.order_ref = p.order_ref AND r.payment_no = p.payment_no) AS refunds
	FROM returns.payment p WHERE order_ref IN (SELECT order_ref FROM spec.named) ORDER BY 1;
