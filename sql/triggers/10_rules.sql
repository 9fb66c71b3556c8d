-- Every change of a rule makes every session read the rules anew. ALWAYS, so
-- that rules which arrive by logical replication take effect too. 00_: before the
-- foreign keys carry a renamed code on, whose triggers must know it already.

DO $$
DECLARE
	rule_table text;
BEGIN
	FOREACH rule_table IN ARRAY ARRAY['installation', 'currency', 'calendar', 'calendar_day',
		'market', 'category', 'reason', 'policy', 'state', 'transition', 'stage_deadline',
		'actor_grant']
	LOOP
		EXECUTE format('CREATE OR REPLACE TRIGGER "00_returns_rules_changed"'
			' AFTER INSERT OR UPDATE OR DELETE ON returns.%I'
			' FOR EACH ROW EXECUTE FUNCTION returns.rules_changed()', rule_table);
		EXECUTE format('CREATE OR REPLACE TRIGGER "00_returns_rules_truncated"'
			' AFTER TRUNCATE ON returns.%I'
			' FOR EACH STATEMENT EXECUTE FUNCTION returns.rules_changed()', rule_table);
		EXECUTE format('ALTER TABLE returns.%I ENABLE ALWAYS TRIGGER "00_returns_rules_changed"', rule_table);
		EXECUTE format('ALTER TABLE returns.%I ENABLE ALWAYS TRIGGER "00_returns_rules_truncated"', rule_table);
	END LOOP;
END $$;
