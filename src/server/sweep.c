/*-------------------------------------------------------------------------
 *
 * sweep.c
 *		run_deadlines() and sweep(): batch after batch until nothing is due.
 *
 * src/server/sweep.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "server/sweep.h"
#include "utils/builtins.h"

/* The rows that a caller asks for. */
static int
rows_argument(FunctionCallInfo fcinfo, const char *name)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	if (PG_GETARG_INT32(0) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive, not %d", name, PG_GETARG_INT32(0))));
	return PG_GETARG_INT32(0);
}

PG_FUNCTION_INFO_V1(returns_run_deadlines);

/* run_deadlines(max_rows int) → int */
Datum
returns_run_deadlines(PG_FUNCTION_ARGS)
{
	int			max_rows = rows_argument(fcinfo, "max_rows");
	SweepPosition position = SWEEP_START;
	SweepCount	count;
	SweepCount	pass = {0};
	int64		moved = 0;

	for (;;)
	{
		int			limit = max_rows - moved;

		CHECK_FOR_INTERRUPTS();
		count = sweep_batch(&position, limit);
		sweep_add(&pass, count);
		moved += count.moved;
		if (moved == max_rows)
			break;
		if (count.found == limit)
			continue;
		/* the end: a move may have begun a stage that is over already */
		if (pass.moved + pass.marked == 0)
			break;
		pass = (SweepCount) {0};
		position = SWEEP_START;
	}
	PG_RETURN_INT32(moved);
}
