-- open_return(): its arguments, its keys, and the rows of a call; a refused call
-- leaves none. test/sql/bad_input.sql has malformed lines.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, n, b, 's', 'sku', 'books', 'kz', 9, 90, 'KZT', '2026-03-01 10:00+05', d
  FROM (VALUES ('o1', 'b', '2026-03-08 10:00+05'::timestamptz), ('o2', 'b', '2026-03-08 10:00+05'), ('o3', 'other', '2026-03-08 10:00+05'),
	('late', 'b', '2026-01-08 10:00+05'), ('unsent', 'b', NULL)) AS v (o, b, d), generate_series(1, 3) AS n;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT DISTINCT order_ref, 1, 'card', 270, 'KZT', 'psp', '2026-03-01 10:00+05'::timestamptz FROM returns.sale_line;

CREATE ROLE open_return_buyer;
CREATE ROLE open_return_reader;
GRANT USAGE ON SCHEMA returns TO open_return_buyer, open_return_reader;
GRANT SELECT ON returns.return_request, returns.return_line TO open_return_buyer, open_return_reader;
GRANT INSERT, UPDATE ON returns.return_request TO open_return_buyer;
GRANT INSERT ON returns.return_line TO open_return_buyer;
INSERT INTO returns.actor_grant (db_role, actor, ref) VALUES ('open_return_buyer', 'buyer', 'b'), ('open_return_reader', 'buyer', 'b');

