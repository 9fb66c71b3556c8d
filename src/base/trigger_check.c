/*-------------------------------------------------------------------------
 *
 * trigger_check.c
 *		Checks of how our triggers are called, and of other triggers beside them.
 *
 * src/base/trigger_check.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "base/as_owner.h"
#include "base/errors.h"
#include "base/trigger_check.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* fires: FIRES_ bits. */
static bool
event_matches(TriggerEvent event, int fires)
{
	int			timing = TRIGGER_FIRED_BEFORE(event) ? FIRES_BEFORE :
		TRIGGER_FIRED_AFTER(event) ? FIRES_AFTER : 0;
	int			level = TRIGGER_FIRED_FOR_ROW(event) ? FIRES_FOR_ROW : FIRES_FOR_STATEMENT;

	return (fires & timing) != 0 && (fires & level) != 0;
}

TriggerData *
trigger_check(FunctionCallInfo fcinfo, const char *function, const char *table, int fires)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	Assert((fires & (FIRES_BEFORE | FIRES_AFTER)) != 0);
	Assert((fires & (FIRES_FOR_ROW | FIRES_FOR_STATEMENT)) != 0);
	if (!CALLED_AS_TRIGGER(fcinfo) || !event_matches(trigdata->tg_event, fires) ||
		(table != NULL && RelationGetRelid(trigdata->tg_relation) != table_oid(table)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by its own trigger", function),
				 errdetail("It works only in the trigger that returns.setup() creates."),
				 errhint("Drop the trigger that calls it, then run CALL returns.setup().")));
	return trigdata;
}

/* Is it a BEFORE ROW trigger for the event that fired ours? */
static bool
fires_before_row(const Trigger *trigger, TriggerEvent event)
{
	if (!TRIGGER_FOR_BEFORE(trigger->tgtype) || !TRIGGER_FOR_ROW(trigger->tgtype))
		return false;
	return TRIGGER_FIRED_BY_INSERT(event) ? TRIGGER_FOR_INSERT(trigger->tgtype) :
		TRIGGER_FIRED_BY_DELETE(event) ? TRIGGER_FOR_DELETE(trigger->tgtype) :
		TRIGGER_FOR_UPDATE(trigger->tgtype);
}

/* relhassubclass stays true after the last child is dropped, until ANALYZE. */
static void
refuse_children(Relation rel)
{
	List	   *children = find_inheritance_children(RelationGetRelid(rel), NoLock);
	const char *child;

	if (children == NIL)
		return;
	child = get_rel_name(linitial_oid(children));
	ereport(ERROR,
			(errcode(ERRCODE_RT_PROTECTED),
			 errmsg("table \"%s\" has a child table \"%s\"", RelationGetRelationName(rel), child),
			 errdetail("Queries of \"%s\" also return the rows of the child, which the triggers of returns do not check.",
					   RelationGetRelationName(rel)),
			 errhint("Run ALTER TABLE %s NO INHERIT returns.%s.", quote_identifier(child),
					 RelationGetRelationName(rel)),
			 errtable(rel)));
}

bool
trigger_check_row(TriggerData *trigdata)
{
	TriggerDesc *triggers = trigdata->tg_relation->trigdesc;
	bool		found_ours = false;

	Assert(TRIGGER_FIRED_BEFORE(trigdata->tg_event) && TRIGGER_FIRED_FOR_ROW(trigdata->tg_event));
	if (unlikely(trigdata->tg_relation->rd_rel->relhassubclass))
		refuse_children(trigdata->tg_relation);
	for (int i = triggers->numtriggers - 1; i >= 0; i--)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (!fires_before_row(trigger, trigdata->tg_event))
			continue;
		if (found_ours)
			return true;
		if (trigger->tgoid != trigdata->tg_trigger->tgoid)
			ereport(ERROR,
					(errcode(ERRCODE_RT_PROTECTED),
					 errmsg("trigger \"%s\" would run after the rules of returns", trigger->tgname),
					 errdetail("BEFORE ROW triggers fire in the order of their names, and \"%s\" must be the last.",
							   trigdata->tg_trigger->tgname),
					 errhint("Use ALTER TRIGGER ... RENAME TO, with a name that sorts before \"%s\".",
							 trigdata->tg_trigger->tgname),
					 errtable(trigdata->tg_relation)));
		found_ours = true;
	}
	Assert(found_ours);
	return false;
}

void
trigger_check_wrote(const char *table, uint64 wrote, uint64 expected)
{
	if (wrote != expected)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("returns could not write to its table \"%s\"", table),
				 errdetail("The statement wrote " UINT64_FORMAT " of " UINT64_FORMAT " rows. A trigger suppressed the others, or they were deleted.",
						   wrote, expected),
				 errhint("Look for a BEFORE trigger on returns.%s that returns NULL.", table)));
}

static const Trigger *
trigger_find(Relation rel, const char *name)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (strcmp(triggers->triggers[i].tgname, name) == 0)
			return &triggers->triggers[i];
	return NULL;
}

void
trigger_check_is_there(void)
{
	static const char *const names[] = {"zz_returns_request", "zz_returns_request_flush"};
	char		enabled = SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ?
		TRIGGER_FIRES_ON_REPLICA : TRIGGER_FIRES_ON_ORIGIN;
	Relation	rel = table_open(table_oid("return_request"), RowExclusiveLock);

	for (int i = 0; i < lengthof(names); i++)
	{
		const Trigger *trigger = trigger_find(rel, names[i]);

		if (trigger == NULL)
			error_not_set_up(psprintf("The table returns.return_request has no trigger \"%s\".",
									  names[i]));
		if (trigger->tgenabled != enabled && trigger->tgenabled != TRIGGER_FIRES_ALWAYS)
			ereport(ERROR,
					(errcode(ERRCODE_RT_PROTECTED),
					 errmsg("trigger \"%s\" does not fire, so returns cannot be moved", names[i]),
					 errdetail("The trigger is disabled, or disabled for this session_replication_role."),
					 errhint("Run ALTER TABLE returns.return_request ENABLE TRIGGER %s, and RESET session_replication_role.",
							 names[i]),
					 errtable(rel)));
	}
	table_close(rel, NoLock);
}
