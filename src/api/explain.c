/*-------------------------------------------------------------------------
 *
 * explain.c
 *		explain(): why a return stands where it stands, and what comes next.
 *
 * The words are made from the answers of those who decide: the policy that
 * the line was judged by, the timer that set the deadline, the edges that a
 * move takes.  Who may see the return is asked with the caller's rights; what
 * it rests on is then read as the owner of the tables.
 *
 * src/api/explain.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "records/return/stage.h"
#include "records/sale_facts.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy.h"
#include "rules/policy/policy_load.h"
#include "rules/session.h"
#include "rules/term/deadline.h"
#include "rules/term/explain_deadline.h"
#include "rules/term/zone.h"
#include "rules/workflow/stage_rule.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The return, as the caller sees it. */
typedef struct Explained
{
	StringInfo	out;			/* the lines to give */
	int64		id;
	Datum		order_ref;
	const State *state;
	Resolution	resolution;
	const Reason *reason;
	const Market *market;
	int			ncategories;	/* 0 in a draft */
	const Category **categories;
	bool		has_due;
	TimestampTz due_at;
	const State *on_timeout;	/* NULL: none */
	bool		overdue;
	int			failures;
	bool		wakes;
	TimestampTz wake_at;
} Explained;

/* A line of it and what was sold. */
typedef struct ExplainedLine
{
	SaleFacts	sale;
	char	   *sku;
	int			quantity;
	int64		policy_id;		/* 0: none yet */
	bool		has_window;
	TimestampTz window_ends_at; /* as promised */
} ExplainedLine;

static void say(Explained *r, int indent, const char *format,...) pg_attribute_printf(3, 4);

/* A line, or several where the text has them. */
static void
say(Explained *r, int indent, const char *format,...)
{
	StringInfoData text;
	char	   *next;
	int			needed;

	initStringInfo(&text);
	do
	{
		va_list		args;

		va_start(args, format);
		needed = appendStringInfoVA(&text, format, args);
		va_end(args);
		if (needed > 0)
			enlargeStringInfo(&text, needed);
	} while (needed > 0);
	for (char *line = text.data; line != NULL; line = next)
	{
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		appendStringInfo(r->out, "%*s%s\n", 2 * indent, "", line);
	}
}

static char *
column_text(uint64 row, int col)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static bool
column_time(uint64 row, int col, TimestampTz *at)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);

	*at = isnull ? 0 : DatumGetTimestampTz(value);
	return !isnull;
}

static int
column_int(uint64 row, int col)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

static void
read_return(Explained *r)
{
	static KeptPlan read = {
		"SELECT order_ref, status, resolution, reason, market, on_timeout, due_at, wake_at,"
		" failures, overdue, categories"
		" FROM returns.return_request WHERE id OPERATOR(pg_catalog.=) $1",
		1, {INT8OID}
	};
	Datum		arg = Int64GetDatum(r->id);
	char	   *on_timeout;
	bool		isnull;
	Datum		value;
	Datum	   *codes;
	bool	   *nulls;

	if (plan_run_as_caller(&read, &arg, NULL) == 0)
		error_unknown_return(r->id);
	r->order_ref = CStringGetTextDatum(column_text(0, 1));
	r->state = state_get(MACHINE_RETURN, column_text(0, 2));
	r->resolution = resolution_parse(column_text(0, 3));
	r->reason = reason_get(column_text(0, 4));
	r->market = market_get(column_text(0, 5));
	on_timeout = column_text(0, 6);
	r->on_timeout = on_timeout == NULL ? NULL :
		state_find(MACHINE_RETURN, on_timeout, strlen(on_timeout));
	r->has_due = column_time(0, 7, &r->due_at);
	r->wakes = column_time(0, 8, &r->wake_at);
	r->failures = column_int(0, 9);
	r->overdue = DatumGetBool(plan_value(0, 10, &isnull));
	value = plan_value(0, 11, &isnull);
	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypePCopy(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &codes, &nulls, &r->ncategories);
	r->categories = palloc(sizeof(Category *) * (r->ncategories + 1));
	for (int i = 0; i < r->ncategories; i++)
		r->categories[i] = category_get(TextDatumGetCString(codes[i]));
}

