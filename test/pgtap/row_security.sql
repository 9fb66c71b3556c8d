-- Visibility of rows: every table with a row-level security policy x every
-- kind of actor, on its own rows, on those of others, without a grant, and on
-- none.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

-- ------------------------------------------------------------------ the data
-- Buyer b1 returns to s1 (carrier post, refunds by psp and bank) and to s2 (dhl,
-- bank); b2 returns to s2 (post, bank) and has a draft.
SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, n, b, s, 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM (VALUES ('b1s1', 'b1', 's1'), ('b1s2', 'b1', 's2'), ('b2s2', 'b2', 's2'), ('draft', 'b2', 's2')) AS v (o, b, s),
	generate_series(1, 2) AS n;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at) VALUES
	('b1s1', 1, 'card', 15, 'KZT', 'psp', '2026-03-01 10:00+05'), ('b1s1', 2, 'card', 5, 'KZT', 'bank', '2026-03-01 10:00+05'),
	('b1s2', 1, 'card', 20, 'KZT', 'bank', '2026-03-01 10:00+05'), ('b2s2', 1, 'card', 20, 'KZT', 'bank', '2026-03-01 10:00+05');
CREATE FUNCTION pg_temp.take(o text, carrier text, VARIADIC path text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r bigint := returns.open_return(o, '[{"line_no":1,"quantity":1},{"line_no":2,"quantity":1}]', 'changed_mind');
BEGIN
	PERFORM returns.act(r, s, details => jsonb_build_object('carrier', carrier, 'tracking_ref', 'T')) FROM unnest(path) AS s;
END $$;
SELECT pg_temp.take('b1s1', 'post', 'approved', 'in_transit', 'received', 'refund_due'),
	pg_temp.take('b1s2', 'dhl', 'approved', 'in_transit', 'received', 'refund_due'),
	pg_temp.take('b2s2', 'post', 'approved', 'in_transit') \g /dev/null
SELECT id FROM returns.claim_refunds(100) \g /dev/null
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-' || id WHERE provider = 'psp';
SELECT returns.checkpoint_balances() \g /dev/null
INSERT INTO returns.return_request (order_ref, reason) VALUES ('draft', 'changed_mind') RETURNING id AS draft \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:draft, 1, 1);

-- Roles that have one grant each.
CREATE ROLE row_security_buyer;
CREATE ROLE row_security_seller;
CREATE ROLE row_security_carrier;
CREATE ROLE row_security_provider;
CREATE ROLE row_security_operator;
CREATE ROLE row_security_none;
CREATE ROLE row_security_b1;
INSERT INTO returns.actor_grant (db_role, actor, ref) VALUES ('row_security_b1', 'buyer', 'b1');
INSERT INTO returns.actor_grant (db_role, actor)
SELECT 'row_security_' || a, a FROM unnest('{buyer,seller,carrier,provider,operator}'::text[]) AS a;
GRANT USAGE ON SCHEMA returns TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA returns TO PUBLIC;

