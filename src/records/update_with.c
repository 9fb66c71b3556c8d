/*-------------------------------------------------------------------------
 *
 * update_with.c
 *		Write to a return that no statement of the client updates.
 *
 * src/records/update_with.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/scope.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "records/update_with.h"
#include "utils/memutils.h"

/*
 * The work that one of our statements passes to the trigger that it fires.
 * They nest when a trigger of the user updates other returns.  An error leaves
 * the function that made one without running its last lines; the scope
 * callbacks drop it then.  It must live until they run: it is allocated in the
 * memory of the subtransaction, not on the stack.
 */
typedef struct UpdateWith
{
	struct UpdateWith *outer;
	int			nest_level;		/* of transactions */
	int64		return_id;		/* 0: every row of the statement */
	RowWork		work;
	void	   *arg;
	uint64		taken;			/* rows that the trigger has done the work on */
} UpdateWith;

static UpdateWith *innermost = NULL;

static void
drop_aborted(int nest_level)
{
	while (innermost != NULL && innermost->nest_level >= nest_level)
		innermost = innermost->outer;
}

static void
drop_all(bool committed)
{
	innermost = NULL;
}

static const ScopeUser scope_user = {.undo = drop_aborted,.end = drop_all};

void
update_with_init(void)
{
	scope_register(&scope_user);
}

bool
update_with_take(int64 return_id, RowWork *work, void **arg)
{
	if (innermost == NULL || !writing_as_owner() ||
		(innermost->return_id != 0 &&
		 (innermost->return_id != return_id || innermost->taken > 0)))
		return false;
	innermost->taken++;
	*work = innermost->work;
	*arg = innermost->arg;
	return true;
}

/* Run the statement, which updates rows without changing them, with the work. */
static uint64
update_with_run(Statement *update, Datum *args, int64 return_id, RowWork work, void *arg)
{
	UpdateWith *mine = MemoryContextAlloc(CurTransactionContext, sizeof(UpdateWith));
	AsOwner		owner;
	uint64		found;

	*mine = (UpdateWith) {innermost, GetCurrentTransactionNestLevel(), return_id, work, arg, 0};
	as_owner_begin(&owner);
	innermost = mine;
	found = statement_run(update, args, NULL).nrows;
	Assert(innermost == mine);
	innermost = mine->outer;
	if (mine->taken < found)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("a return was updated without its trigger"),
				 errdetail("The row triggers of returns.return_request did not fire."),
				 errhint("Enable the triggers of returns.return_request, or run CALL returns.setup().")));
	as_owner_end(&owner);
	pfree(mine);
	return found;
}

/*
 * The statements assign status, because the work may move the return: a trigger
 * of the user that fires on UPDATE OF status then fires for these moves too.
 */
bool
return_update_with(Datum order_ref, int64 return_id, RowWork work, void *arg)
{
	static Statement update = {
		"UPDATE returns.return_request SET status = status"
		" WHERE order_ref" EQ "$1 AND id" EQ "$2",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2] = {order_ref, Int64GetDatum(return_id)};

	return update_with_run(&update, args, return_id, work, arg) > 0;
}

uint64
return_update_all_with(Datum tids, RowWork work, void *arg)
{
	static Statement update = {
		"UPDATE ONLY returns.return_request SET status = status"
		" WHERE ctid" EQ "ANY ($1)",
		1, {TIDARRAYOID}
	};

	return update_with_run(&update, &tids, 0, work, arg);
}
