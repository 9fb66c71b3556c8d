/*-------------------------------------------------------------------------
 *
 * trigger_check.c
 *		What the row triggers of our tables ask of what is beside them.
 *
 * src/base/trigger_check.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static bool
fires_so(TriggerEvent event, int fires)
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
	if (!CALLED_AS_TRIGGER(fcinfo) || !fires_so(trigdata->tg_event, fires) ||
		(table != NULL && RelationGetRelid(trigdata->tg_relation) != table_oid(table)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by its own trigger", function),
				 errdetail("It works for the trigger that returns.setup() makes, and for no other."),
				 errhint("Drop the trigger that calls it, and run CALL returns.setup().")));
	return trigdata;
}

/* Is it a BEFORE ROW trigger for the event that ours was fired by? */
static bool
fires_beside(const Trigger *trigger, TriggerEvent event)
{
	if (!TRIGGER_FOR_BEFORE(trigger->tgtype) || !TRIGGER_FOR_ROW(trigger->tgtype))
		return false;
	return TRIGGER_FIRED_BY_INSERT(event) ? TRIGGER_FOR_INSERT(trigger->tgtype) :
		TRIGGER_FIRED_BY_DELETE(event) ? TRIGGER_FOR_DELETE(trigger->tgtype) :
		TRIGGER_FOR_UPDATE(trigger->tgtype);
}

/* The flag of the relation stays when its last child goes, until it is analyzed. */
static void
refuse_children(Relation rel)
{
	List	   *children = find_inheritance_children(RelationGetRelid(rel), NoLock);

	if (children != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("table \"%s\" has a child table \"%s\"", RelationGetRelationName(rel),
						get_rel_name(linitial_oid(children))),
				 errdetail("Rows of the child would be rows of \"%s\" that the rules do not reach.",
						   RelationGetRelationName(rel)),
				 errhint("Run ALTER TABLE ... NO INHERIT on the child."),
				 errtable(rel)));
}

bool
trigger_check_row(TriggerData *trigdata)
{
	TriggerDesc *triggers = trigdata->tg_relation->trigdesc;
	bool		ours_came = false;

	if (unlikely(trigdata->tg_relation->rd_rel->relhassubclass))
		refuse_children(trigdata->tg_relation);
	for (int i = triggers->numtriggers - 1; i >= 0; i--)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (!fires_beside(trigger, trigdata->tg_event))
			continue;
		if (ours_came)
			return true;
		if (trigger->tgoid != trigdata->tg_trigger->tgoid)
			ereport(ERROR,
					(errcode(ERRCODE_RT_PROTECTED),
					 errmsg("trigger \"%s\" would run after the rules of returns", trigger->tgname),
					 errdetail("BEFORE ROW triggers fire in the order of their names, and \"%s\" must be the last.",
							   trigdata->tg_trigger->tgname),
					 errhint("Rename the trigger so that it sorts before \"%s\".",
							 trigdata->tg_trigger->tgname),
					 errtable(trigdata->tg_relation)));
		ours_came = true;
	}
	return false;
}

void
trigger_check_wrote(const char *table, uint64 wrote, uint64 expected)
{
	if (wrote != expected)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("returns could not write to its table \"%s\"", table),
				 errdetail(UINT64_FORMAT " of " UINT64_FORMAT " rows were written; a trigger kept it from the others, or they are gone.",
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
	char		here = SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ?
		TRIGGER_FIRES_ON_REPLICA : TRIGGER_FIRES_ON_ORIGIN;
	Relation	rel = table_open(table_oid("return_request"), RowExclusiveLock);

	for (int i = 0; i < lengthof(names); i++)
	{
		const Trigger *trigger = trigger_find(rel, names[i]);

		if (trigger == NULL)
			error_not_set_up(psprintf("The table returns.return_request has no trigger \"%s\".",
									  names[i]));
		if (trigger->tgenabled != here && trigger->tgenabled != TRIGGER_FIRES_ALWAYS)
			ereport(ERROR,
					(errcode(ERRCODE_RT_PROTECTED),
					 errmsg("trigger \"%s\" does not fire, so nothing can be moved", names[i]),
					 errdetail("It is disabled in sessions with this session_replication_role."),
					 errhint("Enable the triggers of returns.return_request; session_replication_role must be origin."),
					 errtable(rel)));
	}
	table_close(rel, NoLock);
}
