/*-------------------------------------------------------------------------
 *
 * policy_past.c
 *		Existing sales keep the policy that they were made under.
 *
 * A statement on returns.policy is refused if it would put an existing sale
 * under another policy, for any reason.  A sale without a policy may get one.
 *
 * The policies before and after the statement are asked the same questions and
 * must give the same answers.  Sales that no policy can distinguish are one
 * question, so that millions of sales need one pass over their table and few
 * questions.
 *
 * src/definitions/policy_past.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "definitions/policy_guard.h"
#include "miscadmin.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy.h"
#include "utils/array.h"
#include "utils/builtins.h"
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

static int
timestamp_order(const void *a, const void *b)
{
	TimestampTz left = DatumGetTimestampTz(*(const Datum *) a);
	TimestampTz right = DatumGetTimestampTz(*(const Datum *) b);

	return left < right ? -1 : left > right;
}

/*
 * The values that distinguish sales: the sellers with policies of their own
 * (some may occur twice), and the instants at which a policy begins or ends,
 * ascending.
 */
static void
list_divisions(const PolicyIndex *before, const PolicyIndex *after,
			   Datum *sellers, Datum *instants)
{
	const PolicyIndex *indexes[] = {before, after};
	MemoryContext context = CurrentMemoryContext;
	ArrayBuildState *refs = initArrayResult(TEXTOID, context, false);
	ArrayBuildState *times = initArrayResult(TIMESTAMPTZOID, context, false);
	const Policy *policy;

	for (int which = 0; which < lengthof(indexes); which++)
		for (int i = 0; (policy = policy_index_nth(indexes[which], i)) != NULL; i++)
		{
			if (policy->seller_ref != NULL)
				accumArrayResult(refs, CStringGetTextDatum(policy->seller_ref), false,
								 TEXTOID, context);
			accumArrayResult(times, TimestampTzGetDatum(policy->valid_from), false,
							 TIMESTAMPTZOID, context);
			accumArrayResult(times, TimestampTzGetDatum(policy->valid_to), false,
							 TIMESTAMPTZOID, context);
		}
	qsort(times->dvalues, times->nelems, sizeof(Datum), timestamp_order);
	*sellers = makeArrayResult(refs, context);
	*instants = makeArrayResult(times, context);
}

/*
 * The sales of the time in question, one for each group that the policies
 * cannot distinguish: market, category, seller, an instant and an order.
 */
static ResultSet
read_sales(const PolicyEffect *effect, const PolicyIndex *before)
{
	static Statement group_sales = {
		"SELECT market, category, seller, pg_catalog.min(purchased_at), pg_catalog.min(order_ref)"
		" FROM returns.sale_line LEFT JOIN"
		" (SELECT DISTINCT ref AS seller FROM pg_catalog.unnest($3) AS named (ref)) AS own"
		" ON seller_ref" EQ "seller"
		" WHERE purchased_at OPERATOR(pg_catalog.>=) $1 AND purchased_at OPERATOR(pg_catalog.<) $2"
		" GROUP BY market, category, seller, pg_catalog.width_bucket(purchased_at, $4)"
		" ORDER BY 5, 2, 4",
		4, {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID}
	};
	Datum		args[4];

	args[0] = TimestampTzGetDatum(effect->past_from);
	args[1] = TimestampTzGetDatum(effect->past_to);
	list_divisions(before, effect->after, &args[2], &args[3]);
	return statement_run(&group_sales, args, NULL);
}

/* All reasons that a return can have, the unspecified one (NULL) first. */
static const Reason **
read_reasons(int *n)
{
	static Statement read = {"SELECT code FROM returns.reason ORDER BY code", 0};
	ResultSet	codes = statement_run(&read, NULL, NULL);
	const Reason **reasons;

	*n = codes.nrows + 1;
	reasons = palloc0(sizeof(Reason *) * *n);
	for (int i = 1; i < *n; i++)
		reasons[i] = reason_get(result_cstring(codes, i - 1, 1));
	return reasons;
}

pg_noreturn static void
refuse_past(const PolicyEffect *effect, const PolicyQuestion *question, const char *order_ref,
			const Policy *was, const Policy *is)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg("the policy of existing sales would change"),
			 errdetail("Order \"%s\" has a line in category \"%s\", sold at %s. It is governed by %s%s, and would be governed by %s.",
					   order_ref, question->category->code,
					   timestamptz_to_str(question->purchased_at), policy_name(was),
					   question->reason == NULL ? "" : psprintf(" for reason \"%s\"", question->reason),
					   is == NULL ? "no policy" : policy_name(is)),
			 errhint("Let policies begin (valid_from) and end (valid_to) after the existing sales, a little later than returns.now()."),
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
	ResultSet	sales = read_sales(effect, before);

	Assert(effect->past && effect->past_from < effect->past_to);
	for (uint64 i = 0; i < sales.nrows; i++)
	{
		PolicyQuestion question = {
			.market = result_cstring(sales, i, 1),
			.category = category_get(result_cstring(sales, i, 2)),
			.seller_ref = result_cstring(sales, i, 3),
		};

		result_time(sales, i, 4, &question.purchased_at);
		check_sale(effect, before, &question, reasons, nreasons, result_cstring(sales, i, 5));
		CHECK_FOR_INTERRUPTS();
	}
}
