/*-------------------------------------------------------------------------
 *
 * rule_guard.c
 *		Triggers of the rule tables that check one row.
 *
 * A row is checked when all rows of its statement are in place, because it may
 * refer to another one of them.  workflow_check.c checks the workflow as a
 * whole at commit; policies have triggers of their own.
 *
 * src/definitions/rule_guard.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "base/trigger_row.h"
#include "catalog/pg_type.h"
#include "definitions/reclassify.h"
#include "definitions/rename.h"
#include "pgtime.h"
#include "rules/cache/rule_cell.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

/* The ColumnSet of a table: name_columns. */
#define RULE_COLUMNS(name, ...) \
	static const char *const name##_names[] = {__VA_ARGS__}; \
	static AttrNumber name##_attno[lengthof(name##_names)]; \
	static ColumnSet name##_columns = { \
		#name, lengthof(name##_names), name##_names, name##_attno, InvalidOid, NULL \
	}

enum
{
	DEADLINE_MACHINE, DEADLINE_STATE, DEADLINE_ON_TIMEOUT
};

RULE_COLUMNS(stage_deadline, "machine", "state", "on_timeout");

enum
{
	MARKET_CODE, MARKET_TIMEZONE
};

RULE_COLUMNS(market, "code", "timezone");

enum
{
	CATEGORY_CODE, CATEGORY_PARENT
};

RULE_COLUMNS(category, "code", "parent");

enum
{
	REASON_CODE, REASON_FAULT
};

RULE_COLUMNS(reason, "code", "fault");

enum
{
	CURRENCY_CODE, CURRENCY_MINOR_UNITS
};

RULE_COLUMNS(currency, "code", "minor_units");

static bool
finds_row(Statement *statement, Datum *args)
{
	return statement_run_limit(statement, args, NULL, 1).nrows > 0;
}

/* ---- rows that an INSERT or UPDATE has written ---- */

static bool
is_new_or_changed(const TriggerRow *row, int col)
{
	return row->old == NULL || trigger_changed(row, col);
}

/* A column that is NOT NULL, but the owner of the tables may have dropped that. */
static char *
required_cstring(const TriggerRow *row, int col)
{
	RuleCell	cell;

	if (trigger_is_null(row, col))
	{
		rule_cell_begin(&cell, row->columns->table);
		cell.column = trigger_column_name(row, col);
		rule_cell_refuse_null(&cell);
	}
	return trigger_cstring(row, col);
}

static void
check_stage_deadline(const TriggerRow *row)
{
	static Statement find_state = {
		"SELECT FROM returns.state WHERE machine" EQ "$1 AND code" EQ "$2",
		2, {TEXTOID, TEXTOID}
	};
	char	   *machine = required_cstring(row, DEADLINE_MACHINE);
	Datum		args[2];

	if (machine_parse(machine) == MACHINE_REFUND)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("a refund has no stage deadlines"),
				 errdetail("A refund waits until the lease of its provider ends. Its return has the deadline of state \"refund_due\"."),
				 errhint("Pass another lease to returns.claim_refunds(), or change the deadline of \"refund_due\"."),
				 err_column(row->rel, "machine")));
	if (trigger_is_null(row, DEADLINE_ON_TIMEOUT) || !is_new_or_changed(row, DEADLINE_ON_TIMEOUT))
		return;
	args[0] = trigger_value(row, DEADLINE_MACHINE);
	args[1] = trigger_value(row, DEADLINE_ON_TIMEOUT);
	if (!finds_row(&find_state, args))
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown state \"%s\"", trigger_cstring(row, DEADLINE_ON_TIMEOUT)),
				 errdetail("The timer of state \"%s\" leads to it, but the workflow of %ss has no such state.",
						   trigger_cstring(row, DEADLINE_STATE), machine),
				 errhint("Name a state of the table returns.state, or insert the state there first."),
				 err_column(row->rel, "on_timeout")));
}

