/*-------------------------------------------------------------------------
 *
 * sweep.h
 *		What time does: moves, reminders and marks when their instant has come.
 *
 * src/time/sweep.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SWEEP_H
#define RETURNS_SWEEP_H

#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/palloc.h"

/* How far a pass has come: everything up to here, in order of (wake_at, id). */
typedef struct SweepPosition
{
	TimestampTz wake_at;
	int64		id;
} SweepPosition;

#define SWEEP_START ((SweepPosition) {DT_NOBEGIN, PG_INT64_MIN})

/* What batches met with and did. */
typedef struct SweepCount
{
	int64		found;			/* due returns that nobody held */
	int64		moved;
	int64		marked;			/* reminded, or marked overdue */
	int64		failed;			/* could not be done */
	int64		stuck;			/* of them, could not even be put off */
	int64		dead;			/* entries of the index that led to nothing */
} SweepCount;

/* ---- which are due (sweep_scan.c) ---- */

typedef struct DueRow
{
	ItemPointerData tid;
	SweepPosition position;
	bool		moves;			/* to its on_timeout; else: is reminded or marked */
} DueRow;

typedef struct DueRows
{
	int			max_rows;
	int			n;
	int			capacity;
	DueRow	   *rows;
	text	   *order_ref;		/* where max_rows is 1: of the row */
	int64		dead;
	int64		held;
	SweepPosition first_held;
} DueRows;

/*
 * Lock due returns behind the position, at most so many, in order of
 * (wake_at, id), passing over those that somebody holds.
 */
extern void sweep_lock_due(const SweepPosition *after, int max_rows, DueRows *due);

/* ---- one batch (sweep_batch.c) ---- */

/* A pass over what is due, in order of (wake_at, id). */
typedef struct Pass
{
	SweepPosition position;		/* all up to here was done */
	SweepPosition first_held;	/* of what was passed over; DT_NOEND: nothing */
	SweepCount	count;
} Pass;

/*
 * Do what is due behind the position of the pass, at most so many returns, the
 * oldest first.  False when there were fewer than that.  commits: the
 * transaction is the sweep's own.
 */
extern bool sweep_batch(Pass *pass, int max_rows, bool commits);

/* When the next return is to be looked at, later than now; false: never. */
extern bool sweep_next_due(TimestampTz *next_due);

/* Let go of refunds whose lease has ended; false when there may be more. */
extern bool sweep_leases(int max_rows);

/* Bring the checkpoint of the balances forward when it is worth it. */
extern void sweep_ledger(void);

/* ---- batch after batch (sweep.c) ---- */

/*
 * All that was due before the position has been swept, and to find that out
 * again would be dear.  To be believed until an instant of monotonic_now().
 */
typedef struct Watermark
{
	SweepPosition position;
	SweepPosition held;			/* go back there at the end; DT_NOEND: no need */
	int64		trusted_until;
} Watermark;

extern Watermark sweep_watermark;

/* Passes over all that is due, until one of them finds nothing to do. */
typedef struct Sweep
{
	bool		commits;		/* each batch */
	SweepCount	total;
	Pass		pass;
	/* of this pass */
	TimestampTz clock;			/* when it began */
	bool		complete;		/* did it start at the beginning? */
	TimestampTz over_since;		/* when it first began a stage that was over */
	MemoryContext context;		/* of one batch */
} Sweep;

extern void sweep_begin(Sweep *sweep, bool commits);

/* One batch; false when nothing is left that is due. */
extern bool sweep_step(Sweep *sweep, int max_rows);

/* Microseconds of a clock that nobody sets. */
extern int64 monotonic_now(void);

extern void sweep_init(void);

#endif							/* RETURNS_SWEEP_H */
