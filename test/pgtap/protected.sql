-- What nobody may write, the superuser included: computed columns, history,
-- the ledger. And what a refusal says of itself.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';

CREATE FUNCTION pg_temp.sell(o text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, currency, purchased_at, delivered_at)
	SELECT o, n, 'b', 's', 'sku', 'books', 'kz', 2, 20, 'KZT', '2026-03-01 10:00+05', CASE n WHEN 1 THEN timestamptz '2026-03-08 10:00+05' END
	  FROM generate_series(1, 2) AS n;
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, provider_ref, captured_at)
	VALUES (o, 1, 'card', 40, 'KZT', 'psp', 'c-' || o, '2026-03-01 10:00+05');
$$;
SELECT pg_temp.sell(o) FROM unnest('{draft,open,due,free}'::text[]) AS o \g /dev/null
INSERT INTO returns.return_request (order_ref, reason) VALUES ('draft', 'changed_mind') RETURNING id AS draft \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:draft, 1, 1);
SELECT returns.open_return('open', '[{"line_no":1,"quantity":1}]', 'changed_mind', idempotency_key => 'k') AS open,
	returns.open_return('due', '[{"line_no":1,"quantity":1}]', 'changed_mind') AS due \gset
SELECT returns.act(:due, s) FROM unnest('{approved,received,refund_due}'::text[]) AS s \g /dev/null
SELECT id FROM returns.claim_refunds(10) \g /dev/null
UPDATE returns.refund SET status = 'failed', failure = 'no' \g /dev/null

-- ------------------------------------------------------------ every column
-- Another value than it has.
CREATE FUNCTION pg_temp.other(type regtype, col text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE type
		WHEN 'boolean'::regtype THEN format('NOT coalesce(%I, false)', col)
		WHEN 'text'::regtype THEN '''other'''
		WHEN 'text[]'::regtype THEN '''{other}'''
		WHEN 'bytea'::regtype THEN '''\x00'''
		WHEN 'jsonb'::regtype THEN '''{"other": 1}'''
		WHEN 'timestamptz'::regtype THEN '''2020-01-01'''
		ELSE '''77''' END
$$;
CREATE FUNCTION pg_temp.columns(t regclass, except_for text[]) RETURNS TABLE (col text, other text) LANGUAGE sql AS $$
	SELECT attname, pg_temp.other(atttypid::regtype, attname)
	  FROM pg_attribute WHERE attrelid = t AND attnum > 0 AND NOT attisdropped AND attname <> ALL (except_for) ORDER BY attnum
$$;
SELECT throws_ok(format('UPDATE returns.return_request SET %I = %s WHERE id = %s', col, other, r), 'RT007', NULL,
	format('request in state %s: %s', state, col))
  FROM (VALUES (:draft, 'draft', '{status,note,details,carrier,tracking_ref,reason,resolution}'::text[]),
	(:open, 'requested', '{status,note,details,carrier,tracking_ref}'), (:due, 'refund_due', '{status,note,details,carrier,tracking_ref}')) AS v (r, state, own),
	pg_temp.columns('returns.return_request', own);
SELECT throws_ok(format('UPDATE returns.return_request SET %I = NULL WHERE id = %s', col, :due), 'RT007', NULL, 'request: no ' || col)
  FROM pg_temp.columns('returns.return_request', '{status,note,details,carrier,tracking_ref}'),
	(SELECT to_jsonb(r) AS row FROM returns.return_request r WHERE id = :due) AS v
 WHERE row -> col <> 'null';
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''approved'', %I = %s WHERE id = %s', col, other, :open), 'RT007', NULL,
	'request moved: ' || col)
  FROM pg_temp.columns('returns.return_request', '{status,note,details,carrier,tracking_ref}');
SELECT throws_ok(format('INSERT INTO returns.return_request (order_ref, reason, %I) VALUES (''free'', ''changed_mind'', %s)', col,
	CASE other WHEN format('NOT coalesce(%I, false)', col) THEN 'true' ELSE other END), 'RT007', NULL, 'a new request: ' || col)
  FROM pg_temp.columns('returns.return_request', '{id,order_ref,status,note,details,carrier,tracking_ref,reason,resolution,idempotency_key}');
