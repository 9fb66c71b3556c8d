/*-------------------------------------------------------------------------
 *
 * sweep_batch.c
 *		One batch of returns whose instant has come.
 *
 * A batch locks the oldest due returns, passing over those that somebody
 * holds, and then runs one UPDATE for those that move and one for those that
 * are only reminded or marked.  Both go through the row trigger of
 * return_request like anybody else's, as the system.
 *
 * A batch is a subtransaction.  When one return makes it fail, all is undone
 * and they are taken one by one.  What still fails alone is put off, for a
 * time that doubles with each failure, with the reason in its history.
 *
 * src/time/sweep_batch.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "records/history/journal.h"
#include "records/ledger/ledger.h"
#include "records/refund/claim.h"
#include "records/update_with.h"
#include "rules/session.h"
#include "storage/itemptr.h"
#include "storage/proc.h"
#include "time/sweep.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/numeric.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/*
 * How long a batch waits for a lock, in milliseconds; after some in vain, how
 * long the next do.  Less than deadlock_timeout is by default: where a client
 * waits for the batch and the batch for the client, it is the batch, as a rule,
 * that gives way.
 */
#define LOCK_WAIT 200
#define SHORT_LOCK_WAIT 10
#define LONG_WAITS 3
#define MAX_WARNINGS 3			/* of one pass */
#define FIRST_DELAY USECS_PER_MINUTE
#define LAST_DELAY USECS_PER_DAY

/* A batch, and what it took, also after it failed. */
typedef struct Batch
{
	SweepPosition after;
	int			max_rows;
	bool		commits;		/* the transaction ends with it */
	DueRows		due;
	int64		moved;
	int64		marked;
} Batch;

/* A return that could not be done. */
typedef struct Failure
{
	const Batch *batch;			/* of this return alone */
	const ErrorData *error;
	bool		silent;			/* no word of it in the history */
} Failure;

typedef void (*Work) (void *arg);

/* Not one return's trouble: it would befall the next one as well. */
static bool
is_server_error(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return error->sqlerrcode == ERRCODE_RT_NOT_SET_UP ||
		category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_OPERATOR_INTERVENTION;
}

/*
 * Run work(arg) as the system, in a subtransaction, where no lock is waited for
 * longer than lock_wait (LOCK_WAIT or SHORT_LOCK_WAIT).  NULL, or the error
 * that undid it.
 */
static ErrorData *
attempt(Work work, void *arg, int lock_wait)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	bool		previous = actor_become_system();

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		/* nobody's lock on an order may hold the others up */
		if (LockTimeout == 0 || LockTimeout > lock_wait)
			(void) set_config_option("lock_timeout",
									 lock_wait == LOCK_WAIT ? CppAsString2(LOCK_WAIT) :
									 CppAsString2(SHORT_LOCK_WAIT), PGC_USERSET,
									 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		PushActiveSnapshot(GetTransactionSnapshot());
		work(arg);
		PopActiveSnapshot();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		actor_restore(previous);
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	actor_restore(previous);
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL && is_server_error(error))
		ReThrowError(error);
	return error;
}

/* In the trigger: the return's instant has come, but there is no move to make. */
static void
mark_work(ReturnRow *row, void *arg)
{
	bool		has_due = !ROW_NULL(row, REQ_DUE_AT);
	bool		is_due = has_due && DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT)) <= row->now;

	if (has_due && !is_due)
		row_set(row, REQ_WAKE_AT, ROW_VALUE(row, REQ_DUE_AT));
	else
		row_clear(row, REQ_WAKE_AT);
	if (!has_due)
		return;
	if (is_due)
		row_set(row, REQ_OVERDUE, BoolGetDatum(true));
	journal_append(row, is_due ? EVENT_OVERDUE : EVENT_REMINDER, row->state, row->state,
				   actor_as_system(), NULL, NULL);
}

/* The tids of those that move, or of the others; how many is in *n. */
static Datum
tid_array(const DueRows *due, bool moves, int *n)
{
	Datum	   *tids = palloc(sizeof(Datum) * Max(due->n, 1));

	*n = 0;
	for (int i = 0; i < due->n; i++)
		if (due->rows[i].moves == moves)
			tids[(*n)++] = PointerGetDatum(&due->rows[i].tid);
	return PointerGetDatum(construct_array(tids, *n, TIDOID, sizeof(ItemPointerData), false,
										   TYPALIGN_SHORT));
}

