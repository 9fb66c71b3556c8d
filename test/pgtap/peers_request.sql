-- Defects of requests that were reported against systems which do this in
-- application code, each as a test that it cannot happen here: replay,
-- quantities, labels, dates, other doors to the same table.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';

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

-- B3: the browser sends the same request again
SELECT pg_temp.sell('b03', 3), pg_temp.sell('b03x', 3), pg_temp.be('buyer:b-b03') \g /dev/null
SELECT pg_temp.ask('b03', 1, 1, 'key') AS first, pg_temp.ask('b03', 1, 1, 'key') AS again \gset
SELECT is(:again::bigint, :first::bigint, 'b03_replayed_request: the same return');
SELECT is(count(*), 1::bigint, 'b03_replayed_request: one row') FROM returns.return_request WHERE order_ref = 'b03';
SELECT is(count(*), 2::bigint, 'b03_replayed_request: one history') FROM returns.return_event WHERE order_ref = 'b03';
SELECT is(pg_temp.units('b03', 1), '1 reserved, 0 returned of 3', 'b03_replayed_request: one unit');
SELECT throws_ok(format('SELECT returns.open_return(%s)', other), 'RT011', NULL, 'b03_replayed_request: other content is refused: ' || other)
  FROM unnest(ARRAY[
	$$ 'b03', '[{"line_no":1,"quantity":2}]', 'changed_mind', idempotency_key => 'key' $$,
	$$ 'b03', '[{"line_no":1,"quantity":1}]', 'defective', idempotency_key => 'key' $$,
	$$ 'b03', '[{"line_no":1,"quantity":1}]', 'changed_mind', 'exchange', idempotency_key => 'key' $$,
	$$ 'b03', '[{"line_no":1,"quantity":1}]', 'changed_mind', note => 'x', idempotency_key => 'key' $$,
	$$ 'b03', '[{"line_no":1,"quantity":1}]', 'changed_mind', details => '{}', idempotency_key => 'key' $$]) AS other;
SELECT is(returns.act(:first, 'cancelled'), 'cancelled', 'b03_replayed_request: it is cancelled');
SELECT is(pg_temp.ask('b03', 1, 1, 'key'), :first::bigint, 'b03_replayed_request: and a late replay does not open it again');
SELECT isnt(pg_temp.ask('b03', 1, 1, 'other'), :first::bigint, 'b03_replayed_request: another key is another return');
SELECT isnt(pg_temp.ask('b03', 1, 1), pg_temp.ask('b03', 1, 1), 'b03_replayed_request: no key, no replay');
SELECT throws_ok($$INSERT INTO returns.return_request (order_ref, reason, idempotency_key) VALUES ('b03', 'changed_mind', 'key')$$,
	'23505', NULL, 'b03_replayed_request: nor by plain INSERT');
SELECT pg_temp.be('buyer:b-b03x') \g /dev/null
SELECT isnt(pg_temp.ask('b03x', 1, 1, 'key'), :first::bigint, 'b03_replayed_request: another buyer''s key is another');
SELECT throws_ok('SELECT pg_temp.ask(''b03'', 1, 1, ''key'')', 'RT002', NULL, 'b03_replayed_request: a key is no way into another''s return');

-- B13: a negative quantity, or zero for everything
SELECT pg_temp.sell('b13', 3), pg_temp.be('buyer:b-b13') \g /dev/null
SELECT throws_ok(format('SELECT returns.open_return(''b13'', %L, ''changed_mind'')', lines), state, NULL, 'b13_zero_is_not_everything: ' || lines)
  FROM (VALUES
	('[{"line_no":1,"quantity":0}]', '23514'), ('[{"line_no":1,"quantity":-1}]', '23514'),
	('[{"line_no":1,"quantity":null}]', '22023'), ('[{"line_no":1}]', '22023'), ('[{"quantity":1}]', '22023'),
	('[{"line_no":1,"quantity":"1"}]', '22023'), ('[{"line_no":1,"quantity":1.5}]', '22023'),
	('[{"line_no":1,"quantity":99999999999}]', '22003'), ('[]', '22023'), ('{}', '22023'), ('null', '22023'), ('1', '22023'),
	('[1]', '22023'), ('[null]', '22023'), ('[[]]', '22023')) AS v (lines, state);
