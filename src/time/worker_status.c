/*-------------------------------------------------------------------------
 *
 * worker_status.c
 *		The background worker: its records in shared memory, and worker_status().
 *
 * src/time/worker_status.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

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

static const char *const state_names[VISIT_NSTATES] = {
	[VISIT_WAITING] = "waiting",
	[VISIT_STARTING] = "starting",
	[VISIT_SWEEPING] = "sweeping",
	[VISIT_FAILED] = "failed",
	[VISIT_NOT_SET_UP] = "not set up",
	[VISIT_NO_DATABASE] = "no such database",
	[VISIT_NO_CONNECTIONS] = "no connections allowed",
	[VISIT_NO_SLOT] = "no free worker process",
};

/* The successors of each state, as bits: the drawing in worker.h. */
#define STATE_BIT(state) (1 << (state))
#define FIRST_STATES \
	(STATE_BIT(VISIT_STARTING) | STATE_BIT(VISIT_NO_DATABASE) | STATE_BIT(VISIT_NO_CONNECTIONS))

static const int successors[VISIT_NSTATES] PG_USED_FOR_ASSERTS_ONLY = {
	[VISIT_WAITING] = FIRST_STATES,
	[VISIT_STARTING] = STATE_BIT(VISIT_SWEEPING) | STATE_BIT(VISIT_NO_SLOT) |
	STATE_BIT(VISIT_FAILED) | STATE_BIT(VISIT_WAITING),
	[VISIT_SWEEPING] = STATE_BIT(VISIT_WAITING) | STATE_BIT(VISIT_NOT_SET_UP) | STATE_BIT(VISIT_FAILED),
	[VISIT_FAILED] = FIRST_STATES,
	[VISIT_NOT_SET_UP] = FIRST_STATES,
	[VISIT_NO_DATABASE] = FIRST_STATES,
	[VISIT_NO_CONNECTIONS] = FIRST_STATES,
	[VISIT_NO_SLOT] = FIRST_STATES,
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

bool
visit_in_progress(const Visit *visit)
{
	return visit->state == VISIT_STARTING || visit->state == VISIT_SWEEPING;
}

void
visit_change_state(Visit *visit, VisitState state)
{
	Assert(LWLockHeldByMeInMode(worker_shared->lock, LW_EXCLUSIVE));
	Assert(NameStr(visit->database)[0] != '\0');
	Assert((successors[visit->state] & STATE_BIT(state)) != 0);
	visit->state = state;
}

static void
put_status(ReturnSetInfo *result, const Visit *visit)
{
	Datum		values[STATUS_COLUMNS];
	bool		isnull[STATUS_COLUMNS] = {false};

	Assert(result->setDesc->natts == STATUS_COLUMNS);
	Assert(visit->state >= 0 && visit->state < VISIT_NSTATES);
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