static void
do_batch(void *arg)
{
	static KeptPlan move = {
		"UPDATE ONLY returns.return_request SET status = on_timeout"
		" WHERE ctid OPERATOR(pg_catalog.=) ANY ($1)",
		1, {TIDARRAYOID}
	};
	static KeptPlan check_deferred = {"SET CONSTRAINTS ALL IMMEDIATE", 0};
	Batch	   *batch = arg;
	OwnState	own;
	Datum		tids;
	int			n;

	own_begin(&own);
	trigger_check_is_there();
	sweep_lock_due(&batch->after, batch->max_rows, &batch->due);
	tids = tid_array(&batch->due, true, &n);
	if (n > 0)
		batch->moved = plan_run(&move, &tids, NULL);
	trigger_check_wrote("return_request", batch->moved, n);
	tids = tid_array(&batch->due, false, &n);
	if (n > 0)
		batch->marked = return_update_all_with(tids, mark_work, NULL);
	trigger_check_wrote("return_request", batch->marked, n);
	/* what would fail the commit is one return's trouble as well */
	if (batch->commits && batch->due.n > 0)
		plan_run(&check_deferred, NULL, NULL);
	own_end(&own);
}

static void
add_detail(JsonbParseState **state, char *name, JsonbValue value)
{
	JsonbValue	key = {.type = jbvString};

	key.val.string.val = name;
	key.val.string.len = strlen(name);
	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_VALUE, &value);
}

static void
add_detail_text(JsonbParseState **state, char *name, const char *text)
{
	JsonbValue	value = {.type = jbvString};

	if (text == NULL)
		return;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	add_detail(state, name, value);
}

static Jsonb *
failure_details(const ErrorData *error, const text *on_timeout, int failures)
{
	JsonbParseState *state = NULL;
	JsonbValue	count = {.type = jbvNumeric};

	count.val.numeric = int64_to_numeric(failures);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	add_detail_text(&state, "error", error->message);
	add_detail_text(&state, "detail", error->detail);
	add_detail_text(&state, "sqlstate", unpack_sql_state(error->sqlerrcode));
	add_detail_text(&state, "on_timeout", on_timeout ? text_to_cstring(on_timeout) : NULL);
	add_detail(&state, "failures", count);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* In the trigger: try again later, unless somebody has acted meanwhile. */
static void
put_off_work(ReturnRow *row, void *arg)
{
	const Failure *failure = arg;
	int			failures = DatumGetInt32(ROW_VALUE(row, REQ_FAILURES));
	TimestampTz delay = failures < 11 ? FIRST_DELAY << failures : LAST_DELAY;
	TimestampTz due_at = ROW_NULL(row, REQ_DUE_AT) ? DT_NOEND :
		DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT));
	TimestampTz wake_at = row->now + delay;

	if (ROW_NULL(row, REQ_WAKE_AT) ||
		DatumGetTimestampTz(ROW_VALUE(row, REQ_WAKE_AT)) > row->now)
		return;
	row_set(row, REQ_FAILURES, Int32GetDatum(failures + 1));
	/* a reminder that cannot be sent does not put off the deadline */
	row_set(row, REQ_WAKE_AT,
			TimestampTzGetDatum(due_at > row->now ? Min(wake_at, due_at) : wake_at));
	if (failure->silent)
		return;
	if (due_at <= row->now)
		row_set(row, REQ_OVERDUE, BoolGetDatum(true));
	journal_append(row, EVENT_OVERDUE, row->state, row->state, actor_as_system(),
				   cstring_to_text(failure->error->message),
				   failure_details(failure->error, row_text(row, REQ_ON_TIMEOUT), failures + 1));
}

static void
do_put_off(void *arg)
{
	const DueRows *due = &((Failure *) arg)->batch->due;

	trigger_check_wrote("return_request",
						return_update_with(PointerGetDatum(due->order_ref), due->rows[0].position.id,
										   put_off_work, arg), 1);
}

/* Who could not be done because somebody was in the way needs no record. */
static bool
is_transient(const ErrorData *error)
{
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK ||
		error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
}