SELECT throws_ok(format('UPDATE returns.return_line SET %I = %s WHERE return_id = %s', col, other, r), 'RT007', NULL,
	format('line in state %s: %s', state, col))
  FROM (VALUES (:draft, 'draft', '{quantity}'::text[]), (:open, 'requested', '{}'), (:due, 'refund_due', '{}')) AS v (r, state, own),
	pg_temp.columns('returns.return_line', own);
SELECT throws_ok(format('INSERT INTO returns.return_line (return_id, line_no, quantity, %I) VALUES (%s, 2, 1, %s)', col, :draft, other), 'RT007', NULL,
	'a new line: ' || col)
  FROM pg_temp.columns('returns.return_line', '{order_ref,return_id,line_no,quantity}');
SELECT throws_ok(format('UPDATE returns.sale_line SET %I = %s WHERE order_ref = ''due'' AND line_no = 1', col, other), 'RT007', NULL,
	'a sale that a return rests on: ' || col)
  FROM pg_temp.columns('returns.sale_line', '{}');
SELECT throws_ok(format('UPDATE returns.payment SET %I = %s WHERE order_ref = ''due''', col, other), 'RT007', NULL,
	'a payment that a refund rests on: ' || col)
  FROM pg_temp.columns('returns.payment', '{refund_rank,chargeback}');
SELECT throws_ok(format('UPDATE returns.%s SET %I = 77 WHERE order_ref = ''free''', t, col), 'RT007', NULL, format('%s, unused: %s', t, col))
  FROM (VALUES ('sale_line', 'reserved'), ('sale_line', 'returned'), ('sale_line', 'refunded'), ('payment', 'refunded')) AS v (t, col);
SELECT throws_ok(format('UPDATE returns.refund SET %I = %s WHERE return_id = %s', col, other, :due), 'RT007', NULL, 'a refund: ' || col)
  FROM pg_temp.columns('returns.refund', '{status,provider_ref,failure}');
SELECT lives_ok($$ UPDATE returns.sale_line SET delivered_at = '2026-03-09 10:00+05' WHERE order_ref = 'due' AND line_no = 2 $$,
	'a delivery may still be filled in');

-- --------------------------------------------------- history and the ledger
SELECT throws_ok(format(statement, t), 'RT007', NULL, format(statement, t))
  FROM unnest('{return_event,ledger_transfer,ledger_entry}'::text[]) AS t,
	unnest(ARRAY['UPDATE returns.%s SET order_ref = order_ref', 'DELETE FROM returns.%s', 'TRUNCATE returns.%s CASCADE',
	'INSERT INTO returns.%1$s SELECT * FROM returns.%1$s LIMIT 1',
	'INSERT INTO returns.%1$s SELECT * FROM returns.%1$s LIMIT 1 ON CONFLICT DO NOTHING',
	'MERGE INTO returns.%1$s t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE',
	'WITH gone AS (DELETE FROM returns.%s RETURNING *) SELECT count(*) FROM gone']) AS statement;
SELECT throws_ok(format('TRUNCATE returns.%s CASCADE', t), 'RT007', NULL, 'TRUNCATE ' || t)
  FROM unnest('{sale_line,payment,return_request,return_line,refund}'::text[]) AS t;
SELECT throws_ok('TRUNCATE returns.currency CASCADE', 'RT007', NULL, 'nor by the tables that they refer to');
SELECT throws_ok(format('DELETE FROM returns.return_request WHERE id = %s', r), 'RT007', NULL, 'DELETE of a return in state ' || state)
  FROM (VALUES (:open, 'requested'), (:due, 'refund_due')) AS v (r, state);
SELECT throws_ok(format('DELETE FROM returns.return_line WHERE return_id = %s', r), 'RT007', NULL, 'DELETE of lines in state ' || state)
  FROM (VALUES (:open, 'requested'), (:due, 'refund_due')) AS v (r, state);
SELECT throws_ok(format('DELETE FROM returns.%s WHERE order_ref = ''due''', t), 'RT007', NULL, 'DELETE from ' || t)
  FROM unnest('{refund,payment,sale_line}'::text[]) AS t;
SELECT throws_ok($$ INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency, idempotency_key, created_at)
	SELECT order_ref, return_id, payment_no, amount, currency, 'mine', created_at FROM returns.refund LIMIT 1 $$, 'RT007', NULL, 'INSERT of a refund');