static void
check_market(const TriggerRow *row)
{
	char	   *name = trigger_cstring(row, MARKET_TIMEZONE);
	pg_tz	   *zone = name == NULL ? NULL : pg_tzset(name);

	if (zone == NULL || !pg_tz_acceptable(zone))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("market \"%s\" has an unknown time zone \"%s\"",
						trigger_cstring(row, MARKET_CODE), name),
				 errdetail("The terms of a market are counted in days of its time zone."),
				 errhint("Set it to a name of pg_timezone_names, for example Asia/Almaty."),
				 err_column(row->rel, "timezone")));
}

/* Follows the parents up from the row; none of them may be the row itself. */
static void
check_category_ring(const TriggerRow *row)
{
	static Statement find_ring = {
		"WITH RECURSIVE up (code, parent) AS ("
		"SELECT c.code, c.parent FROM returns.category c WHERE c.code" EQ "$1"
		" UNION SELECT c.code, c.parent FROM returns.category c, up"
		" WHERE c.code" EQ "up.parent)"
		" SELECT FROM up WHERE up.parent" EQ "$1",
		1, {TEXTOID}
	};
	Datum		code = trigger_value(row, CATEGORY_CODE);

	if (!trigger_is_null(row, CATEGORY_PARENT) && finds_row(&find_ring, &code))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("category \"%s\" would be its own ancestor",
						trigger_cstring(row, CATEGORY_CODE)),
				 errdetail("Its parent \"%s\" is below it in the tree of categories.",
						   trigger_cstring(row, CATEGORY_PARENT)),
				 errhint("Choose a parent that is not below the category."),
				 err_column(row->rel, "parent")));
}

/* Is the parent that of before under another code? */
static bool
parent_is_renamed(const TriggerRow *row)
{
	char	   *old = trigger_old_cstring(row, CATEGORY_PARENT);
	char	   *new = trigger_cstring(row, CATEGORY_PARENT);

	return old != NULL && new != NULL && rename_is_noted("category", old, new);
}

static void
check_category(const TriggerRow *row)
{
	if (!is_new_or_changed(row, CATEGORY_PARENT))
		return;
	check_category_ring(row);
	if (row->old != NULL && !parent_is_renamed(row))
		reclassify_category(row->rel, trigger_cstring(row, CATEGORY_CODE));
}

/* No foreign key holds the reason of a return, so its code must stay. */
static void
check_reason_removed(const TriggerRow *row)
{
	static Statement find_return = {
		"SELECT id FROM returns.return_request WHERE reason" EQ "$1 LIMIT 1", 1, {TEXTOID}
	};
	char	   *code = trigger_old_cstring(row, REASON_CODE);
	Datum		arg = CStringGetTextDatum(code);
	ResultSet	found;

	/* wait for transactions that write returns: their rows count too */
	LockRelationOid(table_oid("return_request"), ShareLock);
	found = statement_run(&find_return, &arg, NULL);
	if (found.nrows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("reason \"%s\" cannot be removed", code),
				 errdetail("Return " INT64_FORMAT " has this reason.", result_int64(found, 0, 1)),
				 errhint("Keep the row. Set valid_to of the policies for this reason to end its use for new sales."),
				 err_column(row->rel, "code")));
}

static void
check_reason(const TriggerRow *row)
{
	if (row->old == NULL)
		return;
	if (trigger_changed(row, REASON_FAULT))
		reclassify_reason(row->rel, trigger_cstring(row, REASON_CODE),
						  fault_parse(required_cstring(row, REASON_FAULT)));
	if (trigger_changed(row, REASON_CODE))
		check_reason_removed(row);
}

