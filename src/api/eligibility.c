/*-------------------------------------------------------------------------
 *
 * eligibility.c
 *		May the lines of an order be returned?  Asked in advance, by SQL.
 *
 * The answers are line_judge()'s, so they are those that a request would get.
 * The sale is read as the owner of the tables; who sees which line is decided
 * here, as row-level security would.
 *
 * src/api/eligibility.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "records/sale_facts.h"
#include "rules/actor/permission.h"
#include "rules/cache/cache.h"
#include "rules/money.h"
#include "rules/policy/policy.h"
#include "rules/session.h"
#include "rules/actor/actor.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* A line of an order. */
typedef struct SaleLine
{
	SaleFacts	facts;
	const char *buyer_ref;
	const Currency *currency;
	int64		paid;			/* minor units, for the goods of all its units */
} SaleLine;

/* The lines of an order in the current memory context. */
static int
read_lines(Datum order_ref, SaleLine **lines)
{
	static Statement read = {
		"SELECT " SALE_FACTS ", s.buyer_ref, s.currency, s.amount_paid FROM returns.sale_line s"
		" WHERE s.order_ref OPERATOR(pg_catalog.=) $1 ORDER BY s.line_no",
		1, {TEXTOID}
	};
	ResultSet	result;
	AsOwner		owner;

	as_owner_begin(&owner);
	result = statement_read(&read, &order_ref, NULL);
	*lines = palloc(sizeof(SaleLine) * Max(result.nrows, 1));
	for (uint64 i = 0; i < result.nrows; i++)
	{
		SaleLine   *line = &(*lines)[i];

		sale_facts_read(result, i, &line->facts);
		line->buyer_ref = result_cstring(result, i, AFTER_SALE_FACTS);
		line->currency = currency_get(result_cstring(result, i, AFTER_SALE_FACTS + 1));
		line->paid = numeric_to_minor(NumericGetDatum(result_numeric(result, i, AFTER_SALE_FACTS + 2)),
									  line->currency, "amount_paid");
	}
	as_owner_end(&owner);
	return result.nrows;
}

/*
 * What the caller may see.  An actor sees what is its own, an operator all;
 * without an actor the owner of the tables sees all, others nothing.
 */
typedef struct View
{
	bool		all;
	bool		owner;			/* could look into the tables anyway */
	const Actor *actor;			/* NULL: none */
} View;

static View
view_of_caller(void)
{
	View		view;

	view.actor = actor_if_any();
	view.owner = has_privs_of_role(caller_role(), tables_owner());
	view.all = view.actor == NULL ? view.owner :
		actor_may(view.actor, MAY_SEE_ALL);
	return view;
}

static bool
is_visible(const View *view, const SaleLine *line)
{
	if (view->all)
		return true;
	if (view->actor == NULL)
		return false;
	return (view->actor->kind == ACTOR_BUYER &&
			strcmp(view->actor->ref, line->buyer_ref) == 0) ||
		(view->actor->kind == ACTOR_SELLER &&
		 strcmp(view->actor->ref, line->facts.seller_ref) == 0);
}

/*
 * A mistyped order is an error to those who could see it if it existed;
 * others must not learn from the difference which orders there are.
 */
static void
check_known(const View *view, int nlines, Datum order_ref)
{
	if (nlines == 0 && (view->all || view->owner))
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown order \"%s\"", TextDatumGetCString(order_ref)),
				 errdetail("No row of returns.sale_line has this order_ref.")));
}

static void
refuse_null(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s must not be NULL", argument)));
}

/* What the units left are worth: the whole less the exact share of the others. */
static Datum
amount_left(const SaleLine *line, int units_left)
{
	int			quantity = line->facts.quantity;
	int64		others = money_share(line->paid, quantity - units_left, quantity);

	return NumericGetDatum(minor_to_numeric(line->paid - others, line->currency));
}

static void
put_line(ReturnSetInfo *result, const SaleLine *line, const Reason *reason)
{
	Verdict		verdict;
	Datum		values[7];
	bool		nulls[7] = {false};

	line_judge(&line->facts, reason, RESOLUTION_ANY, 1, clock_now(), &verdict);
	values[0] = Int32GetDatum(line->facts.line_no);
	values[1] = BoolGetDatum(verdict.sqlstate == 0);
	values[2] = Int32GetDatum(verdict.units_left);
	values[3] = amount_left(line, verdict.units_left);
	values[4] = TimestampTzGetDatum(verdict.window_ends_at);
	nulls[4] = !verdict.has_window;
	nulls[5] = nulls[6] = verdict.sqlstate == 0;
	if (verdict.sqlstate != 0)
	{
		values[5] = CStringGetTextDatum(unpack_sql_state(verdict.sqlstate));
		values[6] = CStringGetTextDatum(verdict.why);
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static const Reason *
reason_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : reason_get(text_to_cstring(PG_GETARG_TEXT_PP(arg)));
}

PG_FUNCTION_INFO_V1(returns_eligibility);

Datum
returns_eligibility(PG_FUNCTION_ARGS)
{
	View		view;
	const Reason *reason;
	SaleLine   *lines;
	int			nlines;

	if (PG_ARGISNULL(0))
		refuse_null("order_ref");
	InitMaterializedSRF(fcinfo, 0);
	view = view_of_caller();
	reason = reason_argument(fcinfo, 1);
	nlines = read_lines(PG_GETARG_DATUM(0), &lines);
	check_known(&view, nlines, PG_GETARG_DATUM(0));
	for (int i = 0; i < nlines; i++)
		if (is_visible(&view, &lines[i]))
			put_line((ReturnSetInfo *) fcinfo->resultinfo, &lines[i], reason);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(returns_policy_for);

Datum
returns_policy_for(PG_FUNCTION_ARGS)
{
	View		view;
	const Reason *reason;
	SaleLine   *lines;
	int			nlines;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		refuse_null(PG_ARGISNULL(0) ? "order_ref" : "line_no");
	view = view_of_caller();
	reason = reason_argument(fcinfo, 2);
	nlines = read_lines(PG_GETARG_DATUM(0), &lines);
	check_known(&view, nlines, PG_GETARG_DATUM(0));
	for (int i = 0; i < nlines; i++)
	{
		const SaleFacts *facts = &lines[i].facts;
		const Policy *policy;

		if (facts->line_no != PG_GETARG_INT32(1) || !is_visible(&view, &lines[i]))
			continue;
		policy = policy_find(facts->market, facts->category, reason, facts->seller_ref,
							 facts->purchased_at);
		if (policy != NULL)
			PG_RETURN_INT64(policy->id);
	}
	PG_RETURN_NULL();
}
