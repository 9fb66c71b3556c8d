-- Concurrent lives, in addition to lives.sql: there are three orders, all returns
-- have the same lines, and most sessions choose the newest return. Each statement
-- writes one return and locks it before its lines, as the manual says. So no
-- session deadlocks.

CREATE OR REPLACE FUNCTION life.op_sell(step int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
	SELECT 'life-' || o, l, 'b', 's', 'sku', 'clothing', 'life', 5000, 500000, 5000, 0.1, 'USD', '2026-02-20', '2026-02-22'
	FROM generate_series(1, 3) o, generate_series(1, 3) l ON CONFLICT DO NOTHING;
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
	SELECT 'life-' || o, n, 'card', 505000, 'USD', (ARRAY['psp', 'other', NULL])[n], '2026-02-20'
	FROM generate_series(1, 3) o, generate_series(1, 3) n ON CONFLICT DO NOTHING
$$;
SELECT life.op_sell(1);
INSERT INTO life.sold (order_ref, at) SELECT 'life-' || o, '2026-02-20' FROM generate_series(1, 3) o;

CREATE OR REPLACE FUNCTION life.op_open() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r bigint;
BEGIN
	INSERT INTO returns.return_request (order_ref, reason) VALUES (life.any_of('life-1', 'life-2', 'life-3'), life.any_of('changed_mind', 'defective'))
	RETURNING id INTO r;
	INSERT INTO returns.return_line (return_id, line_no, quantity) SELECT r, n, 1 + floor(random() * 3) FROM generate_series(1, 3) n;
	IF random() < 0.7 THEN
		UPDATE returns.return_request SET status = 'requested' WHERE id = r;
	END IF;
END $$;

CREATE FUNCTION life.newest(VARIADIC states text[]) RETURNS bigint LANGUAGE sql AS $$
	SELECT id FROM (SELECT id FROM returns.return_request WHERE states = '{any}' OR status = ANY (states) ORDER BY id DESC LIMIT 10) r
	ORDER BY random() LIMIT 1
$$;

CREATE OR REPLACE FUNCTION life.op_act(step int, alone boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r bigint := life.newest('any');
BEGIN
	UPDATE returns.return_request q SET note = 'n', carrier = 'c', tracking_ref = 't', status = coalesce((SELECT to_state FROM returns.transition
		WHERE machine = 'return' AND from_state = q.status AND actors <> '{system}' AND resolution IS DISTINCT FROM 'exchange'
			AND to_state NOT IN ('cancelled', 'rejected', 'closed') ORDER BY random() LIMIT 1), status)
	WHERE id = r;
END $$;

CREATE OR REPLACE FUNCTION life.op_receipt() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r bigint := life.newest('in_transit', 'received');
	draft bigint := life.newest('draft');
BEGIN
	CASE floor(random() * 6)
	WHEN 0, 1 THEN
		PERFORM FROM returns.return_request WHERE id = draft FOR NO KEY UPDATE;
		UPDATE returns.return_line SET quantity = 1 + floor(random() * 3) WHERE return_id = draft AND line_no >= life.any_of('1', '2', '3')::int;
	WHEN 2 THEN
		PERFORM FROM returns.return_request WHERE id = draft FOR NO KEY UPDATE;
		DELETE FROM returns.return_line WHERE return_id = draft AND line_no = 3;
	WHEN 3 THEN
		IF draft IS NOT NULL THEN
			INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (draft, 3, 1) ON CONFLICT DO NOTHING;
		END IF;
	ELSE
		PERFORM FROM returns.return_request WHERE id = r FOR NO KEY UPDATE;
		UPDATE returns.return_line SET received = quantity, accepted = floor(random() * (quantity + 1)) WHERE return_id = r;
	END CASE;
END $$;

CREATE OR REPLACE FUNCTION life.op_report(step int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	f returns.refund;
BEGIN
	SELECT * INTO f FROM (SELECT * FROM returns.refund ORDER BY id DESC LIMIT 10) r ORDER BY random() LIMIT 1;
	IF f.status = 'pending' THEN
		UPDATE returns.refund SET status = 'sent' WHERE id = f.id;
	ELSIF f.status = 'settled' OR f.status = 'sent' AND random() < 0.2 THEN
		UPDATE returns.refund SET status = 'failed', failure = 'because' WHERE id = f.id;
	ELSIF f.status = 'sent' THEN
		UPDATE returns.refund SET status = 'settled', provider_ref = format('ref-%s-%s', f.id, f.attempt) WHERE id = f.id;
	ELSE
		UPDATE returns.refund SET status = 'pending' WHERE id = f.id;
	END IF;
END $$;
