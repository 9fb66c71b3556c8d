/*-------------------------------------------------------------------------
 *
 * policy_load.c
 *		The policies as the backend keeps them in memory: reading and lifetime.
 *
 * A marketplace has a few hundred policies of its own and may have a hundred
 * thousand of its sellers'.  So the first are read together, and those of a
 * seller when a line of that seller is first judged: a backend holds what it
 * uses, and a change of one policy does not make it read them all again.
 *
 * As in cache.c, the relcache callback only tags, a new generation is read
 * when somebody asks, and the old one lives on until the end of the
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
#include "base/plan.h"
#include "base/relation_watch.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy_load.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

static PolicyIndex *policies = NULL;
static MemoryContext policies_context = NULL;
static Oid	policies_relid = InvalidOid;
static bool policies_valid = false;

/* Set by the callback: what is being read now is old before it is finished. */
static bool policies_touched = false;

/* ---- rows ---- */

static const char *const column_names[POLICY_NCOLUMNS] = {
	"id", "market", "category", "reason", "fault", "seller_ref", "valid_from",
	"valid_to", "returnable", "window_term", "window_unit", "window_from",
	"window_roll", "extended_until", "resolutions", "restocking_percent",
	"refund_shipping", "auto_approve_below", "keep_item_below", "statutory", "source"
};

/* The same, for the results of our own queries. */
#define SELECT_POLICIES \
	"SELECT id, market, category, reason, fault, seller_ref, valid_from," \
	" valid_to, returnable, window_term, window_unit, window_from," \
	" window_roll, extended_until, resolutions, restocking_percent," \
	" refund_shipping, auto_approve_below, keep_item_below, statutory, source" \
	" FROM returns.policy "
#define IN_ORDER " ORDER BY valid_from, id"

const char *
policy_column_name(PolicyColumn column)
{
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

static char *
text_or_null(Datum value, bool isnull)
{
	return isnull ? NULL : TextDatumGetCString(value);
}

/* NULL elements are refused by the table; a policy read before says nothing. */
static bool
resolutions_from_value(Datum value, int *resolutions)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	*resolutions = 0;
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			return false;
		*resolutions |= 1 << resolution_parse(TextDatumGetCString(elements[i]));
	}
	return true;
}

/* A percentage in millionths; false when it is none. */
static bool
percent_parse(Datum value, int64 *millionths)
{
	Numeric		percent = DatumGetNumeric(value);
	Datum		scaled;

	if (numeric_is_nan(percent) || numeric_is_inf(percent))
		return false;
	scaled = DirectFunctionCall2(numeric_mul, value,
								 NumericGetDatum(int64_to_numeric(1000000)));
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, scaled,
										 NumericGetDatum(int64_to_numeric(0)))) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, scaled,
										 NumericGetDatum(int64_to_numeric(100000000)))))
		return false;
	*millionths = DatumGetInt64(DirectFunctionCall1(numeric_int8, scaled));
	return true;
}

static void
keys_from_values(const Datum *value, const bool *isnull, Policy *policy)
{
	policy->market = text_or_null(value[POLICY_MARKET], isnull[POLICY_MARKET]);
	policy->category = text_or_null(value[POLICY_CATEGORY], isnull[POLICY_CATEGORY]);
	policy->reason = text_or_null(value[POLICY_REASON], isnull[POLICY_REASON]);
	policy->seller_ref = text_or_null(value[POLICY_SELLER_REF], isnull[POLICY_SELLER_REF]);
	policy->fault = isnull[POLICY_FAULT] ? FAULT_ANY :
		(int) fault_parse(TextDatumGetCString(value[POLICY_FAULT]));
}

static bool
window_from_values(const Datum *value, const bool *isnull, Policy *policy)
{
	policy->returnable = DatumGetBool(value[POLICY_RETURNABLE]);
	policy->window_term = isnull[POLICY_WINDOW_TERM] ? -1 :
		DatumGetInt32(value[POLICY_WINDOW_TERM]);
	policy->window_unit = term_unit_parse(TextDatumGetCString(value[POLICY_WINDOW_UNIT]));
	policy->window_from = window_start_parse(TextDatumGetCString(value[POLICY_WINDOW_FROM]));
	policy->window_roll = DatumGetBool(value[POLICY_WINDOW_ROLL]);
	policy->has_extension = !isnull[POLICY_EXTENDED_UNTIL];
	policy->extended_until = policy->has_extension ?
		DatumGetDateADT(value[POLICY_EXTENDED_UNTIL]) : 0;
	return (policy->window_term >= 0 ||
		 (isnull[POLICY_WINDOW_TERM] && !policy->returnable)) &&
		!(policy->has_extension && DATE_NOT_FINITE(policy->extended_until));
}

static bool
money_from_values(const Datum *value, const bool *isnull, Policy *policy)
{
	policy->refund_shipping = DatumGetBool(value[POLICY_REFUND_SHIPPING]);
	policy->has_auto_approve = !isnull[POLICY_AUTO_APPROVE_BELOW];
	policy->auto_approve_below = value[POLICY_AUTO_APPROVE_BELOW];
	policy->has_keep_item = !isnull[POLICY_KEEP_ITEM_BELOW];
	policy->keep_item_below = value[POLICY_KEEP_ITEM_BELOW];
	return percent_parse(value[POLICY_RESTOCKING_PERCENT], &policy->restocking) &&
		resolutions_from_value(value[POLICY_RESOLUTIONS], &policy->resolutions);
}