SELECT lives_ok(format('DELETE FROM returns.return_request WHERE id = %s', :draft), 'a draft may go');
SELECT is_empty(format('SELECT seq::text FROM returns.return_event WHERE return_id = %1$s UNION ALL SELECT line_no::text FROM returns.return_line WHERE return_id = %1$s',
	:draft), 'and its lines and history with it');

-- Nor behind the extension's own statements.
CREATE FUNCTION public.intrude() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE tg_argv[0];
	RETURN new;
END $$;
CREATE FUNCTION pg_temp.with_trigger(timing text, event text, t text, body text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER intruder %s %s ON returns.%s FOR EACH ROW EXECUTE FUNCTION public.intrude(%L)', timing, event, t, body);
	EXECUTE statement;
	RAISE EXCEPTION USING ERRCODE = 'P0999';
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN 'done';
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.with_trigger(timing, event, t, body, format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open)),
	'RT007', format('from a trigger %s %s of %s: %s', timing, event, t, body))
  FROM (VALUES ('BEFORE', 'UPDATE', 'return_request'), ('AFTER', 'UPDATE', 'return_request'), ('AFTER', 'INSERT', 'return_event')) AS v (timing, event, t),
	unnest(ARRAY['DELETE FROM returns.return_event', 'UPDATE returns.return_event SET note = ''mine''',
	'INSERT INTO returns.return_event SELECT * FROM returns.return_event LIMIT 1', 'UPDATE returns.sale_line SET reserved = 2',
	'UPDATE returns.payment SET refunded = 1', 'DELETE FROM returns.ledger_entry']) AS body;
SELECT is(pg_temp.with_trigger('AFTER', 'UPDATE', 'sale_line', body, format('SELECT returns.act(%s, ''cancelled'')', :open)),
	'RT007', 'from a trigger on what the extension writes: ' || body)
  FROM unnest(ARRAY['DELETE FROM returns.return_event', 'UPDATE returns.payment SET refunded = 1',
	'UPDATE returns.return_request SET last_seq = 9', 'INSERT INTO returns.ledger_entry SELECT * FROM returns.ledger_entry LIMIT 1']) AS body;
SELECT is(pg_temp.with_trigger('BEFORE', 'UPDATE', 'return_request', 'SELECT 1', format('SELECT returns.act(%s, ''approved'')', :open)),
	'done', 'a trigger that minds its own business is welcome');
CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.last_seq := 99; RETURN new; END $$;
CREATE TRIGGER zzz_meddle BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.meddle();
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open), 'RT007', NULL, 'nobody has the last word after the rules');
ALTER TRIGGER zzz_meddle ON returns.return_request RENAME TO meddle;
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''approved'', last_seq = last_seq WHERE id = %s', :open), 'RT007', NULL,
	'who comes before them is held to them');
DROP TRIGGER meddle ON returns.return_request;
DROP FUNCTION public.meddle(), public.intrude();

-- ------------------------------------------------------------------ evidence
CREATE FUNCTION pg_temp.with_evidence(details text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.reason SET evidence_required = true WHERE code = 'defective';
	UPDATE returns.transition SET requires = '{evidence}' WHERE machine = 'return' AND from_state = 'requested' AND to_state = 'approved';
	PERFORM returns.open_return('free', '[{"line_no":1,"quantity":1}]', 'defective', details => details::jsonb);
	PERFORM returns.act(id, 'approved') FROM returns.return_request WHERE order_ref = 'free';
	RAISE EXCEPTION USING ERRCODE = 'P0999';
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN 'done';
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.with_evidence(details), CASE WHEN good THEN 'done' WHEN details ~ '^[^{]' THEN '22023' ELSE 'RT008' END, 'evidence: ' || coalesce(details, 'nothing'))
  FROM (VALUES (NULL, false), ('{}', false), ('[]', false), ('null', false), ('"evidence"', false), ('7', false), ('["evidence"]', false),
	('{"evidence": null}', false), ('{"evidence": []}', false), ('{"evidence": {}}', false), ('{"evidence": "photo"}', false),
	('{"evidence": 1}', false), ('{"Evidence": [1]}', false), ('{"evidence": {"0": 1}}', false),
	('{"evidence": ["photo"]}', true), ('{"a": 1, "evidence": [{"url": "x"}], "z": []}', true)) AS v (details, good);

