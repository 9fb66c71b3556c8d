-- Every role may create triggers on its own tables with the trigger functions
-- of the extension. There they fail or do nothing, and lock no table of the
-- extension.
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

SELECT * FROM finish();
