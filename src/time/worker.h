/*-------------------------------------------------------------------------
 *
 * worker.h
 *		The background worker: a launcher and its visits to databases.
 *
 * The launcher lives as long as the server and is connected to no database.
 * For each database in returns.database it starts a visitor from time to time:
 * a process that connects, sweeps, and exits.  So DROP DATABASE, ALTER DATABASE
 * RENAME and CREATE DATABASE TEMPLATE wait for the worker only a short time.
 *
 * Launcher and visitors share one record per database, in shared memory.
 * worker_status() shows these records.  The life of a visit:
 *
 *		WAITING, FAILED, NOT_SET_UP, NO_DATABASE, NO_CONNECTIONS, NO_SLOT
 *			|
 *			|  launcher: it is time for a visit
 *			+-----------------> NO_DATABASE		no such database
 *			+-----------------> NO_CONNECTIONS	it allows no connections
 *			v
 *		STARTING
 *			+-----------------> NO_SLOT			launcher: no process is free
 *			+-----------------> FAILED			launcher: the process has ended
 *			+-----------------> WAITING			launcher: it was started again
 *			|
 *			|  visitor: it is connected
 *			v
 *		SWEEPING
 *			+-----------------> NOT_SET_UP		visitor: no extension or tables
 *			+-----------------> FAILED			visitor: it met an error
 *			|									launcher: the process has ended
 *			|  visitor: it has finished
 *			|  launcher: it was started again
 *			v
 *		WAITING
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

/* The drawing above shows the successors of each state. */
typedef enum VisitState
{
	VISIT_WAITING,				/* for the time of the next visit */
	VISIT_STARTING,				/* a visitor was requested */
	VISIT_SWEEPING,
	VISIT_FAILED,				/* see last_error */
	VISIT_NOT_SET_UP,			/* the database has no extension or no tables */
	VISIT_NO_DATABASE,
	VISIT_NO_CONNECTIONS,		/* the database does not allow any */
	VISIT_NO_SLOT,				/* max_worker_processes are running */
	VISIT_NSTATES
} VisitState;

/*
 * The record of a database.  Only the launcher assigns records and begins
 * visits.  Times are of the real clock, except next_due.
 */
typedef struct Visit
{
	NameData	database;		/* '': the record is free */
	uint32		number;			/* of the visit; a visitor has it too */
	VisitState	state;			/* set by visit_change_state() */
	int			pid;			/* of the visitor; 0: none */
	bool		unfinished;		/* the visitor left work for the next one */
	int64		wait;			/* microseconds to the next deadline; -1: none */
	TimestampTz last_run;		/* end of the last visit; 0: none yet */
	SweepCount	last;			/* of the last visit */
	int64		moved;			/* since the server started */
	bool		has_next_due;
	TimestampTz next_due;
	TimestampTz last_error_at;	/* 0: none */
	char		last_error[WORKER_ERROR_LENGTH];
	/* passed on to the next visitor */
	Oid			watermark_database;
	Watermark	watermark;
	int64		maintain_at;	/* next ledger_maintain(), by monotonic_now() */
} Visit;

typedef struct WorkerShared
{
	LWLock	   *lock;			/* protects everything below */
	uint32		last_number;	/* of a visit to any database */
	Visit		visits[WORKER_MAX_DATABASES];
} WorkerShared;

extern WorkerShared *worker_shared; /* NULL: the library was not preloaded */

/* ---- worker_status.c ---- */

/* Request the shared memory.  Call while the server preloads libraries. */
extern void worker_shared_init(void);

/* The record of a database, or NULL.  The caller holds the lock. */
extern Visit *visit_find(const char *database);

/* Is there a visitor, or will there be one? */
extern bool visit_in_progress(const Visit *visit);

/* Go to one of the successors of the state.  The caller holds the lock. */
extern void visit_change_state(Visit *visit, VisitState state);

/* ---- worker.c ---- */

/* Register the launcher.  Call while the server preloads libraries. */
extern void worker_init(void);

/* Install the signal handlers of a launcher or visitor. */
extern void worker_begin(void);

#endif							/* RETURNS_WORKER_H */