-- ------------------------------------------------------- what a refusal says
CREATE TEMP TABLE said (why text, state text, message text, detail text, hint text, tab text, col text, sch text);
CREATE FUNCTION pg_temp.say(why text, actor text, clock text, statement text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	s said;
BEGIN
	PERFORM set_config('returns.actor', actor, false), set_config('returns.clock', clock, false);
	BEGIN
		EXECUTE statement;
		s.state := 'done';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS s.state = RETURNED_SQLSTATE, s.message = MESSAGE_TEXT, s.detail = PG_EXCEPTION_DETAIL,
			s.hint = PG_EXCEPTION_HINT, s.tab = TABLE_NAME, s.col = COLUMN_NAME, s.sch = SCHEMA_NAME;
	END;
	PERFORM set_config('returns.actor', 'operator:o', false), set_config('returns.clock', '2026-03-10 12:00+05', false);
	s.why := why;
	INSERT INTO said SELECT s.*;
END $$;
CREATE TEMP TABLE refusal (why text, state text, tab text, col text, actor text, clock text, statement text);
INSERT INTO refusal VALUES
	('no such edge', 'RT001', 'return_request', 'status', 'operator:o', NULL, format('SELECT returns.act(%s, ''received'')', :open)),
	('no such beginning', 'RT001', 'return_request', 'status', 'operator:o', NULL, 'INSERT INTO returns.return_request (order_ref, reason, status) VALUES (''free'', ''defective'', ''approved'')'),
	('no actor', 'RT002', '', '', '', NULL, format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open)),
	('another party', 'RT002', 'return_request', 'status', 'seller:x', NULL, format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open)),
	('not this actor', 'RT002', 'return_request', 'status', 'buyer:b', NULL, format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open)),
	('another''s order', 'RT002', 'return_request', 'order_ref', 'buyer:x', NULL, 'INSERT INTO returns.return_request (order_ref, reason) VALUES (''free'', ''defective'')'),
	('stage over', 'RT003', 'return_request', 'due_at', 'seller:s', '2026-03-20 12:00+05', format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open)),
	('window over', 'RT003', 'return_request', '', 'operator:o', '2026-06-01 12:00+05', 'SELECT returns.open_return(''free'', ''[{"line_no":1,"quantity":1}]'', ''changed_mind'')'),
	('not delivered', 'RT004', 'return_request', '', 'operator:o', NULL, 'SELECT returns.open_return(''free'', ''[{"line_no":2,"quantity":1}]'', ''changed_mind'')'),
	('too many units', 'RT005', 'return_line', 'quantity', 'operator:o', NULL, 'SELECT returns.open_return(''free'', ''[{"line_no":1,"quantity":3}]'', ''changed_mind'')'),
	('units taken', 'RT005', 'return_request', '', 'operator:o', NULL, 'SELECT returns.open_return(''open'', ''[{"line_no":1,"quantity":2}]'', ''changed_mind'')'),
	('too much money', 'RT006', 'payment', 'refunded', 'operator:o', NULL, format('SELECT returns.grant_refund(%s, 1000, ''because'')', :open)),
	('computed column', 'RT007', 'return_request', 'due_at', 'operator:o', NULL, format('UPDATE returns.return_request SET due_at = NULL WHERE id = %s', :open)),
	('history', 'RT007', 'return_event', '', 'operator:o', NULL, 'DELETE FROM returns.return_event'),
	('a return deleted', 'RT007', 'return_request', '', 'operator:o', NULL, format('DELETE FROM returns.return_request WHERE id = %s', :open)),
	('no note', 'RT008', 'return_request', 'note', 'seller:s', NULL, format('SELECT returns.act(%s, ''rejected'')', :open)),
	('a note of blanks', 'RT008', 'return_request', 'note', 'seller:s', NULL, format('SELECT returns.act(%s, ''rejected'', '' '')', :open)),
	('a rule refused', 'RT009', 'policy', '', 'operator:o', NULL, 'INSERT INTO returns.policy (market, fault, seller_ref, returnable, window_term, valid_from) VALUES (''kz'', ''none'', ''s'', true, 1, ''2026-04-01'')'),
	('unknown state', 'RT010', 'return_request', 'status', 'operator:o', NULL, format('UPDATE returns.return_request SET status = ''nowhere'' WHERE id = %s', :open)),
	('unknown return', 'RT010', 'return_request', 'id', 'operator:o', NULL, 'SELECT returns.act(0, ''approved'')'),
	('unknown order', 'RT010', 'return_request', 'order_ref', 'operator:o', NULL, 'INSERT INTO returns.return_request (order_ref, reason) VALUES (''none'', ''defective'')'),
	('unknown reason', 'RT010', 'return_request', 'reason', 'operator:o', NULL, 'INSERT INTO returns.return_request (order_ref, reason) VALUES (''free'', ''none'')'),
	('unknown resolution', 'RT010', 'return_request', 'resolution', 'operator:o', NULL, 'INSERT INTO returns.return_request (order_ref, reason, resolution) VALUES (''free'', ''defective'', ''none'')'),
	('key reused', 'RT011', '', '', 'operator:o', NULL, 'SELECT returns.open_return(''open'', ''[{"line_no":1,"quantity":2}]'', ''changed_mind'', idempotency_key => ''k'')'),
	('no status', '23502', 'return_request', 'status', 'operator:o', NULL, format('UPDATE returns.return_request SET status = NULL WHERE id = %s', :open));
