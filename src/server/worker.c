/*-------------------------------------------------------------------------
 *
 * worker.c
 *		The background worker: a launcher and its visits to databases.
 *
 * Nothing but the database itself says what is due, so neither process keeps
 * anything that could be lost: whoever dies is started again and goes on.
 *
 * src/server/worker.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "server/compat.h"
#include "server/errors.h"
#include "server/plan.h"
#include "server/settings.h"
#include "server/worker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#define RESTART_SECONDS 5
/* A visitor leaves after so long, well within the 5 s that DROP DATABASE waits. */
#define STINT (2 * USECS_PER_SEC)
/* The shortest time between two visits of which the first left nothing to do. */
#define MIN_WAIT USECS_PER_SEC
/* How often the ledger is looked after. */
#define MAINTAIN_INTERVAL USECS_PER_MINUTE

PGDLLEXPORT void returns_launcher_main(Datum arg);
PGDLLEXPORT void returns_visitor_main(Datum arg);

/* What the launcher alone knows of a database, by the index of its record. */
typedef struct Appointment
{
	BackgroundWorkerHandle *visitor;	/* NULL: nobody is there */
	int64		next;			/* when to go there, by monotonic_now() */
	bool		warned;			/* that no process is free */
} Appointment;

static Appointment appointments[WORKER_MAX_DATABASES];

static void
worker_begin(void)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
}

/* ---- the launcher ---- */

/* Copies of the names in returns.database, without duplicates. */
static List *
listed_databases(void)
{
	List	   *names = NIL;
	List	   *distinct = NIL;
	ListCell   *cell;

	(void) SplitGUCList(pstrdup(setting_database), ',', &names);
	foreach(cell, names)
	{
		char	   *name = lfirst(cell);

		if (strlen(name) >= NAMEDATALEN)
			ereport(WARNING,
					(errmsg("database name \"%s\" in returns.database is too long", name)));
		else if (name[0] != '\0')
			distinct = list_append_unique(distinct, makeString(name));
	}
	return distinct;
}

static bool
is_listed(List *databases, const char *name)
{
	return list_member(databases, makeString(pstrdup(name)));
}

/* Make the records those of returns.database. */
static void
assign_records(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "returns.database",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *databases = listed_databases();
	ListCell   *cell;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		Visit	   *visit = &worker_shared->visits[i];

		/* a visitor that is still there leaves its record to nobody */
		if (NameStr(visit->database)[0] != '\0' && appointments[i].visitor == NULL &&
			!is_listed(databases, NameStr(visit->database)))
			memset(visit, 0, sizeof(Visit));
	}
	foreach(cell, databases)
	{
		const char *name = strVal(lfirst(cell));
		Visit	   *visit = visit_find(name);

		if (visit == NULL && (visit = visit_find("")) != NULL)
		{
			namestrcpy(&visit->database, name);
			appointments[visit - worker_shared->visits] = (Appointment) {NULL, 0, false};
		}
		if (visit == NULL)
			ereport(WARNING,
					(errmsg("database \"%s\" is not swept: returns.database names more than %d",
							name, WORKER_MAX_DATABASES)));
	}
	LWLockRelease(worker_shared->lock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/*
 * Can somebody go there?  Better asked first than told by a FATAL in the log.
 * Without a database of our own, catalogs cannot be read by their indexes.
 */
static VisitState
database_state(const char *name)
{
	VisitState	state = VISIT_NO_DATABASE;
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while (state == VISIT_NO_DATABASE &&
		   HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		/* a limit below -1 marks what an interrupted DROP DATABASE has left */
		if (strcmp(NameStr(database->datname), name) == 0)
			state = database->datallowconn && database->datconnlimit >= -1 ?
				VISIT_STARTING : VISIT_NO_CONNECTIONS;
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	return state;
}

static bool
start_visitor(const char *database, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker = {0};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;	/* the launcher comes back itself */
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "returns", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "returns_visitor_main", BGW_MAXLEN);
	snprintf(worker.bgw_name, BGW_MAXLEN, "returns sweep of %s", database);
	strlcpy(worker.bgw_type, "returns sweep", BGW_MAXLEN);
	strlcpy(worker.bgw_extra, database, BGW_EXTRALEN);
	return RegisterDynamicBackgroundWorker(&worker, handle);
}

/* Send a visitor there. */
static void
visit_begin(Visit *visit, Appointment *appointment)
{
	char	   *database = NameStr(visit->database);	/* only we change it */
	VisitState	state = database_state(database);

	appointment->next = monotonic_now() + setting_naptime * USECS_PER_SEC;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit->state = state;
	visit->reported = false;
	LWLockRelease(worker_shared->lock);
	if (state != VISIT_STARTING)
		return;
	if (start_visitor(database, &appointment->visitor))
	{
		appointment->warned = false;
		return;
	}
	appointment->visitor = NULL;
	visit_set_state(database, VISIT_NO_SLOT);
	if (!appointment->warned)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker process is free to sweep database \"%s\"", database),
				 errhint("Increase max_worker_processes.")));
	appointment->warned = true;
}