static bool
is_nullable(int column)
{
	return column == POLICY_MARKET || column == POLICY_CATEGORY || column == POLICY_REASON ||
		column == POLICY_FAULT || column == POLICY_SELLER_REF ||
		column == POLICY_WINDOW_TERM || column == POLICY_EXTENDED_UNTIL ||
		column == POLICY_AUTO_APPROVE_BELOW || column == POLICY_KEEP_ITEM_BELOW ||
		column == POLICY_SOURCE;
}

bool
policy_from_tuple(HeapTuple tuple, TupleDesc desc, const AttrNumber *attno, Policy *policy)
{
	Datum		value[POLICY_NCOLUMNS];
	bool		isnull[POLICY_NCOLUMNS];
	Datum	   *all_values = palloc(sizeof(Datum) * desc->natts);
	bool	   *all_nulls = palloc(sizeof(bool) * desc->natts);

	memset(policy, 0, sizeof(Policy));
	heap_deform_tuple(tuple, desc, all_values, all_nulls);
	for (int column = 0; column < POLICY_NCOLUMNS; column++)
	{
		value[column] = all_values[attno[column] - 1];
		isnull[column] = all_nulls[attno[column] - 1];
		if (isnull[column] && !is_nullable(column))
			return false;
	}
	policy->id = DatumGetInt64(value[POLICY_ID]);
	policy->valid_from = DatumGetTimestampTz(value[POLICY_VALID_FROM]);
	policy->valid_to = DatumGetTimestampTz(value[POLICY_VALID_TO]);
	policy->statutory = DatumGetBool(value[POLICY_STATUTORY]);
	policy->source = text_or_null(value[POLICY_SOURCE], isnull[POLICY_SOURCE]);
	keys_from_values(value, isnull, policy);
	return window_from_values(value, isnull, policy) &&
		money_from_values(value, isnull, policy);
}

void
policy_malformed(const Policy *policy)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg("policy " INT64_FORMAT " is not well-formed", policy->id),
			 errdetail("A column of its row in returns.policy holds what the table's constraints forbid."),
			 errhint("Bring the constraints of the table back and correct the row.")));
}

/* ---- reading ---- */

static void
policies_read(PolicyIndex *index, KeptPlan *plan, Datum *args)
{
	OwnState	own;
	MemoryContext row_context;
	MemoryContext old;
	AttrNumber	attno[POLICY_NCOLUMNS];
	uint64		n;

	for (int column = 0; column < POLICY_NCOLUMNS; column++)
		attno[column] = column + 1;
	own_begin(&own);
	n = plan_read(plan, args, NULL);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "returns policy row",
										ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(row_context);
	for (uint64 i = 0; i < n; i++)
	{
		Policy		policy;

		CHECK_FOR_INTERRUPTS();
		if (!policy_from_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, attno, &policy))
			policy_malformed(&policy);
		policy_index_add(index, &policy);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_context);
	own_end(&own);
}

void
policies_read_general(PolicyIndex *index)
{
	static KeptPlan plan = {SELECT_POLICIES "WHERE seller_ref IS NULL" IN_ORDER, 0};

	policies_read(index, &plan, NULL);
}

void
policies_read_seller(PolicyIndex *index, const char *seller_ref)
{
	static KeptPlan plan = {
		SELECT_POLICIES "WHERE seller_ref OPERATOR(pg_catalog.=) $1" IN_ORDER, 1, {TEXTOID}
	};
	Datum		args[1] = {CStringGetTextDatum(seller_ref)};

	policies_read(index, &plan, args);
	policy_index_note_seller(index, seller_ref);
}

void
policies_read_all(PolicyIndex *index)
{
	static KeptPlan plan = {SELECT_POLICIES IN_ORDER, 0};

	policies_read(index, &plan, NULL);
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

/* Take what was just read for good, unless it is already old. */
static void
policies_settle(void)
{
	/* what a parallel worker reads under a borrowed snapshot is not kept */
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
	rules_current();			/* looks for invalidations */
	if (unlikely(!policies_valid))
		policies_reload();
	if (seller_ref != NULL && unlikely(!policy_index_knows_seller(policies, seller_ref)))
	{
		/* until it is there whole, an error must not leave half of it behind */
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
	static KeptPlan plan = {
		"SELECT seller_ref FROM returns.policy WHERE id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}
	};
	Datum		args[1] = {Int64GetDatum(id)};
	OwnState	own;
	bool		found;
	bool		isnull;
	Datum		value;

	own_begin(&own);
	found = plan_read(&plan, args, NULL) > 0;
	value = found ? plan_value(0, 1, &isnull) : (Datum) 0;
	*seller_ref = found ? text_or_null(value, isnull) : NULL;
	own_end(&own);
	return found;
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
