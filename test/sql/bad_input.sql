-- Bad input of clients is refused with a SQLSTATE and a hint, and the server stays
-- up.

SET timezone = 'UTC';
SET datestyle = 'ISO, DMY';
SET client_min_messages = warning;
SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';

CREATE FUNCTION said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
	state text;
BEGIN
	EXECUTE statement;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' ', state, message, CASE WHEN detail !~ '^Failing row' THEN '/ ' || nullif(detail, '') END, '/ ' || nullif(hint, ''));
END $$;
CREATE FUNCTION said_each(statement text, VARIADIC bad_values text[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT replace(v, E'\n', ' ') || ' -> ' || said(replace(statement, '?', v)) FROM unnest(bad_values) WITH ORDINALITY AS u (v, n) ORDER BY n
$$;
\pset format unaligned
\pset tuples_only on

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('A', 1, 'b', 's', 'sku', 'books', 'kz', 5, 50, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05');
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at) VALUES ('A', 1, 'card', 50, 'KZT', 'psp', '2026-03-01 10:00+05');
INSERT INTO returns.return_request (id, order_ref, reason) VALUES (1, 'A', 'changed_mind');
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (1, 1, 1);
SELECT setval(pg_get_serial_sequence('returns.return_request', 'id'), 100) \g /dev/null
CREATE FUNCTION place(state text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r bigint := returns.open_return('A', '[{"line_no":1,"quantity":1}]', 'changed_mind');
BEGIN
	PERFORM returns.act(r, s) FROM unnest('{approved,received,refund_due}'::text[]) WITH ORDINALITY AS u (s, n)
	 WHERE n <= coalesce(array_position('{approved,received,refund_due}', state), 0);
	RETURN r;
END $$;
SELECT place('requested') AS requested, place('received') AS received, place('refund_due') AS due \gset

\echo == the facts
SELECT said_each('INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at) VALUES (?)',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 0, 10, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', -1, 10, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', NULL, 10, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 2147483648, 10, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, -10, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, ''NaN'', ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, ''Infinity'', ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10.001, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10.5, ''JPY'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 1e14, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, NULL, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''XXX'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''kzt'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, NULL, ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''mars'', 1, 10, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''none'', ''kz'', 1, 10, ''KZT'', ''2026-03-01''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''infinity''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''-infinity''',
	'''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', NULL',
	''''', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01''',
	'''B'', 1, '''', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01''',
	'''B'', NULL, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01''');
SELECT said_each('INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at, ?)',
	'commission_rate) VALUES (''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01'', 1.1',
	'commission_rate) VALUES (''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01'', -0.1',
	'commission_rate) VALUES (''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01'', ''NaN''',
	'shipping_paid) VALUES (''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01'', -1',
	'shipping_paid) VALUES (''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01'', 0.001',
	'delivered_at) VALUES (''B'', 1, ''b'', ''s'', ''k'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01'', ''infinity''');
SELECT said_each('INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, captured_at) VALUES (?)',
	'''B'', 1, ''card'', -1, ''KZT'', NULL', '''B'', 1, ''card'', ''NaN'', ''KZT'', NULL', '''B'', 1, ''card'', 0.001, ''KZT'', NULL',
	'''B'', 1, ''card'', NULL, ''KZT'', NULL', '''B'', 1, ''card'', 1, ''XXX'', NULL', '''B'', 1, ''card'', 1, ''KZT'', ''infinity''',
	'''B'', 1, NULL, 1, ''KZT'', NULL', '''B'', NULL, ''card'', 1, ''KZT'', NULL', ''''', 1, ''card'', 1, ''KZT'', NULL');
SELECT said_each('UPDATE returns.payment SET chargeback = ? WHERE order_ref = ''A''', '''maybe''', 'NULL', '''''');

\echo == requests
SELECT said_each('INSERT INTO returns.return_request (order_ref, reason, resolution) VALUES (?)',
	'NULL, ''changed_mind'', ''refund''', ''''', ''changed_mind'', ''refund''', '''A'', NULL, ''refund''', '''A'', ''none'', ''refund''', '''A'', '''', ''refund''',
	'''A'', ''changed_mind'', NULL', '''A'', ''changed_mind'', ''gift''', '''A'', ''changed_mind'', ''''');
SELECT said_each('INSERT INTO returns.return_request (order_ref, reason, status) VALUES (''A'', ''changed_mind'', ?)', 'NULL', '''''', '''nowhere''', '''approved''', '''Draft''', ''' draft''');
SELECT said_each('INSERT INTO returns.return_request (order_ref, reason, details) VALUES (''A'', ''changed_mind'', ?)', '''{''', '''evidence''', '''{"a":1''', '''[1]''', '''1''', '''null''');
SELECT said_each('INSERT INTO returns.return_request (id, order_ref, reason) VALUES (?, ''A'', ''changed_mind'')', '1', 'NULL', '9223372036854775808');
SELECT said_each('UPDATE returns.return_request SET ? WHERE id = 1', 'status = NULL', 'status = ''''', 'reason = NULL', 'reason = ''none''', 'resolution = NULL', 'resolution = ''gift''');

\echo == lines
SELECT said_each('INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (?)', '1, 1, 1', '1, 2, 1', '1, NULL, 1', 'NULL, 1, 1', '0, 1, 1', '-1, 1, 1');
SELECT said_each('UPDATE returns.return_line SET quantity = ? WHERE return_id = 1', '0', '-1', 'NULL', '6', '2147483647', '2147483648', '-2147483648');
SELECT said_each(format('UPDATE returns.return_line SET ? WHERE return_id = %s', :received),
	'received = -1', 'received = 2', 'accepted = -1', 'accepted = 2', 'received = 0, accepted = 1', 'deduction = -1', 'deduction = ''NaN''', 'deduction = ''Infinity''',
	'deduction = 0.001', 'deduction = 1e14', 'deduction = 1e30', 'deduction = 11', 'quantity = 2');

\echo == open_return
SELECT said_each('SELECT returns.open_return(?)',
	'NULL, ''[{"line_no":1,"quantity":1}]'', ''changed_mind''', '''A'', NULL, ''changed_mind''', '''A'', ''[{"line_no":1,"quantity":1}]'', NULL',
	'''A'', ''[{"line_no":1,"quantity":1}]'', ''changed_mind'', NULL', '''A'', ''[{"line_no":1,"quantity":1}]'', ''none''',
	'''A'', ''[{"line_no":1,"quantity":1}]'', ''changed_mind'', ''gift''', '''Z'', ''[{"line_no":1,"quantity":1}]'', ''changed_mind''',
	''''', ''[{"line_no":1,"quantity":1}]'', ''changed_mind''',
	'''A'', ''[]'', ''changed_mind''', '''A'', ''{}'', ''changed_mind''', '''A'', ''1'', ''changed_mind''', '''A'', ''null'', ''changed_mind''', '''A'', ''"x"'', ''changed_mind''',
	'''A'', ''[1]'', ''changed_mind''', '''A'', ''[null]'', ''changed_mind''', '''A'', ''[[]]'', ''changed_mind''', '''A'', ''[{}]'', ''changed_mind''', '''A'', ''['', ''changed_mind''',
	'''A'', ''[{"line_no":1}]'', ''changed_mind''', '''A'', ''[{"quantity":1}]'', ''changed_mind''', '''A'', ''[{"line_no":"1","quantity":1}]'', ''changed_mind''',
	'''A'', ''[{"line_no":1,"quantity":null}]'', ''changed_mind''', '''A'', ''[{"line_no":1,"quantity":true}]'', ''changed_mind''',
	'''A'', ''[{"line_no":1,"quantity":{}}]'', ''changed_mind''', '''A'', ''[{"line_no":1,"quantity":1.5}]'', ''changed_mind''', '''A'', ''[{"line_no":1,"quantity":0}]'', ''changed_mind''',
	'''A'', ''[{"line_no":1,"quantity":-1}]'', ''changed_mind''', '''A'', ''[{"line_no":1,"quantity":1e10}]'', ''changed_mind''',
	'''A'', ''[{"line_no":1,"quantity":1e400}]'', ''changed_mind''', '''A'', ''[{"line_no":99,"quantity":1}]'', ''changed_mind''',
	'''A'', ''[{"line_no":1,"quantity":1},{"line_no":1,"quantity":1}]'', ''changed_mind''',
	'''A'', ''[{"line_no":1,"quantity":6}]'', ''changed_mind''', '''A'', ''[{"line_no":1,"quantity":5}]'', ''changed_mind''');

\echo == act, allowed_actions
SELECT said_each('SELECT returns.act(?)', 'NULL, ''approved''', '1, NULL', '0, ''approved''', '-1, ''approved''', '9223372036854775807, ''approved''', '1, ''''', '1, ''nowhere''',
	'1, ''requested'', ''note'', ''[]''', '1, ''requested'', ''note'', ''1''', '1, ''requested'', ''note'', ''null''', '1, ''requested'', ''note'', ''"x"''');
SELECT said_each('SELECT * FROM returns.allowed_actions(?)', '0', '-1', 'NULL');
SELECT said_each('SET returns.actor = ?', '''x''', '''buyer''', '''buyer:''', ''':x''', '''Buyer:x''', '''system''', '''system:x''', '''none:x''', 'repeat');
SELECT said_each('SET returns.clock = ?', '''x''', '''infinity''', '''-infinity''', '''294277-01-01''');
SELECT said_each('SET returns.language = ?', '''EN''', '''x''', '''''', '''en; DROP''');

\echo == money
SELECT said_each('SELECT * FROM returns.claim_refunds(?)', 'NULL', '0', '-1', '1, NULL', '1, ''0''', '1, ''-1 minute''', '1, ''178000000 years''', '1, ''-178000000 years''');
SELECT said_each('SELECT * FROM returns.preview_refund(?)', '0', '-1', 'NULL');
SELECT said_each(format('SELECT returns.grant_refund(%s, ?)', :requested), 'NULL, ''x''', '1, NULL', '1, ''''', '1, '' ''', '0, ''x''', '-1, ''x''', '''NaN'', ''x''', '''Infinity'', ''x''',
	'''-Infinity'', ''x''', '0.001, ''x''', '1e14, ''x''', '1e30, ''x''', '1e-30, ''x''', '1000, ''x''');
SELECT said_each('SELECT returns.grant_refund(?, 1, ''x'')', 'NULL', '0', '-1', '1');
SELECT said_each(format('UPDATE returns.refund SET ? WHERE return_id = %s', :due), 'status = NULL', 'status = ''''', 'status = ''nowhere''', 'status = ''settled''', 'failure = ''x''',
	'amount = 0', 'amount = NULL', 'provider = ''other''', 'attempt = -1');

\echo == terms
SELECT said_each('SELECT returns.deadline(?)', '''infinity'', 1, ''day'', ''kz''', '''-infinity'', 1, ''day'', ''kz''', '''2026-01-01'', -1, ''day'', ''kz''', '''2026-01-01'', 1, ''week'', ''kz''',
	'''2026-01-01'', 1, '''', ''kz''', '''2026-01-01'', 1, ''day'', ''mars''', '''2026-01-01'', 2147483647, ''hour'', ''kz''', '''2026-01-01'', 2147483647, ''year'', ''kz''',
	'''2026-01-01'', 100000, ''business_day'', ''kz''', '''1900-01-01'', 1, ''business_day'', ''kz''', '''294276-12-31'', 1, ''day'', ''kz''', '''4713-01-01 BC'', 1, ''day'', ''kz''');
SELECT said_each('SELECT returns.explain_deadline(?)', '''infinity'', 1, ''day'', ''kz''', '''2026-01-01'', -1, ''day'', ''kz''', '''2026-01-01'', 1, ''week'', ''kz''', '''2026-01-01'', 1, ''day'', ''mars''');
SELECT said_each('SELECT returns.easter(?)', '1582', '10000', '-1', '0', '2147483647');
SELECT said_each('SELECT returns.run_deadlines(?)', 'NULL', '0', '-1');
SELECT said_each('CALL returns.setup(?)', '''mars''', 'NULL', '''kz'', ''mars''', '''''', 'VARIADIC ARRAY[NULL]::text[]', 'VARIADIC ARRAY[ARRAY[''mars'']]');
SELECT said_each('SELECT * FROM returns.eligibility(?)', '''Z''', '''''', '''A'', ''none''', 'NULL');

-- ---------------------------------------------------------------------------
-- Every argument of every function and every column of every table, found in the
-- catalog, with every bad value of its type. Each statement must succeed or be
-- refused. Class XX, 'other' and a message without words are defects.

CREATE TEMP TABLE bad_value (type regtype, value text);
INSERT INTO bad_value SELECT t, v FROM (VALUES
	('bigint'::regtype, ARRAY[$$NULL$$, $$0$$, $$-1$$, $$9223372036854775807$$, $$-9223372036854775808$$]),
	('integer'::regtype, ARRAY[$$NULL$$, $$0$$, $$-1$$, $$2147483647$$, $$-2147483648$$]),
	('numeric'::regtype, ARRAY[$$NULL$$, $$0$$, $$-1$$, $$'NaN'$$, $$'Infinity'$$, $$'-Infinity'$$, $$1e30$$, $$-1e30$$, $$1e-30$$, $$0.001$$, $$99999999999999.99$$]),
	('text'::regtype, ARRAY[$$NULL$$, $$''$$, $$'none'$$, $$'''--'$$, $$repeat('x', 100000)$$, $$E'\u0001'$$, $$U&'\0130'$$]),
	('name'::regtype, ARRAY[$$NULL$$, $$''$$, $$'none'$$]),
	('boolean'::regtype, ARRAY[$$NULL$$, $$true$$, $$false$$]),
	('jsonb'::regtype, ARRAY[$$NULL$$, $$'null'$$, $$'0'$$, $$'"x"'$$, $$'[]'$$, $$'{}'$$, $$'[[[[]]]]'$$, $$'{"evidence":{"evidence":[]}}'$$, $$'[{"line_no":null}]'$$]),
	('timestamptz'::regtype, ARRAY[$$NULL$$, $$'infinity'$$, $$'-infinity'$$, $$'4713-01-01 BC'$$, $$'294276-12-31'$$]),
	('date'::regtype, ARRAY[$$NULL$$, $$'infinity'$$, $$'-infinity'$$, $$'4713-01-01 BC'$$, $$'5874897-12-31'$$]),
	('interval'::regtype, ARRAY[$$NULL$$, $$'0'$$, $$'-1 day'$$, $$'178000000 years'$$]),
	('bytea'::regtype, ARRAY[$$NULL$$, $$''$$, $$'\x00'$$]),
	('text[]'::regtype, ARRAY[$$NULL$$, $$'{}'$$, $$'{NULL}'$$, $$'{none}'$$, $$'{{refund},{exchange}}'$$, $$'[0:1]={a,b}'$$]),
	('integer[]'::regtype, ARRAY[$$NULL$$, $$'{}'$$, $$'{NULL}'$$, $$'{0}'$$, $$'{1,1}'$$, $$'{{6},{7}}'$$]),
	('xid8'::regtype, ARRAY[$$NULL$$, $$'0'$$, $$'18446744073709551615'$$])) AS b (t, vs), unnest(vs) AS v;
-- The values of the arguments that are not varied.
CREATE FUNCTION good_value(name text, type regtype) RETURNS text LANGUAGE sql AS $$
	SELECT CASE name WHEN 'order_ref' THEN '''A''' WHEN 'market' THEN '''kz''' WHEN 'unit' THEN '''day''' WHEN 'reason' THEN '''changed_mind'''
		WHEN 'to_state' THEN '''approved''' WHEN 'machine' THEN '''return''' WHEN 'format' THEN '''dot''' WHEN 'resolution' THEN '''refund'''
		WHEN 'lines' THEN '''[{"line_no":1,"quantity":1}]''' WHEN 'year' THEN '2026'
		ELSE CASE type WHEN 'text'::regtype THEN '''x''' WHEN 'jsonb'::regtype THEN '''{}''' WHEN 'timestamptz'::regtype THEN '''2026-03-10''' WHEN 'boolean'::regtype THEN 'true'
			WHEN 'interval'::regtype THEN '''1 day''' WHEN 'bytea'::regtype THEN '''\x00''' WHEN 'name'::regtype THEN '''x''' WHEN 'date'::regtype THEN '''2026-03-10'''
			WHEN 'text[]'::regtype THEN '''{}''' ELSE '''1''' END END || '::' || type
$$;
CREATE TEMP TABLE tried (statement text, outcome text);
CREATE FUNCTION try(statement text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
BEGIN
	BEGIN
		EXECUTE statement;
		SET CONSTRAINTS ALL IMMEDIATE;
		RAISE EXCEPTION USING ERRCODE = 'P0999';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
	END;
	INSERT INTO tried VALUES (statement, CASE WHEN state = 'P0999' THEN 'accepted'
		WHEN state ~ '^(RT|22|23|39P01|0A000|42501)' AND message ~ '^(Easter|[^A-Z])' THEN 'refused' ELSE state || ' ' || message END);
END $$;
SELECT count(try(format('SELECT * FROM returns.%I(%s)', proname, (
	SELECT string_agg(CASE WHEN n = tried_n THEN value || '::' || t ELSE good_value(proargnames[n], t) END, ', ' ORDER BY n)
	  FROM unnest(proargtypes::oid[]::regtype[]) WITH ORDINALITY AS u (t, n))))) > 200
  FROM pg_proc, unnest(proargtypes::oid[]::regtype[]) WITH ORDINALITY AS a (tried_t, tried_n)
  JOIN bad_value ON type = tried_t
 WHERE pronamespace = 'returns'::regnamespace AND prokind = 'f' AND prorettype <> 'trigger'::regtype;
SELECT count(try(format('UPDATE returns.%I SET %I = %s', relname, attname, value))) > 400
  FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped JOIN bad_value ON type = atttypid
 WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r';
SELECT count(try(format('INSERT INTO returns.%I (%s) VALUES (%s)', relname, (SELECT string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum) FROM pg_attribute c
	WHERE c.attrelid = pg_class.oid AND c.attnum > 0 AND (c.attnotnull AND NOT c.atthasdef AND c.attidentity = '' OR c.attnum = a.attnum)),
	(SELECT string_agg(CASE WHEN c.attnum = a.attnum THEN value ELSE good_value(c.attname, c.atttypid) END, ', ' ORDER BY c.attnum) FROM pg_attribute c
	WHERE c.attrelid = pg_class.oid AND c.attnum > 0 AND (c.attnotnull AND NOT c.atthasdef AND c.attidentity = '' OR c.attnum = a.attnum))))) > 400
  FROM pg_class JOIN pg_attribute a ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped JOIN bad_value ON type = atttypid
 WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r';
-- Trigger functions on other tables than their own.
CREATE TABLE public.foreign_table (a int, id bigint, order_ref text, status text);
CREATE TABLE public.twin (LIKE returns.return_request INCLUDING DEFAULTS);
INSERT INTO public.foreign_table VALUES (1, 1, 'A', 'draft');
INSERT INTO public.twin SELECT * FROM returns.return_request;
CREATE FUNCTION attach(f text, t text, timing text, level text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM try(format('DO $do$ BEGIN CREATE TRIGGER it %s INSERT OR UPDATE OR DELETE ON public.%I FOR EACH %s EXECUTE FUNCTION returns.%I();'
		' %s; END $do$', timing, t, level, f, s))
	  FROM unnest(ARRAY[format('INSERT INTO public.%1$I SELECT * FROM public.%1$I LIMIT 1', t), format('UPDATE public.%I SET order_ref = ''Z'', status = ''approved''', t),
		format('DELETE FROM public.%I', t)]) AS s;
END $$;
SELECT count(attach(proname, t, timing, level)) > 50
  FROM pg_proc, unnest('{foreign_table,twin}'::text[]) AS t, unnest('{BEFORE,AFTER}'::text[]) AS timing, unnest('{ROW,STATEMENT}'::text[]) AS level
 WHERE pronamespace = 'returns'::regnamespace AND prorettype = 'trigger'::regtype;
SELECT outcome || ' <- ' || left(statement, 200) FROM tried WHERE outcome NOT IN ('accepted', 'refused') ORDER BY 1;
SELECT count(*) > 2000, count(*) FILTER (WHERE outcome NOT IN ('accepted', 'refused')) AS defects FROM tried;
SELECT * FROM returns.verify();
\echo == timers that nothing would run
SELECT said_each('INSERT INTO returns.stage_deadline (machine, state, term, unit) VALUES (''refund'', ?, 1, ''day'')', '''sent''');
