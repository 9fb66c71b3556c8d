/*-------------------------------------------------------------------------
 *
 * reclassify.c
 *		A category that gets another parent, a reason that gets another fault.
 *
 * Both changes put the same sales under other policies, although no policy has
 * changed.  So a category can be moved only while nothing was sold in it or
 * below it.  A reason can be the reason of any sale, so it can get another
 * fault only while nothing was sold at all.  Then the current and future
 * policies are compared with the law again.
 *
 * src/definitions/reclassify.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "definitions/policy_guard.h"
#include "definitions/reclassify.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"

/* Wait for transactions that write policies or sales: their rows count too. */
static void
lock_policies_and_sales(void)
{
	LockRelationOid(table_oid("policy"), ShareUpdateExclusiveLock);
	LockRelationOid(table_oid("sale_line"), ShareLock);
}

/* Compare the policies with the law, by the rules that the statement has left. */
static void
check_policies_against_law(Relation rel)
{
	/* the trigger that invalidates the caches fires after this one */
	CacheInvalidateRelcache(rel);
	(void) GetCurrentCommandId(true);
	CommandCounterIncrement();
	policy_check_law(rel, "Set valid_to of that policy first, or insert a new row instead of changing this one.");
}

void
reclassify_category(Relation rel, const char *code)
{
	static Statement find_sold = {
		"WITH RECURSIVE down (code) AS ("
		"SELECT $1 UNION SELECT c.code FROM returns.category c, down"
		" WHERE c.parent" EQ "down.code)"
		" SELECT s.order_ref, s.line_no, s.category FROM returns.sale_line s, down"
		" WHERE s.category" EQ "down.code LIMIT 1",
		1, {TEXTOID}
	};
	Datum		arg = CStringGetTextDatum(code);
	ResultSet	sold;

	Assert(as_owner_is_open());
	lock_policies_and_sales();
	sold = statement_run(&find_sold, &arg, NULL);
	if (sold.nrows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("category \"%s\" cannot get another parent", code),
				 errdetail("Line %d of order \"%s\" was sold in category \"%s\", and its policy must not change.",
						   result_int(sold, 0, 2), result_cstring(sold, 0, 1),
						   result_cstring(sold, 0, 3)),
				 errhint("Insert a new category with that parent, and use it for new sales."),
				 err_column(rel, "parent")));
	check_policies_against_law(rel);
}

/* policy_guard.c refuses the same combination when a policy is written. */
static void
check_policies_of_reason(Relation rel, const char *code, Fault fault)
{
	static Statement find_other_fault = {
		"SELECT id, fault FROM returns.policy WHERE reason" EQ "$1"
		" AND fault OPERATOR(pg_catalog.<>) $2 ORDER BY id LIMIT 1",
		2, {TEXTOID, TEXTOID}
	};
	Datum		args[2] = {CStringGetTextDatum(code), CStringGetTextDatum(fault_name(fault))};
	ResultSet	found = statement_run(&find_other_fault, args, NULL);

	if (found.nrows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " would never apply", result_int64(found, 0, 1)),
				 errdetail("It is for reason \"%s\" and fault \"%s\", and the fault of the reason would be \"%s\".",
						   code, result_cstring(found, 0, 2), fault_name(fault)),
				 errhint("Insert a new reason instead of changing this one."),
				 err_column(rel, "fault")));
}

void
reclassify_reason(Relation rel, const char *code, Fault fault)
{
	static Statement find_sold = {"SELECT order_ref, line_no FROM returns.sale_line LIMIT 1", 0};
	ResultSet	sold;

	Assert(as_owner_is_open());
	lock_policies_and_sales();
	sold = statement_run(&find_sold, NULL, NULL);
	if (sold.nrows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("reason \"%s\" cannot get another fault", code),
				 errdetail("Line %d of order \"%s\" can be returned for this reason, and its policy must not change.",
						   result_int(sold, 0, 2), result_cstring(sold, 0, 1)),
				 errhint("Insert a new reason with that fault."),
				 err_column(rel, "fault")));
	check_policies_of_reason(rel, code, fault);
	check_policies_against_law(rel);
}
