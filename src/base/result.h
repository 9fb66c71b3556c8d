/*-------------------------------------------------------------------------
 *
 * result.h
 *		The rows that a statement has returned.
 *
 * A ResultSet is passed by value.  Its rows live until the statement's SPI
 * connection is finished: by as_owner_end(), or by SPI_finish() of a caller that
 * connects itself.  Other statements do not change them.
 *
 * Rows count from 0, columns from 1.  Each getter asserts that row and column
 * exist.  The getters return copies in the current memory context; only the
 * value of result_value() points into the rows.
 *
 * src/base/result.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RESULT_H
#define RETURNS_RESULT_H

#include "executor/spi.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

typedef struct ResultSet
{
	SPITupleTable *table;		/* NULL: the statement returns no rows */
	uint64		nrows;			/* returned or, without RETURNING, written */
} ResultSet;

/* A column of any type; one passed by reference points into the row. */
extern Datum result_value(ResultSet result, uint64 row, int col, bool *isnull);
extern bool result_is_null(ResultSet result, uint64 row, int col);

/* Columns of type text; NULL when the value is null. */
extern text *result_text(ResultSet result, uint64 row, int col);
extern char *result_cstring(ResultSet result, uint64 row, int col);

/* Columns of type int, bigint, boolean; 0 or false when the value is null. */
extern int32 result_int(ResultSet result, uint64 row, int col);
extern int64 result_int64(ResultSet result, uint64 row, int col);
extern bool result_bool(ResultSet result, uint64 row, int col);

/* A column of type numeric; NULL when the value is null. */
extern Numeric result_numeric(ResultSet result, uint64 row, int col);

/* A column of type timestamptz: false, and *at is 0, when the value is null. */
extern bool result_time(ResultSet result, uint64 row, int col, TimestampTz *at);

/*
 * A column of type text[] as C strings; returns their number.  When the value
 * is null, the number is 0 and *strings is NULL.  A null element becomes "".
 */
extern int	result_cstrings(ResultSet result, uint64 row, int col, char ***strings);

#endif							/* RETURNS_RESULT_H */