-- ------------------------------------------------------------------ the matrix
-- The count of a query, or the number of rows of a statement, for a role as an
-- actor; for an error its SQLSTATE. Rolled back.
CREATE FUNCTION pg_temp.told(role text, actor text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	n int;
BEGIN
	PERFORM set_config('returns.actor', actor, true), set_config('role', role, true);
	IF query LIKE 'SELECT count%' THEN
		EXECUTE query INTO answer;
	ELSE
		EXECUTE query;
		GET DIAGNOSTICS n = ROW_COUNT;
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = coalesce(answer, n::text);
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE matrix (role text, actor text, return_request int, return_line int, return_event int, refund int,
	ledger_transfer int, ledger_entry int, ledger_checkpoint int);
INSERT INTO matrix VALUES
	('operator', 'operator:o',    4, 7, 21, 3, 6, 12, 6),
	('buyer',    'buyer:b1',      2, 4, 16, 3, 5, 5, 1),
	('buyer',    'buyer:b2',      2, 3, 5, 0, 0, 0, 0),
	('buyer',    'buyer:zzz',     0, 0, 0, 0, 0, 0, 0),
	('buyer',    'buyer:s1',      0, 0, 0, 0, 0, 0, 0),
	('seller',   'seller:s1',     1, 2, 9, 2, 1, 1, 1),
	('seller',   'seller:s2',     2, 4, 11, 1, 1, 1, 1),
	('seller',   'seller:zzz',    0, 0, 0, 0, 0, 0, 0),
	('seller',   'seller:b1',     0, 0, 0, 0, 0, 0, 0),
	('carrier',  'carrier:post',  2, 4, 13, 0, 0, 0, 0),
	('carrier',  'carrier:dhl',   1, 2, 7, 0, 0, 0, 0),
	('carrier',  'carrier:zzz',   0, 0, 0, 0, 0, 0, 0),
	('carrier',  'carrier:psp',   0, 0, 0, 0, 0, 0, 0),
	('provider', 'provider:psp',  0, 0, 0, 1, 0, 0, 0),
	('provider', 'provider:bank', 0, 0, 0, 2, 0, 0, 0),
	('provider', 'provider:zzz',  0, 0, 0, 0, 0, 0, 0),
	('provider', 'provider:post', 0, 0, 0, 0, 0, 0, 0),
	('b1',       'buyer:b1',      2, 4, 16, 3, 5, 5, 1);
INSERT INTO matrix	-- what a role has no grant for
SELECT role, actor, 0, 0, 0, 0, 0, 0, 0
  FROM (VALUES ('none', ''), ('none', 'buyer:b1'), ('none', 'seller:s2'), ('none', 'carrier:post'), ('none', 'provider:bank'), ('none', 'operator:o'),
	('buyer', ''), ('buyer', 'seller:s2'), ('buyer', 'operator:o'), ('seller', ''), ('seller', 'buyer:b1'), ('seller', 'operator:o'),
	('carrier', ''), ('carrier', 'buyer:b1'), ('provider', ''), ('provider', 'operator:o'), ('operator', ''), ('operator', 'buyer:b1'),
	('operator', 'provider:bank'), ('b1', 'buyer:b2'), ('b1', '')) AS v (role, actor);
CREATE TEMP VIEW tables AS
SELECT relname::text AS t FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relrowsecurity;
SELECT set_eq('SELECT t FROM tables', '{return_request,return_line,return_event,refund,ledger_transfer,ledger_entry,ledger_checkpoint}'::text[],
	'the tables with row-level security are those of the matrix');
SELECT is(pg_temp.told('row_security_' || role, actor, format('SELECT count(*) FROM returns.%I', t)), to_jsonb(m) ->> t,
	format('a role with the grant of %s, as %s, sees %s rows of %s', replace(role, 'none', 'nobody'), coalesce(nullif(actor, ''), 'no actor'), to_jsonb(m) ->> t, t))
  FROM matrix AS m, tables;
SELECT is(pg_temp.told('row_security_operator', 'operator:o', format('SELECT count(*) FROM returns.%I', t)),
	pg_temp.told('postgres', '', format('SELECT count(*) FROM returns.%I', t)), format('an operator sees every row of %s that the owner of the tables sees', t))
  FROM tables;

-- ------------------------------------------------- rows of others are not written
-- Statements of other parties find no row; a new row is refused by the rules.
SELECT is(pg_temp.told('row_security_' || role, actor, statement), '0', format('%s finds no row of buyer b1 and seller s1: %s', actor, statement))
  FROM (VALUES ('buyer', 'buyer:b2'), ('seller', 'seller:s2'), ('carrier', 'carrier:dhl'), ('provider', 'provider:zzz'), ('none', 'operator:o')) AS a (role, actor),
	unnest(ARRAY['UPDATE returns.return_request SET note = ''mine'' WHERE order_ref = ''b1s1''',
	'DELETE FROM returns.return_request WHERE order_ref = ''b1s1''',
	'UPDATE returns.return_line SET received = 0 WHERE order_ref = ''b1s1''',
	'DELETE FROM returns.return_line WHERE order_ref = ''b1s1''',
	'UPDATE returns.refund SET status = ''failed'' WHERE order_ref = ''b1s1''']) AS statement;
SELECT is(pg_temp.told('row_security_' || role, actor, 'INSERT INTO returns.return_request (order_ref, reason) VALUES (''b1s1'', ''changed_mind'')'), 'RT002',
	format('%s, with the grant of %s, begins no return of buyer b1', actor, replace(role, 'none', 'no actor')))
  FROM (VALUES ('buyer', 'buyer:b2'), ('seller', 'seller:s1'), ('carrier', 'carrier:post'), ('provider', 'provider:psp'), ('none', 'buyer:b1'),
	('b1', 'buyer:b2')) AS a (role, actor);
SELECT is(pg_temp.told('row_security_buyer', 'buyer:b1', format('INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (%s, 2, 1)', :draft)), 'RT002',
	'a buyer adds no line to the draft of another');
SELECT is(pg_temp.told('row_security_buyer', 'buyer:b2', format('INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (%s, 2, 1)', :draft)), '1',
	'a buyer adds a line to its own draft');
SELECT is(pg_temp.told('row_security_carrier', 'carrier:post', 'UPDATE returns.return_request SET carrier = ''dhl'' WHERE order_ref = ''b2s2'''), '42501',
	'a carrier does not hand a return over to where it would not see it any more');
SELECT is(pg_temp.told('row_security_carrier', 'carrier:dhl', 'SELECT returns.act(id, ''received'') FROM returns.return_request WHERE order_ref = ''b2s2'''), '0',
	'a carrier does not find the return that another carries');

SET returns.actor = 'operator:o';
DELETE FROM returns.actor_grant WHERE db_role LIKE 'row\_security\_%';
DROP OWNED BY row_security_buyer, row_security_seller, row_security_carrier, row_security_provider, row_security_operator, row_security_none, row_security_b1;
DROP ROLE row_security_buyer, row_security_seller, row_security_carrier, row_security_provider, row_security_operator, row_security_none, row_security_b1;

SELECT * FROM finish();
