/*-------------------------------------------------------------------------
 *
 * sweep_batch.c
 *		Process one batch of due returns.
 *
 * A batch locks the first due returns, except rows that other transactions have
 * locked.  It then runs one UPDATE for the returns that move, and one for those
 * that are only reminded or marked overdue.  The row trigger of return_request
 * checks both like the UPDATE of any client; the actor is the system.
 *
 * A batch is a subtransaction.  If one return makes it fail, it is rolled back
 * and each return becomes a batch of its own.  A return that fails alone is put
 * off: it is tried again after a time that doubles with each failure, and its
 * history gets the error.
 *
 * src/time/sweep_batch.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/statement.h"
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
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/*
 * lock_timeout of a batch, in milliseconds.  It is less than the default of
 * deadlock_timeout: if a client and a batch wait for each other, usually the
 * batch gives up and the client continues.  After LONG_WAITS timeouts in a
 * batch its next returns wait only for SHORT_LOCK_WAIT.
 */
#define LOCK_WAIT 200
#define SHORT_LOCK_WAIT 10
#define LONG_WAITS 3
#define MAX_WARNINGS 3			/* of one pass */
/* When a return that was put off is tried again: see put_off_work(). */
#define FIRST_DELAY USECS_PER_MINUTE
#define LAST_DELAY USECS_PER_DAY
#define DOUBLINGS 11			/* 2^11 minutes are more than LAST_DELAY */

typedef struct Batch
{
	SweepPosition after;
	int			max_rows;
	bool		commits;		/* the caller commits after the batch */
	DueRows		due;			/* valid also after the batch has failed */
	int64		moved;
	int64		marked;
} Batch;

/* A return that could not be moved or marked. */
typedef struct Failure
{
	const Batch *batch;			/* of this return alone */
	const ErrorData *error;
	bool		silent;			/* append no event */
} Failure;

typedef void (*Work) (void *arg);

/* Is the error not specific to one return?  Then other returns would fail too. */
static bool
is_server_error(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return error->sqlerrcode == ERRCODE_RT_NOT_SET_UP ||
		category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_OPERATOR_INTERVENTION;
}

/*
 * Wait for no lock longer than lock_wait, until the subtransaction ends: a
 * client that keeps an order locked must not hold up the other returns.
 */
static void
limit_lock_wait(int lock_wait)
{
	char		value[12];

	Assert(lock_wait > 0);
	if (LockTimeout > 0 && LockTimeout <= lock_wait)
		return;
	snprintf(value, sizeof(value), "%d", lock_wait);
	(void) set_config_option("lock_timeout", value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Run work(arg) as the system, in a subtransaction with a lock_timeout of at
 * most lock_wait.  Returns NULL, or the error that rolled the subtransaction
 * back.  Raises the error again when it is not specific to one return.
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
		limit_lock_wait(lock_wait);
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

/* In the trigger of return_request: remind, or mark as overdue. */
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

/* A tid[] of the n rows that move, or of the n others. */
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
	static Statement move = {
		"UPDATE ONLY returns.return_request SET status = on_timeout WHERE ctid" EQ "ANY ($1)",
		1, {TIDARRAYOID}
	};
	static Statement check_deferred = {"SET CONSTRAINTS ALL IMMEDIATE", 0};
	Batch	   *batch = arg;
	AsOwner		owner;
	Datum		tids;
	int			n;

	as_owner_begin(&owner);
	trigger_check_is_there();
	sweep_lock_due(&batch->after, batch->max_rows, &batch->due);
	tids = tid_array(&batch->due, true, &n);
	if (n > 0)
		batch->moved = statement_run(&move, &tids, NULL).nrows;
	trigger_check_wrote("return_request", batch->moved, n);
	tids = tid_array(&batch->due, false, &n);
	if (n > 0)
		batch->marked = return_update_all_with(tids, mark_work, NULL);
	trigger_check_wrote("return_request", batch->marked, n);
	/* a deferred constraint must fail the batch, not the commit */
	if (batch->commits && batch->due.n > 0)
		statement_run(&check_deferred, NULL, NULL);
	as_owner_end(&owner);
	Assert(batch->moved + batch->marked == batch->due.n);
}

static Jsonb *
failure_details(const ErrorData *error, const text *on_timeout, int failures)
{
	Json		json;

	json_begin(&json);
	json_text(&json, "error", error->message);
	json_text(&json, "detail", error->detail);
	json_text(&json, "sqlstate", unpack_sql_state(error->sqlerrcode));
	json_text(&json, "on_timeout", on_timeout ? text_to_cstring(on_timeout) : NULL);
	json_int(&json, "failures", failures);
	return json_end(&json);
}

/* In the trigger of return_request: try again later, if the return is still due. */
static void
put_off_work(ReturnRow *row, void *arg)
{
	const Failure *failure = arg;
	int			failures = DatumGetInt32(ROW_VALUE(row, REQ_FAILURES));
	TimestampTz delay = failures < DOUBLINGS ? FIRST_DELAY << failures : LAST_DELAY;
	TimestampTz due_at = ROW_NULL(row, REQ_DUE_AT) ? DT_NOEND :
		DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT));
	TimestampTz wake_at = row->now + delay;

	if (ROW_NULL(row, REQ_WAKE_AT) ||
		DatumGetTimestampTz(ROW_VALUE(row, REQ_WAKE_AT)) > row->now)
		return;
	row_set(row, REQ_FAILURES, Int32GetDatum(failures + 1));
	/* a reminder that fails does not put off the deadline */
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

