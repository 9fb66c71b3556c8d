/*-------------------------------------------------------------------------
 *
 * policy_guard.c
 *		Triggers of returns.policy before a change: the checks of each row.
 *
 * They check each row by itself.  policy_effect.c checks how a statement
 * affects other policies and existing sales, when all its rows are written.
 *
 * src/definitions/policy_guard.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/columns.h"
#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "definitions/policy_guard.h"
#include "definitions/rename.h"
#include "executor/tuptable.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy_load.h"
#include "rules/session.h"
#include "rules/term/deadline.h"
#include "rules/term/zone.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* ---- before the statement ---- */

bool
policy_any_sale(void)
{
	static Statement find_sale = {"SELECT FROM returns.sale_line LIMIT 1", 0};
	AsOwner		owner;
	bool		any;

	LockRelationOid(table_oid("sale_line"), ShareLock);
	as_owner_begin(&owner);
	any = statement_run(&find_sale, NULL, NULL).nrows > 0;
	as_owner_end(&owner);
	return any;
}

PG_FUNCTION_INFO_V1(returns_policy_lock);

/*
 * BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE FOR EACH STATEMENT: one
 * transaction at a time changes policies.  Two concurrent transactions could
 * otherwise insert policies that tie, without seeing each other's rows.
 * ShareUpdateExclusiveLock conflicts with itself but not with the
 * RowExclusiveLock of a writing statement, so taking it here cannot deadlock.
 * It is taken before the first row is locked.
 */
Datum
returns_policy_lock(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_check(fcinfo, "returns_policy_lock", "policy",
										  FIRES_BEFORE | FIRES_FOR_STATEMENT);

	LockRelation(trigdata->tg_relation, ShareUpdateExclusiveLock);
	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) && policy_any_sale())
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("the policies cannot be truncated"),
				 errdetail("There are sales, and each keeps the policy that it was made under."),
				 errhint("Set valid_to of policies in force, and delete those that have not begun."),
				 errtable(trigdata->tg_relation)));
	return PointerGetDatum(NULL);
}

/* ---- before a row ---- */

/* Is the new code of a policy the old one, unchanged or renamed? */
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

/* RT010 for an unknown code; RT009 if no sale can have reason and fault together. */
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
				 errdetail("The fault of reason \"%s\" is \"%s\", and the fault of the policy is \"%s\".",
						   reason->code, fault_name(reason->fault), fault_name(policy->fault)),
				 errhint("Set fault to NULL: the reason determines it."),
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
				 errdetail("Percentages are kept in millionths of a percent."),
				 errhint("Round it to 6 decimals."),
				 err_column(rel, "restocking_percent")));
}

/* Conditions that the constraints of the table do not check. */
static void
check_form(Relation rel, const Policy *policy, Datum percent)
{
	pg_tz	   *utc = pg_tzset("GMT");

	check_percent(rel, policy, percent);
	if (!policy->returnable)
		return;
	if (policy->resolutions == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " offers no resolution", policy->id),
				 errdetail("The policy takes goods back, but its column resolutions is empty."),
				 errhint("Put at least one of these into resolutions, or set returnable to false: %s.",
						 resolutions_describe(~0, ", ")),
				 err_column(rel, "resolutions")));

	/* raise 22008 now instead of when a return is requested */
	if (policy->window_unit != UNIT_BUSINESS_DAY)
		deadline_compute(clock_now(), policy->window_term, policy->window_unit, utc, NULL, false);
	if (policy->has_extension)
		zone_day_begin(policy->extended_until + 1, utc);
}

static bool
policy_column_changed(TriggerData *trigdata, AttrNumber attno)
{
	bool		old_null;
	bool		new_null;
	Datum		old = slot_getattr(trigdata->tg_trigslot, attno, &old_null);
	Datum		new = slot_getattr(trigdata->tg_newslot, attno, &new_null);

	return column_changed(trigdata->tg_relation, attno, old, old_null, new, new_null);
}

/* Existing sales keep the policy they were made under: only its end may be set. */
static void
check_in_force(TriggerData *trigdata, const AttrNumber *attno, const Policy *old,
			   const Policy *new, bool renamed)
{
	for (int column = 0; column < POLICY_NCOLUMNS; column++)
	{
		bool		code = column == POLICY_MARKET || column == POLICY_CATEGORY ||
			column == POLICY_REASON;

		if (column == POLICY_VALID_TO || (code && renamed) ||
			!policy_column_changed(trigdata, attno[column]))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " is in force and cannot be changed", old->id),
				 errdetail("It began at %s, and column \"%s\" would change for sales made since then.",
						   timestamptz_to_str(old->valid_from), policy_column_name(column)),
				 errhint("Set its valid_to to returns.now() or later, and insert another policy that begins then."),
				 err_column(trigdata->tg_relation, policy_column_name(column))));
	}
	if (new->valid_to != old->valid_to && new->valid_to < clock_now())
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " cannot end in the past", old->id),
				 errdetail("It is in force, and sales made after %s would lose their policy.",
						   timestamptz_to_str(new->valid_to)),
				 errhint("Set valid_to to returns.now() or later."),
				 err_column(trigdata->tg_relation, "valid_to")));
}

static void
check_update(TriggerData *trigdata, const AttrNumber *attno, const Policy *new, Datum percent)
{
	Policy		old;
	bool		renamed;

	/* an invalid old row, older than its constraint, may be corrected */
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
	TriggerData *trigdata = trigger_check(fcinfo, "returns_policy_row", "policy",
										  FIRES_BEFORE | FIRES_FOR_ROW);
	Relation	rel = trigdata->tg_relation;
	const AttrNumber *attno = policy_columns(rel);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	tuple = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	Policy		policy;
	Datum		percent;
	bool		isnull;

	/* the constraints of the table will refuse the row */
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
