/*-------------------------------------------------------------------------
 *
 * trigger_check.h
 *		Checks of how our triggers are called, and of other triggers beside them.
 *
 * src/base/trigger_check.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_TRIGGER_CHECK_H
#define RETURNS_TRIGGER_CHECK_H

#include "commands/trigger.h"

/* When a trigger may fire: bits of time and of level. */
#define FIRES_BEFORE		1
#define FIRES_AFTER			2
#define FIRES_FOR_ROW		4
#define FIRES_FOR_STATEMENT	8

/*
 * The data of the trigger that called a trigger function.  Raises 39P01 when the
 * caller is no trigger, or no trigger of this table of the schema returns with
 * one of the times and one of the levels in fires.  table NULL: of any table.
 */
extern TriggerData *trigger_check(FunctionCallInfo fcinfo, const char *function,
								  const char *table, int fires);

/*
 * In one of our BEFORE ROW triggers: look for other triggers.  Raises RT007
 * when a BEFORE ROW trigger of the same event fires after ours, because it
 * could change the row unchecked.  Raises RT007 when other tables inherit from
 * this one, because queries would return their unchecked rows as rows of this
 * table.  Returns true when others fire before ours: they may have changed
 * columns that the statement does not name.
 */
extern bool trigger_check_row(TriggerData *trigdata);

/*
 * Raises RT007 when a statement of the extension wrote another number of rows
 * than it must, which happens when a trigger of the user suppresses a row.
 */
extern void trigger_check_wrote(const char *table, uint64 wrote, uint64 expected);

/*
 * Before the extension updates return_request: raises RT012 when one of the
 * triggers that apply the rules does not exist, RT007 when it is disabled.
 */
extern void trigger_check_is_there(void);

#endif							/* RETURNS_TRIGGER_CHECK_H */
