/*-------------------------------------------------------------------------
 *
 * plan.h
 *		Statements of the extension's own: kept plans run as the table owner.
 *
 * A plan is declared once, static, in the file that uses it:
 *
 *		static KeptPlan lock_line = {"SELECT ... WHERE order_ref OPERATOR(pg_catalog.=) $1",
 *			1, {TEXTOID}};
 *
 * and run between own_begin() and own_end(), which connect to SPI and become
 * the owner of the tables (as foreign keys do), whatever rights or row-level
 * security the caller has.  Inside, protected tables may be written.
 *
 * src/base/plan.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_PLAN_H
#define RETURNS_PLAN_H

#include "executor/spi.h"

#define PLAN_MAX_ARGS 24

typedef struct KeptPlan
{
	const char *text;			/* names and operators qualified */
	int			nargs;
	Oid			argtypes[PLAN_MAX_ARGS];
	SPIPlanPtr	plan;			/* filled at first use */
} KeptPlan;

typedef struct OwnState
{
	Oid			saved_user;
	int			saved_context;
} OwnState;

/* Connect to SPI as the owner of the tables; nests.  RT012 without tables. */
extern void own_begin(OwnState *state);
extern void own_end(OwnState *state);

/*
 * The same for code that is not ours (a guard of the user's): it sees all, as
 * the owner does, but protected tables stay protected from it.
 */
extern void own_begin_foreign(OwnState *state);

/* True in a trigger fired by a statement that the extension itself ran. */
extern bool own_writing(void);

/* The role of the client's statement, also between own_begin() and own_end(). */
extern Oid	caller_role(void);

/*
 * Run a kept plan; nulls as in SPI_execute_plan (NULL: none).  Reads what is
 * committed now, also under REPEATABLE READ, so that a check made under a row
 * lock decides on the truth.  Rows are in SPI_tuptable, their number is
 * returned.
 */
extern uint64 plan_run(KeptPlan *plan, Datum *args, const char *nulls);
extern uint64 plan_run_limit(KeptPlan *plan, Datum *args, const char *nulls, long limit);

/* The same for a plain SELECT: changes nothing, may run in a parallel worker. */
extern uint64 plan_read(KeptPlan *plan, Datum *args, const char *nulls);

/*
 * Run it with the rights and the view of who called us; between SPI_connect()
 * and SPI_finish() of the caller's own.
 */
extern uint64 plan_run_as_caller(KeptPlan *plan, Datum *args, const char *nulls);

/* Column col (from 1) of row (from 0) of the last result. */
extern Datum plan_value(uint64 row, int col, bool *isnull);

/* A table of the schema returns; InvalidOid when it does not exist. */
extern Oid	table_oid(const char *name);

/* Owner of returns.return_request: the role that all bookkeeping runs as. */
extern Oid	tables_owner(void);

extern void plan_init(void);

#endif							/* RETURNS_PLAN_H */
