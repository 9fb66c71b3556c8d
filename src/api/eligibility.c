/*-------------------------------------------------------------------------
 *
 * eligibility.c
 *		eligibility() and policy_for(): can the lines of an order be returned?
 *
 * line_judge() gives the answers.  It also judges the lines when a return is
 * requested.  The sale is read as the owner of the tables.  This file decides
 * which actor sees which line, by the same rule as row-level security.
 *
 * src/api/eligibility.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/argument.h"
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
		" WHERE s.order_ref" EQ "$1 ORDER BY s.line_no",
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
 * The viewer of a sale.  An actor sees the lines to which it is a party.
 * Without an actor, the owner of the tables sees every line, and other roles
 * see none.
 */
typedef struct Viewer
{
	const Actor *actor;			/* NULL: none */
	bool		owner;			/* can read the tables without this function */
} Viewer;

static Viewer
current_viewer(void)
{
	return (Viewer) {
		.actor = actor_if_any(),
		.owner = has_privs_of_role(caller_role(), tables_owner()),
	};
}

static bool
is_visible(const Viewer *viewer, const SaleLine *line)
{
	Parties		parties = {
		.buyer_ref = cstring_to_text(line->buyer_ref),
		.seller_ref = cstring_to_text(line->facts.seller_ref),
	};

	return viewer->actor == NULL ? viewer->owner : actor_is_party(viewer->actor, &parties);
}

/*
 * An unknown order is an error for viewers that would see it if it existed.  For
 * others it is an order without visible lines, so that they cannot find out
 * which orders exist.
 */
static void
check_known(const Viewer *viewer, int nlines, Datum order_ref)
{
	if (nlines == 0 && (viewer->owner || actor_may(viewer->actor, MAY_SEE_ALL)))
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown order \"%s\"", TextDatumGetCString(order_ref)),
				 errdetail("No row of returns.sale_line has this order_ref."),
				 errhint("Check the order_ref, or insert the sale lines of the order first."),
				 err_our_column("sale_line", "order_ref")));
}

/* The lines of an order that the caller sees. */
static int
read_visible_lines(Datum order_ref, SaleLine **lines)
{
	Viewer		viewer = current_viewer();
	int			nlines = read_lines(order_ref, lines);
	int			nvisible = 0;

	check_known(&viewer, nlines, order_ref);
	for (int i = 0; i < nlines; i++)
		if (is_visible(&viewer, &(*lines)[i]))
			(*lines)[nvisible++] = (*lines)[i];
	return nvisible;
}

/* The value of the units left: the whole less the exact share of the other units. */
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
reason_argument(FunctionCallInfo fcinfo, int n)
{
	text	   *code = argument_text(fcinfo, n);

	return code == NULL ? NULL : reason_get(text_to_cstring(code));
}

PG_FUNCTION_INFO_V1(returns_eligibility);

/* eligibility(order_ref text, reason text) → setof record */
Datum
returns_eligibility(PG_FUNCTION_ARGS)
{
	const Reason *reason;
	SaleLine   *lines;
	int			nlines;

	argument_check_not_null(fcinfo, 0, "eligibility", "order_ref");
	reason = reason_argument(fcinfo, 1);
	InitMaterializedSRF(fcinfo, 0);
	nlines = read_visible_lines(PG_GETARG_DATUM(0), &lines);
	for (int i = 0; i < nlines; i++)
		put_line((ReturnSetInfo *) fcinfo->resultinfo, &lines[i], reason);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(returns_policy_for);

/* policy_for(order_ref text, line_no int, reason text) → bigint */
Datum
returns_policy_for(PG_FUNCTION_ARGS)
{
	const Reason *reason;
	SaleLine   *lines;
	int			nlines;

	argument_check_not_null(fcinfo, 0, "policy_for", "order_ref");
	argument_check_not_null(fcinfo, 1, "policy_for", "line_no");
	reason = reason_argument(fcinfo, 2);
	nlines = read_visible_lines(PG_GETARG_DATUM(0), &lines);
	for (int i = 0; i < nlines; i++)
	{
		const SaleFacts *facts = &lines[i].facts;
		const Policy *policy;

		if (facts->line_no != PG_GETARG_INT32(1))
			continue;
		policy = policy_find(facts->market, facts->category, reason, facts->seller_ref,
							 facts->purchased_at);
		if (policy != NULL)
			PG_RETURN_INT64(policy->id);
	}
	PG_RETURN_NULL();
}
