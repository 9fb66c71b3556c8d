/*-------------------------------------------------------------------------
 *
 * workflow_check.c
 *		check_workflow(), and the same check when an edit of the workflow commits.
 *
 * A workflow is edited in many statements and only whole can it be sound: so
 * it is checked when the transaction commits, by a deferred constraint trigger
 * that judges everything at its first firing and nothing at the next ones,
 * until a rule changes again.  Editors of the workflow take turns, else two
 * edits could each be sound and both together not.
 *
 * src/definitions/workflow_check.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "definitions/rule_change.h"
#include "funcapi.h"
#include "rules/cache/cache.h"
#include "rules/workflow/silence.h"
#include "rules/workflow/soundness.h"
#include "rules/workflow/workflow.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"

#define DEFECTS_TOLD 5			/* in the detail of an error */

/* ---- defects ---- */

static Machine
machine_of(const char *code)
{
	return strcmp(code, machine_name(MACHINE_REFUND)) == 0 ? MACHINE_REFUND : MACHINE_RETURN;
}

/* What names a state that does not exist: the cache does not hold it. */
static List *
unknown_states(List *defects)
{
	static KeptPlan find = {
		"SELECT t.machine, v.code, pg_catalog.format("
		"'The transition from \"%s\" to \"%s\" names it.', t.from_state, t.to_state)"
		" FROM returns.transition t, LATERAL (VALUES (t.from_state), (t.to_state)) v (code)"
		" WHERE NOT EXISTS (SELECT FROM returns.state s"
		" WHERE s.machine OPERATOR(pg_catalog.=) t.machine"
		" AND s.code OPERATOR(pg_catalog.=) v.code)"
		" UNION SELECT d.machine, v.code, pg_catalog.format("
		"'The timer of \"%s\" names it.', d.state)"
		" FROM returns.stage_deadline d, LATERAL (VALUES (d.state), (d.on_timeout)) v (code)"
		" WHERE v.code IS NOT NULL AND NOT EXISTS (SELECT FROM returns.state s"
		" WHERE s.machine OPERATOR(pg_catalog.=) d.machine"
		" AND s.code OPERATOR(pg_catalog.=) v.code)",
		0
	};
	uint64		n = plan_run(&find, NULL, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		Defect	   *found = palloc(sizeof(Defect));
		bool		isnull;

		found->machine = machine_of(TextDatumGetCString(plan_value(i, 1, &isnull)));
		found->state = TextDatumGetCString(plan_value(i, 2, &isnull));
		found->defect = DEFECT_UNKNOWN;
		found->detail = TextDatumGetCString(plan_value(i, 3, &isnull));
		defects = lappend(defects, found);
	}
	return defects;
}

/* Returns and refunds in a state that no longer exists; reads them all. */
static List *
stranded_records(List *defects)
{
	static KeptPlan find = {
		"SELECT 'return', r.status, pg_catalog.count(*) FROM returns.return_request r"
		" WHERE NOT EXISTS (SELECT FROM returns.state s"
		" WHERE s.machine OPERATOR(pg_catalog.=) 'return'"
		" AND s.code OPERATOR(pg_catalog.=) r.status) GROUP BY r.status"
		" UNION ALL SELECT 'refund', r.status, pg_catalog.count(*) FROM returns.refund r"
		" WHERE NOT EXISTS (SELECT FROM returns.state s"
		" WHERE s.machine OPERATOR(pg_catalog.=) 'refund'"
		" AND s.code OPERATOR(pg_catalog.=) r.status) GROUP BY r.status",
		0
	};
	uint64		n = plan_run(&find, NULL, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		Defect	   *found = palloc(sizeof(Defect));
		bool		isnull;

		found->machine = machine_of(TextDatumGetCString(plan_value(i, 1, &isnull)));
		found->state = TextDatumGetCString(plan_value(i, 2, &isnull));
		found->defect = DEFECT_ROWS;
		found->detail = psprintf(INT64_FORMAT " %s(s) are in it.",
								 DatumGetInt64(plan_value(i, 3, &isnull)),
								 machine_name(found->machine));
		defects = lappend(defects, found);
	}
	return defects;
}

static int
defect_order(const ListCell *a, const ListCell *b)
{
	const Defect *left = lfirst(a);
	const Defect *right = lfirst(b);
	int			order = (int) left->machine - (int) right->machine;

	if (order == 0)
		order = strcmp(left->state ? left->state : "", right->state ? right->state : "");
	if (order == 0)
		order = strcmp(left->defect, right->defect);
	return order != 0 ? order : strcmp(left->detail, right->detail);
}

PG_FUNCTION_INFO_V1(returns_check_workflow);

/* check_workflow() → setof (machine, state, defect, detail) */
Datum
returns_check_workflow(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *defects;
	ListCell   *cell;
	OwnState	own;

	InitMaterializedSRF(fcinfo, 0);
	defects = workflow_defects();
	own_begin(&own);
	defects = stranded_records(unknown_states(defects));
	own_end(&own);
	list_sort(defects, defect_order);
	foreach(cell, defects)
	{
		const Defect *defect = lfirst(cell);
		Datum		values[4];
		bool		isnull[4] = {false};

		values[0] = CStringGetTextDatum(machine_name(defect->machine));
		isnull[1] = defect->state == NULL;
		values[1] = isnull[1] ? (Datum) 0 : CStringGetTextDatum(defect->state);
		values[2] = CStringGetTextDatum(defect->defect);
		values[3] = CStringGetTextDatum(defect->detail);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
	}
	return (Datum) 0;
}

/* ---- the check at commit ---- */

