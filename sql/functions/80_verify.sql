-- The audit: the invariants of the tables, checked by set-based queries. There
-- is one function for each subject, and verify() calls all of them. None writes.
-- row_security = off: a query fails where row-level security would hide rows,
-- because an audit that sees only some of the rows reports false violations.
-- jit = off: compiling the long queries takes longer than running them.
-- CTEs are materialized where the planner, which has no statistics about the
-- contents of jsonb, would choose nested loops.

CREATE FUNCTION returns.verify(OUT invariant text, OUT order_ref text, OUT return_id bigint,
	OUT detail text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
DECLARE
	missing text;
	partly text;
BEGIN
	SELECT string_agg(t, ', ') INTO missing
	  FROM unnest('{installation,state,transition,sale_line,payment,return_request,return_line,return_event,refund,ledger_transfer,ledger_entry,ledger_checkpoint,ledger_horizon,ledger_account,currency}'::text[]) AS t
	 WHERE to_regclass('returns.' || t) IS NULL;
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION 'returns is not set up in this database'
			USING ERRCODE = 'RT012', DETAIL = format('Tables missing in the schema returns: %s.', missing),
				HINT = 'Run CALL returns.setup() with the presets you need.';
	END IF;
	SELECT string_agg(c.relname, ', ' ORDER BY c.relname) INTO partly
	  FROM pg_class c
	 WHERE c.relnamespace = 'returns'::regnamespace AND c.relrowsecurity AND row_security_active(c.oid);
	IF partly IS NOT NULL THEN
		RAISE EXCEPTION 'permission denied to verify returns'
			USING ERRCODE = 'insufficient_privilege',
				DETAIL = format('Row-level security hides rows of %s from role "%s".', partly, current_user),
				HINT = 'Run it as the owner of the tables, a member of that role, or a superuser.';
	END IF;

	RAISE DEBUG 'returns.verify: installation';
	RETURN QUERY SELECT * FROM returns.verify_installation();
	IF EXISTS (SELECT FROM pg_extension x JOIN returns.installation i ON i.version = x.extversion
		WHERE x.extname = 'returns') THEN
		RAISE DEBUG 'returns.verify: workflow';
		RETURN QUERY SELECT 'workflow', NULL::text, NULL::bigint,
			format('%s, state %s: %s. %s', w.machine, coalesce(w.state, 'none'), w.defect, w.detail)
		FROM returns.check_workflow() w;
	END IF;
	RAISE DEBUG 'returns.verify: events';
	RETURN QUERY SELECT * FROM returns.verify_events();
	RAISE DEBUG 'returns.verify: requests';
	RETURN QUERY SELECT * FROM returns.verify_requests();
	RAISE DEBUG 'returns.verify: lines';
	RETURN QUERY SELECT * FROM returns.verify_lines();
	RAISE DEBUG 'returns.verify: sales';
	RETURN QUERY SELECT * FROM returns.verify_sales();
	RAISE DEBUG 'returns.verify: refunds';
	RETURN QUERY SELECT * FROM returns.verify_refunds();
	RAISE DEBUG 'returns.verify: money of returns';
	RETURN QUERY SELECT * FROM returns.verify_money();
	RAISE DEBUG 'returns.verify: ledger';
	RETURN QUERY SELECT * FROM returns.verify_ledger();
END
$$;
COMMENT ON FUNCTION returns.verify() IS
'Check all data of the extension: one row for each violated invariant

It returns no row if all invariants hold. The checks are: installation, workflow, events, requests,
lines, sales, refunds, money, ledger. All of them see one snapshot; each is announced at DEBUG1.
Raise work_mem before you call it on big tables.
Errors: 42501 row-level security hides rows from the role; RT012 tables are missing.';

CREATE FUNCTION returns.verify_installation(OUT invariant text, OUT order_ref text,
	OUT return_id bigint, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
WITH wanted AS (
	SELECT * FROM returns.setup_triggers()
), found AS (
	SELECT w.*, t.oid, t.tgenabled,
		replace(pg_get_triggerdef(t.oid), 'CREATE CONSTRAINT TRIGGER', 'CREATE TRIGGER') AS actual,
		format('CREATE TRIGGER %I %s', w.name, w.definition) AS expected
	FROM wanted w
	LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass('returns.' || w.tab) AND t.tgname = w.name
)
SELECT 'trigger', NULL::text, NULL::bigint,
	format('Trigger %s of returns.%s %s.', f.name, f.tab, CASE
		WHEN f.oid IS NULL THEN 'is missing'
		WHEN f.tgenabled = 'D' THEN 'is disabled'
		WHEN f.actual <> f.expected THEN 'differs from the one that setup() creates: ' || f.actual
		WHEN f.always THEN 'does not fire always'
		ELSE 'fires in replica sessions only' END)
FROM found f
WHERE f.oid IS NULL
	OR f.tgenabled NOT IN ('A', CASE WHEN f.always THEN 'A' ELSE 'O' END)
	OR f.actual <> f.expected
UNION ALL
-- a trigger of the extension under another name would do its work twice
SELECT 'trigger', NULL, NULL, format('Trigger %s of %s is not one that setup() creates: %s', t.tgname, t.tgrelid::regclass, pg_get_triggerdef(t.oid))
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid AND c.relnamespace = to_regnamespace('returns')
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'returns'
WHERE NOT EXISTS (SELECT FROM wanted w WHERE w.tab = c.relname AND w.name = t.tgname)
UNION ALL
-- foreign keys are enforced by triggers too
SELECT 'trigger', NULL, NULL, format('Foreign key %s of returns.%s %s.', w.name, w.tab,
	CASE WHEN k.oid IS NULL THEN 'is missing' ELSE 'is not enforced: its triggers are disabled' END)
FROM (VALUES
	('return_line', 'return_line_order_ref_return_id_fkey'),
	('return_line', 'return_line_order_ref_line_no_fkey'),
	('refund', 'refund_order_ref_return_id_fkey'),
	('refund', 'refund_order_ref_payment_no_fkey'),
	('ledger_transfer', 'ledger_transfer_order_ref_return_id_fkey'),
	('ledger_entry', 'ledger_entry_order_ref_return_id_transfer_no_fkey')
) AS w (tab, name)
LEFT JOIN pg_constraint k ON k.conrelid = to_regclass('returns.' || w.tab) AND k.conname = w.name AND k.contype = 'f'
WHERE k.oid IS NULL
	OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled NOT IN ('O', 'A'))
UNION ALL
SELECT 'row_security', NULL, NULL,
	format('returns.%s %s.', t, CASE WHEN c.relrowsecurity THEN 'has no policy returns_parties'
		ELSE 'has row-level security disabled' END)
FROM unnest('{return_request,return_line,return_event,refund,ledger_transfer,ledger_entry,ledger_checkpoint}'::text[]) AS t
JOIN pg_class c ON c.oid = to_regclass('returns.' || t)
WHERE NOT c.relrowsecurity
	OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'returns_parties')
