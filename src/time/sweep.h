/*-------------------------------------------------------------------------
 *
 * sweep.h
 *		Find the returns that are due, and move, remind or mark them.
 *
 * A return is due when its wake_at has come.  A sweep processes due returns in
 * order of (wake_at, id), in batches; a pass is one scan of the index from its
 * start position to the last due return.
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

/* A position in the index on (wake_at, id). */
typedef struct SweepPosition
{
	TimestampTz wake_at;
	int64		id;
} SweepPosition;

/* Before every position, and behind every one. */
#define SWEEP_START ((SweepPosition) {DT_NOBEGIN, PG_INT64_MIN})
#define SWEEP_NOWHERE ((SweepPosition) {DT_NOEND, 0})

static inline bool
position_is_nowhere(SweepPosition position)
{
	return TIMESTAMP_IS_NOEND(position.wake_at);
}

/* Counters of one batch or of several. */
typedef struct SweepCount
{
	int64		found;			/* due returns whose rows could be locked */
	int64		moved;
	int64		marked;			/* reminded, or marked overdue */
	int64		failed;			/* because of an error */
	int64		stuck;			/* failed, and could not be put off either */
	int64		dead;			/* index entries without a visible row */
} SweepCount;

/* ---- find due returns: sweep_scan.c ---- */

typedef struct DueRow
{
	ItemPointerData tid;
	SweepPosition position;
	bool		moves;			/* to on_timeout; false: is reminded or marked */
} DueRow;

typedef struct DueRows
{
	int			max_rows;
	int			n;
	int			capacity;
	DueRow	   *rows;			/* n of them, in order of position */
	text	   *order_ref;		/* of the row, when max_rows is 1 */
	int64		dead;			/* index entries without a visible row */
	int64		held;			/* rows that another transaction has locked */
	SweepPosition first_held;	/* of the first held row, when there is one */
} DueRows;

/*
 * Lock the first max_rows due returns behind a position, in order of
 * (wake_at, id).  Rows that another transaction has locked are skipped.
 */
extern void sweep_lock_due(const SweepPosition *after, int max_rows, DueRows *due);

/* ---- process one batch: sweep_batch.c ---- */

/* One scan over the due returns. */
typedef struct Pass
{
	SweepPosition position;		/* of the last row that was processed */
	SweepPosition first_held;	/* of the first skipped row, or SWEEP_NOWHERE */
	SweepCount	count;
} Pass;

/*
 * Process the next max_rows due returns of the pass.  False when there were
 * fewer.  commits: the caller commits after each batch.
 */
extern bool sweep_batch(Pass *pass, int max_rows, bool commits);

/* The first wake_at after now; false when there is none. */
extern bool sweep_next_due(TimestampTz *next_due);

/*
 * Release at most max_rows refunds whose lease has ended; false when there may be
 * more.
 */
extern bool sweep_leases(int max_rows);

/* Advance the checkpoint of the balances, if ledger_maintain() finds it due. */
extern void sweep_ledger(void);

/* ---- all batches: sweep.c ---- */

/*
 * The position before which no returns are due, remembered while a scan of the
 * index from its beginning would be slow.  See sweep.c.
 */
typedef struct Watermark
{
	SweepPosition position;		/* a pass starts behind it */
	SweepPosition held;			/* first skipped row, or SWEEP_NOWHERE */
	int64		trusted_until;	/* by monotonic_now(); valid before */
} Watermark;

extern Watermark sweep_watermark;

/* Passes over the due returns, until one of them finds nothing to do. */
typedef struct Sweep
{
	bool		commits;		/* the caller commits after each batch */
	SweepCount	total;			/* of all passes */
	MemoryContext context;		/* reset after each batch */
	/* the current pass */
	Pass		pass;
	TimestampTz clock;			/* clock_now() at its start */
	bool		complete;		/* it started at the beginning of the index */
	TimestampTz over_since;		/* first wake_at that it set to now */
} Sweep;

extern void sweep_begin(Sweep *sweep, bool commits);

/* Process one batch; false when no due return is left. */
extern bool sweep_step(Sweep *sweep, int max_rows);

/* Microseconds of a clock that is never set back. */
extern int64 monotonic_now(void);

extern void sweep_init(void);

#endif							/* RETURNS_SWEEP_H */