static void
refuse_workflow(List *defects)
{
	StringInfoData told;

	list_sort(defects, defect_order);
	initStringInfo(&told);
	for (int i = 0; i < Min(list_length(defects), DEFECTS_TOLD); i++)
	{
		const Defect *defect = list_nth(defects, i);

		appendStringInfo(&told, "%s%s", i > 0 ? "\n" : "", machine_name(defect->machine));
		if (defect->state != NULL)
			appendStringInfo(&told, ", state \"%s\"", defect->state);
		appendStringInfo(&told, ": %s. %s", defect->defect, defect->detail);
	}
	if (list_length(defects) > DEFECTS_TOLD)
		appendStringInfo(&told, "\nAnd %d more.", list_length(defects) - DEFECTS_TOLD);
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg_plural("the workflow would be left with %d defect",
						   "the workflow would be left with %d defects",
						   list_length(defects), list_length(defects)),
			 errdetail_internal("%s", told.data),
			 errhint("Mend it in the same transaction; before you commit, SELECT * FROM returns.check_workflow() tells all of them.")));
}

/*
 * Raise RT009 unless the rules as they are now are sound.  The generation of
 * the cache tells whether they are those that were found sound last.
 */
static void
check_rules(void)
{
	static uint64 sound_generation = 0;
	List	   *defects;
	char	   *gaps;
	OwnState	own;

	/* see what the statement before us has done, and its invalidations */
	CommandCounterIncrement();
	AcceptInvalidationMessages();
	rules_current();
	if (rules_generation() == sound_generation)
		return;
	defects = workflow_defects();
	own_begin(&own);
	defects = unknown_states(defects);
	own_end(&own);
	if (defects != NIL)
		refuse_workflow(defects);
	sound_generation = rules_generation();
	gaps = workflow_gaps();
	if (gaps != NULL)
		ereport(WARNING,
				(errmsg("a return may wait for ever in a state without a timer"),
				 errdetail_internal("%s", gaps),
				 errhint("Give it a row in returns.stage_deadline; with on_timeout NULL it is only marked overdue.")));
}

/*
 * Nobody may be in a state that is gone, or has become of another kind: units
 * are held in open states only.  Also none of those whose move into it has yet
 * to commit: so we wait for who is writing.
 */
static void
check_empty(const RuleChange *change, const char *what)
{
	static KeptPlan in_state[] = {
		{"SELECT id FROM returns.return_request WHERE status OPERATOR(pg_catalog.=) $1", 1, {TEXTOID}},
		{"SELECT id FROM returns.refund WHERE status OPERATOR(pg_catalog.=) $1", 1, {TEXTOID}},
	};
	static const char *const tables[] = {"return_request", "refund"};
	char	   *code = rule_text(change, change->old, "code");
	char	   *machine = rule_text(change, change->old, "machine");
	Machine		kind = machine_of(machine);
	Datum		arg = CStringGetTextDatum(code);
	bool		isnull;

	LockRelationOid(table_oid(tables[kind]), ShareLock);
	if (plan_finds(&in_state[kind], &arg))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("state \"%s\" cannot %s", code, what),
				 errdetail("The %s " INT64_FORMAT " is in it.", machine,
						   DatumGetInt64(plan_value(0, 1, &isnull))),
				 errhint("Move out what is in the state first. A new name for people belongs into its label."),
				 errtable(change->rel)));
}

/* Where a state is not what it was, in the end, it must be empty. */
static void
check_removed(const RuleChange *change)
{
	static KeptPlan read_kind = {
		"SELECT kind FROM returns.state WHERE machine OPERATOR(pg_catalog.=) $1"
		" AND code OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, TEXTOID}
	};
	Datum		args[2] = {CStringGetTextDatum(rule_text(change, change->old, "machine")),
	CStringGetTextDatum(rule_text(change, change->old, "code"))};
	char	   *kind = rule_text(change, change->old, "kind");
	OwnState	own;
	bool		isnull;

	own_begin(&own);
	if (!plan_finds(&read_kind, args))
		check_empty(change, "be removed");
	else if (strcmp(TextDatumGetCString(plan_value(0, 1, &isnull)), kind) != 0)
		check_empty(change, "become of another kind");
	own_end(&own);
}

PG_FUNCTION_INFO_V1(returns_workflow_checked);

/*
 * CONSTRAINT TRIGGER AFTER INSERT OR UPDATE OR DELETE, deferred, FOR EACH ROW;
 * AFTER TRUNCATE FOR EACH STATEMENT; ON state, transition, stage_deadline
 */
Datum
returns_workflow_checked(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = rule_trigger(fcinfo, "returns_workflow_checked");
	RuleChange	change;

	check_rules();
	if (!rule_is_of(trigdata->tg_relation, "state") || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		return PointerGetDatum(NULL);
	change = rule_change(trigdata);
	if (change.old != NULL &&
		(rule_text_changed(&change, "code") || rule_text_changed(&change, "machine") ||
		 rule_text_changed(&change, "kind")))
		check_removed(&change);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(returns_rule_lock);

/*
 * BEFORE each statement ON state, transition, stage_deadline, category: one
 * session at a time edits the workflow, and one the tree of categories, until
 * the end of its transaction.  The lock excludes itself but nobody who only
 * reads or who has written already, and is taken before the first row is.
 */
Datum
returns_rule_lock(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = rule_trigger(fcinfo, "returns_rule_lock");
	bool		category = rule_is_of(trigdata->tg_relation, "category");

	LockRelationOid(table_oid(category ? "category" : "state"), ShareUpdateExclusiveLock);
	return PointerGetDatum(NULL);
}
