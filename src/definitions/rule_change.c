/*-------------------------------------------------------------------------
 *
 * rule_change.c
 *		A row of a rule table that was written, as the triggers see it.
 *
 * src/definitions/rule_change.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "definitions/rule_change.h"
#include "utils/builtins.h"

TriggerData *
rule_trigger(FunctionCallInfo fcinfo, const char *function)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", function)));
	if (RelationGetNamespace(trigdata->tg_relation) != get_namespace_oid("returns", true))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("the triggers of the rules of returns do not work on other tables")));
	return trigdata;
}

RuleChange
rule_change(TriggerData *trigdata)
{
	RuleChange	change = {trigdata->tg_relation};

	if (!TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		change.old = trigdata->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		change.new = trigdata->tg_newtuple;
	else if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		change.new = trigdata->tg_trigtuple;
	return change;
}

bool
rule_is_of(Relation rel, const char *table)
{
	return RelationGetRelid(rel) == table_oid(table);
}

char *
rule_text(const RuleChange *change, HeapTuple tuple, const char *column)
{
	int			attno = SPI_fnumber(RelationGetDescr(change->rel), column);
	bool		isnull;
	Datum		value;

	if (tuple == NULL || attno <= 0)
		return NULL;
	value = heap_getattr(tuple, attno, RelationGetDescr(change->rel), &isnull);
	return isnull ? NULL : TextDatumGetCString(value);
}

bool
rule_text_changed(const RuleChange *change, const char *column)
{
	char	   *old = rule_text(change, change->old, column);
	char	   *new = rule_text(change, change->new, column);

	return old == NULL || new == NULL ? old != new : strcmp(old, new) != 0;
}

bool
plan_finds(KeptPlan *plan, Datum *args)
{
	return plan_run_limit(plan, args, NULL, 1) > 0;
}
