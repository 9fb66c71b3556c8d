-- Edits that move nothing: which actor may write which column of a return. The
-- role sees every row, so the trigger must refuse other actors.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM unnest('{draft,open,ended}'::text[]) AS o;
INSERT INTO returns.return_request (order_ref, reason) VALUES ('draft', 'changed_mind') RETURNING id AS draft \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:draft, 1, 1);
SELECT returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'changed_mind') FROM unnest('{open,ended}'::text[]) AS o \g /dev/null
UPDATE returns.return_request SET carrier = 'post', tracking_ref = 'T' WHERE order_ref IN ('open', 'ended');
UPDATE returns.return_request SET status = 'cancelled' WHERE order_ref = 'ended';

CREATE ROLE edit_all BYPASSRLS;
CREATE ROLE edit_own;
GRANT USAGE ON SCHEMA returns, tap TO edit_all, edit_own;
GRANT SELECT, UPDATE ON returns.return_request, returns.return_line TO edit_all, edit_own;
INSERT INTO returns.actor_grant (db_role, actor)
SELECT r, a FROM unnest('{edit_all,edit_own}'::text[]) AS r, unnest('{buyer,seller,carrier,provider,operator}'::text[]) AS a;

-- The result of an edit as an actor: its rows, the values of the return, and the
-- events; or a SQLSTATE. Rolled back.
CREATE FUNCTION pg_temp.edited(role text, actor text, o text, sets text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	was returns.return_request;
	new returns.return_request;
	n int;
BEGIN
	SELECT * INTO was FROM returns.return_request WHERE order_ref = o;
	PERFORM set_config('returns.clock', '2026-03-10 13:00+05', true), set_config('returns.actor', actor, true), set_config('role', role, true);
	EXECUTE format('UPDATE returns.return_request SET %s WHERE order_ref = %L', sets, o);
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM set_config('role', 'none', true);
	SELECT * INTO new FROM returns.return_request WHERE order_ref = o;
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = format('%s row, %s, %s events', n, CASE WHEN new = was THEN 'unchanged'
		WHEN new.updated_at = returns.now() THEN 'changed' ELSE 'changed without updated_at' END, new.last_seq - was.last_seq);
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE who (actor text, open boolean, draft boolean);	-- a party to which of them
INSERT INTO who VALUES
	('buyer:b', true, true), ('seller:s', true, false), ('carrier:post', true, false), ('operator:o', true, true),
	('buyer:zzz', false, false), ('seller:zzz', false, false), ('carrier:zzz', false, false), ('provider:psp', false, false),
	('buyer:s', false, false), ('seller:b', false, false), ('carrier:b', false, false), ('provider:post', false, false), ('', false, false);
-- The carrier zzz would make itself a party by the value zzz.
CREATE TEMP TABLE edit (col text, sets text, only_draft boolean);
INSERT INTO edit VALUES
	('note', 'note = ''zzz''', false), ('details', 'details = ''{"zzz": 1}''', false), ('carrier', 'carrier = ''zzz''', false),
	('tracking_ref', 'tracking_ref = ''zzz''', false), ('carrier and tracking_ref', 'carrier = ''zzz'', tracking_ref = ''zzz''', false),
	('reason', 'reason = ''defective''', true), ('resolution', 'resolution = ''exchange''', true);
SELECT is(pg_temp.edited('edit_all', actor, 'open', sets), CASE WHEN only_draft THEN 'RT007' WHEN open THEN '1 row, changed, 0 events' ELSE 'RT002' END,
	format('%s %s write %s of an open return of buyer b, seller s and carrier post', coalesce(nullif(actor, ''), 'no actor'),
	CASE WHEN open AND NOT only_draft THEN 'may' ELSE 'may not' END, col))
  FROM who, edit;
SELECT is(pg_temp.edited('edit_all', actor, 'ended', sets), CASE WHEN open THEN '1 row, changed, 0 events' ELSE 'RT002' END,
	format('%s %s write %s of a return that has ended', coalesce(nullif(actor, ''), 'no actor'), CASE WHEN open THEN 'may' ELSE 'may not' END, col))
  FROM who, edit WHERE NOT only_draft;
SELECT is(pg_temp.edited('edit_all', actor, 'draft', sets), CASE WHEN draft THEN '1 row, changed, 0 events' ELSE 'RT002' END,
	format('%s %s write %s of a draft of buyer b', coalesce(nullif(actor, ''), 'no actor'), CASE WHEN draft THEN 'may' ELSE 'may not' END, col))
  FROM who, edit;

-- With the rights of an ordinary client, an actor that is no party does not
-- find the row.
SELECT is(pg_temp.edited('edit_own', actor, 'open', sets), '0 row, unchanged, 0 events', format('%s does not see the open return to write its %s', coalesce(nullif(actor, ''), 'no actor'), col))
  FROM who, edit WHERE NOT open AND NOT only_draft;
SELECT is(pg_temp.edited('edit_own', actor, 'open', 'note = ''zzz'''), '1 row, changed, 0 events', format('%s sees the open return and writes its note', actor))
  FROM who WHERE open;

-- A statement that changes nothing is no edit, for any actor.
SELECT is(pg_temp.edited('edit_all', actor, 'open', 'note = note, details = details, carrier = carrier, tracking_ref = tracking_ref, reason = reason'),
	'1 row, unchanged, 0 events', format('%s may send back what the return already says', coalesce(nullif(actor, ''), 'no actor')))
  FROM who;
-- An edit that empties a column is an edit.
SELECT is(pg_temp.edited('edit_all', actor, 'open', 'tracking_ref = NULL'), CASE WHEN open THEN '1 row, changed, 0 events' ELSE 'RT002' END,
	format('%s %s remove the tracking number of an open return', coalesce(nullif(actor, ''), 'no actor'), CASE WHEN open THEN 'may' ELSE 'may not' END))
  FROM who;
-- An actor that is no party does not become one by the statement that moves
-- the return.
SELECT is(pg_temp.edited('edit_all', actor, 'open', 'status = ''in_transit'', carrier = ''zzz'', tracking_ref = ''zzz'''), outcome,
	format('%s tries to move a return of carrier post and to become its carrier: %s', actor, outcome))
  FROM (VALUES ('carrier:zzz', 'RT002'), ('buyer:zzz', 'RT002'), ('buyer:b', 'RT001')) AS v (actor, outcome);
-- If one of many rows is of another party, none is written.
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('other', 1, 'other', 's', 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05');
SELECT returns.open_return('other', '[{"line_no":1,"quantity":1}]', 'changed_mind') \g /dev/null
SET ROLE edit_all;
SET returns.actor = 'buyer:b';
SELECT throws_ok('UPDATE returns.return_request SET note = ''all'' WHERE order_ref IN (''open'', ''other'')', 'RT002', NULL, 'an edit of many rows is refused when one of them is of another buyer');
RESET ROLE;
SET returns.actor = 'operator:o';
SELECT is(count(*), 0::bigint, 'an edit of many rows that was refused for one of them has written none') FROM returns.return_request WHERE note = 'all';

-- The key of a return cannot change; the refusal names the return.
SELECT throws_ok(format('UPDATE returns.return_request SET %s = %s WHERE id = %s', c, v, :draft), 'RT007',
	format('column "%s" of return %s cannot be changed', c, :draft), format('the column %s of a return cannot be set to %s', c, v))
  FROM (VALUES ('id', 'NULL'), ('id', '4711'), ('order_ref', 'NULL'), ('order_ref', '''open''')) AS k (c, v);

DELETE FROM returns.actor_grant WHERE db_role LIKE 'edit\_%';
DROP OWNED BY edit_all, edit_own;
DROP ROLE edit_all, edit_own;

SELECT * FROM finish();
