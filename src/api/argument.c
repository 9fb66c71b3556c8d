/*-------------------------------------------------------------------------
 *
 * argument.c
 *		Checks of the arguments of functions that people call.
 *
 * The functions are not STRICT: a null argument is usually a mistake of the
 * calling program, and a result of NULL would hide it.
 *
 * src/api/argument.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/argument.h"

void
argument_check_not_null(FunctionCallInfo fcinfo, int n, const char *function, const char *name)
{
	Assert(n >= 0 && n < PG_NARGS());
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" of returns.%s() must not be null", name, function)));
}

text *
argument_text(FunctionCallInfo fcinfo, int n)
{
	Assert(n >= 0 && n < PG_NARGS());
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_TEXT_PP(n);
}
