/*-------------------------------------------------------------------------
 *
 * result.h
 *		The rows that a statement has returned.
 *
 * A ResultSet is passed by value.  Its rows live until the SPI connection that the
 * statement was run on is finished: as_owner_end(), or SPI_finish() of a caller
 * that connects itself.  Running other statements does not disturb them.
 *
 * Rows count from 0, columns from 1.  Each getter asserts that row and column
 * exist.  What the getters return is allocated in the current memory context
 * and does not point into the rows; only result_value() does.
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
 * A column of type text[] as C strings: their number, 0 and *strings NULL when
 * the value is null.  An element that is null becomes "".
 */
extern int	result_cstrings(ResultSet result, uint64 row, int col, char ***strings);

#endif							/* RETURNS_RESULT_H */
