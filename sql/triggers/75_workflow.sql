-- What the DBA defines: a row is refused at once by its own content, the
-- workflow as a whole when the transaction commits.

CREATE OR REPLACE TRIGGER zz_returns_installation
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON returns.installation
	FOR EACH STATEMENT EXECUTE FUNCTION returns.installation_guard();

-- 00_: the triggers of one row fire in the order of their names, and this one
-- before those of the foreign keys (RI_...), which would say less.
DO $$
DECLARE
	rule_table text;
BEGIN
	FOREACH rule_table IN ARRAY ARRAY['stage_deadline', 'market', 'category', 'reason', 'currency']
	LOOP
		EXECUTE format('CREATE OR REPLACE TRIGGER %I'
			' AFTER INSERT OR UPDATE OR DELETE ON returns.%I'
			' FOR EACH ROW EXECUTE FUNCTION returns.rule_row()', '00_returns_' || rule_table, rule_table);
	END LOOP;
	FOREACH rule_table IN ARRAY ARRAY['state', 'transition', 'stage_deadline', 'category']
	LOOP
		EXECUTE format('CREATE OR REPLACE TRIGGER returns_rule_lock'
			' BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON returns.%I'
			' FOR EACH STATEMENT EXECUTE FUNCTION returns.rule_lock()', rule_table);
	END LOOP;
	FOREACH rule_table IN ARRAY ARRAY['state', 'transition', 'stage_deadline']
	LOOP
		IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = '00_returns_workflow'
			AND tgrelid = format('returns.%I', rule_table)::regclass)
		THEN
			EXECUTE format('CREATE CONSTRAINT TRIGGER "00_returns_workflow"'
				' AFTER INSERT OR UPDATE OR DELETE ON returns.%I'
				' DEFERRABLE INITIALLY DEFERRED'
				' FOR EACH ROW EXECUTE FUNCTION returns.workflow_checked()', rule_table);
		END IF;
		EXECUTE format('CREATE OR REPLACE TRIGGER "00_returns_workflow_truncated"'
			' AFTER TRUNCATE ON returns.%I'
			' FOR EACH STATEMENT EXECUTE FUNCTION returns.workflow_checked()', rule_table);
	END LOOP;
END $$;
