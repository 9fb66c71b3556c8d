/*-------------------------------------------------------------------------
 *
 * worker.c
 *		The background worker: its launcher.
 *
 * The database alone says which returns are due.  Neither the launcher nor a
 * visitor keeps state that must not be lost, so either may be killed: it is
 * started again and continues.
 *
 * src/time/worker.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/compat.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "rules/session.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "time/worker.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#define RESTART_SECONDS 5
/* The shortest time between two visits, unless the first left work. */
#define MIN_WAIT USECS_PER_SEC

StaticAssertDecl(BGW_EXTRALEN >= NAMEDATALEN, "bgw_extra has no room for a database name");

pg_noreturn PGDLLEXPORT void returns_launcher_main(Datum arg);

/* The launcher's own data about a database, with the index of its record. */
typedef struct Appointment
{
	BackgroundWorkerHandle *visitor;	/* NULL: no visit is in progress */
	int64		next;			/* time of the next visit, by monotonic_now() */
	bool		warned;			/* that no process is free */
} Appointment;

static Appointment appointments[WORKER_MAX_DATABASES];

void
worker_begin(void)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
}

/* The names in returns.database, copied, without duplicates; warn: of invalid names. */
static List *
listed_databases(bool warn)
{
	List	   *names = NIL;
	List	   *distinct = NIL;
	ListCell   *cell;

	(void) SplitGUCList(pstrdup(setting_database), ',', &names);
	foreach(cell, names)
	{
		char	   *name = lfirst(cell);

		if (strlen(name) >= NAMEDATALEN)
		{
			if (warn)
				ereport(WARNING,
						(errcode(ERRCODE_NAME_TOO_LONG),
						 errmsg("database name \"%s\" in returns.database is too long", name),
						 errdetail("A name has at most %d bytes.", NAMEDATALEN - 1)));
		}
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

/* Assign the records to the databases of returns.database; warn: of those without one. */
static void
assign_records(bool warn)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "returns.database",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *databases = listed_databases(warn);
	ListCell   *cell;
	int			leaving = 0;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		Visit	   *visit = &worker_shared->visits[i];

		if (NameStr(visit->database)[0] == '\0' ||
			is_listed(databases, NameStr(visit->database)))
			continue;
		/* a visitor that is still there keeps the record until it exits */
		if (appointments[i].visitor != NULL)
			leaving++;
		else
			memset(visit, 0, sizeof(Visit));
	}
	foreach(cell, databases)
	{
		const char *name = strVal(lfirst(cell));
		Visit	   *visit = visit_find(name);

		if (visit == NULL && (visit = visit_find("")) != NULL)
		{
			namestrcpy(&visit->database, name);
			appointments[visit - worker_shared->visits] = (Appointment)
			{
				NULL, 0, false
			};
		}
		if (visit == NULL && leaving-- <= 0 && warn)
			ereport(WARNING,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("database \"%s\" is not swept: returns.database names more than %d",
							name, WORKER_MAX_DATABASES),
					 errhint("Remove databases from returns.database, or call returns.sweep() in this one from a scheduler.")));
	}
	LWLockRelease(worker_shared->lock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/*
 * The state that a new visit to the database begins with.  Without this check a
 * visitor of a missing database would write a FATAL to the log each time.  A
 * process that is connected to no database cannot read catalogs by an index.
 */
static VisitState
first_state(const char *name)
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

		/* an interrupted DROP DATABASE leaves a limit below -1 */
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
start_visitor(const char *database, uint32 number, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker = {0};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;	/* the launcher starts the
													 * next one */
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "returns", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "returns_visitor_main", BGW_MAXLEN);
	snprintf(worker.bgw_name, BGW_MAXLEN, "returns sweep of %s", database);
	strlcpy(worker.bgw_type, "returns sweep", BGW_MAXLEN);
	worker.bgw_main_arg = UInt32GetDatum(number);
	strlcpy(worker.bgw_extra, database, BGW_EXTRALEN);
	return RegisterDynamicBackgroundWorker(&worker, handle);
}

/* The visitor could not be started. */
static void
visit_has_no_slot(Visit *visit, Appointment *appointment)
{
	char	   *database = NameStr(visit->database);

	appointment->visitor = NULL;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit_change_state(visit, VISIT_NO_SLOT);
	LWLockRelease(worker_shared->lock);
	if (!appointment->warned)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker process is free to sweep database \"%s\"", database),
				 errdetail("max_worker_processes is %d, and all of them are in use.", max_worker_processes),
				 errhint("Increase max_worker_processes and restart the server.")));
	appointment->warned = true;
}

static void
visit_begin(Visit *visit, Appointment *appointment)
{
	char	   *database = NameStr(visit->database);	/* only we change it */
	VisitState	state = first_state(database);
	uint32		number;

	Assert(appointment->visitor == NULL);
	appointment->next = monotonic_now() + setting_naptime * USECS_PER_SEC;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit_change_state(visit, state);
	number = visit->number = ++worker_shared->last_number;
	LWLockRelease(worker_shared->lock);
	if (state != VISIT_STARTING)
		return;
	if (start_visitor(database, number, &appointment->visitor))
		appointment->warned = false;
	else
		visit_has_no_slot(visit, appointment);
}

/* The visitor has exited: set the time of the next visit. */
static void
visit_end(Visit *visit, Appointment *appointment)
{
	int64		wait = setting_naptime * USECS_PER_SEC;

	pfree(appointment->visitor);
	appointment->visitor = NULL;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit->pid = 0;
	if (visit_in_progress(visit))
	{
		visit_change_state(visit, VISIT_FAILED);
		visit->last_error_at = GetCurrentTimestamp();
		strlcpy(visit->last_error, "the process ended before it finished the visit; see the server log",
				WORKER_ERROR_LENGTH);
	}
	else if (visit->unfinished)
		wait = 0;
	else if (visit->wait >= 0)
		wait = Min(wait, Max(visit->wait, MIN_WAIT));
	LWLockRelease(worker_shared->lock);
	appointment->next = monotonic_now() + wait;
}

/*
 * Visitors of an earlier launcher may still run, but their handles are lost.
 * End their visits: with another number they no longer change the records.
 */
static void
forget_visits(void)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		Visit	   *visit = &worker_shared->visits[i];

		if (!visit_in_progress(visit))
			continue;
		visit_change_state(visit, VISIT_WAITING);
		visit->number = ++worker_shared->last_number;
		visit->pid = 0;
	}
	LWLockRelease(worker_shared->lock);
}

/* End or begin the visit of one record; returns the microseconds to the next call. */
static int64
visit_check(Visit *visit, Appointment *appointment)
{
	BgwHandleStatus status;
	pid_t		pid;

	if (appointment->visitor != NULL)
	{
		status = GetBackgroundWorkerPid(appointment->visitor, &pid);
		if (status == BGWH_POSTMASTER_DIED)
			proc_exit(1);
		if (status != BGWH_STOPPED)
			return PG_INT64_MAX;	/* its exit will set our latch */
		visit_end(visit, appointment);
		assign_records(false);
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
	assign_records(true);
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
	forget_visits();
	assign_records(true);
	for (;;)
	{
		int64		sleep = setting_naptime * USECS_PER_SEC;

		for (int i = 0; i < WORKER_MAX_DATABASES; i++)
			sleep = Min(sleep, visit_check(&worker_shared->visits[i], &appointments[i]));
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 sleep / 1000 + 1, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
			reload_configuration();
	}
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
