-- Units: a return has at most the units that were sold, were delivered and are
-- left.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
\ir ../harness/requests.sql

-- A negative quantity, or zero for everything
SELECT pg_temp.sell('b13', 3), pg_temp.be('buyer:b-b13') \g /dev/null
SELECT throws_ok(format('SELECT returns.open_return(''b13'', %L, ''changed_mind'')', lines), state, NULL, 'open_return() refuses the lines ' || lines)
  FROM (VALUES
	('[{"line_no":1,"quantity":0}]', '23514'), ('[{"line_no":1,"quantity":-1}]', '23514'),
	('[{"line_no":1,"quantity":null}]', '22023'), ('[{"line_no":1}]', '22023'), ('[{"quantity":1}]', '22023'),
	('[{"line_no":1,"quantity":"1"}]', '22023'), ('[{"line_no":1,"quantity":1.5}]', '22023'),
	('[{"line_no":1,"quantity":99999999999}]', '22003'), ('[]', '22023'), ('{}', '22023'), ('null', '22023'), ('1', '22023'),
	('[1]', '22023'), ('[null]', '22023'), ('[[]]', '22023')) AS v (lines, state);
SELECT throws_ok('SELECT returns.open_return(''b13'', NULL, ''changed_mind'')', '22004', NULL, 'open_return() refuses lines of NULL');
INSERT INTO returns.return_request (order_ref, reason) VALUES ('b13', 'changed_mind') RETURNING id \gset
SELECT throws_ok(format('INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (%s, 1, %s)', :id, q), state, NULL,
	'a return line cannot be inserted with quantity ' || q)
  FROM (VALUES ('0', '23514'), ('-1', '23514'), ('NULL', '23502')) AS v (q, state);
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''requested'' WHERE id = %s', :id), 'RT008', NULL,
	'a return without lines cannot be requested');
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:id, 1, 3);
SELECT throws_ok(format('UPDATE returns.return_line SET quantity = %s WHERE return_id = %s', q, :id), state, NULL,
	'a return line cannot be updated to quantity ' || q)
  FROM (VALUES ('0', '23514'), ('-1', '23514'), ('NULL', '23502'), ('4', 'RT005')) AS v (q, state);
SELECT is(pg_temp.units('b13', 1), '0 reserved, 0 returned of 3', 'refused quantities reserve no unit');

