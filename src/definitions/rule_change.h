/*-------------------------------------------------------------------------
 *
 * rule_change.h
 *		A row of a rule table that was written, as the triggers see it.
 *
 * src/definitions/rule_change.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RULE_CHANGE_H
#define RETURNS_RULE_CHANGE_H

#include "base/plan.h"
#include "commands/trigger.h"

/* A row of a rule table that was written. */
typedef struct RuleChange
{
	Relation	rel;
	HeapTuple	old;			/* NULL in an INSERT */
	HeapTuple	new;			/* NULL in a DELETE */
} RuleChange;

/*
 * What a trigger function is called with; raises when it is called otherwise,
 * also by a trigger that somebody has put on a table of his own.
 */
extern TriggerData *rule_trigger(FunctionCallInfo fcinfo, const char *function);

/* The row of a row trigger. */
extern RuleChange rule_change(TriggerData *trigdata);

extern bool rule_is_of(Relation rel, const char *table);

/* A text column of a version of the row; NULL where it is null or there is none. */
extern char *rule_text(const RuleChange *change, HeapTuple tuple, const char *column);
extern bool rule_text_changed(const RuleChange *change, const char *column);

extern bool plan_finds(KeptPlan *plan, Datum *args);

#endif							/* RETURNS_RULE_CHANGE_H */
