-- Random lives of returns and their money: every operation in any order, with
-- reports that are late, repeated or wrong. Read by pgtap/money_lives.sql
-- and t/money_load.pl; the clock and the actor are set for the session.
--
-- Most steps use recent returns, so that the cost of a step does not depend on
-- the number of lives. A few use returns that ended long ago.

SET returns.actor = 'operator:life';
SET returns.clock = '2026-03-02 10:00+00';

-- The clock runs for years, and the calendar must not end before the lives.
INSERT INTO returns.calendar (code, weekend, first_day, last_day) VALUES ('life', '{6,7}', '2026-01-01', '2126-12-31');
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('life', 'UTC', 'life', 'USD');
INSERT INTO returns.policy (market, category, fault, window_term, restocking_percent, refund_shipping, auto_approve_below, keep_item_below, source) VALUES
	('life', NULL,        NULL,   60, 0,      true,  5,    NULL, 'test'),
	('life', 'furniture', 'none', 60, 15,     false, NULL, NULL, 'test'),
	('life', 'toys',      'none', 60, 33.333, true,  NULL, 1,    'test'),
	('life', 'books',     'none', 60, 100,    false, NULL, NULL, 'test');
BEGIN;
INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout) VALUES
	('life', 'requested', 20, 'day', 'approved'), ('life', 'approved', 20, 'day', 'expired'),
	('life', 'in_transit', 20, 'day', 'outcome_disputed'), ('life', 'rejected', 20, 'day', 'closed'),
	('life', 'declined', 20, 'day', 'closed'), ('life', 'request_disputed', 20, 'day', 'approved'),
	('life', 'outcome_disputed', 20, 'day', 'refund_due'), ('life', 'exchange_due', 20, 'day', 'refund_due'),
	('life', 'exchange_sent', 20, 'day', 'exchanged'), ('life', 'draft', 20, 'day', 'cancelled');
INSERT INTO returns.stage_deadline (market, state, resolution, term, unit, on_timeout) VALUES
	('life', 'received', 'refund', 20, 'day', 'refund_due'), ('life', 'received', 'exchange', 20, 'day', 'exchange_due'),
	('life', 'refund_due', NULL, 1, 'day', NULL);
COMMIT;

CREATE SCHEMA life;
CREATE SEQUENCE life.steps;
CREATE TABLE life.outcome (op text, code text);
CREATE TABLE life.wrong (step int, op text, what text);
CREATE TABLE life.reported (refund_id bigint, ref text, said text);

CREATE TABLE life.sold (n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_ref text, at timestamptz);

CREATE FUNCTION life.any_of(VARIADIC choices text[]) RETURNS text LANGUAGE sql AS $$
	SELECT choices[1 + floor(random() * cardinality(choices))::int]
$$;
CREATE FUNCTION life.amount(most numeric, cur text) RETURNS numeric LANGUAGE sql AS $$
	SELECT round((random() * most)::numeric, (SELECT minor_units FROM returns.currency WHERE code = cur))
$$;

-- A number up to the last, mostly among the youngest ones.
CREATE FUNCTION life.young(last bigint, youngest int) RETURNS bigint LANGUAGE sql AS $$
	SELECT last - floor(random() * CASE WHEN random() < 0.95 THEN least(last, youngest) ELSE last END)::bigint
$$;
CREATE FUNCTION life.some_order() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	pick bigint := life.young((SELECT max(n) FROM life.sold), 40);
BEGIN
	RETURN (SELECT order_ref FROM life.sold WHERE n >= pick ORDER BY n LIMIT 1);
