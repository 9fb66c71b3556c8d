/*-------------------------------------------------------------------------
 *
 * trigger_row.h
 *		Read and write the row of a row trigger by our column numbers.
 *
 * The file of a trigger numbers the columns of its table by an enum and names
 * them in a ColumnSet; the functions below take these numbers.  "The row" is the
 * new row or, in a DELETE, the old one.  "old" is the old row of an UPDATE or
 * DELETE.
 *
 * src/base/trigger_row.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_TRIGGER_ROW_H
#define RETURNS_TRIGGER_ROW_H

#include "access/sysattr.h"
#include "base/columns.h"
#include "base/compat.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"

typedef struct TriggerRow
{
	Relation	rel;
	const ColumnSet *columns;
	const AttrNumber *attno;	/* physical number of each of our columns */
	/* by attno - 1; arrays of the slot, until trigger_set() copies them */
	Datum	   *values;
	bool	   *isnull;
	bool		copied;
	HeapTuple	tuple;			/* as it was passed to the trigger */
	TupleTableSlot *old;		/* NULL in an INSERT */
	const Bitmapset *assigned;	/* columns of the SET list, in a BEFORE UPDATE */
} TriggerRow;

/*
 * Fill row with the row of a row trigger.  Raises 39P01 when the trigger is on
 * another table than the ColumnSet, RT012 when a column does not exist.  The
 * values are valid until the trigger returns.
 */
extern void trigger_row_load(TriggerRow *row, TriggerData *trigdata, ColumnSet *columns);

static inline const char *
trigger_column_name(const TriggerRow *row, int col)
{
	Assert(col >= 0 && col < row->columns->ncolumns);
	return row->columns->names[col];
}

static inline bool
trigger_is_null(const TriggerRow *row, int col)
{
	return row->isnull[row->attno[col] - 1];
}

/* The value must not be null. */
static inline Datum
trigger_value(const TriggerRow *row, int col)
{
	Assert(!trigger_is_null(row, col));
	return row->values[row->attno[col] - 1];
}

/* A value of the old row; not in an INSERT. */
static inline Datum
trigger_old_value(const TriggerRow *row, int col, bool *isnull)
{
	Assert(row->old != NULL);
	return slot_getattr(row->old, row->attno[col], isnull);
}

/* Columns of type text; NULL when the value is null. */
extern text *trigger_text(const TriggerRow *row, int col);
extern char *trigger_cstring(const TriggerRow *row, int col);
extern text *trigger_old_text(const TriggerRow *row, int col);
extern char *trigger_old_cstring(const TriggerRow *row, int col);

/* Does an UPDATE change the value?  1.5 and 1.50 are equal. */
extern bool trigger_changed(const TriggerRow *row, int col);

/* Does the SET list of a BEFORE UPDATE name the column? */
static inline bool
trigger_is_assigned(const TriggerRow *row, int col)
{
	return bms_is_member(row->attno[col] - FirstLowInvalidHeapAttributeNumber,
						 row->assigned);
}

/* Change the row; trigger_tuple() returns it. */
extern void trigger_set(TriggerRow *row, int col, Datum value);
extern void trigger_clear(TriggerRow *row, int col);

/* The result of a BEFORE trigger: the tuple passed to it, or one with the changes. */
extern HeapTuple trigger_tuple(const TriggerRow *row);

/*
 * RT007: the statement changes a column that it must not change.  of describes
 * the row: "refund 7".
 */
pg_noreturn extern void trigger_refuse_change(const TriggerRow *row, int col, const char *of,
											  const char *detail, const char *hint);

#endif							/* RETURNS_TRIGGER_ROW_H */