static int
read_lines(const Explained *r, ExplainedLine **lines)
{
	static Statement read = {
		"SELECT " SALE_FACTS ", s.sku, l.quantity, l.policy_id, l.window_ends_at"
		" FROM returns.return_line l JOIN returns.sale_line s"
		" ON s.order_ref OPERATOR(pg_catalog.=) l.order_ref"
		" AND s.line_no OPERATOR(pg_catalog.=) l.line_no"
		" WHERE l.order_ref OPERATOR(pg_catalog.=) $1 AND l.return_id OPERATOR(pg_catalog.=) $2"
		" ORDER BY l.line_no",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2] = {r->order_ref, Int64GetDatum(r->id)};
	ResultSet	result = statement_run(&read, args, NULL);

	*lines = palloc0(sizeof(ExplainedLine) * (result.nrows + 1));
	for (uint64 i = 0; i < result.nrows; i++)
	{
		ExplainedLine *line = &(*lines)[i];

		sale_facts_read(result, i, &line->sale);
		line->sku = result_cstring(result, i, AFTER_SALE_FACTS);
		line->quantity = result_int(result, i, AFTER_SALE_FACTS + 1);
		line->policy_id = result_int64(result, i, AFTER_SALE_FACTS + 2);
		line->has_window = result_time(result, i, AFTER_SALE_FACTS + 3, &line->window_ends_at);
	}
	return result.nrows;
}

/* ---- the policy of a line ---- */

/* What the policy names, the most telling first: "seller acme, fault none". */
static char *
policy_scope(const Policy *policy)
{
	const char *const keys[][2] = {
		{"seller", policy->seller_ref},
		{"category", policy->category},
		{"reason", policy->reason},
		{"fault", policy->fault == FAULT_ANY ? NULL : fault_name(policy->fault)},
		{"market", policy->market},
	};
	StringInfoData scope;

	initStringInfo(&scope);
	for (int i = 0; i < lengthof(keys); i++)
		if (keys[i][1] != NULL)
			appendStringInfo(&scope, "%s%s %s", scope.len > 0 ? ", " : "", keys[i][0], keys[i][1]);
	return scope.len > 0 ? scope.data : pstrdup("every sale");
}

static void
say_window(Explained *r, const ExplainedLine *line, const Policy *policy)
{
	const Market *market = line->sale.market;
	TimestampTz start = policy->window_from == WINDOW_FROM_DELIVERED ?
		line->sale.delivered_at : line->sale.purchased_at;
	TimestampTz ends_at;

	if (!policy_window(policy, market, line->sale.purchased_at, line->sale.delivered,
					   line->sale.delivered_at, &ends_at))
	{
		say(r, 2, policy->returnable ? "no window yet: it begins with the delivery" :
			"it takes nothing back");
		return;
	}
	say(r, 2, "window: %s", policy_window_text(policy));
	say(r, 3, "%s", deadline_explain(start, policy->window_term, policy->window_unit, market,
									 policy->window_roll));
	if (policy->has_extension)
		say(r, 3, "no earlier than %s, by the policy's extended_until",
			market_time(zone_day_begin(policy->extended_until + 1, market->zone), market));
	if (line->has_window && line->window_ends_at != ends_at)
		say(r, 3, "the return was requested when it ended at %s, and that stands",
			market_time(line->window_ends_at, market));
}

static void
say_terms(Explained *r, const Policy *policy)
{
	StringInfoData terms;

	if (!policy->returnable)
		return;
	initStringInfo(&terms);
	appendStringInfo(&terms, "it offers %s", policy->resolutions == 0 ? "nothing" :
					 resolutions_describe(policy->resolutions, " and "));
	if (policy->restocking > 0 && r->reason->fault == FAULT_NONE)
		appendStringInfoString(&terms, ", less a restocking fee");
	if (policy->refund_shipping)
		appendStringInfoString(&terms, ", and delivery is refunded");
	if (policy->statutory)
		appendStringInfoString(&terms, "; it is law");
	say(r, 2, "%s", terms.data);
}

static void
say_line(Explained *r, const ExplainedLine *line)
{
	const Market *market = line->sale.market;
	const Policy *policy;
	Verdict		verdict = {0};

	say(r, 0, "line %d: %d of %d \"%s\", category %s, seller %s", line->sale.line_no,
		line->quantity, line->sale.quantity, line->sku, line->sale.category->code,
		line->sale.seller_ref);
	if (line->policy_id != 0)
		policy = policy_by_id(line->policy_id);
	else
	{
		line_judge(&line->sale, r->reason, r->resolution, line->quantity, clock_now(), &verdict);
		policy = verdict.policy;
	}
	if (policy != NULL)
	{
		say(r, 1, "%s governs it", policy_name(policy));
		say(r, 2, "the most specific one in force at the purchase, %s: it is for %s",
			market_time(line->sale.purchased_at, market), policy_scope(policy));
		say_window(r, line, policy);
		say_terms(r, policy);
	}
	else if (line->policy_id != 0)
		say(r, 1, "policy " INT64_FORMAT " governed it, and is no more", line->policy_id);
	if (verdict.sqlstate != 0)
		say(r, 1, "a request would be refused (%s): %s", unpack_sql_state(verdict.sqlstate),
			verdict.why);
}

/* ---- the stage ---- */