UNION ALL
-- the extension writes all tables as the owner of return_request
SELECT 'table_owner', NULL, NULL,
	format('returns.%s is owned by %s, returns.return_request by %s.', c.relname,
		pg_get_userbyid(c.relowner), pg_get_userbyid(r.relowner))
FROM pg_class c
JOIN pg_class r ON r.oid = to_regclass('returns.return_request') AND r.relowner <> c.relowner
WHERE c.relnamespace = to_regnamespace('returns')
	AND c.relname = ANY ('{installation,currency,calendar,calendar_day,market,category,reason,policy,state,transition,stage_deadline,actor_grant,ledger_account,sale_line,payment,return_line,return_event,refund,ledger_transfer,ledger_entry}')
UNION ALL
SELECT 'child_table', NULL, NULL, format('%s inherits from returns.%s, and no trigger checks its rows.', i.inhrelid::regclass, t)
FROM unnest('{sale_line,payment,return_request,return_line,return_event,refund,ledger_transfer,ledger_entry}'::text[]) AS t
JOIN pg_inherits i ON i.inhparent = to_regclass('returns.' || t)
JOIN pg_class c ON c.oid = i.inhparent AND c.relkind = 'r'
UNION ALL
SELECT 'index', NULL, NULL, format('Index %s of %s is not valid.', i.indexrelid::regclass, i.indrelid::regclass)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = to_regnamespace('returns')
WHERE NOT (i.indisvalid AND i.indisready)
UNION ALL
SELECT 'version', NULL, NULL, CASE WHEN i.version IS NULL THEN 'returns.installation has no row.'
	ELSE format('The tables are of version %s, the extension is of version %s.', i.version, x.extversion) END
FROM pg_extension x
LEFT JOIN returns.installation i ON true
WHERE x.extname = 'returns' AND i.version IS DISTINCT FROM x.extversion
$$;
COMMENT ON FUNCTION returns.verify_installation() IS
'The part of returns.verify() about the objects that returns.setup() creates

Triggers exist, are enabled and unchanged, also those of foreign keys; row-level security is on; all
tables have one owner; no table has children; indexes are valid; one version.';