/* Did other transactions cause the error?  Such an error gets no event. */
static bool
is_transient(const ErrorData *error)
{
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK ||
		error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
}

/* Put off the only return of a batch; returns NULL or the error. */
static ErrorData *
put_off(const Batch *batch, const ErrorData *error)
{
	Failure		failure = {batch, error, is_transient(error)};
	ErrorData  *again;

	Assert(batch->due.n == 1);
	again = attempt(do_put_off, &failure, SHORT_LOCK_WAIT);
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
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 error->hint != NULL ? errhint("%s", error->hint) : 0));
}

static void
pass_note_held(Pass *pass, SweepPosition position)
{
	if (position_is_nowhere(pass->first_held))
		pass->first_held = position;
}

/* Add a batch to its pass; failed: the batch was rolled back. */
static void
pass_add(Pass *pass, const Batch *batch, bool failed)
{
	const DueRows *due = &batch->due;

	Assert(due->n <= batch->max_rows);
	if (due->n > 0)
		pass->position = due->rows[due->n - 1].position;
	if (due->held > 0)
		pass_note_held(pass, due->first_held);
	pass->count.dead += due->dead;
	pass->count.found += due->n;
	if (failed)
		return;
	pass->count.moved += batch->moved;
	pass->count.marked += batch->marked;
}

/* Process one return alone; *waits: the lock timeouts in its batch so far. */
static void
sweep_one(Pass *pass, bool commits, int *waits)
{
	Batch		batch = {pass->position, 1, commits};
	ErrorData  *error = attempt(do_batch, &batch, *waits < LONG_WAITS ? LOCK_WAIT : SHORT_LOCK_WAIT);
	ErrorData  *stuck;

	if (error != NULL && batch.due.n == 0)
		ReThrowError(error);
	pass_add(pass, &batch, error != NULL);
	if (error == NULL)
		return;
	pass->count.failed++;
	*waits += error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
	stuck = put_off(&batch, error);
	if (stuck == NULL)
		return;
	/* probably another sweep has locked it meanwhile */
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
		pass_add(pass, &batch, false);
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
	static Statement read = {
		"SELECT wake_at FROM returns.return_request WHERE wake_at OPERATOR(pg_catalog.>) $1"
		" ORDER BY wake_at, id LIMIT 1",
		1, {TIMESTAMPTZOID}
	};
	Datum		now = TimestampTzGetDatum(clock_now());
	AsOwner		owner;
	ResultSet	first;
	bool		found;

	as_owner_begin(&owner);
	first = statement_run(&read, &now, NULL);
	found = first.nrows > 0 && result_time(first, 0, 1, next_due);
	as_owner_end(&owner);
	return found;
}

/* arg: the number of leases to end, then the number that has ended. */
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
			 errmsg("could not make the refunds pending whose lease has ended: %s", error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 errhint("The next sweep tries again.")));
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
				 errmsg("could not write a checkpoint of the balances: %s", error->message),
				 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
				 errhint("The next sweep tries again.")));
}
