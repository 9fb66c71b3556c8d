/*-------------------------------------------------------------------------
 *
 * worker_status.c
 *		What the background worker does and did: its records, worker_status().
 *
 * src/time/worker_status.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "time/worker.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#define STATUS_COLUMNS 11

WorkerShared *worker_shared = NULL;

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static const char *const state_names[] = {
	[VISIT_WAITING] = "waiting",
	[VISIT_STARTING] = "starting",
	[VISIT_SWEEPING] = "sweeping",
	[VISIT_FAILED] = "failed",
	[VISIT_NOT_SET_UP] = "not set up",
	[VISIT_NO_DATABASE] = "no such database",
	[VISIT_NO_CONNECTIONS] = "no connections allowed",
	[VISIT_NO_SLOT] = "no free worker process",
};

static void
shmem_request(void)
{
	if (previous_request_hook != NULL)
		previous_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(WorkerShared)));
	RequestNamedLWLockTranche("returns", 1);
}

static void
shmem_startup(void)
{
	bool		found;

	if (previous_startup_hook != NULL)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	worker_shared = ShmemInitStruct("returns worker", sizeof(WorkerShared), &found);
	if (!found)
	{
		memset(worker_shared, 0, sizeof(WorkerShared));
		worker_shared->lock = &GetNamedLWLockTranche("returns")->lock;
	}
	LWLockRelease(AddinShmemInitLock);
}

void
worker_shared_init(void)
{
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = shmem_request;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;
}

Visit *
visit_find(const char *database)
{
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
		if (strcmp(NameStr(worker_shared->visits[i].database), database) == 0)
			return &worker_shared->visits[i];
	return NULL;
}

void
visit_set_state(const char *database, VisitState state)
{
	Visit	   *visit;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	visit = visit_find(database);
	if (visit != NULL)
		visit->state = state;
	LWLockRelease(worker_shared->lock);
}

static void
put_status(ReturnSetInfo *result, const Visit *visit)
{
	Datum		values[STATUS_COLUMNS];
	bool		isnull[STATUS_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(NameStr(visit->database));
	values[1] = CStringGetTextDatum(state_names[visit->state]);
	values[2] = Int32GetDatum(visit->pid);
	isnull[2] = visit->pid == 0;
	values[3] = TimestampTzGetDatum(visit->last_run);
	values[4] = Int64GetDatum(visit->last.moved);
	values[5] = Int64GetDatum(visit->last.marked);
	values[6] = Int64GetDatum(visit->last.failed);
	isnull[3] = isnull[4] = isnull[5] = isnull[6] = visit->last_run == 0;
	values[7] = Int64GetDatum(visit->moved);
	values[8] = TimestampTzGetDatum(visit->next_due);
	isnull[8] = !visit->has_next_due;
	values[9] = CStringGetTextDatum(visit->last_error);
	values[10] = TimestampTzGetDatum(visit->last_error_at);
	isnull[9] = isnull[10] = visit->last_error_at == 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

PG_FUNCTION_INFO_V1(returns_worker_status);

/* worker_status() → setof record */
Datum
returns_worker_status(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Visit	   *visits;

	InitMaterializedSRF(fcinfo, 0);
	if (worker_shared == NULL)
		return (Datum) 0;
	visits = palloc(sizeof(worker_shared->visits));
	LWLockAcquire(worker_shared->lock, LW_SHARED);
	memcpy(visits, worker_shared->visits, sizeof(worker_shared->visits));
	LWLockRelease(worker_shared->lock);
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
		if (NameStr(visits[i].database)[0] != '\0')
			put_status(result, &visits[i]);
	return (Datum) 0;
}
