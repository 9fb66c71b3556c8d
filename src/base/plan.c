/*-------------------------------------------------------------------------
 *
 * plan.c
 *		Statements of the extension's own: kept plans run as the table owner.
 *
 * src/base/plan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/plan.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#define OWN_MAX_DEPTH 64
#define NO_TRIGGER_DEPTH (-2)	/* that no trigger is one deeper than */

/*
 * One entry for each own_begin() that is open.  An error unwinds without
 * own_end(): the transaction callbacks drop the entries of what was aborted.
 */
typedef struct OwnEntry
{
	int			nest_level;		/* of transactions */
	int			trigger_depth;
	Oid			caller;
} OwnEntry;

static OwnEntry own_stack[OWN_MAX_DEPTH];
static int	own_depth = 0;

static int
trigger_depth(void)
{
	LOCAL_FCINFO(fcinfo, 0);

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	return DatumGetInt32(pg_trigger_depth(fcinfo));
}

static void
own_xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE &&
		event != XACT_EVENT_PARALLEL_PRE_COMMIT)
		own_depth = 0;
}

static void
own_subxact_callback(SubXactEvent event, SubTransactionId mine,
					 SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (own_depth > 0 &&
			   own_stack[own_depth - 1].nest_level >= GetCurrentTransactionNestLevel())
			own_depth--;
}

void
plan_init(void)
{
	RegisterXactCallback(own_xact_callback, NULL);
	RegisterSubXactCallback(own_subxact_callback, NULL);
}

Oid
table_oid(const char *name)
{
	Oid			schema = get_namespace_oid("returns", true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

Oid
tables_owner(void)
{
	Oid			relid = table_oid("return_request");
	HeapTuple	tuple;
	Oid			owner;

	tuple = OidIsValid(relid) ?
		SearchSysCache1(RELOID, ObjectIdGetDatum(relid)) : NULL;
	if (!HeapTupleIsValid(tuple))
		error_not_set_up("The table returns.return_request does not exist.");
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* writes: may the statements that follow write protected tables? */
static void
become_owner(OwnState *state, bool writes)
{
	OwnEntry   *entry;
	MemoryContext caller_context = CurrentMemoryContext;

	if (own_depth >= OWN_MAX_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("statements of the extension returns are nested too deeply"),
				 errhint("Look for a trigger on its tables that writes to them again.")));

	GetUserIdAndSecContext(&state->saved_user, &state->saved_context);
	entry = &own_stack[own_depth];
	entry->nest_level = GetCurrentTransactionNestLevel();
	entry->trigger_depth = writes ? trigger_depth() : NO_TRIGGER_DEPTH;
	entry->caller = caller_role();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	SetUserIdAndSecContext(tables_owner(),
						   state->saved_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	own_depth++;
}

void
own_begin(OwnState *state)
{
	become_owner(state, true);
}

void
own_begin_foreign(OwnState *state)
{
	become_owner(state, false);
}

void
own_end(OwnState *state)
{
	Assert(own_depth > 0);
	own_depth--;
	SetUserIdAndSecContext(state->saved_user, state->saved_context);
	SPI_finish();
}

/*
 * Own writing is a statement that we ran ourselves, not one that some user's
 * trigger runs below it: so the guard must be exactly one trigger deeper.
 */
bool
own_writing(void)
{
	return own_depth > 0 &&
		own_stack[own_depth - 1].trigger_depth + 1 == trigger_depth();
}

Oid
caller_role(void)
{
	return own_depth > 0 ? own_stack[own_depth - 1].caller : GetUserId();
}

static void
plan_prepare(KeptPlan *plan)
{
	SPIPlanPtr	prepared;

	if (plan->plan != NULL)
	{
		if (SPI_plan_is_valid(plan->plan))
			return;
		SPI_freeplan(plan->plan);
		plan->plan = NULL;
	}
	prepared = SPI_prepare(plan->text, plan->nargs, plan->argtypes);
	if (prepared == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", plan->text,
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(prepared);
	plan->plan = prepared;
}

/*
 * Run with a snapshot (InvalidSnapshot: SPI's own choice).  SPI leaves its own
 * memory context behind; ours stays current, so that callers keep what they
 * take out of the result.
 */
static uint64
plan_execute(KeptPlan *plan, Datum *args, const char *nulls, Snapshot snapshot,
			 bool read_only, long limit)
{
	MemoryContext caller_context = CurrentMemoryContext;
	int			code;

	plan_prepare(plan);
	if (snapshot == InvalidSnapshot)
		code = SPI_execute_plan(plan->plan, args, nulls, false, limit);
	else
		code = SPI_execute_snapshot(plan->plan, args, nulls, snapshot, InvalidSnapshot,
									read_only, true, limit);
	if (code < 0)
		elog(ERROR, "could not execute \"%s\": %s", plan->text,
			 SPI_result_code_string(code));
	MemoryContextSwitchTo(caller_context);
	return SPI_processed;
}

uint64
plan_run_limit(KeptPlan *plan, Datum *args, const char *nulls, long limit)
{
	return plan_execute(plan, args, nulls,
						IsolationUsesXactSnapshot() ? GetLatestSnapshot() : InvalidSnapshot,
						false, limit);
}

uint64
plan_run(KeptPlan *plan, Datum *args, const char *nulls)
{
	return plan_run_limit(plan, args, nulls, 0);
}

uint64
plan_run_as_caller(KeptPlan *plan, Datum *args, const char *nulls)
{
	return plan_execute(plan, args, nulls, InvalidSnapshot, false, 0);
}

uint64
plan_read(KeptPlan *plan, Datum *args, const char *nulls)
{
	return plan_execute(plan, args, nulls,
						IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot(),
						true, 0);
}

Datum
plan_value(uint64 row, int col, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col, isnull);
}
