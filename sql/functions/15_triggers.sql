-- The triggers that setup() creates and verify() expects: one list for both.

-- The definition is spelled as pg_get_triggerdef() prints it, because verify()
-- compares the two as text.  The rules of the names:
-- 00_	AFTER ROW triggers fire in the order of their names: these fire before the
--		triggers of foreign keys (RI_...) and of users, which may write to the
--		same row again or read rules that have just changed.
-- zz_	BEFORE ROW triggers fire in the same order: these fire after those of
--		users and see the row as it will be stored.
-- always	fires in replica sessions too, so that rules which arrive by logical
--		replication take effect.
CREATE FUNCTION returns.setup_triggers(OUT tab text, OUT name text, OUT deferred boolean,
	OUT always boolean, OUT definition text)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 70
SET search_path = pg_catalog, pg_temp
AS $$
SELECT t.tab, t.name, t.clause LIKE '%DEFERRED%', starts_with(t.name, '00_returns_rules_'),
	format('%s ON returns.%I %sFOR EACH %s EXECUTE FUNCTION returns.%s', t.event, t.tab, t.clause, t.level, t.call)
FROM (
	-- every change of a rule makes every session read the rules again
	SELECT r.tab, v.* FROM unnest('{installation,currency,calendar,calendar_day,market,category,reason,policy,state,transition,stage_deadline,actor_grant}'::text[]) AS r (tab),
	(VALUES
		('00_returns_rules_changed', 'AFTER INSERT OR DELETE OR UPDATE', '', 'ROW', 'rules_changed()'),
		('00_returns_rules_truncated', 'AFTER TRUNCATE', '', 'STATEMENT', 'rules_changed()')) AS v
	UNION ALL
	-- the facts that the shop supplies
	VALUES
	('sale_line', 'zz_returns_sale_line', 'BEFORE INSERT OR DELETE OR UPDATE', '', 'ROW', 'sale_line_row()'),
	('sale_line', 'zz_returns_sale_line_truncate', 'BEFORE TRUNCATE', '', 'STATEMENT', 'protected()'),
	('payment', 'zz_returns_payment', 'BEFORE INSERT OR DELETE OR UPDATE', '', 'ROW', 'payment_row()'),
	('payment', 'zz_returns_payment_truncate', 'BEFORE TRUNCATE', '', 'STATEMENT', 'protected()'),
	-- a policy is checked before a row by its own content, after a statement by
	-- its effect on the other policies and on existing sales
	('policy', 'returns_policy_lock', 'BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE', '', 'STATEMENT', 'policy_lock()'),
	('policy', 'zz_returns_policy', 'BEFORE INSERT OR UPDATE', '', 'ROW', 'policy_row()'),
	('policy', 'zz_returns_policy_inserted', 'AFTER INSERT', 'REFERENCING NEW TABLE AS written ', 'STATEMENT', 'policy_changed()'),
	('policy', 'zz_returns_policy_updated', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS replaced NEW TABLE AS written ', 'STATEMENT', 'policy_changed()'),
	('policy', 'zz_returns_policy_deleted', 'AFTER DELETE', 'REFERENCING OLD TABLE AS replaced ', 'STATEMENT', 'policy_changed()'),
	-- the process
	('return_request', 'zz_returns_request', 'BEFORE INSERT OR DELETE OR UPDATE', '', 'ROW', 'request_row()'),
	('return_request', 'zz_returns_request_inserted', 'AFTER INSERT', '', 'ROW', 'request_row()'),
	('return_request', 'zz_returns_request_flush', 'AFTER INSERT OR UPDATE', '', 'STATEMENT', 'journal_flush()'),
	('return_request', 'zz_returns_request_truncate', 'BEFORE TRUNCATE', '', 'STATEMENT', 'protected()'),
	('return_line', 'zz_returns_line', 'BEFORE INSERT OR DELETE OR UPDATE', '', 'ROW', 'line_row()'),
	('return_line', 'zz_returns_line_truncate', 'BEFORE TRUNCATE', '', 'STATEMENT', 'protected()'),
	('return_event', 'zz_returns_event', 'BEFORE INSERT OR DELETE OR UPDATE', '', 'ROW', 'protected()'),
	('return_event', 'zz_returns_event_truncate', 'BEFORE TRUNCATE', '', 'STATEMENT', 'protected()'),
	-- money: refunds are moved by reports, the ledger is written by the extension alone
	('refund', 'zz_returns_refund', 'BEFORE INSERT OR UPDATE', '', 'ROW', 'refund_row()'),
	('refund', '00_returns_refund_booked', 'AFTER UPDATE', '', 'ROW', 'refund_booked()'),
	('refund', 'zz_returns_refund_protected', 'BEFORE DELETE OR TRUNCATE', '', 'STATEMENT', 'protected()'),
	('ledger_transfer', 'zz_returns_ledger_transfer', 'BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE', '', 'STATEMENT', 'protected()'),
	('ledger_entry', 'zz_returns_ledger_entry', 'BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE', '', 'STATEMENT', 'protected()'),
	('ledger_checkpoint', 'zz_returns_ledger_checkpoint', 'BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE', '', 'STATEMENT', 'protected(''kept'')'),
	('ledger_horizon', 'zz_returns_ledger_horizon', 'BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE', '', 'STATEMENT', 'protected(''kept'')'),
	-- the rules of the DBA: a row is checked at once by its own content, the
	-- workflow as a whole when the transaction commits
	('installation', 'zz_returns_installation', 'BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE', '', 'STATEMENT', 'installation_guard()')
	UNION ALL
	SELECT r.tab, '00_returns_' || r.tab, 'AFTER INSERT OR DELETE OR UPDATE', '', 'ROW', 'rule_row()'
	FROM unnest('{stage_deadline,market,category,reason,currency}'::text[]) AS r (tab)
	UNION ALL
	SELECT r.tab, 'returns_rule_lock', 'BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE', '', 'STATEMENT', 'rule_lock()'
	FROM unnest('{state,transition,stage_deadline,category}'::text[]) AS r (tab)
	UNION ALL
	SELECT r.tab, v.* FROM unnest('{state,transition,stage_deadline}'::text[]) AS r (tab),
	(VALUES
		('00_returns_workflow', 'AFTER INSERT OR DELETE OR UPDATE', 'DEFERRABLE INITIALLY DEFERRED ', 'ROW', 'workflow_checked()'),
		('00_returns_workflow_truncated', 'AFTER TRUNCATE', '', 'STATEMENT', 'workflow_checked()')) AS v
) AS t (tab, name, event, clause, level, call)
$$;
COMMENT ON FUNCTION returns.setup_triggers() IS
'The triggers that setup() creates and verify() expects

One row for each trigger: its table, its name, whether it is a deferred constraint trigger, whether
it fires in replica sessions too, and its definition as pg_get_triggerdef() prints it, without
CREATE TRIGGER and the name. Internal.';
