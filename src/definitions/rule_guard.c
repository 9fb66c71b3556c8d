/*-------------------------------------------------------------------------
 *
 * rule_guard.c
 *		The triggers of the rule tables: what a row can be told by itself.
 *
 * It is refused at once, when all rows of the statement are in place.  The
 * workflow as a whole is judged at commit, by workflow_check.c; policies have
 * guards of their own.
 *
 * src/definitions/rule_guard.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "definitions/reclassify.h"
#include "definitions/rename.h"
#include "pgtime.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

static void
check_stage_deadline(const RuleChange *change)
{
	static KeptPlan exists = {
		"SELECT FROM returns.state WHERE machine OPERATOR(pg_catalog.=) $1"
		" AND code OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, TEXTOID}
	};
	char	   *target = rule_text(change, change->new, "on_timeout");
	char	   *machine = rule_text(change, change->new, "machine");
	Datum		args[2];

	if (machine != NULL && strcmp(machine, "refund") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("a refund has no stage deadlines"),
				 errdetail("It waits for its provider as long as its lease lasts, and its return has the deadline of \"refund_due\"."),
				 errhint("Pass another lease to returns.claim_refunds(), or change the deadline of \"refund_due\"."),
				 err_column(change->rel, "machine")));
	if (target == NULL || (change->old != NULL && !rule_text_changed(change, "on_timeout")))
		return;
	args[0] = CStringGetTextDatum(machine);
	args[1] = CStringGetTextDatum(target);
	if (!plan_finds(&exists, args))
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown state \"%s\"", target),
				 errdetail("The workflow of %ss has no such state that the timer of \"%s\" could lead to.",
						   machine, rule_text(change, change->new, "state")),
				 errhint("The known ones are in returns.state; insert a new one first."),
				 err_column(change->rel, "on_timeout")));
}

static void
check_market(const RuleChange *change)
{
	char	   *name = rule_text(change, change->new, "timezone");
	pg_tz	   *zone;

	if (name == NULL)
		return;
	zone = pg_tzset(name);
	if (zone == NULL || !pg_tz_acceptable(zone))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("market \"%s\" has an unknown time zone \"%s\"",
						rule_text(change, change->new, "code"), name),
				 errdetail("Terms end with the days of the market's time zone."),
				 errhint("Set it to a name of pg_timezone_names, for example Asia/Almaty."),
				 err_column(change->rel, "timezone")));
}

/* Walks up from the row; with all rows of the statement in place. */
static void
check_category(const RuleChange *change)
{
	static KeptPlan find_ring = {
		"WITH RECURSIVE up (code, parent) AS ("
		"SELECT c.code, c.parent FROM returns.category c WHERE c.code OPERATOR(pg_catalog.=) $1"
		" UNION SELECT c.code, c.parent FROM returns.category c, up"
		" WHERE c.code OPERATOR(pg_catalog.=) up.parent)"
		" SELECT FROM up WHERE up.parent OPERATOR(pg_catalog.=) $1",
		1, {TEXTOID}
	};
	char	   *code = rule_text(change, change->new, "code");
	char	   *parent = rule_text(change, change->new, "parent");
	Datum		arg;

	if (change->new == NULL || (change->old != NULL && !rule_text_changed(change, "parent")))
		return;
	arg = CStringGetTextDatum(code);
	if (parent != NULL && plan_finds(&find_ring, &arg))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("category \"%s\" would be its own ancestor", code),
				 errdetail("Its parent \"%s\" is below it.", parent),
				 errhint("The categories are a tree: choose a parent outside its own branch."),
				 err_column(change->rel, "parent")));
	reclassify_category(change);
}

/* Returns know their reason by its code alone. */
static void
check_reason(const RuleChange *change)
{
	static KeptPlan used = {
		"SELECT id FROM returns.return_request WHERE reason OPERATOR(pg_catalog.=) $1", 1, {TEXTOID}
	};
	char	   *code = rule_text(change, change->old, "code");
	Datum		arg;
	bool		isnull;

	reclassify_reason(change);
	if (code == NULL || !rule_text_changed(change, "code"))
		return;
	/* those that have yet to commit count too */
	LockRelationOid(table_oid("return_request"), ShareLock);
	arg = CStringGetTextDatum(code);
	if (plan_finds(&used, &arg))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("reason \"%s\" cannot be removed", code),
				 errdetail("Return " INT64_FORMAT " has it.",
						   DatumGetInt64(plan_value(0, 1, &isnull))),
				 errhint("Leave it; to end its use, end its policies."),
				 err_column(change->rel, "code")));
}

static int
minor_units(const RuleChange *change, HeapTuple tuple)
{
	bool		isnull;

	return DatumGetInt32(heap_getattr(tuple,
									  SPI_fnumber(RelationGetDescr(change->rel), "minor_units"),
									  RelationGetDescr(change->rel), &isnull));
}

/* Shares of a line that were rounded at other units would not add up. */
static void
check_currency(const RuleChange *change)
{
	static KeptPlan used = {
		"SELECT FROM returns.sale_line WHERE currency OPERATOR(pg_catalog.=) $1"
		" UNION ALL SELECT FROM returns.payment WHERE currency OPERATOR(pg_catalog.=) $1",
		1, {TEXTOID}
	};
	char	   *code = rule_text(change, change->old, "code");
	Datum		arg;

	if (change->old == NULL || change->new == NULL ||
		minor_units(change, change->old) == minor_units(change, change->new))
		return;
	/* those that have yet to commit count too */
	LockRelationOid(table_oid("sale_line"), ShareLock);
	LockRelationOid(table_oid("payment"), ShareLock);
	arg = CStringGetTextDatum(code);
	if (plan_finds(&used, &arg))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("minor_units of currency \"%s\" cannot be changed", code),
				 errdetail("Sales or payments were made in it."),
				 errhint("A currency that is redenominated has a new code."),
				 err_column(change->rel, "minor_units")));
}

static const struct
{
	const char *table;
	void		(*check) (const RuleChange *change);
}			row_checks[] = {
	{"stage_deadline", check_stage_deadline},
	{"market", check_market},
	{"category", check_category},
	{"reason", check_reason},
	{"currency", check_currency},
};

PG_FUNCTION_INFO_V1(returns_rule_row);

/* AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW ON the tables of row_checks */
Datum
returns_rule_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = rule_trigger(fcinfo, "returns_rule_row");
	RuleChange	change;
	OwnState	own;

	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger it is made for",
						"returns_rule_row")));
	change = rule_change(trigdata);
	rename_note(&change);
	own_begin(&own);
	for (int i = 0; i < lengthof(row_checks); i++)
		if (rule_is_of(trigdata->tg_relation, row_checks[i].table))
			row_checks[i].check(&change);
	own_end(&own);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(returns_installation_guard);

/* BEFORE every statement ON installation: setup() and the journal write it. */
Datum
returns_installation_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = rule_trigger(fcinfo, "returns_installation_guard");

	if (!own_writing() || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ||
		TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("table \"%s\" is protected", RelationGetRelationName(trigdata->tg_relation)),
				 errdetail("It tells which version laid out the tables and which life of the cluster the journal is in."),
				 errhint("CALL returns.setup() brings it to the version of the extension."),
				 errtable(trigdata->tg_relation)));
	return PointerGetDatum(NULL);
}
