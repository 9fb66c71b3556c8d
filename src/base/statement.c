/*-------------------------------------------------------------------------
 *
 * statement.c
 *		Statements of the extension: prepared once a session, run as the owner.
 *
 * src/base/statement.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/statement.h"
#include "utils/snapmgr.h"

static void
statement_prepare(Statement *statement)
{
	SPIPlanPtr	prepared;

	if (statement->plan != NULL)
	{
		if (SPI_plan_is_valid(statement->plan))
			return;
		SPI_freeplan(statement->plan);
		statement->plan = NULL;
	}
	Assert(statement->nargs >= 0 && statement->nargs <= STATEMENT_MAX_ARGS);
	prepared = SPI_prepare(statement->text, statement->nargs, statement->argtypes);
	if (prepared == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", statement->text,
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(prepared);
	statement->plan = prepared;
}

/*
 * Run with a snapshot (InvalidSnapshot: the one that SPI takes).  SPI switches
 * to its own memory context.  Switch back, so that values which the caller
 * copies from the result survive SPI_finish().
 */
static ResultSet
statement_execute(Statement *statement, Datum *args, const char *nulls, Snapshot snapshot,
				  bool read_only, long limit)
{
	MemoryContext caller_context = CurrentMemoryContext;
	int			code;

	Assert(args != NULL || statement->nargs == 0);
	statement_prepare(statement);
	if (snapshot == InvalidSnapshot)
		code = SPI_execute_plan(statement->plan, args, nulls, false, limit);
	else
		code = SPI_execute_snapshot(statement->plan, args, nulls, snapshot, InvalidSnapshot,
									read_only, true, limit);
	if (code < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement->text,
			 SPI_result_code_string(code));
	MemoryContextSwitchTo(caller_context);
	return (ResultSet) {SPI_tuptable, SPI_processed};
}

ResultSet
statement_run_limit(Statement *statement, Datum *args, const char *nulls, long limit)
{
	Assert(as_owner_is_open());
	return statement_execute(statement, args, nulls,
							 IsolationUsesXactSnapshot() ? GetLatestSnapshot() : InvalidSnapshot,
							 false, limit);
}

ResultSet
statement_run(Statement *statement, Datum *args, const char *nulls)
{
	return statement_run_limit(statement, args, nulls, 0);
}

ResultSet
statement_read(Statement *statement, Datum *args, const char *nulls)
{
	Assert(as_owner_is_open());
	return statement_execute(statement, args, nulls,
							 IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot(),
							 true, 0);
}

ResultSet
statement_run_as_caller(Statement *statement, Datum *args, const char *nulls)
{
	return statement_execute(statement, args, nulls, InvalidSnapshot, false, 0);
}
