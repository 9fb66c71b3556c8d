/*-------------------------------------------------------------------------
 *
 * statement.h
 *		Statements of the extension: prepared once a session, run as the owner.
 *
 * A statement is a static variable of the function or file that uses it:
 *
 *		static Statement lock_line = {
 *			"SELECT quantity FROM returns.sale_line WHERE order_ref" EQ "$1"
 *			" FOR NO KEY UPDATE", 1, {TEXTOID}
 *		};
 *		AsOwner		owner;
 *		ResultSet	lines;
 *
 *		as_owner_begin(&owner);
 *		lines = statement_run(&lock_line, &order_ref, NULL);
 *		for (uint64 i = 0; i < lines.nrows; i++)
 *			total += result_int(lines, i, 1);
 *		as_owner_end(&owner);
 *
 * src/base/statement.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_STATEMENT_H
#define RETURNS_STATEMENT_H

#include "base/as_owner.h"
#include "base/result.h"

#define STATEMENT_MAX_ARGS 24

/* For SQL texts: "=", independent of the search_path. */
#define EQ " OPERATOR(pg_catalog.=) "

typedef struct Statement
{
	const char *text;			/* names and operators qualified */
	int			nargs;
	Oid			argtypes[STATEMENT_MAX_ARGS];
	SPIPlanPtr	plan;			/* prepared by the first use */
} Statement;

/*
 * Run a statement in a section of as_owner_begin().  args has statement->nargs
 * values; nulls is as for SPI_execute_plan(), NULL when no argument is null.
 * The statement sees everything that is committed now, also under REPEATABLE
 * READ, so that a check under a row lock decides on the newest row.
 * statement_run_limit() stops after limit rows (0: no limit).  Both raise the
 * errors of the statement.
 */
extern ResultSet statement_run(Statement *statement, Datum *args, const char *nulls);
extern ResultSet statement_run_limit(Statement *statement, Datum *args, const char *nulls,
									 long limit);

/*
 * The same for a SELECT that neither writes nor locks rows.  It may also run in
 * a parallel worker.
 */
extern ResultSet statement_read(Statement *statement, Datum *args, const char *nulls);

/*
 * Run a statement with the rights and the snapshot of the caller.  The caller
 * has called SPI_connect() and will call SPI_finish().
 */
extern ResultSet statement_run_as_caller(Statement *statement, Datum *args, const char *nulls);

#endif							/* RETURNS_STATEMENT_H */
