/*-------------------------------------------------------------------------
 *
 * explain.c
 *		explain(): why a return is in its state, and what comes next.
 *
 * The text is made from the data that decide: the policy that a line was
 * judged by, the timer that set the deadline, the transitions of the state.
 * The return is read with the rights of the caller, so that only a caller that
 * sees it gets an answer.  Its lines and its history are then read as the
 * owner of the tables.
 *
 * src/api/explain.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/statement.h"
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
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The return, as the caller sees it. */
typedef struct Explained
{
	ReturnSetInfo *result;		/* a row for each line of text */
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
	const State *on_timeout;	/* NULL: the deadline moves it nowhere */
	int			failures;
	bool		wakes;
	TimestampTz wake_at;
} Explained;

/* A line of the return and its sale. */
typedef struct ExplainedLine
{
	SaleFacts	sale;
	char	   *sku;
	int			quantity;
	int64		policy_id;		/* 0: none yet */
	bool		has_window;
	TimestampTz window_ends_at; /* when the return was requested */
} ExplainedLine;

static void put_text(const Explained *r, int indent, const char *format,...)
			pg_attribute_printf(3, 4);

/* Give a row, or several if the text has several lines. */
static void
put_text(const Explained *r, int indent, const char *format,...)
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
		Datum		value;
		bool		isnull = false;

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		value = CStringGetTextDatum(psprintf("%*s%s", 2 * indent, "", line));
		tuplestore_putvalues(r->result->setResult, r->result->setDesc, &value, &isnull);
	}
}

/* Fill in the return, as the caller sees it. */
static void
read_return(Explained *r)
{
	static Statement read = {
		"SELECT order_ref, status, resolution, reason, market, on_timeout, due_at, wake_at,"
		" failures, categories"
		" FROM returns.return_request WHERE id" EQ "$1",
		1, {INT8OID}
	};
	Datum		arg = Int64GetDatum(r->id);
	ResultSet	found = statement_run_as_caller(&read, &arg, NULL);
	char	   *on_timeout;
	char	  **codes;

	if (found.nrows == 0)
		error_unknown_return(r->id);
	r->order_ref = PointerGetDatum(result_text(found, 0, 1));
	r->state = state_get(MACHINE_RETURN, result_cstring(found, 0, 2));
	r->resolution = resolution_parse(result_cstring(found, 0, 3));
	r->reason = reason_get(result_cstring(found, 0, 4));
	r->market = market_get(result_cstring(found, 0, 5));
	on_timeout = result_cstring(found, 0, 6);
	r->on_timeout = on_timeout == NULL ? NULL :
		state_find(MACHINE_RETURN, on_timeout, strlen(on_timeout));
	r->has_due = result_time(found, 0, 7, &r->due_at);
	r->wakes = result_time(found, 0, 8, &r->wake_at);
	r->failures = result_int(found, 0, 9);
	r->ncategories = result_cstrings(found, 0, 10, &codes);
	r->categories = palloc(sizeof(Category *) * (r->ncategories + 1));
	for (int i = 0; i < r->ncategories; i++)
		r->categories[i] = category_get(codes[i]);
}