-- One unit, refunded, refunded again while there is money left on the order
SELECT pg_temp.sell('b16', 1, 5), pg_temp.be('buyer:b-b16') \g /dev/null
SELECT is(pg_temp.refund(pg_temp.ask('b16', 1, 1)), 'refunded', 'a return of the only unit is refunded');
SELECT is((SELECT amount - refunded FROM returns.payment WHERE order_ref = 'b16'), 50.00, 'the payment has money left after the only unit is refunded');
SELECT throws_ok(format('SELECT pg_temp.%I(''b16'', 1, 1)', how), 'RT005', NULL, 'a returned unit cannot be returned again by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;

-- Two units, three returns of one
SELECT pg_temp.sell('b17', 2), pg_temp.be('buyer:b-b17') \g /dev/null
SELECT is(pg_temp.refund(pg_temp.ask('b17', 1, 1)), 'refunded', 'the first of two units is returned');
SELECT ok(pg_temp.ask_by_hand('b17', 1, 1) > 0, 'the second of two units can be requested');
SELECT throws_ok(format('SELECT pg_temp.%I(''b17'', 1, 1)', how), 'RT005', NULL, 'a third unit of two cannot be requested by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT is(pg_temp.units('b17', 1), '1 reserved, 1 returned of 2', 'a returned and a requested unit are counted apart');

-- A second request for the same goods while the first is open
SELECT pg_temp.sell('b19', 1), pg_temp.be('buyer:b-b19') \g /dev/null
INSERT INTO returns.return_request (order_ref, reason) VALUES ('b19', 'changed_mind'), ('b19', 'changed_mind');
SELECT min(id) AS one, max(id) AS two FROM returns.return_request WHERE order_ref = 'b19' \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:one, 1, 1), (:two, 1, 1);
SELECT is(pg_temp.units('b19', 1), '0 reserved, 0 returned of 1', 'a draft reserves no units');
SELECT is(returns.act(:one, 'requested'), 'requested', 'the first of two drafts of one unit is requested');
SELECT throws_ok(format('SELECT returns.act(%s, ''requested'')', :two), 'RT005', NULL, 'the second draft of a reserved unit cannot be requested');
SELECT throws_ok(format('SELECT pg_temp.%I(''b19'', 1, 1)', how), 'RT005', NULL, 'a reserved unit cannot be requested by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;

-- Units that were not delivered; more units than were ordered; the order of
-- another buyer
SELECT pg_temp.sell('b20', 2, 2), pg_temp.be('buyer:b-b20') \g /dev/null
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at)
VALUES ('b20', 3, 'b-b20', 's-b20', 'sku', 'clothing', 'kz', 2, 20, 'KZT', '2026-02-25 10:00+05');
SELECT throws_ok(format('SELECT pg_temp.%I(''b20'', 3, 1)', how), 'RT004', NULL, 'an undelivered line cannot be requested by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT throws_ok($$SELECT returns.open_return('b20', '[{"line_no":1,"quantity":1},{"line_no":3,"quantity":1}]', 'changed_mind')$$,
	'RT004', NULL, 'an undelivered line cannot be requested with a delivered one');
SELECT is(pg_temp.units('b20', 1), '0 reserved, 0 returned of 2', 'a refused request reserves no unit of its other lines');
SELECT throws_ok(format('SELECT pg_temp.%I(''b20'', 1, 3)', how), 'RT005', NULL, 'more units than sold cannot be requested by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT throws_ok(format('SELECT pg_temp.%I(''b20'', 9, 1)', how), 'RT010', NULL, 'a line that is not in the order cannot be requested by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT throws_ok(format('SELECT pg_temp.%I(''no-such-order'', 1, 1)', how), 'RT010', NULL, 'a line of an unknown order cannot be requested by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;
SELECT pg_temp.be('buyer:b-b17') \g /dev/null
SELECT throws_ok(format('SELECT pg_temp.%I(''b20'', 1, 1)', how), 'RT002', NULL, 'a line of another buyer cannot be requested by ' || how)
  FROM unnest('{ask,ask_by_hand}'::text[]) AS how;

-- The same item twice in one return
SELECT pg_temp.sell('b28', 5), pg_temp.be('buyer:b-b28') \g /dev/null
SELECT throws_ok($$SELECT returns.open_return('b28', '[{"line_no":1,"quantity":1},{"line_no":1,"quantity":1}]', 'changed_mind')$$,
	'23505', NULL, 'open_return() refuses one line twice');
INSERT INTO returns.return_request (order_ref, reason) VALUES ('b28', 'changed_mind') RETURNING id \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:id, 1, 1);
SELECT throws_ok(format('INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (%s, 1, 1)', :id), '23505', NULL,
	'INSERT refuses a line that the return has already');
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:id, 1, 2)
ON CONFLICT (order_ref, return_id, line_no) DO UPDATE SET quantity = excluded.quantity;
SELECT results_eq(format('SELECT line_no, quantity FROM returns.return_line WHERE return_id = %s', :id), 'VALUES (1, 2)',
	'ON CONFLICT DO UPDATE changes the quantity of a line');

-- Cancelled, and the goods can never be returned again
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
SELECT is(pg_temp.end_by(VARIADIC path::text[]), '1 reserved, 0 returned of 1 -> 0 reserved, 0 returned of 1', 'a return that ends without a refund releases its units: ' || path)
  FROM unnest(ARRAY['{cancelled}', '{approved,cancelled}', '{rejected,request_disputed,closed}',
	'{approved,received,declined,outcome_disputed,closed}', '{approved,in_transit,outcome_disputed,closed}']) AS path;
SELECT is(pg_temp.refund(pg_temp.ask('b55', 1, 1)), 'refunded', 'a unit of cancelled returns can be returned and refunded');

SELECT * FROM finish();
