/*-------------------------------------------------------------------------
 *
 * worker.c
 *		The background worker: its launcher.
 *
 * Nothing but the database itself says what is due, so neither the launcher nor
 * a visitor keeps anything that could be lost: whoever dies is started again
 * and goes on.
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
/* The shortest time between two visits of which the first left nothing to do. */
#define MIN_WAIT USECS_PER_SEC

PGDLLEXPORT void returns_launcher_main(Datum arg);

/* What the launcher alone knows of a database, by the index of its record. */
typedef struct Appointment
{
	BackgroundWorkerHandle *visitor;	/* NULL: nobody is there */
	int64		next;			/* when to go there, by monotonic_now() */
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

/* Copies of the names in returns.database, without duplicates; warn of what is none? */
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
						(errmsg("database name \"%s\" in returns.database is too long", name)));
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

/* Make the records those of returns.database; warn of what has to be left out? */
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
		/* a visitor that is still there leaves its record when it goes */
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
			appointments[visit - worker_shared->visits] = (Appointment) {NULL, 0, false};
		}
		if (visit == NULL && leaving-- <= 0 && warn)
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
	assign_records(true);
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