SELECT throws_ok('SELECT returns.open_return(''b13'', NULL, ''changed_mind'')', '22004', NULL, 'b13_zero_is_not_everything: no lines at all');
INSERT INTO returns.return_request (order_ref, reason) VALUES ('b13', 'changed_mind') RETURNING id \gset
SELECT throws_ok(format('INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (%s, 1, %s)', :id, q), state, NULL,
	'b13_zero_is_not_everything: INSERT of quantity ' || q)
  FROM (VALUES ('0', '23514'), ('-1', '23514'), ('NULL', '23502')) AS v (q, state);
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''requested'' WHERE id = %s', :id), 'RT008', NULL,
	'b13_zero_is_not_everything: a return of nothing');
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:id, 1, 3);
SELECT throws_ok(format('UPDATE returns.return_line SET quantity = %s WHERE return_id = %s', q, :id), state, NULL,
	'b13_zero_is_not_everything: UPDATE to quantity ' || q)
  FROM (VALUES ('0', '23514'), ('-1', '23514'), ('NULL', '23502'), ('4', 'RT005')) AS v (q, state);
SELECT is(pg_temp.units('b13', 1), '0 reserved, 0 returned of 3', 'b13_zero_is_not_everything: no unit was touched');

-- B16: one unit, refunded, refunded again while there is money left on the order
SELECT pg_temp.sell('b16', 1, 5), pg_temp.be('buyer:b-b16') \g /dev/null
SELECT is(pg_temp.refund(pg_temp.ask('b16', 1, 1)), 'refunded', 'b16_unit_cap: the unit came back');
SELECT is((SELECT amount - refunded FROM returns.payment WHERE order_ref = 'b16'), 50.00, 'b16_unit_cap: and there is money left');
SELECT throws_ok(format('SELECT pg_temp.%I(''b16'', 1, 1)', how), 'RT005', NULL, 'b16_unit_cap: it does not come back again by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;

-- B17: two units, three returns of one
SELECT pg_temp.sell('b17', 2), pg_temp.be('buyer:b-b17') \g /dev/null
SELECT is(pg_temp.refund(pg_temp.ask('b17', 1, 1)), 'refunded', 'b17_third_of_two: the first');
SELECT ok(pg_temp.ask_by_hand('b17', 1, 1) > 0, 'b17_third_of_two: the second');
SELECT throws_ok(format('SELECT pg_temp.%I(''b17'', 1, 1)', how), 'RT005', NULL, 'b17_third_of_two: no third by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT is(pg_temp.units('b17', 1), '1 reserved, 1 returned of 2', 'b17_third_of_two: the units say so');

-- B19: a second request for the same goods while the first is open
SELECT pg_temp.sell('b19', 1), pg_temp.be('buyer:b-b19') \g /dev/null
INSERT INTO returns.return_request (order_ref, reason) VALUES ('b19', 'changed_mind'), ('b19', 'changed_mind');
SELECT min(id) AS one, max(id) AS two FROM returns.return_request WHERE order_ref = 'b19' \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:one, 1, 1), (:two, 1, 1);
SELECT is(pg_temp.units('b19', 1), '0 reserved, 0 returned of 1', 'b19_open_requests_reserve: a draft reserves nothing');
SELECT is(returns.act(:one, 'requested'), 'requested', 'b19_open_requests_reserve: the first is requested');
SELECT throws_ok(format('SELECT returns.act(%s, ''requested'')', :two), 'RT005', NULL, 'b19_open_requests_reserve: the second is not');
SELECT throws_ok(format('SELECT pg_temp.%I(''b19'', 1, 1)', how), 'RT005', NULL, 'b19_open_requests_reserve: nor a third by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;

-- B20, B21: what was never delivered; more than was ordered; another's order
SELECT pg_temp.sell('b20', 2, 2), pg_temp.be('buyer:b-b20') \g /dev/null
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at)
VALUES ('b20', 3, 'b-b20', 's-b20', 'sku', 'clothing', 'kz', 2, 20, 'KZT', '2026-02-25 10:00+05');
SELECT throws_ok(format('SELECT pg_temp.%I(''b20'', 3, 1)', how), 'RT004', NULL, 'b20_only_delivered_units: not delivered, not returned by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT throws_ok($$SELECT returns.open_return('b20', '[{"line_no":1,"quantity":1},{"line_no":3,"quantity":1}]', 'changed_mind')$$,
	'RT004', NULL, 'b20_only_delivered_units: nor together with what was');
SELECT is(pg_temp.units('b20', 1), '0 reserved, 0 returned of 2', 'b20_only_delivered_units: the statement failed whole');
SELECT throws_ok(format('SELECT pg_temp.%I(''b20'', 1, 3)', how), 'RT005', NULL, 'b21_more_than_ordered: refused by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT throws_ok(format('SELECT pg_temp.%I(''b20'', 9, 1)', how), 'RT010', NULL, 'b21_not_in_the_order: refused by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT throws_ok(format('SELECT pg_temp.%I(''no-such-order'', 1, 1)', how), 'RT010', NULL, 'b21_no_such_order: refused by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT pg_temp.be('buyer:b-b17') \g /dev/null
SELECT throws_ok(format('SELECT pg_temp.%I(''b20'', 1, 1)', how), 'RT002', NULL, 'b21_order_of_another: refused by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;

-- B28: the same item twice in one return
SELECT pg_temp.sell('b28', 5), pg_temp.be('buyer:b-b28') \g /dev/null
SELECT throws_ok($$SELECT returns.open_return('b28', '[{"line_no":1,"quantity":1},{"line_no":1,"quantity":1}]', 'changed_mind')$$,
	'23505', NULL, 'b28_line_twice: in one call');
INSERT INTO returns.return_request (order_ref, reason) VALUES ('b28', 'changed_mind') RETURNING id \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:id, 1, 1);
SELECT throws_ok(format('INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (%s, 1, 1)', :id), '23505', NULL,
	'b28_line_twice: one after the other');
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:id, 1, 2)
ON CONFLICT (order_ref, return_id, line_no) DO UPDATE SET quantity = excluded.quantity;
SELECT results_eq(format('SELECT line_no, quantity FROM returns.return_line WHERE return_id = %s', :id), 'VALUES (1, 2)',
	'b28_line_twice: ON CONFLICT DO UPDATE is another quantity, not another line');

-- B42: the label "refunded" without the money
SELECT pg_temp.sell('b42', 1), pg_temp.be('operator:desk') \g /dev/null
SELECT pg_temp.ask('b42', 1, 1) AS id \gset
SELECT returns.act(:id, s) FROM unnest('{approved,received,refund_due}'::text[]) AS s \g /dev/null
UPDATE returns.return_request SET carrier = 'post' WHERE id = :id;
CREATE FUNCTION pg_temp.label(actor text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text := 'done';
BEGIN
	PERFORM pg_temp.be(actor);
	EXECUTE statement;
	RETURN state;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.label(actor, format(statement, :id)), state, format('b42_label: %s: %s', actor, statement))
  FROM (VALUES ('buyer:b-b42', 'RT002'), ('seller:s-b42', 'RT002'), ('carrier:post', 'RT002'), ('operator:desk', 'RT002')) AS a (actor, state),
	unnest(ARRAY['UPDATE returns.return_request SET status = ''refunded'' WHERE id = %s', 'SELECT returns.act(%s, ''refunded'')']) AS statement;
SELECT is(pg_temp.label('operator:desk', format(statement, :id)), state, 'b42_label: ' || statement)
  FROM (VALUES
	('UPDATE returns.return_request SET refund_total = 0 WHERE id = %s', 'RT007'),
	('UPDATE returns.return_request SET closed_at = returns.now() WHERE id = %s', 'RT007'),
	('UPDATE returns.refund SET amount = 0.01 WHERE return_id = %s', 'RT007'),
	('UPDATE returns.refund SET settled_at = returns.now() WHERE return_id = %s', 'RT007'),
	('UPDATE returns.refund SET status = ''settled'' WHERE return_id = %s', 'RT001'),
	('INSERT INTO returns.return_request (order_ref, reason, status) VALUES (''b42'', ''changed_mind'', ''refunded'')', 'RT001'),
	('INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency, status, idempotency_key, created_at)'
		' VALUES (''b42'', %s, 1, 10, ''KZT'', ''settled'', ''k'', returns.now())', 'RT007')
  ) AS v (statement, state);
SELECT is(pg_temp.label('buyer:b-b42', format('UPDATE returns.refund SET status = ''sent'' WHERE return_id = %s', :id)), 'RT002',
	'b42_label: nor does the buyer move the money');
SELECT pg_temp.be('operator:desk') \g /dev/null
SELECT is(status, 'refund_due', 'b42_label: it waits for the money') FROM returns.return_request WHERE id = :id;

-- B54: no date of delivery, a window that never closes
SELECT pg_temp.be('buyer:b-b54') \g /dev/null
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at)
VALUES ('b54', 1, 'b-b54', 's-b54', 'sku', 'clothing', 'kz', 3, 30, 'KZT', '2026-02-25 10:00+05');
SELECT throws_ok('SELECT pg_temp.ask(''b54'', 1, 1)', 'RT004', NULL, 'b54_no_delivery_date: not returnable yet');
SET returns.clock = '2027-03-01 10:00+05';
SELECT throws_ok('SELECT pg_temp.ask(''b54'', 1, 1)', 'RT004', NULL, 'b54_no_delivery_date: and not for ever either');
SET returns.clock = '2026-03-02 10:00:00+05';
SELECT throws_ok('UPDATE returns.sale_line SET delivered_at = ''infinity'' WHERE order_ref = ''b54''', '23514', NULL, 'b54_no_delivery_date: no date is not a date');
UPDATE returns.sale_line SET delivered_at = '2026-03-01 10:00+05' WHERE order_ref = 'b54';
SELECT ok(pg_temp.ask('b54', 1, 1) > 0, 'b54_no_delivery_date: delivered, the window is open');
SELECT isnt(window_ends_at, NULL, 'b54_no_delivery_date: until a day') FROM returns.return_line WHERE order_ref = 'b54';
SELECT throws_ok('UPDATE returns.sale_line SET delivered_at = NULL WHERE order_ref = ''b54''', 'RT007', NULL, 'b54_no_delivery_date: which stands');
SET returns.clock = '2026-06-01 10:00:00+05';
SELECT throws_ok(format('SELECT pg_temp.%I(''b54'', 1, 1)', how), 'RT003', NULL, 'b54_no_delivery_date: then it is closed for ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SET returns.clock = '2026-03-02 10:00:00+05';

-- B55: cancelled, and the goods can never be returned again
SELECT pg_temp.sell('b55', 1), pg_temp.be('operator:desk') \g /dev/null
CREATE FUNCTION pg_temp.end_by(VARIADIC path text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r bigint := pg_temp.ask('b55', 1, 1);
	reserved text := pg_temp.units('b55', 1);
BEGIN
	FOR i IN 1 .. array_length(path, 1) LOOP
		PERFORM pg_temp.be(CASE WHEN path[i] IN ('request_disputed', 'outcome_disputed') THEN 'buyer:b-b55' ELSE 'operator:desk' END);
		PERFORM returns.act(r, path[i], 'note', '{"carrier":"post","tracking_ref":"t"}');
	END LOOP;
	PERFORM pg_temp.be('operator:desk');
	RETURN reserved || ' -> ' || pg_temp.units('b55', 1);
END $$;
SELECT is(pg_temp.end_by(VARIADIC path::text[]), '1 reserved, 0 returned of 1 -> 0 reserved, 0 returned of 1', 'b55_cancel_frees_the_units: ' || path)
  FROM unnest(ARRAY['{cancelled}', '{approved,cancelled}', '{rejected,request_disputed,closed}',
	'{approved,received,declined,outcome_disputed,closed}', '{approved,in_transit,outcome_disputed,closed}']) AS path;
SELECT is(pg_temp.refund(pg_temp.ask('b55', 1, 1)), 'refunded', 'b55_cancel_frees_the_units: and it came back after all');

-- B60: what one door refuses the other lets through
SELECT pg_temp.sell('b60', 1), pg_temp.be('operator:desk') \g /dev/null
SELECT pg_temp.ask('b60', 1, 1) AS id \gset
-- What a statement ends with: the state it led to, or how it was refused; undone.
CREATE FUNCTION pg_temp.outcome(r bigint, path text[], actor text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	outcome text;
	message text;
	detail text;
	hint text;
BEGIN
	BEGIN
		PERFORM pg_temp.be('operator:desk');
		PERFORM returns.act(r, s, 'note', '{"carrier":"post","tracking_ref":"t"}') FROM unnest(path) AS s;
		PERFORM pg_temp.be(actor);
		EXECUTE statement;
		PERFORM pg_temp.be('operator:desk');
		RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = (SELECT status || ' ' || last_seq || ' ' || coalesce(due_at::text, '')
			FROM returns.return_request WHERE id = r);
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS outcome = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		RETURN concat_ws(' | ', outcome, message, detail, hint);
	END;
END $$;
SELECT is(pg_temp.outcome(:id, path::text[], actor, format('SELECT returns.act(%s, %L)', :id, to_state)),
	pg_temp.outcome(:id, path::text[], actor, format('UPDATE returns.return_request SET status = %L WHERE id = %s', to_state, :id)),
	format('b60_every_door_the_same: %s %s as %s', path, to_state, actor))
  FROM unnest(ARRAY['{}', '{rejected}', '{approved}', '{approved,in_transit}', '{approved,received}', '{approved,received,refund_due}', '{cancelled}']) AS path,
	unnest(ARRAY['buyer:b-b60', 'seller:s-b60', 'operator:x']) AS actor,
	(SELECT code FROM returns.state WHERE machine = 'return' UNION ALL SELECT 'no_such_state') AS s (to_state);
SELECT pg_temp.be('buyer:b-b60') \g /dev/null
SELECT is(returns.act(:id, 'cancelled'), 'cancelled', 'b60_every_door_the_same: made by one, cancelled by the other');
SELECT pg_temp.be('buyer:b-b60'), pg_temp.ask_by_hand('b60', 1, 1) AS id \gset
SELECT is(returns.act(:id, 'cancelled'), 'cancelled', 'b60_every_door_the_same: and the other way');

SELECT * FROM finish();