/* NULL, or the error that kept it from being put off. */
static ErrorData *
put_off(const Batch *batch, const ErrorData *error)
{
	Failure		failure = {batch, error, is_transient(error)};
	ErrorData  *again = attempt(do_put_off, &failure, SHORT_LOCK_WAIT);

	if (again != NULL && !failure.silent)
	{
		failure.silent = true;
		again = attempt(do_put_off, &failure, SHORT_LOCK_WAIT);
	}
	return again;
}

static void
warn_stuck(int64 id, const ErrorData *error)
{
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("return " INT64_FORMAT " is due but can neither be moved nor put off: %s",
					id, error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0));
}

static void
pass_note_held(Pass *pass, SweepPosition position)
{
	if (TIMESTAMP_IS_NOEND(pass->first_held.wake_at))
		pass->first_held = position;
}

/* Note in the pass what a batch met with and, unless it was undone, did. */
static void
pass_note(Pass *pass, const Batch *batch, bool undone)
{
	const DueRows *due = &batch->due;

	if (due->n > 0)
		pass->position = due->rows[due->n - 1].position;
	if (due->held > 0)
		pass_note_held(pass, due->first_held);
	pass->count.dead += due->dead;
	pass->count.found += due->n;
	if (undone)
		return;
	pass->count.moved += batch->moved;
	pass->count.marked += batch->marked;
}

/* One return alone; *waits: how many of its batch waited for a lock in vain. */
static void
sweep_one(Pass *pass, bool commits, int *waits)
{
	Batch		batch = {pass->position, 1, commits};
	ErrorData  *error = attempt(do_batch, &batch, *waits < LONG_WAITS ? LOCK_WAIT : SHORT_LOCK_WAIT);
	ErrorData  *stuck;

	if (error != NULL && batch.due.n == 0)
		ReThrowError(error);
	pass_note(pass, &batch, error != NULL);
	if (error == NULL)
		return;
	pass->count.failed++;
	*waits += error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
	stuck = put_off(&batch, error);
	if (stuck == NULL)
		return;
	/* another sweep has taken it meanwhile, as a rule */
	if (is_transient(stuck))
		pass_note_held(pass, pass->position);
	else if (pass->count.stuck++ < MAX_WARNINGS)
		warn_stuck(pass->position.id, error);
}

bool
sweep_batch(Pass *pass, int max_rows, bool commits)
{
	Batch		batch = {pass->position, max_rows, commits};
	ErrorData  *error = attempt(do_batch, &batch, LOCK_WAIT);
	int			waits = 0;

	if (error != NULL && batch.due.n == 0)
		ReThrowError(error);
	if (error == NULL)
		pass_note(pass, &batch, false);
	else
		for (int i = 0; i < batch.due.n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			sweep_one(pass, commits, &waits);
		}
	return batch.due.n == max_rows;
}

bool
sweep_next_due(TimestampTz *next_due)
{
	static KeptPlan plan = {
		"SELECT wake_at FROM returns.return_request WHERE wake_at OPERATOR(pg_catalog.>) $1"
		" ORDER BY wake_at, id LIMIT 1",
		1, {TIMESTAMPTZOID}
	};
	Datum		now = TimestampTzGetDatum(clock_now());
	OwnState	own;
	bool		found;
	bool		isnull;

	own_begin(&own);
	found = plan_run(&plan, &now, NULL) > 0;
	if (found)
		*next_due = DatumGetTimestampTz(plan_value(0, 1, &isnull));
	own_end(&own);
	return found;
}

/* How many leases to end, then how many were. */
static void
do_leases(void *arg)
{
	int		   *rows = arg;

	*rows = refund_end_leases(*rows);
}

bool
sweep_leases(int max_rows)
{
	int			rows = max_rows;
	ErrorData  *error = attempt(do_leases, &rows, LOCK_WAIT);

	if (error == NULL)
		return rows < max_rows;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("refunds whose lease has ended could not be made pending again: %s",
					error->message)));
	return true;
}

static void
do_ledger(void *arg)
{
	ledger_maintain();
}

void
sweep_ledger(void)
{
	ErrorData  *error = attempt(do_ledger, NULL, LOCK_WAIT);

	if (error != NULL)
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("the checkpoint of the balances could not be brought forward: %s",
						error->message)));
}
