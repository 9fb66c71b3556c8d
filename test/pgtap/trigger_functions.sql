-- Every role may put the trigger functions of the extension on its own tables.
-- There they fail or do nothing, and lock no table of the extension. On the tables
-- of the extension they refuse to fire at another moment than setup() makes them for.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

CREATE ROLE trigger_other;
GRANT USAGE ON SCHEMA returns TO trigger_other;
GRANT CREATE ON SCHEMA public TO trigger_other;
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
GRANT INSERT ON misused TO trigger_other;
SET ROLE trigger_other;
INSERT INTO misused SELECT proname, pg_temp.fired(proname, moment, event, level)
  FROM pg_proc, unnest('{BEFORE,AFTER}'::text[]) AS moment, unnest('{INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) AS event,
	unnest('{ROW,STATEMENT}'::text[]) AS level
 WHERE pronamespace = 'returns'::regnamespace AND prorettype = 'trigger'::regtype AND NOT (event = 'TRUNCATE' AND level = 'ROW');
RESET ROLE;
SELECT ok(array_agg(DISTINCT tried) <@ '{39P01,RT007,nothing}', format('trigger function %s on a table of another role does no harm: %s', function, string_agg(DISTINCT tried, ', ')))
  FROM misused GROUP BY function ORDER BY function;
DROP OWNED BY trigger_other;
DROP ROLE trigger_other;

-- A row of every table that they guard, for triggers FOR EACH ROW.
\ir ../harness/refunds.sql
SET returns.actor = 'operator:o';
SET returns.clock = '2026-03-02 10:00+05';
SELECT pg_temp.sell('T-1', 1, 1, 60), pg_temp.pay('T-1', 1, 60), pg_temp.decide('T-1', 1, 1) \g /dev/null
CREATE FUNCTION pg_temp.misplaced(function name, tab regclass, moment text, level text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	-- "!" sorts before all other triggers
	EXECUTE format('CREATE TRIGGER "!" %s UPDATE ON %s FOR EACH %s EXECUTE FUNCTION returns.%I()', moment, tab, level, function);
	EXECUTE format('UPDATE %s SET %2$I = %2$I', tab, (SELECT attname FROM pg_attribute WHERE attrelid = tab AND attnum = 1));
	RAISE EXCEPTION USING ERRCODE = 'P0999';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
-- rule_lock() and workflow_checked() do the same at every moment.
WITH made AS (
	SELECT p.proname AS function, t.tgrelid::regclass AS tab,
		CASE WHEN t.tgtype & 2 <> 0 THEN 'BEFORE' ELSE 'AFTER' END AS moment, CASE WHEN t.tgtype & 1 <> 0 THEN 'ROW' ELSE 'STATEMENT' END AS level
	  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.pronamespace = 'returns'::regnamespace AND p.proname NOT IN ('rule_lock', 'workflow_checked')
), others AS (
	SELECT DISTINCT function, tab, m AS moment, l AS level FROM made, unnest('{BEFORE,AFTER}'::text[]) AS m, unnest('{ROW,STATEMENT}'::text[]) AS l
	EXCEPT SELECT * FROM made
)
SELECT is(string_agg(format('%s %s on %s: %s', moment, level, tab, outcome), ', ') FILTER (WHERE outcome NOT IN ('39P01', 'RT007')), NULL,
		format('trigger function %s refuses an UPDATE when it fires %s on the table of the extension that it is made for', function,
			string_agg(DISTINCT moment || ' ' || level, ' or ')))
  FROM others, LATERAL (SELECT pg_temp.misplaced(function, tab, moment, level) AS outcome) AS o GROUP BY function ORDER BY function;

CREATE FUNCTION pg_temp.without_rows(moment text, transition_tables text, statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER "!" %s ON returns.policy %s FOR EACH STATEMENT EXECUTE FUNCTION returns.policy_changed()', moment, transition_tables);
	EXECUTE statement;
	RAISE EXCEPTION USING ERRCODE = 'P0999';
END $$;
SELECT throws_ok(format('SELECT pg_temp.without_rows(%L, %L, %L)', moment, transition_tables, statement), '39P01', NULL,
	format('policy_changed() refuses to serve a trigger %s that shows it no %s', moment, hidden))
FROM (VALUES
	('AFTER INSERT', '', 'INSERT INTO returns.policy SELECT * FROM returns.policy WHERE false', 'new rows'),
	('AFTER UPDATE', 'REFERENCING OLD TABLE AS o', 'UPDATE returns.policy SET id = id WHERE false', 'new rows'),
	('AFTER UPDATE', 'REFERENCING NEW TABLE AS n', 'UPDATE returns.policy SET id = id WHERE false', 'old rows'),
	('AFTER DELETE', '', 'DELETE FROM returns.policy WHERE false', 'old rows')) AS t (moment, transition_tables, statement, hidden);

-- Its triggers go with the schema, but it is looked for by its name.
SELECT throws_ok(format('ALTER SCHEMA returns RENAME TO trigger_moved; UPDATE trigger_moved.%I SET %2$I = %2$I', tab, col), '39P01', NULL,
	format('a change of %s is refused while the schema has another name', tab))
FROM (VALUES ('market', 'timezone'), ('policy', 'source'), ('installation', 'epoch')) AS t (tab, col);

SELECT * FROM finish();
