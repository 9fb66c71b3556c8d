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
} SweepCount;

/*
 * Do what is due behind the position, at most so many returns, the oldest
 * first; moves the position past them.
 */
extern SweepCount sweep_batch(SweepPosition *position, int max_rows);

extern void sweep_add(SweepCount *total, SweepCount count);

#endif							/* RETURNS_SWEEP_H */
