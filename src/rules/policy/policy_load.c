/*-------------------------------------------------------------------------
 *
 * policy_load.c
 *		The policies as the backend keeps them in memory: reading and lifetime.
 *
 * A marketplace has a few hundred policies of its own and may have a hundred
 * thousand of its sellers.  So the former are read together, and those of a
 * seller when a line of that seller is first judged: a backend keeps only what
 * it uses, and a change of one policy does not make it read all of them again.
 *
 * As in cache.c, the relcache callback only marks the policies as stale, the
 * next use reads them again, and the old ones live until the end of the
 * transaction.
 *
 * src/rules/policy/policy_load.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/columns.h"
#include "base/errors.h"
#include "base/relation_watch.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "rules/cache/cache.h"
#include "rules/cache/rule_cell.h"
#include "rules/money.h"
#include "rules/policy/policy_load.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static PolicyIndex *policies = NULL;
static MemoryContext policies_context = NULL;
static Oid	policies_relid = InvalidOid;
static bool policies_valid = false;

/* Set by the callback: policies that are being read are stale already. */
static bool policies_touched = false;

/* ---- rows ---- */

#define COLUMN_NAME(number, name, nullable) #name
#define COLUMN_IS_NULLABLE(number, name, nullable) nullable
#define COLUMN_IN_SQL(number, name, nullable) name

static const char *const column_names[] = {POLICY_COLUMNS(COLUMN_NAME)};
static const bool column_is_nullable[] = {POLICY_COLUMNS(COLUMN_IS_NULLABLE)};

/* The text of a list of columns, after its macros are expanded: "id, market, ...". */
#define AS_TEXT(...) #__VA_ARGS__
#define EXPANDED_AS_TEXT(...) AS_TEXT(__VA_ARGS__)

#define SELECT_POLICIES \
	"SELECT " EXPANDED_AS_TEXT(POLICY_COLUMNS(COLUMN_IN_SQL)) " FROM returns.policy "
#define IN_ORDER " ORDER BY valid_from, id"

const char *
policy_column_name(PolicyColumn column)
{
	Assert(column >= 0 && column < POLICY_NCOLUMNS);
	return column_names[column];
}

const AttrNumber *
policy_columns(Relation rel)
{
	static AttrNumber attno[POLICY_NCOLUMNS];
	static ColumnSet set = {"policy", POLICY_NCOLUMNS, column_names, attno, InvalidOid, NULL};

	columns_find(&set, rel);
	return attno;
}

/* A row that is being read, by our column numbers. */
typedef struct PolicyRow
{
	Datum		value[POLICY_NCOLUMNS];
	bool		isnull[POLICY_NCOLUMNS];
	RuleCell	cell;
} PolicyRow;

/* A column of type text as a C string; NULL: null. */
static char *
row_cstring(PolicyRow *row, PolicyColumn column)
{
	row->cell.column = policy_column_name(column);
	return row->isnull[column] ? NULL : TextDatumGetCString(row->value[column]);
}

/* False when an element is null. */
static bool
read_resolutions(PolicyRow *row, Policy *policy)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	row->cell.column = policy_column_name(POLICY_RESOLUTIONS);
	deconstruct_array(DatumGetArrayTypeP(row->value[POLICY_RESOLUTIONS]), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			return false;
		policy->resolutions |= 1 << resolution_parse(TextDatumGetCString(elements[i]));
	}
	return true;
}

/* The percentage in millionths; false when it is not from 0 to 100. */
static bool
read_restocking(PolicyRow *row, Policy *policy)
{
	Datum		value = row->value[POLICY_RESTOCKING_PERCENT];
	Numeric		percent = DatumGetNumeric(value);
	Datum		scaled;

	if (numeric_is_nan(percent) || numeric_is_inf(percent))
		return false;
	scaled = DirectFunctionCall2(numeric_mul, value,
								 NumericGetDatum(int64_to_numeric(RESTOCKING_WHOLE / 100)));
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, scaled,
										 NumericGetDatum(int64_to_numeric(0)))) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, scaled,
										 NumericGetDatum(int64_to_numeric(RESTOCKING_WHOLE)))))
		return false;
	policy->restocking = DatumGetInt64(DirectFunctionCall1(numeric_int8, scaled));
	return true;
}

