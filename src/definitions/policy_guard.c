/*-------------------------------------------------------------------------
 *
 * policy_guard.c
 *		Triggers of returns.policy before a change: codes, form, what is in force.
 *
 * What a row can be told by itself is told here; what it does to the other
 * policies and to sales already made is looked at when the whole statement is
 * done, by policy_effect.c.
 *
 * src/definitions/policy_guard.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/columns.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "definitions/policy_guard.h"
#include "definitions/rename.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy_load.h"
#include "rules/session.h"
#include "rules/term/deadline.h"
#include "rules/term/zone.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

void
policy_trigger_check(FunctionCallInfo fcinfo, const char *function, TriggerEvent timing,
					 bool row)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		(trigdata->tg_event & TRIGGER_EVENT_TIMINGMASK) != timing ||
		(TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) != 0) != row)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger it is made for", function)));
	policy_columns(trigdata->tg_relation);	/* refuses other tables */
}

/* ---- before the statement ---- */

bool
policy_any_sale(void)
{
	static KeptPlan plan = {"SELECT 1 FROM returns.sale_line", 0};
	OwnState	own;
	bool		any;

	LockRelationOid(table_oid("sale_line"), ShareLock);
	own_begin(&own);
	any = plan_run_limit(&plan, NULL, NULL, 1) > 0;
	own_end(&own);
	return any;
}

PG_FUNCTION_INFO_V1(returns_policy_lock);

/*
 * One session at a time defines policies, until the end of its transaction:
 * else two that tie could each be defined unseen by the other.  The lock is
 * one that excludes itself but not the lock which a writing statement already
 * holds, so nobody waits for somebody who waits for him; and it is taken
 * before the first row is locked.
 */
Datum
returns_policy_lock(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	policy_trigger_check(fcinfo, "returns_policy_lock", TRIGGER_EVENT_BEFORE, false);
	LockRelation(trigdata->tg_relation, ShareUpdateExclusiveLock);
	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) && policy_any_sale())
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("the policies cannot be truncated"),
				 errdetail("Sales have been made, and they keep the rule they were sold under."),
				 errhint("End policies by setting valid_to, or delete those that have not begun."),
				 errtable(trigdata->tg_relation)));
	return PointerGetDatum(NULL);
}

/* ---- before a row ---- */

/* Is another code in a policy the same one, renamed? */
static bool
code_is_renamed(const char *table, const char *old, const char *new, bool *renamed)
{
	if (old == new || (old != NULL && new != NULL && strcmp(old, new) == 0))
		return true;
	*renamed = old != NULL && new != NULL && rename_is_noted(table, old, new);
	return *renamed;
}

bool
policy_is_renamed(const Policy *old, const Policy *new)
{
	bool		renamed = false;

	return code_is_renamed("market", old->market, new->market, &renamed) &&
		code_is_renamed("category", old->category, new->category, &renamed) &&
		code_is_renamed("reason", old->reason, new->reason, &renamed) && renamed;
}

/* RT010 for a code that does not exist; RT009 for two that exclude each other. */
static void
check_codes(Relation rel, const Policy *policy)
{
	const Reason *reason = policy->reason == NULL ? NULL : reason_get(policy->reason);

	if (policy->market != NULL)
		market_get(policy->market);
	if (policy->category != NULL)
		category_get(policy->category);
	if (reason != NULL && policy->fault != FAULT_ANY && policy->fault != (int) reason->fault)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " would never apply", policy->id),
				 errdetail("The reason \"%s\" has another fault than the policy.", reason->code),
				 errhint("Leave the fault NULL: the reason tells it."),
				 err_column(rel, "fault")));
}

static void
check_percent(Relation rel, const Policy *policy, Datum percent)
{
	Datum		scaled = DirectFunctionCall2(numeric_mul, percent,
											 NumericGetDatum(int64_to_numeric(1000000)));

	if (DatumGetBool(DirectFunctionCall2(numeric_ne, scaled,
										 NumericGetDatum(int64_to_numeric(policy->restocking)))))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("restocking_percent has too many decimals"),
				 errdetail("It counts in millionths of a percent."),
				 errhint("Round it to 6 decimals."),
				 err_column(rel, "restocking_percent")));
}

