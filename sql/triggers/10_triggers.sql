-- The triggers on the tables, from the list in sql/functions/15_triggers.sql.
-- PostgreSQL cannot replace a constraint trigger: an existing one stays.

DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT * FROM returns.setup_triggers()
	LOOP
		CONTINUE WHEN t.deferred AND EXISTS (SELECT FROM pg_trigger
			WHERE tgrelid = format('returns.%I', t.tab)::regclass AND tgname = t.name);
		EXECUTE format('CREATE %s TRIGGER %I %s',
			CASE WHEN t.deferred THEN 'CONSTRAINT' ELSE 'OR REPLACE' END, t.name, t.definition);
		IF t.always THEN
			EXECUTE format('ALTER TABLE returns.%I ENABLE ALWAYS TRIGGER %I', t.tab, t.name);
		END IF;
	END LOOP;
END $$;
