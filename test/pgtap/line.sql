-- Permissions on lines: the buyer writes the lines of a draft, and the seller the
-- receipt. The role sees every row, so the trigger must refuse the others.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, n, 'b', 's', 'sku', 'books', 'kz', 2, 20, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM unnest('{draft,requested,in_transit,received,refund_due}'::text[]) AS o, generate_series(1, 2) AS n;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT o, 1, 'card', 40, 'KZT', 'psp', '2026-03-01 10:00+05' FROM unnest('{in_transit,received,refund_due}'::text[]) AS o;
INSERT INTO returns.return_request (order_ref, reason, carrier) VALUES ('draft', 'changed_mind', 'post') RETURNING id AS draft \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:draft, 1, 1);
CREATE FUNCTION pg_temp.take(o text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r bigint := returns.open_return(o, '[{"line_no":1,"quantity":2}]', 'changed_mind');
	path text[] := '{requested,approved,in_transit,received,refund_due}';
BEGIN
	PERFORM returns.act(r, s, details => '{"carrier": "post", "tracking_ref": "T"}') FROM unnest(path[2:array_position(path, o)]) AS s;
END $$;
SELECT pg_temp.take(o) FROM unnest('{requested,in_transit,received,refund_due}'::text[]) AS o \g /dev/null
SELECT set_eq('SELECT order_ref FROM returns.return_request', 'SELECT status FROM returns.return_request', 'every return is in the state that its order is named after');

CREATE ROLE line_all BYPASSRLS;
GRANT USAGE ON SCHEMA returns TO line_all;
GRANT SELECT, INSERT, UPDATE, DELETE ON returns.return_request, returns.return_line TO line_all;
INSERT INTO returns.actor_grant (db_role, actor) SELECT 'line_all', a FROM unnest('{buyer,seller,carrier,provider,operator}'::text[]) AS a;

-- The result of a statement as an actor: rows and events, or a SQLSTATE.
-- Rolled back.
CREATE FUNCTION pg_temp.written(actor text, o text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r bigint := (SELECT id FROM returns.return_request WHERE order_ref = o);
	events int := (SELECT last_seq FROM returns.return_request WHERE order_ref = o);
	n int;
BEGIN
	PERFORM set_config('returns.actor', actor, true), set_config('role', 'line_all', true);
	EXECUTE format(statement, r);
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM set_config('role', 'none', true);
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = (SELECT format('%s row, %s events', n, last_seq - events) FROM returns.return_request WHERE id = r);
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE who (actor text, chooses boolean, counts boolean);
INSERT INTO who VALUES
	('buyer:b', true, false), ('seller:s', false, true), ('operator:o', true, true), ('carrier:post', false, false),
	('buyer:zzz', false, false), ('seller:zzz', false, false), ('carrier:zzz', false, false), ('provider:psp', false, false),
	('buyer:s', false, false), ('seller:b', false, false), ('', false, false);
CREATE TEMP TABLE choice (what text, statement text);
INSERT INTO choice VALUES
	('add a line to', 'INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (%s, 2, 1)'),
	('change the units of', 'UPDATE returns.return_line SET quantity = 3 - quantity WHERE return_id = %s'),
	('remove a line from', 'DELETE FROM returns.return_line WHERE return_id = %s');
CREATE TEMP TABLE outcome (what text, statement text);
INSERT INTO outcome VALUES
	('received', 'UPDATE returns.return_line SET received = 1 WHERE return_id = %s'),
	('accepted', 'UPDATE returns.return_line SET accepted = 1 WHERE return_id = %s'),
	('deduction', 'UPDATE returns.return_line SET deduction = 1 WHERE return_id = %s'),
	('deduction_note', 'UPDATE returns.return_line SET deduction_note = ''scratched'' WHERE return_id = %s'),
	('all counts', 'UPDATE returns.return_line SET received = 2, accepted = 1, deduction = 1, deduction_note = ''one is torn'' WHERE return_id = %s');

SELECT is(pg_temp.written(actor, 'draft', statement), CASE WHEN chooses THEN '1 row, 0 events' ELSE 'RT002' END,
	format('%s %s %s a draft of buyer b', coalesce(nullif(actor, ''), 'no actor'), CASE WHEN chooses THEN 'may' ELSE 'may not' END, what))
  FROM who, choice;
SELECT is(pg_temp.written(actor, o, statement), CASE WHEN counts THEN '1 row, 1 events' ELSE 'RT002' END,
	format('%s %s write %s of a return of seller s that is %s', coalesce(nullif(actor, ''), 'no actor'), CASE WHEN counts THEN 'may' ELSE 'may not' END, what, o))
  FROM who, outcome, unnest('{in_transit,received}'::text[]) AS o;

-- A statement that is too early or too late is so for all actors.
SELECT is(pg_temp.written(actor, o, statement), 'RT007', format('%s may not %s a return that is %s', actor, what, o))
  FROM who, choice, unnest('{requested,received,refund_due}'::text[]) AS o WHERE chooses;
SELECT is(pg_temp.written(actor, o, statement), 'RT007', format('%s may not write %s of a return that is %s', actor, what, o))
  FROM who, outcome, unnest('{draft,requested,refund_due}'::text[]) AS o WHERE counts;

-- Whole rows, as an ORM sends them.
SELECT is(pg_temp.written(actor, o, 'UPDATE returns.return_line SET order_ref = order_ref, return_id = return_id, line_no = line_no, quantity = quantity,
	received = received, accepted = accepted, deduction = deduction, deduction_note = deduction_note, policy_id = policy_id, window_ends_at = window_ends_at,
	refund_goods = refund_goods, refund_fee = refund_fee, refund_shipping = refund_shipping WHERE return_id = %s'), '1 row, 0 events',
	format('%s may send back a whole line of a return that is %s', coalesce(nullif(actor, ''), 'no actor'), o))
  FROM who, unnest('{draft,requested,received,refund_due}'::text[]) AS o;

-- The key of a line: the refusal names the return that the line belongs to.
SELECT throws_ok(format('UPDATE returns.return_line SET %s = %s WHERE return_id = %s', c, v, l.return_id), 'RT007',
	format('column "%s" of a line of return %s cannot be changed', c, l.return_id), format('the column %s of a line cannot be set to %s', c, v))
  FROM (VALUES ('order_ref', 'NULL'), ('return_id', 'NULL'), ('return_id', '4711'), ('line_no', 'NULL'), ('line_no', '2')) AS k (c, v),
	(SELECT min(return_id) FROM returns.return_line) AS l (return_id);

DELETE FROM returns.actor_grant WHERE db_role = 'line_all';
DROP OWNED BY line_all;
DROP ROLE line_all;

SELECT * FROM finish();