static void
read_keys(PolicyRow *row, Policy *policy)
{
	char	   *fault = row_cstring(row, POLICY_FAULT);

	policy->fault = fault == NULL ? FAULT_ANY : (int) fault_parse(fault);
	policy->market = row_cstring(row, POLICY_MARKET);
	policy->category = row_cstring(row, POLICY_CATEGORY);
	policy->reason = row_cstring(row, POLICY_REASON);
	policy->seller_ref = row_cstring(row, POLICY_SELLER_REF);
	policy->valid_from = DatumGetTimestampTz(row->value[POLICY_VALID_FROM]);
	policy->valid_to = DatumGetTimestampTz(row->value[POLICY_VALID_TO]);
	policy->statutory = DatumGetBool(row->value[POLICY_STATUTORY]);
	policy->source = row_cstring(row, POLICY_SOURCE);
}

static bool
read_window(PolicyRow *row, Policy *policy)
{
	policy->returnable = DatumGetBool(row->value[POLICY_RETURNABLE]);
	policy->window_unit = term_unit_parse(row_cstring(row, POLICY_WINDOW_UNIT));
	policy->window_from = window_start_parse(row_cstring(row, POLICY_WINDOW_FROM));
	policy->window_roll = DatumGetBool(row->value[POLICY_WINDOW_ROLL]);
	policy->window_term = -1;
	if (!row->isnull[POLICY_WINDOW_TERM])
	{
		policy->window_term = DatumGetInt32(row->value[POLICY_WINDOW_TERM]);
		if (policy->window_term < 0)
			return false;
	}
	else if (policy->returnable)
		return false;
	policy->has_extension = !row->isnull[POLICY_EXTENDED_UNTIL];
	if (policy->has_extension)
		policy->extended_until = DatumGetDateADT(row->value[POLICY_EXTENDED_UNTIL]);
	return !policy->has_extension || !DATE_NOT_FINITE(policy->extended_until);
}

static bool
read_money(PolicyRow *row, Policy *policy)
{
	policy->refund_shipping = DatumGetBool(row->value[POLICY_REFUND_SHIPPING]);
	policy->has_auto_approve = !row->isnull[POLICY_AUTO_APPROVE_BELOW];
	policy->auto_approve_below = row->value[POLICY_AUTO_APPROVE_BELOW];
	policy->has_keep_item = !row->isnull[POLICY_KEEP_ITEM_BELOW];
	policy->keep_item_below = row->value[POLICY_KEEP_ITEM_BELOW];
	return read_restocking(row, policy) && read_resolutions(row, policy);
}

/* Find our columns in a row of all columns; false when one is null that must not be. */
static bool
row_deform(PolicyRow *row, HeapTuple tuple, TupleDesc desc, const AttrNumber *attno)
{
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	bool		complete = true;

	heap_deform_tuple(tuple, desc, values, nulls);
	for (int column = 0; column < POLICY_NCOLUMNS; column++)
	{
		row->value[column] = values[attno[column] - 1];
		row->isnull[column] = nulls[attno[column] - 1];
		complete &= column_is_nullable[column] || !row->isnull[column];
	}
	return complete;
}

bool
policy_from_tuple(HeapTuple tuple, TupleDesc desc, const AttrNumber *attno, Policy *policy)
{
	PolicyRow	row;
	bool		valid = row_deform(&row, tuple, desc, attno);

	memset(policy, 0, sizeof(Policy));
	policy->id = DatumGetInt64(row.value[POLICY_ID]);
	if (!valid)
		return false;
	rule_cell_begin(&row.cell, "policy");
	read_keys(&row, policy);
	valid = read_window(&row, policy) && read_money(&row, policy);
	rule_cell_end(&row.cell);
	return valid;
}

void
policy_malformed(const Policy *policy)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg("policy " INT64_FORMAT " is not well-formed", policy->id),
			 errdetail("Its row in returns.policy has a value that the constraints of the table forbid."),
			 errhint("Correct the row and restore the constraints of returns.policy."),
			 err_our_column("policy", NULL)));
}

/* ---- reading ---- */

