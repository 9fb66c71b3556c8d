/*-------------------------------------------------------------------------
 *
 * workflow_check.c
 *		check_workflow(), and the same check when a change of the workflow commits.
 *
 * A workflow is changed by many statements, and only the result must be sound.
 * So a deferred constraint trigger checks it when the transaction commits.  The
 * first trigger event checks everything; the others do nothing unless a rule
 * has changed again.  Transactions that change the workflow run one after
 * another: otherwise two changes could each be sound and break it together.
 *
 * src/definitions/workflow_check.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "base/trigger_row.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "rules/cache/cache.h"
#include "rules/workflow/silence.h"
#include "rules/workflow/soundness.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"

#define DEFECTS_SHOWN 5			/* in the detail of an error */

/* ---- defects ---- */

/* Add a defect for each row of a result: machine, state, detail. */
static List *
add_defects(List *defects, const char *kind, ResultSet result)
{
	for (uint64 i = 0; i < result.nrows; i++)
	{
		Defect	   *found = palloc(sizeof(Defect));

		found->machine = machine_parse(result_cstring(result, i, 1));
		found->state = result_cstring(result, i, 2);
		found->defect = kind;
		found->detail = result_cstring(result, i, 3);
		defects = lappend(defects, found);
	}
	return defects;
}

/* Transitions and timers that name a state which does not exist: the cache ignores them. */
static List *
add_unknown_states(List *defects)
{
	static Statement find = {
		"SELECT t.machine, v.code, pg_catalog.format("
		"'The transition from \"%s\" to \"%s\" names it.', t.from_state, t.to_state)"
		" FROM returns.transition t, LATERAL (VALUES (t.from_state), (t.to_state)) v (code)"
		" WHERE NOT EXISTS (SELECT FROM returns.state s"
		" WHERE s.machine" EQ "t.machine AND s.code" EQ "v.code)"
		" UNION SELECT d.machine, v.code, pg_catalog.format("
		"'The timer of \"%s\" names it.', d.state)"
		" FROM returns.stage_deadline d, LATERAL (VALUES (d.state), (d.on_timeout)) v (code)"
		" WHERE v.code IS NOT NULL AND NOT EXISTS (SELECT FROM returns.state s"
		" WHERE s.machine" EQ "d.machine AND s.code" EQ "v.code)",
		0
	};

	return add_defects(defects, DEFECT_UNKNOWN, statement_run(&find, NULL, NULL));
}

/* Returns and refunds in a state that no longer exists; reads all of them. */
static List *
add_stranded_records(List *defects)
{
	static Statement find = {
		"SELECT 'return', r.status,"
		" pg_catalog.format('%s return(s) are in this state.', pg_catalog.count(*))"
		" FROM returns.return_request r WHERE NOT EXISTS (SELECT FROM returns.state s"
		" WHERE s.machine" EQ "'return' AND s.code" EQ "r.status) GROUP BY r.status"
		" UNION ALL SELECT 'refund', r.status,"
		" pg_catalog.format('%s refund(s) are in this state.', pg_catalog.count(*))"
		" FROM returns.refund r WHERE NOT EXISTS (SELECT FROM returns.state s"
		" WHERE s.machine" EQ "'refund' AND s.code" EQ "r.status) GROUP BY r.status",
		0
	};

	return add_defects(defects, DEFECT_ROWS, statement_run(&find, NULL, NULL));
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
	AsOwner		owner;

	InitMaterializedSRF(fcinfo, 0);
	defects = workflow_defects();
	as_owner_begin(&owner);
	defects = add_stranded_records(add_unknown_states(defects));
	as_owner_end(&owner);
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

pg_noreturn static void
refuse_workflow(List *defects)
{
	StringInfoData shown;

	list_sort(defects, defect_order);
	initStringInfo(&shown);
	for (int i = 0; i < Min(list_length(defects), DEFECTS_SHOWN); i++)
	{
		const Defect *defect = list_nth(defects, i);

		appendStringInfo(&shown, "%s%s", i > 0 ? "\n" : "", machine_name(defect->machine));
		if (defect->state != NULL)
			appendStringInfo(&shown, ", state \"%s\"", defect->state);
		appendStringInfo(&shown, ": %s. %s", defect->defect, defect->detail);
	}
	if (list_length(defects) > DEFECTS_SHOWN)
		appendStringInfo(&shown, "\nThere are %d more.", list_length(defects) - DEFECTS_SHOWN);
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg_plural("the workflow would be left with %d defect",
						   "the workflow would be left with %d defects",
						   list_length(defects), list_length(defects)),
			 errdetail_internal("%s", shown.data),
			 errhint("Correct it in the same transaction. Before the commit, SELECT * FROM returns.check_workflow() lists all defects.")));
}

/*
 * Raise RT009 unless the rules are sound as they are now.  Rules of the
 * generation that was last found sound are not checked again.
 */
static void
check_rules(void)
{
	static uint64 sound_generation = 0;
	List	   *defects;
	char	   *gaps;
	AsOwner		owner;

	/* see the rows and the invalidations of the statement that fired us */
	CommandCounterIncrement();
	AcceptInvalidationMessages();
	rules_current();
	if (rules_generation() == sound_generation)
		return;
	defects = workflow_defects();
	as_owner_begin(&owner);
	defects = add_unknown_states(defects);
	as_owner_end(&owner);
	if (defects != NIL)
		refuse_workflow(defects);
	sound_generation = rules_generation();
	gaps = workflow_gaps();
	if (gaps != NULL)
		ereport(WARNING,
				(errmsg("a return can stay forever in a state without a timer"),
				 errdetail_internal("%s", gaps),
				 errhint("Insert a row for the state into returns.stage_deadline; with on_timeout NULL, a return is only marked overdue.")));
}

