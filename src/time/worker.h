/*-------------------------------------------------------------------------
 *
 * worker.h
 *		The background worker: a launcher and its visits to databases.
 *
 * The launcher lives as long as the server and is connected to no database.
 * For each database of returns.database it starts, now and then, a visitor:
 * a process that connects, sweeps, and goes.  So nobody who wants to drop,
 * rename or copy the database finds the worker in his way for long.
 *
 * What they know of each other, and what worker_status() shows, is a visit
 * record for each database in shared memory.
 *
 * src/time/worker.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_WORKER_H
#define RETURNS_WORKER_H

#include "storage/lwlock.h"
#include "time/sweep.h"

#define WORKER_MAX_DATABASES 64
#define WORKER_ERROR_LENGTH 256

typedef enum VisitState
{
	VISIT_WAITING,				/* for the next time */
	VISIT_STARTING,				/* the visitor was asked for */
	VISIT_SWEEPING,
	VISIT_FAILED,				/* by last_error */
	VISIT_NOT_SET_UP,			/* no extension or no tables there */
	VISIT_NO_DATABASE,
	VISIT_NO_CONNECTIONS,		/* the database does not allow any */
	VISIT_NO_SLOT				/* max_worker_processes are at work */
} VisitState;

/* All times are of the real clock, but for next_due. */
typedef struct Visit
{
	NameData	database;		/* '': the record is free */
	VisitState	state;
	int			pid;			/* of the visitor, 0: none */
	bool		reported;		/* has it come to its end by itself? */
	bool		unfinished;		/* it left some work for the next */
	int64		wait;			/* microseconds until something is due; -1: nothing */
	TimestampTz last_run;		/* when the last visit ended; 0: never */
	SweepCount	last;			/* what it did */
	int64		moved;			/* since the server started */
	bool		has_next_due;
	TimestampTz next_due;
	TimestampTz last_error_at;	/* 0: none */
	char		last_error[WORKER_ERROR_LENGTH];
	/* for the next visitor */
	Oid			watermark_database;
	Watermark	watermark;
	int64		maintain_at;	/* the ledger, by monotonic_now() */
} Visit;

typedef struct WorkerShared
{
	LWLock	   *lock;			/* protects all that follows */
	Visit		visits[WORKER_MAX_DATABASES];
} WorkerShared;

extern WorkerShared *worker_shared; /* NULL: the library was not preloaded */

/* ---- worker_status.c ---- */

/* Ask for the shared memory; while the server preloads libraries. */
extern void worker_shared_init(void);

/* With the lock held: the record of a database; NULL: it has none. */
extern Visit *visit_find(const char *database);

/* Take the lock, note the state, let go. */
extern void visit_set_state(const char *database, VisitState state);

/* ---- worker.c ---- */

/* Register the launcher; while the server preloads libraries. */
extern void worker_init(void);

/* Signals, in either process. */
extern void worker_begin(void);

#endif							/* RETURNS_WORKER_H */
