/*-------------------------------------------------------------------------
 *
 * sweep.h
 *		What time does: moves, reminders and marks when their instant has come.
 *
 * src/server/sweep.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SWEEP_H
#define RETURNS_SWEEP_H

#include "datatype/timestamp.h"
#include "utils/palloc.h"

/* How far a pass has come: everything up to here, in order of (wake_at, id). */
typedef struct SweepPosition
{
	TimestampTz wake_at;
	int64		id;
} SweepPosition;

#define SWEEP_START ((SweepPosition) {DT_NOBEGIN, PG_INT64_MIN})

/* What batches did. */
typedef struct SweepCount
{
	int64		found;			/* due returns that nobody held */
	int64		moved;
	int64		marked;			/* reminded, or marked overdue */
	int64		failed;			/* could not be done, put off */
	int64		pages;			/* that were read in vain to find them */
} SweepCount;

/* ---- one batch (sweep_batch.c) ---- */

/*
 * Do what is due behind the position, at most so many returns, the oldest
 * first; move the position past them and add to the count.  False when there
 * were fewer than that.  commits: the transaction is the sweep's own.
 */
extern bool sweep_batch(SweepPosition *position, int max_rows, bool commits, SweepCount *count);

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
	int64		trusted_until;
} Watermark;

extern Watermark sweep_watermark;

/* Passes over all that is due, until one of them finds nothing to do. */
typedef struct Sweep
{
	bool		commits;		/* each batch */
	SweepCount	total;
	/* of this pass */
	SweepPosition position;
	TimestampTz clock;			/* when it began */
	bool		complete;		/* did it start at the beginning? */
	TimestampTz over_since;		/* when it first began a stage that was over */
	SweepCount	count;
	MemoryContext context;		/* of one batch */
} Sweep;

extern void sweep_begin(Sweep *sweep, bool commits);

/* One batch; false when nothing is left that is due. */
extern bool sweep_step(Sweep *sweep, int max_rows);

/* Microseconds of a clock that nobody sets. */
extern int64 monotonic_now(void);

extern void sweep_init(void);

#endif							/* RETURNS_SWEEP_H */