static int
read_lines(const Explained *r, ExplainedLine **lines)
{
	static Statement read = {
		"SELECT " SALE_FACTS ", s.sku, l.quantity, l.policy_id, l.window_ends_at"
		" FROM returns.return_line l JOIN returns.sale_line s"
		" ON s.order_ref" EQ "l.order_ref"
		" AND s.line_no" EQ "l.line_no"
		" WHERE l.order_ref" EQ "$1 AND l.return_id" EQ "$2"
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

/* The keys of the policy, the most specific one first: "seller acme, fault none". */
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
explain_window(const Explained *r, const ExplainedLine *line, const Policy *policy)
{
	const Market *market = line->sale.market;
	TimestampTz start = policy->window_from == WINDOW_FROM_DELIVERED ?
		line->sale.delivered_at : line->sale.purchased_at;
	TimestampTz ends_at;

	if (!policy_window(policy, market, line->sale.purchased_at, line->sale.delivered,
					   line->sale.delivered_at, &ends_at))
	{
		put_text(r, 2, policy->returnable ? "no window yet: it begins at the delivery" :
				 "it accepts no returns");
		return;
	}
	put_text(r, 2, "window: %s", policy_window_text(policy));
	put_text(r, 3, "%s", deadline_explain(start, policy->window_term, policy->window_unit, market,
										  policy->window_roll));
	if (policy->has_extension)
		put_text(r, 3, "the window ends no earlier than %s, by the policy's extended_until",
				 market_time(zone_day_begin(policy->extended_until + 1, market->zone), market));
	if (line->has_window && line->window_ends_at != ends_at)
		put_text(r, 3, "when the return was requested, the window ended at %s; this end applies",
				 market_time(line->window_ends_at, market));
}

static void
explain_terms(const Explained *r, const Policy *policy)
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
		appendStringInfoString(&terms, "; it is statutory");
	put_text(r, 2, "%s", terms.data);
}

static void
explain_line(const Explained *r, const ExplainedLine *line)
{
	const Market *market = line->sale.market;
	const Policy *policy;
	Verdict		verdict = {0};

	put_text(r, 0, "line %d: %d of %d \"%s\", category %s, seller %s", line->sale.line_no,
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
		put_text(r, 1, "%s governs it", policy_name(policy));
		put_text(r, 2, "the most specific policy in force at the purchase, %s: it is for %s",
				 market_time(line->sale.purchased_at, market), policy_scope(policy));
		explain_window(r, line, policy);
		explain_terms(r, policy);
	}
	else if (line->policy_id != 0)
		put_text(r, 1, "policy " INT64_FORMAT " governed it, and has been deleted", line->policy_id);
	if (verdict.sqlstate != 0)
		put_text(r, 1, "a request would be refused (%s): %s", unpack_sql_state(verdict.sqlstate),
				 verdict.why);
}

/* ---- the stage ---- */

static void
explain_timer(const Explained *r, const StageStart *start)
{
	TimestampTz due_at;
	TimestampTz remind_at;
	const StageRule *rule = stage_rule_find(r->state, r->market, r->resolution, r->categories,
											r->ncategories, start->since, &due_at, &remind_at);
	char	   *scope;

	if (rule == NULL)
	{
		if (r->has_due)
			put_text(r, 1, "its timer was deleted, but the deadline that it set still applies");
		return;
	}
	scope = stage_rule_scope(rule);
	put_text(r, 1, "timer%s%s: %s%s", scope[0] != '\0' ? " for " : "", scope,
			 term_text(rule->term, rule->unit),
			 start->since != start->entered ? ", counted from the end of the previous stage" : "");
	put_text(r, 2, "%s", deadline_explain(start->since, rule->term, rule->unit, r->market, true));
	if (!r->has_due)
		put_text(r, 2, "the timer is newer than the stage: this return has no deadline");
	else if (due_at != r->due_at)
		put_text(r, 2, "the rules have changed since: the deadline of this return is still %s",
				 market_time(r->due_at, r->market));
}

static void
explain_stage(const Explained *r)
{
	StageStart	start;

	if (!stage_start(r->order_ref, r->id, r->state, &start))
	{
		put_text(r, 0, "state \"%s\"", r->state->code);
		return;
	}
	put_text(r, 0, "state \"%s\" since %s", r->state->code, market_time(start.entered, r->market));
	explain_timer(r, &start);
}

/* ---- what comes next ---- */

/* What happens at the deadline (due), or has happened if it is over. */
static void
explain_deadline(const Explained *r, const char *due, bool over)
{
	if (r->on_timeout == NULL)
		put_text(r, 0, over ? "next: it has been overdue since %s, and stays until an actor moves it" :
				 "next: if it is still in this state at %s, it is marked overdue and stays", due);
	else if (!over)
		put_text(r, 0, "next: if no actor moves it before %s, the system moves it to \"%s\"", due,
				 r->on_timeout->code);
	else if (r->failures > 0 && r->wakes)
		put_text(r, 0, "next: the move to \"%s\" was due at %s and has failed %d time(s); the next attempt is at %s",
				 r->on_timeout->code, due, r->failures, market_time(r->wake_at, r->market));
	else
		put_text(r, 0, "next: its time ended at %s, and the next sweep moves it to \"%s\"", due,
				 r->on_timeout->code);
}

/* What happens if no actor does anything. */
static void
explain_silence(const Explained *r)
{
	static const char settled[] = "when all its refunds are settled, the system moves it to \"refunded\"";
	TimestampTz now = clock_now();
	bool		pays = r->state->role == ROLE_REFUND_DUE;

	if (r->state->kind == STATE_FINAL)
		put_text(r, 0, "next: nothing, this state is final");
	else if (r->has_due)
		explain_deadline(r, market_time(r->due_at, r->market), now >= r->due_at);
	else if (pays)
		put_text(r, 0, "next: %s", settled);
	else
		put_text(r, 0, "next: nothing without a move, because no timer runs");
	if (r->wakes && r->has_due && now < r->wake_at && r->wake_at < r->due_at)
		put_text(r, 1, "a reminder is due at %s", market_time(r->wake_at, r->market));
	if (r->has_due && pays)
		put_text(r, 1, "%s", settled);
}

static void
explain_moves(const Explained *r)
{
	for (int i = 0; i < r->state->ntransitions; i++)
	{
		const Transition *edge = &r->state->transitions[i];
		int			actors = edge->actors & ACTORS_OF_SESSIONS;

		if (actors == 0 ||
			(edge->resolution != RESOLUTION_ANY && edge->resolution != r->resolution))
			continue;
		put_text(r, 1, "%s may move it to \"%s\"%s%s%s%s", actors_describe(actors), edge->to->code,
				 edge->requires != 0 ? ", with " : "",
				 requirements_describe(edge->requires, " and "),
				 edge->guard != NULL ? ", if the guard allows it: " : "",
				 edge->guard != NULL ? edge->guard : "");
	}
}

PG_FUNCTION_INFO_V1(returns_explain);

/* explain(return_id bigint) → setof text */
Datum
returns_explain(PG_FUNCTION_ARGS)
{
	MemoryContext caller_context = CurrentMemoryContext;
	Explained	r = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	ExplainedLine *lines;
	int			nlines;
	AsOwner		owner;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	r.id = PG_GETARG_INT64(0);
	rules_current();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	read_return(&r);
	SPI_finish();
	as_owner_begin(&owner);
	put_text(&r, 0, "return " INT64_FORMAT " of order \"%s\": %s, reason %s", r.id,
			 TextDatumGetCString(r.order_ref), resolution_name(r.resolution), r.reason->code);
	nlines = read_lines(&r, &lines);
	for (int i = 0; i < nlines; i++)
		explain_line(&r, &lines[i]);
	explain_stage(&r);
	as_owner_end(&owner);
	explain_silence(&r);
	explain_moves(&r);
	return (Datum) 0;
}