static void
say_timer(Explained *r, const StageStart *start)
{
	TimestampTz due_at;
	TimestampTz remind_at;
	const StageRule *rule = stage_rule_find(r->state, r->market, r->resolution, r->categories,
											r->ncategories, start->since, &due_at, &remind_at);
	char	   *scope;

	if (rule == NULL)
	{
		if (r->has_due)
			say(r, 1, "its timer is no more, but the deadline it set stands");
		return;
	}
	scope = stage_rule_scope(rule);
	say(r, 1, "timer%s%s: %s%s", scope[0] != '\0' ? " for " : "", scope,
		term_text(rule->term, rule->unit),
		start->since != start->entered ? ", counted from when the stage before it was over" : "");
	say(r, 2, "%s", deadline_explain(start->since, rule->term, rule->unit, r->market, true));
	if (!r->has_due)
		say(r, 2, "it was defined later: this return has no deadline");
	else if (due_at != r->due_at)
		say(r, 2, "the rules were others then: %s was promised, and stands",
			market_time(r->due_at, r->market));
}

static void
say_stage(Explained *r)
{
	StageStart	start;

	if (!stage_start(r->order_ref, r->id, r->state, &start))
	{
		say(r, 0, "state \"%s\"", r->state->code);
		return;
	}
	say(r, 0, "state \"%s\" since %s", r->state->code, market_time(start.entered, r->market));
	say_timer(r, &start);
}

/* ---- what comes next ---- */

static void
say_silence(Explained *r)
{
	TimestampTz now = clock_now();
	const char *due = r->has_due ? market_time(r->due_at, r->market) : NULL;

	if (r->state->kind == STATE_FINAL)
		say(r, 0, "next: nothing, this is where it ends");
	else if (!r->has_due)
		say(r, 0, r->state->role == ROLE_REFUND_DUE ?
			"next: when all its refunds are settled, the system moves it to \"refunded\"" :
			"next: nothing by itself, no timer runs");
	else if (r->on_timeout == NULL)
		say(r, 0, now < r->due_at ? "next: if it is still here at %s, it is marked overdue and stays" :
			"next: it is overdue since %s, and stays until somebody acts", due);
	else if (now < r->due_at)
		say(r, 0, "next: if nobody acts before %s, the system moves it to \"%s\"", due,
			r->on_timeout->code);
	else if (r->failures > 0 && r->wakes)
		say(r, 0, "next: it was to move to \"%s\" at %s, which failed %d time(s); the next try is at %s",
			r->on_timeout->code, due, r->failures, market_time(r->wake_at, r->market));
	else
		say(r, 0, "next: its time ended at %s, the next sweep moves it to \"%s\"", due,
			r->on_timeout->code);
	if (r->wakes && r->has_due && now < r->wake_at && r->wake_at < r->due_at)
		say(r, 1, "a reminder goes out at %s", market_time(r->wake_at, r->market));
	if (r->has_due && r->state->role == ROLE_REFUND_DUE)
		say(r, 1, "when all its refunds are settled, the system moves it to \"refunded\"");
}

static void
say_moves(Explained *r)
{
	for (int i = 0; i < r->state->ntransitions; i++)
	{
		const Transition *edge = &r->state->transitions[i];
		int			actors = edge->actors & ACTORS_OF_SESSIONS;

		if (actors == 0 ||
			(edge->resolution != RESOLUTION_ANY && edge->resolution != r->resolution))
			continue;
		say(r, 1, "%s may move it to \"%s\"%s%s%s%s", actors_describe(actors), edge->to->code,
			edge->requires != 0 ? ", with " : "", requirements_describe(edge->requires, " and "),
			edge->guard != NULL ? ", if the guard lets it: " : "",
			edge->guard != NULL ? edge->guard : "");
	}
}

static void
give_lines(ReturnSetInfo *rsinfo, char *text)
{
	for (char *line = text; *line != '\0';)
	{
		char	   *end = strchr(line, '\n');
		Datum		value;
		bool		isnull = false;

		*end = '\0';
		value = CStringGetTextDatum(line);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
		line = end + 1;
	}
}

PG_FUNCTION_INFO_V1(returns_explain);

/* explain(return_id bigint) → setof text */
Datum
returns_explain(PG_FUNCTION_ARGS)
{
	MemoryContext caller_context = CurrentMemoryContext;
	Explained	r = {0};
	ExplainedLine *lines;
	int			nlines;
	OwnState	own;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	r.out = makeStringInfo();
	r.id = PG_GETARG_INT64(0);
	rules_current();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	read_return(&r);
	SPI_finish();
	own_begin(&own);
	say(&r, 0, "return " INT64_FORMAT " of order \"%s\": %s, reason %s", r.id,
		TextDatumGetCString(r.order_ref),
		resolution_name(r.resolution), r.reason->code);
	nlines = read_lines(&r, &lines);
	for (int i = 0; i < nlines; i++)
		say_line(&r, &lines[i]);
	say_stage(&r);
	own_end(&own);
	say_silence(&r);
	say_moves(&r);
	give_lines((ReturnSetInfo *) fcinfo->resultinfo, r.out->data);
	return (Datum) 0;
}
