/*-------------------------------------------------------------------------
 *
 * reclassify.c
 *		A category that gets another parent, a reason that gets another fault.
 *
 * Either puts other policies in charge of the same sales, though no policy has
 * changed.  So a category moves only while nothing was sold in it or below it,
 * and a reason, which any sale may be returned for, gets another fault only
 * while nothing was sold at all.  What the policies in force and to come give
 * is then held against the law anew.
 *
 * src/definitions/reclassify.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "definitions/policy_guard.h"
#include "definitions/reclassify.h"
#include "definitions/rename.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"

/* Policies and sales that have yet to commit count too. */
static void
lock_policies_and_sales(void)
{
	LockRelationOid(table_oid("policy"), ShareUpdateExclusiveLock);
	LockRelationOid(table_oid("sale_line"), ShareLock);
}

/* With the rules as the statement has left them. */
static void
check_law(Relation rel)
{
	/* the trigger that tells of the change fires after us */
	CacheInvalidateRelcache(rel);
	(void) GetCurrentCommandId(true);
	CommandCounterIncrement();
	policy_check_law(rel, "End this policy (valid_to) first, or insert a new row instead of changing this one.");
}

/* ---- categories ---- */

static bool
is_moved(const RuleChange *change)
{
	char	   *old = rule_text(change, change->old, "parent");
	char	   *new = rule_text(change, change->new, "parent");

	return change->old != NULL && change->new != NULL && rule_text_changed(change, "parent") &&
		!(old != NULL && new != NULL && rename_is_noted("category", old, new));
}

void
reclassify_category(const RuleChange *change)
{
	static KeptPlan sold = {
		"WITH RECURSIVE down (code) AS ("
		"SELECT $1 UNION SELECT c.code FROM returns.category c, down"
		" WHERE c.parent OPERATOR(pg_catalog.=) down.code)"
		" SELECT s.order_ref, s.line_no, s.category FROM returns.sale_line s, down"
		" WHERE s.category OPERATOR(pg_catalog.=) down.code LIMIT 1",
		1, {TEXTOID}
	};
	char	   *code = rule_text(change, change->new, "code");
	Datum		arg;
	bool		isnull;

	if (!is_moved(change))
		return;
	lock_policies_and_sales();
	arg = CStringGetTextDatum(code);
	if (plan_finds(&sold, &arg))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("category \"%s\" cannot get another parent", code),
				 errdetail("Line %d of order \"%s\" was sold in category \"%s\", and keeps the rule it was sold under.",
						   DatumGetInt32(plan_value(0, 2, &isnull)),
						   TextDatumGetCString(plan_value(0, 1, &isnull)),
						   TextDatumGetCString(plan_value(0, 3, &isnull))),
				 errhint("Insert a new category there and use it for new sales."),
				 err_column(change->rel, "parent")));
	check_law(change->rel);
}

/* ---- reasons ---- */

/* As policies are refused that are defined so. */
static void
check_never_applies(const RuleChange *change, Datum code)
{
	static KeptPlan other_fault = {
		"SELECT id FROM returns.policy WHERE reason OPERATOR(pg_catalog.=) $1"
		" AND fault OPERATOR(pg_catalog.<>) $2 ORDER BY id",
		2, {TEXTOID, TEXTOID}
	};
	Datum		args[2] = {code, CStringGetTextDatum(rule_text(change, change->new, "fault"))};
	bool		isnull;

	if (plan_finds(&other_fault, args))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " would never apply",
						DatumGetInt64(plan_value(0, 1, &isnull))),
				 errdetail("It is for the reason \"%s\" and another fault.",
						   TextDatumGetCString(code)),
				 errhint("Insert a new reason instead of changing this one."),
				 err_column(change->rel, "fault")));
}

void
reclassify_reason(const RuleChange *change)
{
	static KeptPlan sold = {"SELECT order_ref, line_no FROM returns.sale_line", 0};
	char	   *code = rule_text(change, change->new, "code");
	bool		isnull;

	if (change->old == NULL || change->new == NULL || !rule_text_changed(change, "fault"))
		return;
	lock_policies_and_sales();
	if (plan_finds(&sold, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("reason \"%s\" cannot get another fault", code),
				 errdetail("Line %d of order \"%s\" could be returned for it, and keeps the rule it was sold under.",
						   DatumGetInt32(plan_value(0, 2, &isnull)),
						   TextDatumGetCString(plan_value(0, 1, &isnull))),
				 errhint("Insert a new reason with that fault."),
				 err_column(change->rel, "fault")));
	check_never_applies(change, CStringGetTextDatum(code));
	check_law(change->rel);
}