/* What the constraints of the table do not say of a single row. */
static void
check_form(Relation rel, const Policy *policy, Datum percent)
{
	pg_tz	   *utc = pg_tzset("GMT");

	check_percent(rel, policy, percent);
	if (!policy->returnable)
		return;
	if (!policy->allows_refund && !policy->allows_exchange)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " offers no resolution", policy->id),
				 errdetail("It takes goods back, but neither for a refund nor for an exchange."),
				 errhint("Put refund, exchange or both into resolutions, or set returnable to false."),
				 err_column(rel, "resolutions")));

	/* 22008 now rather than when somebody asks for a return */
	if (policy->window_unit != UNIT_BUSINESS_DAY)
		deadline_compute(clock_now(), policy->window_term, policy->window_unit, utc, NULL, false);
	if (policy->has_extension)
		zone_day_begin(policy->extended_until + 1, utc);
}

static bool
row_changed(TriggerData *trigdata, AttrNumber attno)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		old_null;
	bool		new_null;
	Datum		old = heap_getattr(trigdata->tg_trigtuple, attno, desc, &old_null);
	Datum		new = heap_getattr(trigdata->tg_newtuple, attno, desc, &new_null);

	return column_changed(trigdata->tg_relation, attno, old, old_null, new, new_null);
}

/* Old orders keep the rule they were sold under: only its end may be set. */
static void
check_in_force(TriggerData *trigdata, const AttrNumber *attno, const Policy *old,
			   const Policy *new, bool renamed)
{
	for (int column = 0; column < POLICY_NCOLUMNS; column++)
	{
		bool		code = column == POLICY_MARKET || column == POLICY_CATEGORY ||
			column == POLICY_REASON;

		if (column == POLICY_VALID_TO || (code && renamed) ||
			!row_changed(trigdata, attno[column]))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " is in force and cannot be changed", old->id),
				 errdetail("It began at %s; \"%s\" would change under sales made since.",
						   timestamptz_to_str(old->valid_from), policy_column_name(column)),
				 errhint("Set its valid_to to an instant not in the past, and insert another policy that begins there."),
				 err_column(trigdata->tg_relation, policy_column_name(column))));
	}
	if (new->valid_to != old->valid_to && new->valid_to < clock_now())
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " cannot end in the past", old->id),
				 errdetail("It is in force; sales made after %s would lose their rule.",
						   timestamptz_to_str(new->valid_to)),
				 errhint("Set valid_to to returns.now() or later."),
				 err_column(trigdata->tg_relation, "valid_to")));
}

static void
check_update(TriggerData *trigdata, const AttrNumber *attno, const Policy *new, Datum percent)
{
	Policy		old;
	bool		renamed;

	/* a row that got in past the constraints may be mended */
	if (policy_from_tuple(trigdata->tg_trigtuple, RelationGetDescr(trigdata->tg_relation),
						  attno, &old))
	{
		renamed = policy_is_renamed(&old, new);
		if (policy_has_begun(&old, clock_now()))
			check_in_force(trigdata, attno, &old, new, renamed);
		if (renamed || policy_has_begun(&old, clock_now()))
			return;
	}
	check_codes(trigdata->tg_relation, new);
	check_form(trigdata->tg_relation, new, percent);
}

PG_FUNCTION_INFO_V1(returns_policy_row);

/* BEFORE INSERT OR UPDATE FOR EACH ROW */
Datum
returns_policy_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	const AttrNumber *attno;
	HeapTuple	tuple;
	Policy		policy;
	Datum		percent;
	bool		isnull;
	bool		update;

	policy_trigger_check(fcinfo, "returns_policy_row", TRIGGER_EVENT_BEFORE, true);
	rel = trigdata->tg_relation;
	attno = policy_columns(rel);
	update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	tuple = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;

	/* what the constraints forbid, they refuse themselves */
	if (!policy_from_tuple(tuple, RelationGetDescr(rel), attno, &policy))
		return PointerGetDatum(tuple);
	percent = heap_getattr(tuple, attno[POLICY_RESTOCKING_PERCENT], RelationGetDescr(rel),
						   &isnull);
	if (update)
		check_update(trigdata, attno, &policy, percent);
	else
	{
		check_codes(rel, &policy);
		check_form(rel, &policy, percent);
	}
	return PointerGetDatum(tuple);
}
