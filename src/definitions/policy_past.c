/*-------------------------------------------------------------------------
 *
 * policy_past.c
 *		Old orders keep the rule they were sold under.
 *
 * A statement on returns.policy is refused when a sale already made would fall
 * under another policy by it, for any reason.  A sale that no policy governed
 * has no rule to change; it may get one.
 *
 * The same look-up is asked twice, of the policies as they were and as they
 * are.  It is asked once for all sales that no policy could tell apart, so
 * that millions of sales are one pass over their table and few questions.
 *
 * src/definitions/policy_past.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "definitions/policy_guard.h"
#include "miscadmin.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The policies as they were before the statement. */
static PolicyIndex *
index_before(const PolicyEffect *effect)
{
	PolicyIndex *before = policy_index_create();
	PolicyIndex *written = policy_index_create();
	const Policy *policy;

	for (int i = 0; i < effect->n; i++)
		if (effect->changes[i].new != NULL)
			policy_index_add(written, effect->changes[i].new);
	for (int i = 0; (policy = policy_index_nth(effect->after, i)) != NULL; i++)
		if (policy_index_by_id(written, policy->id) == NULL)
			policy_index_add(before, policy);
	for (int i = 0; i < effect->n; i++)
		if (effect->changes[i].old != NULL)
			policy_index_add(before, effect->changes[i].old);
	return before;
}

/* A growing array of datums. */
typedef struct Datums
{
	Datum	   *values;
	int			n;
	int			capacity;
} Datums;

static void
datums_add(Datums *datums, Datum value)
{
	if (datums->n == datums->capacity)
	{
		datums->capacity = Max(64, datums->capacity * 2);
		datums->values = datums->n == 0 ?
			palloc(sizeof(Datum) * datums->capacity) :
			repalloc_huge(datums->values, sizeof(Datum) * datums->capacity);
	}
	datums->values[datums->n++] = value;
}

static int
timestamp_order(const void *a, const void *b)
{
	TimestampTz left = DatumGetTimestampTz(*(const Datum *) a);
	TimestampTz right = DatumGetTimestampTz(*(const Datum *) b);

	return left < right ? -1 : left > right;
}

/*
 * What tells sales apart: the sellers with policies of their own (some may
 * come twice), and the instants at which a policy begins or ends, ascending.
 */
static void
divisions_of(const PolicyIndex *before, const PolicyIndex *after,
			 Datum *sellers, Datum *instants)
{
	const PolicyIndex *indexes[] = {before, after};
	Datums		refs = {0};
	Datums		times = {0};
	const Policy *policy;

	for (int which = 0; which < lengthof(indexes); which++)
		for (int i = 0; (policy = policy_index_nth(indexes[which], i)) != NULL; i++)
		{
			if (policy->seller_ref != NULL)
				datums_add(&refs, CStringGetTextDatum(policy->seller_ref));
			datums_add(&times, TimestampTzGetDatum(policy->valid_from));
			datums_add(&times, TimestampTzGetDatum(policy->valid_to));
		}
	qsort(times.values, times.n, sizeof(Datum), timestamp_order);
	*sellers = PointerGetDatum(construct_array(refs.values, refs.n, TEXTOID, -1, false,
											   TYPALIGN_INT));
	*instants = PointerGetDatum(construct_array(times.values, times.n, TIMESTAMPTZOID,
												sizeof(TimestampTz), FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
}

/*
 * The sales of the time in question, one for each group that the policies
 * cannot tell apart: market, category, seller, an instant and an example.
 */
static uint64
read_sales(const PolicyEffect *effect, const PolicyIndex *before)
{
	static KeptPlan plan = {
		"SELECT market, category, seller, pg_catalog.min(purchased_at), pg_catalog.min(order_ref)"
		" FROM returns.sale_line LEFT JOIN"
		" (SELECT DISTINCT ref AS seller FROM pg_catalog.unnest($3) AS named (ref)) AS own"
		" ON seller_ref OPERATOR(pg_catalog.=) seller"
		" WHERE purchased_at OPERATOR(pg_catalog.>=) $1 AND purchased_at OPERATOR(pg_catalog.<) $2"
		" GROUP BY market, category, seller, pg_catalog.width_bucket(purchased_at, $4)"
		" ORDER BY 5, 2, 4",
		4, {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID}
	};
	Datum		args[4];

	args[0] = TimestampTzGetDatum(effect->past_from);
	args[1] = TimestampTzGetDatum(effect->past_to);
	divisions_of(before, effect->after, &args[2], &args[3]);
	return plan_run(&plan, args, NULL);
}

/* All reasons that can be asked with, the unspecified one (NULL) first. */
static const Reason **
read_reasons(int *n)
{
	static KeptPlan plan = {"SELECT code FROM returns.reason ORDER BY code", 0};
	const Reason **reasons;

	*n = plan_run(&plan, NULL, NULL) + 1;
	reasons = palloc0(sizeof(Reason *) * *n);
	for (int i = 1; i < *n; i++)
	{
		bool		isnull;

		reasons[i] = reason_get(TextDatumGetCString(plan_value(i - 1, 1, &isnull)));
	}
	return reasons;
}

static void
refuse_past(const PolicyEffect *effect, const PolicyQuestion *question, const char *order_ref,
			const Policy *was, const Policy *is)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg("sales already made would change their rule"),
			 errdetail("Order \"%s\" has a line in category \"%s\", sold at %s, that falls under %s%s; %s would govern it.",
					   order_ref, question->category->code,
					   timestamptz_to_str(question->purchased_at), policy_name(was),
					   question->reason == NULL ? "" : psprintf(" for reason \"%s\"", question->reason),
					   is == NULL ? "none" : policy_name(is)),
			 errhint("Old orders keep the rule they were sold under: let a policy begin (valid_from) or end (valid_to) after them, a little later than now."),
			 errtable(effect->rel)));
}

static void
check_sale(const PolicyEffect *effect, const PolicyIndex *before, PolicyQuestion *question,
		   const Reason **reasons, int nreasons, const char *order_ref)
{
	for (int i = 0; i < nreasons; i++)
	{
		const Policy *was;
		const Policy *is;

		question->reason = reasons[i] == NULL ? NULL : reasons[i]->code;
		question->fault = reasons[i] == NULL ? FAULT_NONE : reasons[i]->fault;
		was = policy_index_find(before, question);
		is = policy_index_find(effect->after, question);
		if (was != NULL && (is == NULL || is->id != was->id))
			refuse_past(effect, question, order_ref, was, is);
	}
}

void
policy_check_past(const PolicyEffect *effect)
{
	PolicyIndex *before = index_before(effect);
	int			nreasons;
	const Reason **reasons = read_reasons(&nreasons);
	uint64		n = read_sales(effect, before);

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		bool		no_seller;
		Datum		seller = plan_value(i, 3, &no_seller);
		PolicyQuestion question = {
			.market = TextDatumGetCString(plan_value(i, 1, &isnull)),
			.category = category_get(TextDatumGetCString(plan_value(i, 2, &isnull))),
			.seller_ref = no_seller ? NULL : TextDatumGetCString(seller),
			.purchased_at = DatumGetTimestampTz(plan_value(i, 4, &isnull)),
		};

		check_sale(effect, before, &question, reasons, nreasons,
				   TextDatumGetCString(plan_value(i, 5, &isnull)));
		CHECK_FOR_INTERRUPTS();
	}
}
