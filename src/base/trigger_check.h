/*-------------------------------------------------------------------------
 *
 * trigger_check.h
 *		What the row triggers of our tables ask of what is beside them.
 *
 * src/base/trigger_check.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_TRIGGER_CHECK_H
#define RETURNS_TRIGGER_CHECK_H

#include "commands/trigger.h"

/* When and for what a trigger fires; several may be allowed. */
#define FIRES_BEFORE		1
#define FIRES_AFTER			2
#define FIRES_FOR_ROW		4
#define FIRES_FOR_STATEMENT	8

/*
 * What a trigger function was called with.  39P01 when it was called otherwise
 * than by a trigger of this table of ours that fires so (one time and one level
 * at least must be given).  table NULL: of any table, or columns_find() checks.
 */
extern TriggerData *trigger_check(FunctionCallInfo fcinfo, const char *function,
								  const char *table, int fires);

/*
 * A BEFORE ROW trigger that fires after ours could change the row behind the
 * back of the rules: RT007 when there is one for this event.  RT007 as well
 * when other tables inherit from this one: their rows would be rows of it that
 * no trigger guards.  True when there are other triggers, which fire before and
 * may have changed what the statement did not.
 */
extern bool trigger_check_row(TriggerData *trigdata);

/*
 * RT007 when a statement of the extension's own on a table missed rows that it
 * should have written: somebody's trigger kept it from them.
 */
extern void trigger_check_wrote(const char *table, uint64 wrote, uint64 expected);

/*
 * Before the extension moves returns for a client: RT012 when the triggers that
 * hold the rules are missing, RT007 when they are disabled.
 */
extern void trigger_check_is_there(void);

#endif							/* RETURNS_TRIGGER_CHECK_H */