SELECT pg_temp.say(why, actor, coalesce(clock, '2026-03-10 12:00+05'), statement) FROM refusal \g /dev/null
SELECT is(s.state, r.state, why || ': SQLSTATE') FROM refusal r JOIN said s USING (why);
SELECT is(format('%s.%s.%s', s.sch, s.tab, s.col), format('%s.%s.%s', CASE r.tab WHEN '' THEN '' ELSE 'returns' END, r.tab, r.col),
	why || ': what it is about') FROM refusal r JOIN said s USING (why);
SELECT matches(s.message, '^[^A-Z].*[^.]$', why || ': message: ' || s.message) FROM said s;
SELECT matches(s.detail, '^(["A-Z0-9]|returns\.).*\.$', why || ': detail: ' || s.detail) FROM said s WHERE state LIKE 'RT%';
SELECT matches(s.hint, '^["A-Z0-9].*\.$', why || ': hint: ' || s.hint) FROM said s;

-- Everybody may put our trigger functions on tables of his own: there they
-- refuse, or do nothing and lock nothing of ours.
CREATE ROLE protected_other;
GRANT USAGE ON SCHEMA returns TO protected_other;
GRANT CREATE ON SCHEMA public TO protected_other;
CREATE FUNCTION pg_temp.fired(function name, moment text, event text, level text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	locked text;
BEGIN
	CREATE TABLE public.own (code text, machine text, kind text);
	INSERT INTO public.own VALUES ('received', 'return', 'open');
	EXECUTE format('CREATE TRIGGER t %s %s ON public.own FOR EACH %s EXECUTE FUNCTION returns.%I()', moment, event, level, function);
	CASE event
		WHEN 'INSERT' THEN INSERT INTO public.own VALUES ('draft', 'return', 'initial');
		WHEN 'UPDATE' THEN UPDATE public.own SET code = 'other';
		WHEN 'DELETE' THEN DELETE FROM public.own;
		ELSE TRUNCATE public.own;
	END CASE;
	SELECT string_agg(DISTINCT format('%s on %s', l.mode, l.relation::regclass), ', ') INTO locked FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
	 WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'returns'::regnamespace AND l.mode <> 'AccessShareLock';
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = coalesce(locked, 'nothing');
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE misused (function name, tried text);
GRANT INSERT ON misused TO protected_other;
SET ROLE protected_other;
INSERT INTO misused SELECT proname, pg_temp.fired(proname, moment, event, level)
  FROM pg_proc, unnest('{BEFORE,AFTER}'::text[]) AS moment, unnest('{INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) AS event,
	unnest('{ROW,STATEMENT}'::text[]) AS level
 WHERE pronamespace = 'returns'::regnamespace AND prorettype = 'trigger'::regtype AND NOT (event = 'TRUNCATE' AND level = 'ROW');
RESET ROLE;
SELECT ok(array_agg(DISTINCT tried) <@ '{39P01,RT007,nothing}', format('%s on another''s table: %s', function, string_agg(DISTINCT tried, ', ')))
  FROM misused GROUP BY function ORDER BY function;
DROP OWNED BY protected_other;
DROP ROLE protected_other;

SELECT * FROM finish();
