/*-------------------------------------------------------------------------
 *
 * plan.h
 *		Former names of base/statement.h, for files that still use them.
 *
 * src/base/plan.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_PLAN_H
#define RETURNS_PLAN_H

#include "base/statement.h"

#define KeptPlan Statement
#define OwnState AsOwner
#define own_begin as_owner_begin
#define own_end as_owner_end
#define own_begin_foreign as_owner_begin_foreign
#define own_writing writing_as_owner

static inline uint64
plan_run(Statement *statement, Datum *args, const char *nulls)
{
	return statement_run(statement, args, nulls).nrows;
}

static inline uint64
plan_run_limit(Statement *statement, Datum *args, const char *nulls, long limit)
{
	return statement_run_limit(statement, args, nulls, limit).nrows;
}

static inline uint64
plan_read(Statement *statement, Datum *args, const char *nulls)
{
	return statement_read(statement, args, nulls).nrows;
}

static inline uint64
plan_run_as_caller(Statement *statement, Datum *args, const char *nulls)
{
	return statement_run_as_caller(statement, args, nulls).nrows;
}

/* Column col (from 1) of row (from 0) of the last result. */
static inline Datum
plan_value(uint64 row, int col, bool *isnull)
{
	return result_value((ResultSet) {SPI_tuptable, SPI_tuptable->numvals}, row, col, isnull);
}

#endif							/* RETURNS_PLAN_H */
