/*-------------------------------------------------------------------------
 *
 * update_with.c
 *		Work on a return that no statement of the client updates.
 *
 * src/records/update_with.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/scope.h"
#include "catalog/pg_type.h"
#include "records/update_with.h"
#include "utils/memutils.h"

/*
 * What a statement of ours wants done by the trigger that it fires.  They
 * nest where a trigger of the user's updates other returns; an error unwinds
 * without us, so the transaction callbacks drop what was aborted.  Until then
 * they must last: not on the stack, but in the memory of the subtransaction.
 */
typedef struct UpdateWith
{
	struct UpdateWith *outer;
	int			nest_level;		/* of transactions */
	int64		return_id;		/* 0: every row of the statement */
	RowWork		work;
	void	   *arg;
	uint64		taken;
} UpdateWith;

static UpdateWith *current = NULL;

static void
undo(int nest_level)
{
	while (current != NULL && current->nest_level >= nest_level)
		current = current->outer;
}

static void
end(bool committed)
{
	current = NULL;
}

static const ScopeUser scope_user = {.undo = undo,.end = end};

void
update_with_init(void)
{
	scope_register(&scope_user);
}

bool
update_with_take(int64 return_id, RowWork *work, void **arg)
{
	if (current == NULL || !own_writing() ||
		(current->return_id != 0 && (current->return_id != return_id || current->taken > 0)))
		return false;
	current->taken++;
	*work = current->work;
	*arg = current->arg;
	return true;
}

/* Run the statement, which updates rows without changing them, with the work. */
static uint64
update_with_run(KeptPlan *update, Datum *args, int64 return_id, RowWork work, void *arg)
{
	UpdateWith *mine = MemoryContextAlloc(CurTransactionContext, sizeof(UpdateWith));
	OwnState	own;
	uint64		found;

	*mine = (UpdateWith) {current, GetCurrentTransactionNestLevel(), return_id, work, arg, 0};
	own_begin(&own);
	current = mine;
	found = plan_run(update, args, NULL);
	current = mine->outer;
	if (mine->taken < found)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("a return was updated without its trigger"),
				 errhint("Enable the triggers of returns.return_request, or run CALL returns.setup().")));
	own_end(&own);
	pfree(mine);
	return found;
}

/*
 * The statements name status, which the work may move: so a trigger of the
 * user's on UPDATE OF status sees these moves too.
 */
bool
return_update_with(Datum order_ref, int64 return_id, RowWork work, void *arg)
{
	static KeptPlan update = {
		"UPDATE returns.return_request SET status = status"
		" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2] = {order_ref, Int64GetDatum(return_id)};

	return update_with_run(&update, args, return_id, work, arg) > 0;
}

uint64
return_update_all_with(Datum tids, RowWork work, void *arg)
{
	static KeptPlan update = {
		"UPDATE ONLY returns.return_request SET status = status"
		" WHERE ctid OPERATOR(pg_catalog.=) ANY ($1)",
		1, {TIDARRAYOID}
	};

	return update_with_run(&update, &tids, 0, work, arg);
}
