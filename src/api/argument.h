/*-------------------------------------------------------------------------
 *
 * argument.h
 *		Checks of the arguments of functions that people call.
 *
 * src/api/argument.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ARGUMENT_H
#define RETURNS_ARGUMENT_H

#include "fmgr.h"

/* 22004 if an argument (from 0) is null; function and name are for the message. */
extern void argument_check_not_null(FunctionCallInfo fcinfo, int n, const char *function,
									const char *name);

/* A text argument, or NULL. */
extern text *argument_text(FunctionCallInfo fcinfo, int n);

#endif							/* RETURNS_ARGUMENT_H */