static void
policies_read(PolicyIndex *index, Statement *statement, Datum *args)
{
	AsOwner		owner;
	ResultSet	rows;
	MemoryContext row_context;
	MemoryContext old;
	AttrNumber	attno[POLICY_NCOLUMNS];

	for (int column = 0; column < POLICY_NCOLUMNS; column++)
		attno[column] = column + 1;
	as_owner_begin(&owner);
	rows = statement_read(statement, args, NULL);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "returns policy row",
										ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(row_context);
	for (uint64 i = 0; i < rows.nrows; i++)
	{
		Policy		policy;

		CHECK_FOR_INTERRUPTS();
		if (!policy_from_tuple(rows.table->vals[i], rows.table->tupdesc, attno, &policy))
			policy_malformed(&policy);
		policy_index_add(index, &policy);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_context);
	as_owner_end(&owner);
}

void
policies_read_general(PolicyIndex *index)
{
	static Statement statement = {SELECT_POLICIES "WHERE seller_ref IS NULL" IN_ORDER, 0};

	policies_read(index, &statement, NULL);
}

void
policies_read_seller(PolicyIndex *index, const char *seller_ref)
{
	static Statement statement = {
		SELECT_POLICIES "WHERE seller_ref" EQ "$1" IN_ORDER, 1, {TEXTOID}
	};
	Datum		args[1] = {CStringGetTextDatum(seller_ref)};

	policies_read(index, &statement, args);
	policy_index_note_seller(index, seller_ref);
}

void
policies_read_all(PolicyIndex *index)
{
	static Statement statement = {SELECT_POLICIES IN_ORDER, 0};

	policies_read(index, &statement, NULL);
}

/* ---- lifetime ---- */

static void
policy_changed(Oid relid)
{
	if (!OidIsValid(relid) || relid == policies_relid)
	{
		policies_valid = false;
		policies_touched = true;
	}
}

/* Keep the policies that were just read, unless the table has changed meanwhile. */
static void
policies_settle(void)
{
	/*
	 * a parallel worker reads by the older snapshot of its query: for that
	 * query only
	 */
	policies_valid = !policies_touched && !IsInParallelMode();
}

static void
policies_reload(void)
{
	MemoryContext context;
	MemoryContext old;
	PolicyIndex *loaded;

	relation_watch(policy_changed);
	policies_relid = table_oid("policy");
	if (!OidIsValid(policies_relid))
		error_not_set_up("The table returns.policy does not exist.");
	policies_touched = false;
	context = AllocSetContextCreate(CurrentMemoryContext, "returns policies",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	loaded = policy_index_create();
	policies_read_general(loaded);
	MemoryContextSwitchTo(old);

	MemoryContextSetParent(context, TopMemoryContext);
	if (policies_context != NULL)
		rules_retire(policies_context);
	policies_context = context;
	policies = loaded;
	policies_settle();
}

const PolicyIndex *
policies_of(const char *seller_ref)
{
	rules_current();			/* processes invalidations */
	if (unlikely(!policies_valid))
		policies_reload();
	if (seller_ref != NULL && unlikely(!policy_index_knows_seller(policies, seller_ref)))
	{
		/* an error must not leave the seller with a part of its policies */
		policies_valid = false;
		policies_touched = false;
		policies_read_seller(policies, seller_ref);
		policies_settle();
	}
	return policies;
}

static bool
seller_of(int64 id, char **seller_ref)
{
	static Statement statement = {
		"SELECT seller_ref FROM returns.policy WHERE id" EQ "$1", 1, {INT8OID}
	};
	Datum		args[1] = {Int64GetDatum(id)};
	AsOwner		owner;
	ResultSet	rows;

	as_owner_begin(&owner);
	rows = statement_read(&statement, args, NULL);
	*seller_ref = rows.nrows > 0 ? result_cstring(rows, 0, 1) : NULL;
	as_owner_end(&owner);
	return rows.nrows > 0;
}

const Policy *
policy_by_id(int64 id)
{
	const Policy *policy = policy_index_by_id(policies_of(NULL), id);
	char	   *seller_ref;

	if (policy == NULL && seller_of(id, &seller_ref))
		policy = policy_index_by_id(policies_of(seller_ref), id);
	return policy;
}
