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
#include "catalog/pg_type.h"
#include "records/update_with.h"
#include "utils/memutils.h"

/*
 * What a touching statement wants done by the trigger that it fires.  They
 * nest where a trigger of the user's touches other returns; an error unwinds
 * without us, so the transaction callbacks drop what was aborted.  Until then
 * they must last: not on the stack, but in the memory of the subtransaction.
 */
typedef struct Touch
{
	struct Touch *outer;
	int			nest_level;		/* of transactions */
	int64		return_id;		/* 0: every row of the statement */
	BookWork	work;
	void	   *arg;
	uint64		taken;
} Touch;

static Touch *touch = NULL;

static void
xact_callback(XactEvent event, void *arg)
{
	touch = NULL;
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent,
				 void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (touch != NULL && touch->nest_level >= GetCurrentTransactionNestLevel())
			touch = touch->outer;
}

void
return_touch_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

bool
touch_take(int64 return_id, BookWork *work, void **arg)
{
	if (touch == NULL || !own_writing() ||
		(touch->return_id != 0 && (touch->return_id != return_id || touch->taken > 0)))
		return false;
	touch->taken++;
	*work = touch->work;
	*arg = touch->arg;
	return true;
}

/* Run the statement, which updates rows without changing them, as a touch. */
static uint64
touch_run(KeptPlan *update, Datum *args, int64 return_id, BookWork work, void *arg)
{
	Touch	   *mine = MemoryContextAlloc(CurTransactionContext, sizeof(Touch));
	OwnState	own;
	uint64		found;

	*mine = (Touch) {touch, GetCurrentTransactionNestLevel(), return_id, work, arg, 0};
	own_begin(&own);
	touch = mine;
	found = plan_run(update, args, NULL);
	touch = mine->outer;
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
return_touch(Datum order_ref, int64 return_id, BookWork work, void *arg)
{
	static KeptPlan update = {
		"UPDATE returns.return_request SET status = status"
		" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2] = {order_ref, Int64GetDatum(return_id)};

	return touch_run(&update, args, return_id, work, arg) > 0;
}

uint64
return_touch_all(Datum tids, BookWork work, void *arg)
{
	static KeptPlan update = {
		"UPDATE ONLY returns.return_request SET status = status"
		" WHERE ctid OPERATOR(pg_catalog.=) ANY ($1)",
		1, {TIDARRAYOID}
	};

	return touch_run(&update, &tids, 0, work, arg);
}