END $$;
CREATE FUNCTION life.some_return(open_ones boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	last bigint := (SELECT max(id) FROM returns.return_request);
BEGIN
	IF open_ones THEN
		RETURN (SELECT id FROM returns.return_request WHERE id > last - 300 AND closed_at IS NULL ORDER BY random() LIMIT 1);
	END IF;
	RETURN life.young(last, 300);
END $$;

-- An order with lines and tenders: mostly enough, sometimes not.
CREATE FUNCTION life.op_sell(step int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	o text := 'life-' || step;
	cur text := life.any_of('USD', 'USD', 'JPY', 'KWD');
	total numeric;
	rest numeric;
	share numeric;
	bought timestamptz := returns.now() - make_interval(days => 3 + floor(random() * 50)::int);
BEGIN
	INSERT INTO life.sold (order_ref, at) VALUES (o, bought);
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
	SELECT o, l, 'b', 's', 'sku', life.any_of('clothing', 'furniture', 'toys', 'books', 'other'), 'life',
		1 + floor(random() * 6), life.amount(CASE WHEN random() < 0.3 THEN 1 ELSE 100 END, cur), life.amount(9, cur),
		life.any_of('0', '0.1', '0.07', '0.333333333')::numeric, cur, bought, bought + interval '2 days'
	FROM generate_series(1, 1 + floor(random() * 3)::int) l;
	SELECT sum(amount_paid + shipping_paid) INTO total FROM returns.sale_line WHERE order_ref = o;
	rest := total * CASE WHEN random() < 0.15 THEN 0.5 ELSE 1 END;
	rest := round(rest, (SELECT minor_units FROM returns.currency WHERE code = cur));
	FOR n IN 1 .. 3 LOOP
		share := CASE WHEN n = 3 THEN rest ELSE least(rest, life.amount(total * 0.7, cur)) END;
		INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, refund_rank, captured_at)
		VALUES (o, n, 'card', share, cur, life.any_of('psp', 'other', NULL), 100 + floor(random() * 3),
			CASE WHEN random() < 0.9 THEN bought END);
		rest := rest - share;
	END LOOP;
END $$;

CREATE FUNCTION life.op_open() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	o text := life.some_order();
BEGIN
	PERFORM returns.open_return(o,
		(SELECT jsonb_agg(jsonb_build_object('line_no', line_no, 'quantity', 1 + floor(random() * greatest(quantity - reserved - returned, 1))::int))
			FROM (SELECT * FROM returns.sale_line WHERE order_ref = o ORDER BY random() LIMIT 1 + floor(random() * 3)::int) s),
		life.any_of('changed_mind', 'changed_mind', 'defective', 'damaged_in_delivery'),
		life.any_of('refund', 'exchange'));
END $$;

-- A draft, and a change of its quantities.
CREATE FUNCTION life.op_draft() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	o text := life.some_order();
	r bigint;
BEGIN
	SELECT id INTO r FROM returns.return_request WHERE order_ref = o AND status = 'draft' ORDER BY random() LIMIT 1;
	IF r IS NULL THEN
		INSERT INTO returns.return_request (order_ref, reason) VALUES (o, life.any_of('changed_mind', 'wrong_item')) RETURNING id INTO r;
		INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (r, 1 + floor(random() * 3)::int, 1);
	ELSIF random() < 0.2 THEN
		DELETE FROM returns.return_request WHERE id = r;
	ELSE
		UPDATE returns.return_line SET quantity = 1 + floor(random() * 4)::int WHERE return_id = r;
	END IF;
END $$;

-- The amounts of each line if the return is decided now, by the definition.
CREATE FUNCTION life.slow_price(ret bigint) RETURNS TABLE (line int, goods numeric, fee numeric, shipping numeric) LANGUAGE sql AS $$
	WITH l AS (
		SELECT coalesce(rl.accepted, rl.received, rl.quantity) AS n, s.*, c.minor_units AS m, p.restocking_percent, p.refund_shipping AS gives,
			(SELECT fault FROM returns.reason WHERE code = r.reason) AS fault,
			(SELECT coalesce(sum(x.accepted), 0) FROM returns.return_line x WHERE x.order_ref = s.order_ref AND x.line_no = s.line_no
				AND x.return_id <> ret AND x.refund_goods IS NOT NULL) AS k,
			(SELECT coalesce(sum(x.refund_goods), 0) FROM returns.return_line x WHERE x.order_ref = s.order_ref AND x.line_no = s.line_no
				AND x.return_id <> ret AND x.refund_goods IS NOT NULL) AS given,
			(SELECT CASE WHEN bool_and(w.refund_shipping) THEN sum(x.refund_shipping) END FROM returns.return_line x
				JOIN returns.policy w ON w.id = x.policy_id WHERE x.order_ref = s.order_ref AND x.line_no = s.line_no
				AND x.return_id <> ret AND x.accepted > 0 AND x.refund_goods IS NOT NULL) AS sent
		FROM returns.return_request r
		JOIN returns.return_line rl ON rl.order_ref = r.order_ref AND rl.return_id = r.id
		JOIN returns.sale_line s ON s.order_ref = rl.order_ref AND s.line_no = rl.line_no
		JOIN returns.currency c ON c.code = s.currency
		JOIN returns.policy p ON p.id = rl.policy_id
		WHERE r.id = ret)
	SELECT line_no,
		CASE WHEN n = 0 THEN 0 ELSE greatest(round(amount_paid * (k + n) / quantity, m) - given, 0) END,
		CASE WHEN fault = 'none' AND n > 0 THEN round(greatest(round(amount_paid * (k + n) / quantity, m) - given, 0) * restocking_percent / 100, m) ELSE 0 END,
		CASE WHEN gives AND n > 0 THEN greatest(round(shipping_paid * (k + n) / quantity, m) - coalesce(sent, round(shipping_paid * k / quantity, m)), 0) ELSE 0 END
	FROM l
$$;

-- Any move of the workflow, by an actor that may make it or not.
CREATE FUNCTION life.op_act(step int, alone boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r returns.return_request;
	target text;
	expected text;
	found text;
	was_priced boolean;
BEGIN
	SELECT * INTO r FROM returns.return_request WHERE id = (SELECT life.some_return(random() < 0.95));
	IF r.id IS NULL THEN RETURN; END IF;
	PERFORM set_config('returns.actor', life.any_of('operator:life', 'operator:life', 'operator:life', 'operator:life', 'operator:life', 'buyer:b', 'seller:s', 'carrier:c', 'buyer:x'), true);
	target := NULL;
	IF random() < 0.05 THEN
		target := life.any_of('refunded', 'refund_due', 'exchanged', 'closed', 'draft');
	ELSE
		SELECT to_state INTO target FROM returns.transition
		WHERE machine = 'return' AND from_state = r.status AND actors <> '{system}' AND (resolution IS NULL OR resolution = r.resolution)
		ORDER BY random() + CASE WHEN to_state = 'cancelled' THEN 0.6 ELSE 0 END LIMIT 1;
	END IF;
	target := coalesce(target, r.status);
	SELECT string_agg(p::text, ' ' ORDER BY line) INTO expected FROM life.slow_price(r.id) p;
	SELECT bool_or(refund_goods IS NOT NULL) INTO was_priced FROM returns.return_line WHERE return_id = r.id;
	UPDATE returns.return_request SET status = target, note = 'n', carrier = 'c', tracking_ref = 't', details = '{"evidence": ["e"]}' WHERE id = r.id
	RETURNING status INTO target;
	SELECT string_agg(p::text, ' ' ORDER BY line_no) INTO found
	FROM (SELECT line_no, refund_goods, refund_fee, refund_shipping FROM returns.return_line WHERE return_id = r.id AND refund_goods IS NOT NULL) p;
	IF alone AND r.status <> 'draft' AND NOT was_priced AND target IN ('refund_due', 'refunded', 'exchange_due')
		AND (SELECT string_agg(format('(%s,%s,%s,%s)', line_no, trim_scale(refund_goods), trim_scale(refund_fee), trim_scale(refund_shipping)), ' ' ORDER BY line_no) FROM returns.return_line WHERE return_id = r.id)
			IS DISTINCT FROM (SELECT string_agg(format('(%s,%s,%s,%s)', x[1], trim_scale(x[2]), trim_scale(x[3]), trim_scale(x[4])), ' ' ORDER BY x[1])
				FROM (SELECT string_to_array(trim(both '()' from e), ',')::numeric[] AS x FROM regexp_split_to_table(expected, ' ') e) y) THEN
		INSERT INTO life.wrong VALUES (step, 'act', format('return %s priced %s, not %s', r.id, found, expected));
	END IF;
END $$;

CREATE FUNCTION life.op_receipt() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.return_line l SET received = q.n, accepted = floor(random() * (q.n + 1)),
		deduction = CASE WHEN random() < 0.4 THEN life.amount(l.quantity * 3, q.currency) END
	FROM (SELECT x.return_id, x.line_no, r.currency, x.quantity - CASE WHEN random() < 0.2 THEN 1 ELSE 0 END AS n
		FROM returns.return_line x JOIN returns.return_request r ON r.id = x.return_id
		WHERE r.id > (SELECT max(id) - 300 FROM returns.return_request) AND r.status IN ('in_transit', 'received') ORDER BY random() LIMIT 1) q
	WHERE l.return_id = q.return_id AND l.line_no = q.line_no;
END $$;

CREATE FUNCTION life.op_claim() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('returns.actor', life.any_of('operator:life', 'provider:psp', 'provider:other'), true);
	PERFORM returns.claim_refunds(1 + floor(random() * 5)::int, make_interval(mins => 1 + floor(random() * 600)::int));
END $$;

-- A report: true, late, repeated or mistaken.
CREATE FUNCTION life.op_report(step int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	f returns.refund;
	after returns.refund;
	said text := life.any_of('settled', 'settled', 'settled', 'failed', 'failed', 'pending', 'sent');
	told text;
BEGIN
	SELECT * INTO f FROM returns.refund WHERE id = (SELECT life.young(max(x.id), 200) FROM returns.refund x);
	IF f.id IS NULL THEN RETURN; END IF;
	told := CASE WHEN random() < 0.3 THEN (SELECT x.ref FROM life.reported x WHERE refund_id = f.id ORDER BY random() LIMIT 1)
		WHEN random() < 0.02 THEN (SELECT x.ref FROM life.reported x ORDER BY random() LIMIT 1)
		WHEN random() < 0.8 THEN 'ref-' || step END;
	PERFORM set_config('returns.actor', life.any_of('operator:life', 'operator:life', 'provider:' || coalesce(f.provider, 'psp'), 'provider:' || coalesce(f.provider, 'psp'), 'provider:psp', 'buyer:b'), true);
	UPDATE returns.refund SET status = said, provider_ref = coalesce(told, provider_ref),
		failure = CASE WHEN said = 'failed' THEN 'because' ELSE failure END WHERE id = f.id RETURNING * INTO after;
	IF after.idempotency_key <> f.idempotency_key OR after.amount <> f.amount THEN
		INSERT INTO life.wrong VALUES (step, 'report', format('refund %s is another', f.id));
	END IF;
	IF after.status = 'settled' AND f.status <> 'settled' THEN
		IF after.attempt = 0 THEN
			INSERT INTO life.wrong VALUES (step, 'report', format('refund %s settled and was never sent', f.id));
		END IF;
		IF told IS NOT NULL AND EXISTS (SELECT FROM life.reported x WHERE x.refund_id = f.id AND x.ref = told AND x.said = 'settled') THEN
			INSERT INTO life.wrong VALUES (step, 'report', format('refund %s settled twice as %s', f.id, told));
		END IF;
		INSERT INTO life.reported VALUES (f.id, after.provider_ref, 'settled');
	END IF;
END $$;

CREATE FUNCTION life.op_payment() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.payment SET
		chargeback = CASE WHEN random() < 0.5 THEN life.any_of('none', 'none', 'won', 'open', 'lost') ELSE chargeback END,
		captured_at = CASE WHEN random() < 0.5 THEN coalesce(captured_at, returns.now()) ELSE captured_at END,
		refund_rank = floor(random() * 100),
		amount = CASE WHEN random() < 0.1 THEN amount + 1 ELSE amount END
	WHERE order_ref = (SELECT life.some_order()) AND payment_no = (SELECT 1 + floor(random() * 3)::int);
END $$;

CREATE FUNCTION life.op_grant() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r returns.return_request;
BEGIN
	SELECT * INTO r FROM returns.return_request WHERE id = (SELECT life.some_return(random() < 0.5));
	IF r.id IS NULL THEN RETURN; END IF;
	PERFORM returns.grant_refund(r.id, life.amount(20, coalesce(r.currency, 'USD')), 'because');
END $$;

CREATE FUNCTION life.op_time() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('returns.clock', (returns.now() + make_interval(mins => floor(random() * 900)::int))::text, false);
	PERFORM returns.run_deadlines(100);
END $$;

-- Run steps, each in a transaction of its own, until that many returns are open.
-- alone: no other session writes. Prices are compared with the slow definition,
-- and verify() is called from time to time. Otherwise other sessions may work on
-- the same orders and delete drafts, and there may be deadlocks.
CREATE PROCEDURE life.live(lives int, alone boolean) LANGUAGE plpgsql AS $$
DECLARE
	op text;
	code text;
	step int;
	opened int := 0;
	audited int := 0;
BEGIN
	WHILE opened < lives LOOP
		step := nextval('life.steps');
		IF step > 10000 + 100 * lives THEN
			INSERT INTO life.wrong VALUES (step, NULL, format('only %s of %s returns could be opened', opened, lives));
			EXIT;
		END IF;
		op := life.any_of('sell', 'open', 'open', 'draft', 'act', 'act', 'act', 'act', 'act', 'act', 'act', 'act', 'receipt', 'receipt',
			'claim', 'claim', 'report', 'report', 'report', 'report', 'payment', 'grant', 'time');
		IF NOT EXISTS (SELECT FROM life.sold) THEN op := 'sell'; END IF;
		code := 'ok';
		BEGIN
			CASE op
				WHEN 'sell' THEN PERFORM life.op_sell(step);
				WHEN 'open' THEN PERFORM life.op_open();
				WHEN 'draft' THEN PERFORM life.op_draft();
				WHEN 'act' THEN PERFORM life.op_act(step, alone);
				WHEN 'receipt' THEN PERFORM life.op_receipt();
				WHEN 'claim' THEN PERFORM life.op_claim();
				WHEN 'report' THEN PERFORM life.op_report(step);
				WHEN 'payment' THEN PERFORM life.op_payment();
				WHEN 'grant' THEN PERFORM life.op_grant();
				WHEN 'time' THEN PERFORM life.op_time();
			END CASE;
			opened := opened + (op = 'open')::int;
		EXCEPTION WHEN OTHERS THEN
			code := sqlstate;
			IF code !~ '^RT0(01|02|03|04|05|06|07|08|11)$' AND code <> '23505' AND NOT (op = 'grant' AND code = '22023') AND NOT (op = 'draft' AND code = 'RT010')
				AND (alone OR code NOT IN ('40P01', 'RT010')) THEN
				INSERT INTO life.wrong VALUES (step, op, code || ' ' || sqlerrm);
			END IF;
		END;
		PERFORM set_config('returns.actor', 'operator:life', false);
		INSERT INTO life.outcome VALUES (op, code);
		IF alone AND step % 5000 = 0 THEN
			-- no other session writes while this one runs
			ANALYZE returns.return_request, returns.return_line, returns.return_event, returns.sale_line, returns.refund;
		END IF;
		IF alone AND opened >= audited + lives / 8 THEN
			audited := opened;
			INSERT INTO life.wrong SELECT step, 'verify', v::text FROM returns.verify() v;
		END IF;
		COMMIT;
	END LOOP;
END $$;