/* The visitor has gone: when is the next to come? */
static void
visit_end(Visit *visit, Appointment *appointment)
{
	int64		wait = setting_naptime * USECS_PER_SEC;

	pfree(appointment->visitor);
	appointment->visitor = NULL;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit->pid = 0;
	if (!visit->reported)
	{
		visit->state = VISIT_FAILED;
		visit->last_error_at = GetCurrentTimestamp();
		strlcpy(visit->last_error, "the process was ended, see the server's log", WORKER_ERROR_LENGTH);
	}
	else if (visit->unfinished)
		wait = 0;
	else if (visit->wait >= 0)
		wait = Min(wait, Max(visit->wait, MIN_WAIT));
	LWLockRelease(worker_shared->lock);
	appointment->next = monotonic_now() + wait;
}

/* Do what is to be done for one database; how long may we sleep then? */
static int64
attend(Visit *visit, Appointment *appointment)
{
	BgwHandleStatus status;
	pid_t		pid;

	if (appointment->visitor != NULL)
	{
		status = GetBackgroundWorkerPid(appointment->visitor, &pid);
		if (status == BGWH_POSTMASTER_DIED)
			proc_exit(1);
		if (status != BGWH_STOPPED)
			return PG_INT64_MAX;	/* its end will wake us */
		visit_end(visit, appointment);
		assign_records();
	}
	if (NameStr(visit->database)[0] == '\0')
		return PG_INT64_MAX;
	if (monotonic_now() >= appointment->next)
		visit_begin(visit, appointment);
	return appointment->visitor != NULL ? PG_INT64_MAX :
		Max(appointment->next - monotonic_now(), 0);
}

static void
reload_configuration(void)
{
	int64		next;

	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	assign_records();
	next = monotonic_now() + setting_naptime * USECS_PER_SEC;
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
		appointments[i].next = Min(appointments[i].next, next);
}

void
returns_launcher_main(Datum arg)
{
	uint32		wait_event = WaitEventExtensionNewCompat("ReturnsLauncher");

	worker_begin();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	SetConfigOption("application_name", MyBgworkerEntry->bgw_name, PGC_USERSET, PGC_S_SESSION);
	pgstat_report_activity(STATE_IDLE, "visits to the databases of returns.database");
	assign_records();
	for (;;)
	{
		int64		sleep = setting_naptime * USECS_PER_SEC;

		for (int i = 0; i < WORKER_MAX_DATABASES; i++)
			sleep = Min(sleep, attend(&worker_shared->visits[i], &appointments[i]));
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 sleep / 1000 + 1, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
			reload_configuration();
	}
}

/* ---- a visitor ---- */

static char visitor_database[NAMEDATALEN];
static int64 visitor_maintains_at;	/* by monotonic_now() */

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
	static int64 noted = 0;
	Visit	   *visit;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit = visit_find(visitor_database);
	if (visit != NULL)
	{
		visit->last = *total;
		visit->moved += total->moved - noted;
	}
	LWLockRelease(worker_shared->lock);
	noted = total->moved;
}

/* Batch after batch; false when time was up before all was done. */
static bool
sweep_for_a_stint(void)
{
	int64		end = monotonic_now() + STINT;
	Sweep		sweep;
	bool		more = true;

	transaction_begin();
	MemoryContextSwitchTo(TopMemoryContext);
	sweep_begin(&sweep);
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

/* What there is to do besides; false when some of it was left. */
static bool
do_chores(void)
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

/* When the next return is due, and so in how many microseconds; -1: never. */
static int64
look_ahead(TimestampTz *next_due)
{
	int64		wait = -1;

	transaction_begin();
	if (sweep_next_due(next_due))
		wait = *next_due - clock_now();
	transaction_commit();
	return wait;
}

static void
visit_arrive(void)
{
	Visit	   *visit;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit = visit_find(visitor_database);
	if (visit != NULL)
	{
		visit->state = VISIT_SWEEPING;
		visit->pid = MyProcPid;
		visit->last = (SweepCount) {0};
		visitor_maintains_at = visit->maintain_at;
		if (visit->watermark_database == MyDatabaseId)
			sweep_watermark = visit->watermark;
	}
	LWLockRelease(worker_shared->lock);
}

static void
visit_report(VisitState state, bool unfinished, int64 wait, TimestampTz next_due)
{
	Visit	   *visit;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit = visit_find(visitor_database);
	if (visit != NULL)
	{
		visit->state = state;
		visit->reported = true;
		visit->last_run = GetCurrentTimestamp();
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
	Visit	   *visit;
	bool		not_set_up = error->sqlerrcode == ERRCODE_RT_NOT_SET_UP;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit = visit_find(visitor_database);
	if (visit != NULL)
	{
		visit->state = not_set_up ? VISIT_NOT_SET_UP : VISIT_FAILED;
		visit->reported = true;
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
	finished = sweep_for_a_stint() && do_chores();
	wait = look_ahead(&next_due);
	visit_report(VISIT_WAITING, !finished, wait, next_due);
}

/* As others who clean up behind the scenes, whatever the database prefers. */
static void
session_settings(void)
{
	SetConfigOption("application_name", MyBgworkerEntry->bgw_name, PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
}

void
returns_visitor_main(Datum arg)
{
	strlcpy(visitor_database, MyBgworkerEntry->bgw_extra, NAMEDATALEN);
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

void
worker_init(void)
{
	BackgroundWorker worker = {0};

	worker_shared_init();
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker.bgw_library_name, "returns", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "returns_launcher_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "returns launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "returns launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}
