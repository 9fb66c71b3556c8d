/*-------------------------------------------------------------------------
 *
 * worker_visit.c
 *		The background worker: one visit to a database.
 *
 * src/time/worker_visit.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/as_owner.h"
#include "base/compat.h"
#include "base/errors.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "rules/session.h"
#include "storage/ipc.h"
#include "time/worker.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* How long a visit sweeps: less than the 5 s that DROP DATABASE waits. */
#define SWEEP_TIME (2 * USECS_PER_SEC)
#define MAINTAIN_INTERVAL USECS_PER_MINUTE	/* of the ledger */

pg_noreturn PGDLLEXPORT void returns_visitor_main(Datum arg);

static char visitor_database[NAMEDATALEN];
static uint32 visitor_number;	/* of the visit */
static int64 visitor_maintains_at;	/* next sweep_ledger(), by monotonic_now() */
static SweepCount visitor_count;	/* of the visit so far */

static void
transaction_begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
transaction_commit(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(false);
}

static bool
is_set_up(void)
{
	bool		found;

	transaction_begin();
	found = OidIsValid(get_extension_oid("returns", true)) &&
		OidIsValid(table_oid("return_request"));
	transaction_commit();
	return found;
}

static void
note_progress(const SweepCount *total)
{
	Visit	   *visit;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit = visit_find(visitor_database);
	if (visit != NULL)
		visit->moved += total->moved - visitor_count.moved;
	LWLockRelease(worker_shared->lock);
	visitor_count = *total;
}

/* Sweep for SWEEP_TIME at most; false when due returns are left. */
static bool
sweep_due(void)
{
	int64		end = monotonic_now() + SWEEP_TIME;
	Sweep		sweep;
	bool		more = true;

	transaction_begin();
	MemoryContextSwitchTo(TopMemoryContext);
	sweep_begin(&sweep, true);
	transaction_commit();
	while (more && monotonic_now() < end)
	{
		CHECK_FOR_INTERRUPTS();
		transaction_begin();
		more = sweep_step(&sweep, setting_batch);
		transaction_commit();
		note_progress(&sweep.total);
	}
	return !more;
}

/* Release leases and maintain the ledger; false when ended leases are left. */
static bool
sweep_others(void)
{
	bool		finished;

	transaction_begin();
	finished = sweep_leases(setting_batch);
	transaction_commit();
	if (monotonic_now() >= visitor_maintains_at)
	{
		visitor_maintains_at = monotonic_now() + MAINTAIN_INTERVAL;
		transaction_begin();
		sweep_ledger();
		transaction_commit();
	}
	return finished;
}

/* Microseconds to the next deadline, which is *next_due; -1: there is none. */
static int64
time_to_next_due(TimestampTz *next_due)
{
	int64		wait = -1;

	transaction_begin();
	if (sweep_next_due(next_due))
		wait = *next_due - clock_now();
	transaction_commit();
	return wait;
}

/*
 * Take the lock, which the caller releases.  Returns the record of this visit,
 * or NULL when a new launcher has ended the visit.
 */
static Visit *
visit_lock(void)
{
	Visit	   *visit;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit = visit_find(visitor_database);
	return visit != NULL && visit->number == visitor_number ? visit : NULL;
}

static void
visit_arrive(void)
{
	Visit	   *visit = visit_lock();

	if (visit != NULL)
	{
		visit_change_state(visit, VISIT_SWEEPING);
		visit->pid = MyProcPid;
		visitor_maintains_at = visit->maintain_at;
		if (visit->watermark_database == MyDatabaseId)
			sweep_watermark = visit->watermark;
	}
	LWLockRelease(worker_shared->lock);
}

static void
visit_report(VisitState state, bool unfinished, int64 wait, TimestampTz next_due)
{
	Visit	   *visit = visit_lock();

	if (visit != NULL)
	{
		visit_change_state(visit, state);
		visit->last_run = GetCurrentTimestamp();
		visit->last = visitor_count;
		visit->unfinished = unfinished;
		visit->wait = wait;
		visit->has_next_due = wait >= 0;
		visit->next_due = next_due;
		visit->watermark_database = MyDatabaseId;
		visit->watermark = sweep_watermark;
		visit->maintain_at = visitor_maintains_at;
	}
	LWLockRelease(worker_shared->lock);
}

static void
visit_report_error(const ErrorData *error)
{
	bool		not_set_up = error->sqlerrcode == ERRCODE_RT_NOT_SET_UP;
	Visit	   *visit = visit_lock();

	if (visit != NULL)
	{
		visit_change_state(visit, not_set_up ? VISIT_NOT_SET_UP : VISIT_FAILED);
		visit->unfinished = visit->has_next_due = false;
		visit->wait = -1;
		visit->last_error_at = GetCurrentTimestamp();
		strlcpy(visit->last_error, error->message, WORKER_ERROR_LENGTH);
	}
	LWLockRelease(worker_shared->lock);
}

static void
visit_sweep(void)
{
	TimestampTz next_due = 0;
	int64		wait = -1;
	bool		finished = true;

	if (!is_set_up())
	{
		visit_report(VISIT_NOT_SET_UP, false, -1, 0);
		return;
	}
	pgstat_report_activity(STATE_RUNNING, "sweep of returns that are due");
	finished = sweep_due() && sweep_others();
	wait = time_to_next_due(&next_due);
	visit_report(VISIT_WAITING, !finished, wait, next_due);
}

/* Settings of the database must not stop a sweep; autovacuum does the same. */
static void
session_settings(void)
{
	SetConfigOption("application_name", MyBgworkerEntry->bgw_name, PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	/* a setting of PostgreSQL 17 */
	if (GetConfigOption("transaction_timeout", true, false) != NULL)
		SetConfigOption("transaction_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
}

void
returns_visitor_main(Datum arg)
{
	strlcpy(visitor_database, MyBgworkerEntry->bgw_extra, NAMEDATALEN);
	visitor_number = DatumGetUInt32(arg);
	worker_begin();
	BackgroundWorkerInitializeConnection(visitor_database, NULL, 0);
	visit_arrive();
	session_settings();
	PG_TRY();
	{
		visit_sweep();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(TopMemoryContext);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_RT_NOT_SET_UP)
			EmitErrorReport();
		AbortOutOfAnyTransaction();
		FlushErrorState();
		visit_report_error(error);
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	proc_exit(0);
}