/* ---- states that are removed ---- */

enum
{
	STATE_MACHINE, STATE_CODE, STATE_KIND, STATE_NCOLUMNS
};

static const char *const state_names[] = {"machine", "code", "kind"};
static AttrNumber state_attno[STATE_NCOLUMNS];
static ColumnSet state_columns = {
	"state", STATE_NCOLUMNS, state_names, state_attno, InvalidOid, NULL
};

StaticAssertDecl(lengthof(state_names) == STATE_NCOLUMNS, "a column of state has no name");

/*
 * No record may be in a state that was removed or has another kind now: units
 * are held in open states only.  Waits for transactions that write records,
 * because one of them may be moving a record into the state.
 */
static void
check_empty(const TriggerRow *row, Machine machine, const char *what)
{
	static struct
	{
		const char *table;
		Statement	find;
	}			records[] = {
		[MACHINE_RETURN] = {"return_request", {
			"SELECT id FROM returns.return_request WHERE status" EQ "$1 LIMIT 1", 1, {TEXTOID}
		}},
		[MACHINE_REFUND] = {"refund", {
			"SELECT id FROM returns.refund WHERE status" EQ "$1 LIMIT 1", 1, {TEXTOID}
		}},
	};
	char	   *code = trigger_old_cstring(row, STATE_CODE);
	Datum		arg = CStringGetTextDatum(code);
	ResultSet	found;

	StaticAssertStmt(lengthof(records) == MACHINE_COUNT, "a machine has no table of records");
	LockRelationOid(table_oid(records[machine].table), ShareLock);
	found = statement_run(&records[machine].find, &arg, NULL);
	if (found.nrows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("state \"%s\" cannot %s", code, what),
				 errdetail("The %s " INT64_FORMAT " is in this state.", machine_name(machine),
						   result_int64(found, 0, 1)),
				 errhint("Move all records out of the state first. To change the name that people see, update the label."),
				 errtable(row->rel)));
}

/* The old row of a state was updated or deleted; another row may replace it. */
static void
check_removed(const TriggerRow *row)
{
	static Statement find_kind = {
		"SELECT kind FROM returns.state WHERE machine" EQ "$1 AND code" EQ "$2",
		2, {TEXTOID, TEXTOID}
	};
	char	   *machine = trigger_old_cstring(row, STATE_MACHINE);
	Datum		args[2] = {CStringGetTextDatum(machine),
	PointerGetDatum(trigger_old_text(row, STATE_CODE))};
	ResultSet	found;
	AsOwner		owner;

	as_owner_begin(&owner);
	found = statement_run(&find_kind, args, NULL);
	if (found.nrows == 0)
		check_empty(row, machine_parse(machine), "be removed");
	else if (strcmp(result_cstring(found, 0, 1), trigger_old_cstring(row, STATE_KIND)) != 0)
		check_empty(row, machine_parse(machine), "get another kind");
	as_owner_end(&owner);
}

/* ---- the triggers ---- */

/* The trigger data of a trigger of the workflow or of the tree of categories. */
static TriggerData *
workflow_trigger(FunctionCallInfo fcinfo, const char *function, int fires)
{
	static const char *const tables[] = {"state", "transition", "stage_deadline", "category"};
	const char *table = tables[0];

	if (CALLED_AS_TRIGGER(fcinfo))
	{
		Oid			relid = RelationGetRelid(((TriggerData *) fcinfo->context)->tg_relation);

		for (int i = 0; i < lengthof(tables); i++)
			if (relid == table_oid(tables[i]))
				table = tables[i];
	}
	return trigger_check(fcinfo, function, table, fires);
}

static bool
fires_for_table(const TriggerData *trigdata, const char *table)
{
	return RelationGetRelid(trigdata->tg_relation) == table_oid(table);
}

PG_FUNCTION_INFO_V1(returns_workflow_checked);

/*
 * CONSTRAINT TRIGGER AFTER INSERT OR UPDATE OR DELETE, deferred, FOR EACH ROW;
 * AFTER TRUNCATE FOR EACH STATEMENT; ON state, transition, stage_deadline
 */
Datum
returns_workflow_checked(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = workflow_trigger(fcinfo, "returns_workflow_checked",
											 FIRES_AFTER | FIRES_FOR_ROW | FIRES_FOR_STATEMENT);
	TriggerRow	row;

	check_rules();
	if (!fires_for_table(trigdata, "state") || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		return PointerGetDatum(NULL);
	trigger_row_load(&row, trigdata, &state_columns);
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) || trigger_changed(&row, STATE_CODE) ||
		trigger_changed(&row, STATE_MACHINE) || trigger_changed(&row, STATE_KIND))
		check_removed(&row);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(returns_rule_lock);

/*
 * BEFORE each statement ON state, transition, stage_deadline, category: one
 * transaction at a time changes the workflow, and one the tree of categories.
 * The lock conflicts with itself, but not with the locks of readers and of
 * writing statements.  It is taken before the first row is locked.
 */
Datum
returns_rule_lock(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = workflow_trigger(fcinfo, "returns_rule_lock",
											 FIRES_BEFORE | FIRES_FOR_STATEMENT);

	LockRelationOid(table_oid(fires_for_table(trigdata, "category") ? "category" : "state"),
					ShareUpdateExclusiveLock);
	return PointerGetDatum(NULL);
}