-- The result of a call of a role as an actor: "new" or "old" return, or a
-- SQLSTATE. It is not rolled back.
CREATE FUNCTION pg_temp.opened(role text, actor text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	last bigint := (SELECT coalesce(max(id), 0) FROM returns.return_request);
	r bigint;
BEGIN
	PERFORM set_config('returns.actor', actor, true), set_config('role', role, true);
	EXECUTE format('SELECT returns.open_return(%s)', arguments) INTO r;
	PERFORM set_config('role', 'none', true), set_config('returns.actor', 'operator:o', true);
	RETURN CASE WHEN r > last THEN 'new' ELSE 'old' END;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE FUNCTION pg_temp.open(arguments text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.opened('postgres', 'operator:o', arguments) $$;

-- ------------------------------------------------------------- rows of a call
SELECT returns.open_return('o1', '[{"line_no":2,"quantity":2},{"line_no":1,"quantity":1}]', 'defective', 'exchange', 'broken', 'first', '{"evidence":["photo"]}') AS id \gset
SELECT is((SELECT jsonb_build_object('status', status, 'order', order_ref, 'reason', reason, 'resolution', resolution, 'note', note, 'key', idempotency_key,
		'details', details, 'buyer', buyer_ref, 'seller', seller_ref, 'requested', requested_at = returns.now(), 'hash', length(content_hash))
	FROM returns.return_request WHERE id = :id),
	'{"status": "requested", "order": "o1", "reason": "defective", "resolution": "exchange", "note": "broken", "key": "first",
	"details": {"evidence": ["photo"]}, "buyer": "b", "seller": "s", "requested": true, "hash": 32}', 'open_return() writes its arguments by position');
SELECT results_eq(format('SELECT line_no, quantity FROM returns.return_line WHERE return_id = %s ORDER BY line_no', :id), 'VALUES (1, 1), (2, 2)',
	'open_return() writes every line with its units');
SELECT results_eq(format('SELECT seq, from_state, to_state, note, details FROM returns.return_event WHERE return_id = %s ORDER BY seq', :id),
	$$ VALUES (1, NULL, 'draft', 'broken', '{"evidence": ["photo"]}'::jsonb), (2, 'draft', 'requested', 'broken', '{"evidence": ["photo"]}') $$,
	'open_return() makes an event of the draft and one of the request, both with note and details');
SELECT returns.open_return(order_ref => 'o1', reason => 'changed_mind', lines => '[{"line_no":3,"quantity":1}]') AS id \gset
SELECT is((SELECT jsonb_build_object('resolution', resolution, 'note', note, 'key', idempotency_key, 'details', details, 'hash', content_hash) FROM returns.return_request WHERE id = :id),
	'{"resolution": "refund", "note": null, "key": null, "details": null, "hash": null}', 'open_return() without its optional arguments asks for a refund, and says nothing more');

-- ------------------------------------------------------------------- NULL arguments
SELECT is(pg_temp.open(arguments), outcome, 'open_return() ' || what)
  FROM (VALUES
	('requires an order', 'NULL, ''[{"line_no":1,"quantity":1}]'', ''defective''', '22004'),
	('requires lines', '''o1'', NULL, ''defective''', '22004'),
	('requires a reason', '''o1'', ''[{"line_no":1,"quantity":1}]'', NULL', '22004'),
	('requires a resolution, if one is given', '''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'', NULL', '22004'),
	('takes NULL for no note, no key and no details', '''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'', ''refund'', NULL, NULL, NULL', 'new'),
	('takes an empty note', '''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'', note => ''''', 'new'),
	('refuses an empty key', '''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'', idempotency_key => ''''', '22023'),
	('refuses details that are no object', '''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'', details => ''[1]''', '22023'),
	('refuses an unknown order', '''none'', ''[{"line_no":1,"quantity":1}]'', ''defective''', 'RT010'),
	('refuses an unknown line', '''o1'', ''[{"line_no":4,"quantity":1}]'', ''defective''', 'RT010'),
	('refuses an unknown reason', '''o1'', ''[{"line_no":1,"quantity":1}]'', ''none''', 'RT010'),
	('refuses an unknown resolution', '''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'', ''repair''', 'RT010'),
	('refuses more units than were bought', '''o1'', ''[{"line_no":1,"quantity":10}]'', ''defective''', 'RT005'),
	('refuses what was not delivered', '''unsent'', ''[{"line_no":1,"quantity":1}]'', ''defective''', 'RT004'),
	('refuses what comes too late', '''late'', ''[{"line_no":1,"quantity":1}]'', ''changed_mind''', 'RT003')) AS v (what, arguments, outcome);

-- ------------------------------------------------------- lines that do not agree
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('open_return', 'UTC', 'kz', 'KZT');
INSERT INTO returns.policy (market, seller_ref, window_term, resolutions) VALUES ('open_return', 's', 14, '{refund}');
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT 'mixed', n, b, s, 'sku', 'books', m, 1, 10, c, '2026-03-10 12:00+05', '2026-03-10 12:00+05'
  FROM (VALUES (1, 'b', 's', 'kz', 'KZT'), (2, 'b', 's', 'kz', 'KZT'), (3, 'b', 'other', 'kz', 'KZT'), (4, 'b', 's', 'kz', 'EUR'),
	(5, 'other', 's', 'kz', 'KZT'), (6, 'b', 's', 'open_return', 'KZT')) AS v (n, b, s, m, c);
SELECT is(pg_temp.open(format('''mixed'', ''[{"line_no":1,"quantity":1},{"line_no":%s,"quantity":1}]'', ''defective''', n)), 'RT004',
	format('open_return() refuses lines of different %s', what))
  FROM (VALUES (3, 'sellers'), (4, 'currencies'), (5, 'buyers'), (6, 'markets')) AS v (n, what);
SELECT is(pg_temp.open('''mixed'', ''[{"line_no":6,"quantity":1}]'', ''defective'', ''exchange'''), 'RT004',
	'open_return() refuses a resolution that the policy does not offer');
SELECT is(pg_temp.open('''mixed'', ''[{"line_no":6,"quantity":1}]'', ''defective'', ''refund'''), 'new',
	'open_return() takes the resolution that the policy offers');
SELECT is(pg_temp.open('''mixed'', ''[{"line_no":1,"quantity":1},{"line_no":2,"quantity":1}]'', ''defective'''), 'new',
	'open_return() takes lines of one seller, buyer, market and currency');

-- ---------------------------------------------------------------- keys of the lines
SELECT is(pg_temp.open(format('''o2'', %L, ''defective'', idempotency_key => ''lines''', lines)), outcome, format('with one key, lines %s are %s', lines, what))
  FROM (VALUES
	(1, '[{"line_no":1,"quantity":2},{"line_no":2,"quantity":1}]', 'new', 'a new return'),
	(2, '[{"line_no":1,"quantity":2},{"line_no":2,"quantity":1}]', 'old', 'the same call'),
	(3, '[{"line_no":2,"quantity":1},{"line_no":1,"quantity":2}]', 'old', 'the same call in another order'),
	(4, '[{"quantity":2.0,"line_no":1},{"line_no":2,"quantity":1}]', 'old', 'the same call with a number written otherwise'),
	(5, '[{"line_no":1,"quantity":2,"colour":"red"},{"line_no":2,"quantity":1}]', 'old', 'the same call with a key that is not known'),
	(6, '[{"line_no":1,"quantity":1},{"line_no":2,"quantity":2}]', 'RT011', 'another call'),
	(7, '[{"line_no":1,"quantity":2}]', 'RT011', 'another call'),
	(8, '[{"line_no":1,"quantity":2},{"line_no":2,"quantity":1},{"line_no":3,"quantity":1}]', 'RT011', 'another call'),
	(9, '[{"line_no":1,"qty":2},{"line_no":2,"quantity":1}]', '22023', 'refused, because a key is misspelt')) AS v (n, lines, outcome, what)
 ORDER BY n;
SELECT is(count(*), 1::bigint, 'all calls with one key have made one return') FROM returns.return_request WHERE idempotency_key = 'lines';

-- ------------------------------------------------------------------ idempotency
CREATE TEMP TABLE call (arguments text);
INSERT INTO call VALUES ('''o2'', ''[{"line_no":3,"quantity":1}]'', ''defective'', ''refund'', ''why'', ''key'', ''{"a": 1, "b": [2]}''');
SELECT is(pg_temp.open(arguments), 'new', 'a call with a new key opens a return') FROM call;
SELECT id AS first FROM returns.return_request WHERE idempotency_key = 'key' \gset
SELECT is(pg_temp.open(arguments), 'old', 'a repeated call opens nothing') FROM call;
SELECT is(pg_temp.open(replace(arguments, '{"a": 1, "b": [2]}', '{"b":[2],"a":1}')), 'old', 'a repeated call may write the same details in another order') FROM call;
SELECT is(pg_temp.open(replace(arguments, this, that)), 'RT011', format('a call with the same key is another call with %s for %s', that, this))
  FROM call, (VALUES ('''o2''', '''o1'''), ('"line_no":3', '"line_no":2'), ('"quantity":1', '"quantity":2'), ('defective', 'wrong_item'), ('''refund''', '''exchange'''),
	('''why''', '''other'''), ('''why''', ''''''), ('''why''', 'NULL'), ('"a": 1', '"a": 2'), ('''{"a": 1, "b": [2]}''', 'NULL'), ('''{"a": 1, "b": [2]}''', '''{}''')) AS v (this, that);
SELECT is(pg_temp.open(replace(arguments, '''o2''', '''o3''')), 'new', 'the same key is another one for the order of another buyer') FROM call;
SELECT is(pg_temp.open(replace(arguments, '''key''', '''KEY''')), 'new', 'a key with other letters is another one') FROM call;
SELECT is(pg_temp.opened('open_return_buyer', 'buyer:b', arguments), 'old', 'a repeated call by the buyer finds what an operator has opened with its key') FROM call;
SELECT returns.act(:first, 'rejected', 'no') \g /dev/null
SELECT is(pg_temp.open(arguments), 'old', 'a repeated call finds its return also when it has moved') FROM call;
SELECT is((SELECT status FROM returns.return_request WHERE id = :first), 'rejected', 'a repeated call does not move the return');

SELECT is(pg_temp.open('''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'', idempotency_key => ''null'''), 'new', 'a call without a note opens a return');
SELECT is(pg_temp.open('''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'', note => '''', idempotency_key => ''null'''), 'RT011',
	'an empty note is not the same as none to a repeated call');

-- A call that was refused has not used its key.
CREATE TEMP TABLE before AS SELECT (SELECT count(*) FROM returns.return_request) AS requests, (SELECT count(*) FROM returns.return_line) AS lines,
	(SELECT count(*) FROM returns.return_event) AS events, (SELECT sum(reserved) FROM returns.sale_line) AS reserved;
SELECT is(pg_temp.open('''o1'', ''[{"line_no":1,"quantity":1},{"line_no":4,"quantity":1}]'', ''defective'', idempotency_key => ''again'''), 'RT010',
	'a call with a line that does not exist is refused');
SELECT is(pg_temp.open('''o1'', ''[{"line_no":1,"quantity":1},{"line_no":2,"quantity":9}]'', ''defective'', idempotency_key => ''again'''), 'RT005',
	'a call with more units than are left is refused');
SELECT results_eq('TABLE before', 'SELECT (SELECT count(*) FROM returns.return_request), (SELECT count(*) FROM returns.return_line),
	(SELECT count(*) FROM returns.return_event), (SELECT sum(reserved) FROM returns.sale_line)', 'a call that was refused leaves no draft, no line, no event and no reserved unit');
SELECT is(pg_temp.open('''o1'', ''[{"line_no":1,"quantity":1},{"line_no":2,"quantity":1}]'', ''defective'', idempotency_key => ''again'''), 'new',
	'the key of a call that was refused may be used again, with other content');

-- A draft that a client inserts with a key is not the return of a call.
INSERT INTO returns.return_request (order_ref, reason, idempotency_key) VALUES ('o1', 'defective', 'by hand');
SELECT is(pg_temp.open('''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'', idempotency_key => ''by hand'''), 'RT011',
	'a key that a plain INSERT has used is refused, because what it asked for is not known');

-- -------------------------------------------------------------------- rights
SELECT is(pg_temp.opened(role, actor, format('%L, ''[{"line_no":1,"quantity":1}]'', ''defective''', o)), outcome,
	format('%s, as %s, opens a return of order %s: %s', role, coalesce(nullif(actor, ''), 'no actor'), o, outcome))
  FROM (VALUES
	('open_return_buyer', 'buyer:b', 'o1', 'new'), ('open_return_buyer', 'buyer:b', 'o3', 'RT002'), ('open_return_buyer', 'buyer:other', 'o3', 'RT002'),
	('open_return_buyer', 'operator:o', 'o1', 'RT002'), ('open_return_buyer', '', 'o1', 'RT002'), ('open_return_reader', 'buyer:b', 'o1', '42501'),
	('app', 'buyer:other', 'o3', 'new'), ('app', 'buyer:b', 'o3', 'RT002'), ('app', 'seller:s', 'o1', 'RT002'), ('app', 'carrier:post', 'o1', 'RT002'),
	('app', 'provider:psp', 'o1', 'RT002'), ('app', 'operator:o', 'o1', 'new'), ('app', '', 'o1', 'RT002')) AS v (role, actor, o, outcome);
SELECT is(pg_temp.opened('app', actor, replace(arguments, '''o2''', '''o3''')), outcome, format('%s repeats a call of buyer other with its key: %s', actor, outcome))
  FROM call, (VALUES ('buyer:other', 'old'), ('operator:o', 'old'), ('buyer:b', 'RT002')) AS v (actor, outcome);
SELECT is((SELECT actor || ':' || actor_ref || ' ' || db_role FROM returns.return_event WHERE to_state = 'requested' ORDER BY return_id DESC LIMIT 1), 'operator:o app',
	'the event of the request names the actor and the role that called');

CREATE POLICY open_return_hidden ON returns.return_request AS RESTRICTIVE FOR UPDATE TO open_return_buyer USING (false);
SELECT is(pg_temp.opened('open_return_buyer', 'buyer:b', '''o1'', ''[{"line_no":1,"quantity":1}]'', ''defective'''), 'RT002',
	'open_return() is refused when a row-level security policy hides the new return from who opens it');
DROP POLICY open_return_hidden ON returns.return_request;

DELETE FROM returns.actor_grant WHERE db_role LIKE 'open\_return\_%';
DROP OWNED BY open_return_buyer, open_return_reader;
DROP ROLE open_return_buyer, open_return_reader;

SELECT * FROM finish();
