/*-------------------------------------------------------------------------
 *
 * errors.h
 *		The SQLSTATEs of the extension (class RT), and errors that several files raise.
 *
 * src/base/errors.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ERRORS_H
#define RETURNS_ERRORS_H

#include "base/compat.h"
#include "utils/elog.h"
#include "utils/rel.h"

#define ERRCODE_RT_ILLEGAL_TRANSITION	MAKE_SQLSTATE('R','T','0','0','1')
#define ERRCODE_RT_ACTOR_NOT_PERMITTED	MAKE_SQLSTATE('R','T','0','0','2')
#define ERRCODE_RT_TOO_LATE				MAKE_SQLSTATE('R','T','0','0','3')
#define ERRCODE_RT_NOT_RETURNABLE		MAKE_SQLSTATE('R','T','0','0','4')
#define ERRCODE_RT_TOO_MANY_UNITS		MAKE_SQLSTATE('R','T','0','0','5')
#define ERRCODE_RT_TOO_MUCH_MONEY		MAKE_SQLSTATE('R','T','0','0','6')
#define ERRCODE_RT_PROTECTED			MAKE_SQLSTATE('R','T','0','0','7')
#define ERRCODE_RT_REQUIREMENT_MISSING	MAKE_SQLSTATE('R','T','0','0','8')
#define ERRCODE_RT_RULE_REFUSED			MAKE_SQLSTATE('R','T','0','0','9')
#define ERRCODE_RT_UNKNOWN_CODE			MAKE_SQLSTATE('R','T','0','1','0')
#define ERRCODE_RT_KEY_REUSED			MAKE_SQLSTATE('R','T','0','1','1')
#define ERRCODE_RT_NOT_SET_UP			MAKE_SQLSTATE('R','T','0','1','2')

/* RT012; detail is a full sentence. */
pg_noreturn extern void error_not_set_up(const char *detail);

/* RT010: there is no return with this id, or the caller may not see it. */
pg_noreturn extern void error_unknown_return(int64 return_id);

/* Inside ereport(): set the fields schema, table and column (by name). */
extern int	err_column(Relation rel, const char *column);

/* The same for one of our tables, by name.  column may be NULL. */
extern int	err_our_column(const char *table, const char *column);

/*
 * Between code_column_begin() and code_column_end() an error RT010, for example
 * of a look-up of cache.h, gets the column that has the unknown code.
 */
typedef struct CodeColumn
{
	ErrorContextCallback callback;
	Relation	rel;
	const char *column;
} CodeColumn;

extern void code_column_begin(CodeColumn *place, Relation rel, const char *column);
extern void code_column_end(CodeColumn *place);

#endif							/* RETURNS_ERRORS_H */