/* Amounts that were rounded to the old units would not add up to those of new ones. */
static void
check_currency(const TriggerRow *row)
{
	static Statement find_amount = {
		"SELECT FROM returns.sale_line WHERE currency" EQ "$1"
		" UNION ALL SELECT FROM returns.payment WHERE currency" EQ "$1",
		1, {TEXTOID}
	};
	bool		isnull;
	Datum		code;

	if (row->old == NULL || !trigger_changed(row, CURRENCY_MINOR_UNITS))
		return;
	/* wait for transactions that write amounts: their rows count too */
	LockRelationOid(table_oid("sale_line"), ShareLock);
	LockRelationOid(table_oid("payment"), ShareLock);
	code = trigger_old_value(row, CURRENCY_CODE, &isnull);
	if (finds_row(&find_amount, &code))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("minor_units of currency \"%s\" cannot be changed",
						trigger_old_cstring(row, CURRENCY_CODE)),
				 errdetail("There are sales or payments in this currency."),
				 errhint("Insert a new currency with these minor_units under another code."),
				 err_column(row->rel, "minor_units")));
}

/* ---- the triggers ---- */

/* NULL: nothing to check. */
typedef struct RuleTable
{
	ColumnSet  *columns;
	void		(*check) (const TriggerRow *row);	/* inserted or updated */
	void		(*check_removed) (const TriggerRow *row);	/* deleted */
	bool		renamed;		/* do foreign keys carry a new code on? */
} RuleTable;

static const RuleTable rule_tables[] = {
	{&stage_deadline_columns, check_stage_deadline, NULL, false},
	{&market_columns, check_market, NULL, true},
	{&category_columns, check_category, NULL, true},
	{&reason_columns, check_reason, check_reason_removed, true},
	{&currency_columns, check_currency, NULL, false},
};

/* The first one for a table that is none of them: trigger_row_load() refuses it. */
static const RuleTable *
rule_table_of(Relation rel)
{
	for (int i = 0; i < lengthof(rule_tables); i++)
		if (RelationGetRelid(rel) == table_oid(rule_tables[i].columns->table))
			return &rule_tables[i];
	return &rule_tables[0];
}

/* The code is the first column of each table that is renamed. */
static void
note_renaming(const RuleTable *table, const TriggerRow *row)
{
	StaticAssertStmt(MARKET_CODE == 0 && CATEGORY_CODE == 0 && REASON_CODE == 0,
					 "a table that is renamed has its code in another column");
	if (table->renamed && is_new_or_changed(row, 0))
		rename_note(table->columns->table,
					row->old == NULL ? NULL : trigger_old_cstring(row, 0),
					trigger_cstring(row, 0));
}

PG_FUNCTION_INFO_V1(returns_rule_row);

/* AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW ON the tables of rule_tables */
Datum
returns_rule_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_check(fcinfo, "returns_rule_row", NULL,
										  FIRES_AFTER | FIRES_FOR_ROW);
	const RuleTable *table = rule_table_of(trigdata->tg_relation);
	bool		deleted = TRIGGER_FIRED_BY_DELETE(trigdata->tg_event);
	TriggerRow	row;
	AsOwner		owner;

	trigger_row_load(&row, trigdata, table->columns);
	if (!deleted)
		note_renaming(table, &row);
	as_owner_begin(&owner);
	if (!deleted)
		table->check(&row);
	else if (table->check_removed != NULL)
		table->check_removed(&row);
	as_owner_end(&owner);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(returns_installation_guard);

/* BEFORE every statement ON installation: setup() and the journal write it. */
Datum
returns_installation_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_check(fcinfo, "returns_installation_guard", "installation",
										  FIRES_BEFORE | FIRES_FOR_STATEMENT);

	if (!writing_as_owner() || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ||
		TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("table \"%s\" is protected", RelationGetRelationName(trigdata->tg_relation)),
				 errdetail("It records which version created the tables and in which life of the cluster the history is written."),
				 errhint("Run CALL returns.setup() to update it to the version of the extension."),
				 errtable(trigdata->tg_relation)));
	return PointerGetDatum(NULL);
}
