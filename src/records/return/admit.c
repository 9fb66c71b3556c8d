/*-------------------------------------------------------------------------
 *
 * admit.c
 *		draft → requested: every line is judged and its units are reserved.
 *
 * src/records/return/admit.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "records/decision/issue.h"
#include "records/return/admit.h"
#include "records/return/checks.h"
#include "records/return/move.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy.h"
#include "rules/policy/policy_load.h"
#include "rules/workflow/workflow.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* A line of the draft with the sale it rests on. */
typedef struct Line
{
	SaleFacts	sale;
	int			quantity;
	text	   *buyer_ref;
	const char *currency;
	Verdict		verdict;
} Line;

static char *
column_string(uint64 row, int col)
{
	bool		isnull;

	return TextDatumGetCString(plan_value(row, col, &isnull));
}

/*
 * Read the lines and lock them and their sales, in key order: who changes a
 * line of the draft at this moment holds the line, not always the request.
 */
static int
lines_read(ReturnRow *row, Line **lines)
{
	static KeptPlan read_lines = {
		"SELECT s.line_no, s.market, s.category, s.seller_ref, s.quantity, s.reserved,"
		" s.returned, s.purchased_at, s.delivered_at, s.buyer_ref, s.currency, l.quantity"
		" FROM returns.return_line l JOIN returns.sale_line s"
		" ON s.order_ref OPERATOR(pg_catalog.=) l.order_ref"
		" AND s.line_no OPERATOR(pg_catalog.=) l.line_no"
		" WHERE l.order_ref OPERATOR(pg_catalog.=) $1 AND l.return_id OPERATOR(pg_catalog.=) $2"
		" ORDER BY l.line_no FOR NO KEY UPDATE OF l, s",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2];
	uint64		n;

	args[0] = ROW_VALUE(row, REQ_ORDER_REF);
	args[1] = ROW_VALUE(row, REQ_ID);
	n = plan_run(&read_lines, args, NULL);
	*lines = palloc0(sizeof(Line) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		Line	   *line = &(*lines)[i];
		bool		isnull;

		line->sale.line_no = DatumGetInt32(plan_value(i, 1, &isnull));
		line->sale.seller_ref = column_string(i, 4);
		line->sale.quantity = DatumGetInt32(plan_value(i, 5, &isnull));
		line->sale.reserved = DatumGetInt32(plan_value(i, 6, &isnull));
		line->sale.returned = DatumGetInt32(plan_value(i, 7, &isnull));
		line->sale.purchased_at = DatumGetTimestampTz(plan_value(i, 8, &isnull));
		line->sale.delivered_at = DatumGetTimestampTz(plan_value(i, 9, &isnull));
		line->sale.delivered = !isnull;
		line->buyer_ref = DatumGetTextPCopy(plan_value(i, 10, &isnull));
		line->currency = column_string(i, 11);
		line->quantity = DatumGetInt32(plan_value(i, 12, &isnull));
		line->sale.market = market_get(column_string(i, 2));
		line->sale.category = category_get(column_string(i, 3));
	}
	return n;
}

static void
refuse_mixed(ReturnRow *row, const char *what, const Line *a, const Line *b)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_NOT_RETURNABLE),
			 errmsg("return " INT64_FORMAT " has lines of more than one %s",
					DatumGetInt64(ROW_VALUE(row, REQ_ID)), what),
			 errdetail("Line %d and line %d of order \"%s\" differ in it.",
					   a->sale.line_no, b->sale.line_no,
					   text_to_cstring(row_text(row, REQ_ORDER_REF))),
			 errhint("Open one return for each %s.", what)));
}

/* One buyer, one seller, one market, one currency. */
static void
lines_agree(ReturnRow *row, const Line *lines, int nlines)
{
	Actor		buyer = {.kind = ACTOR_BUYER, .ref_text = row_text(row, REQ_BUYER_REF)};

	if (nlines == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_REQUIREMENT_MISSING),
				 errmsg("return " INT64_FORMAT " has no lines",
						DatumGetInt64(ROW_VALUE(row, REQ_ID))),
				 errdetail("A return is requested for at least one line of its order."),
				 errhint("Insert its lines into returns.return_line first."),
				 errtable(row->rel)));
	for (int i = 0; i < nlines; i++)
	{
		if (!actor_is_party(&buyer, lines[i].buyer_ref, NULL, NULL, NULL))
			refuse_mixed(row, "buyer", &lines[0], &lines[i]);
		if (strcmp(lines[i].sale.seller_ref, lines[0].sale.seller_ref) != 0)
			refuse_mixed(row, "seller", &lines[0], &lines[i]);
		if (lines[i].sale.market != lines[0].sale.market)
			refuse_mixed(row, "market", &lines[0], &lines[i]);
		if (strcmp(lines[i].currency, lines[0].currency) != 0)
			refuse_mixed(row, "currency", &lines[0], &lines[i]);
	}
}

static void
lines_judge(ReturnRow *row, Line *lines, int nlines, const Reason *reason)
{
	for (int i = 0; i < nlines; i++)
	{
		Verdict    *verdict = &lines[i].verdict;

		line_judge(&lines[i].sale, reason, row_resolution(row), lines[i].quantity,
				   row->now, verdict);
		if (verdict->sqlstate != 0)
			ereport(ERROR,
					(errcode(verdict->sqlstate),
					 errmsg("line %d of order \"%s\" cannot be returned", lines[i].sale.line_no,
							text_to_cstring(row_text(row, REQ_ORDER_REF))),
					 errdetail("%s", verdict->why),
					 verdict->hint ? errhint("%s", verdict->hint) : 0,
					 errtable(row->rel)));
	}
}

static void
evidence_check(ReturnRow *row, const Reason *reason)
{
	if (reason->evidence_required && !row_has_evidence(row))
		ereport(ERROR,
				(errcode(ERRCODE_RT_REQUIREMENT_MISSING),
				 errmsg("reason \"%s\" requires evidence", reason->code),
				 errdetail("Return " INT64_FORMAT " has none.",
						   DatumGetInt64(ROW_VALUE(row, REQ_ID))),
				 errhint("Set details to an object whose \"evidence\" is a non-empty array."),
				 err_column(row->rel, "details")));
}

static void
line_admit(ReturnRow *row, const Line *line)
{
	static KeptPlan reserve = {
		"UPDATE returns.sale_line SET reserved = reserved OPERATOR(pg_catalog.+) $3"
		" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND line_no OPERATOR(pg_catalog.=) $2",
		3, {TEXTOID, INT4OID, INT4OID}
	};
	static KeptPlan govern = {
		"UPDATE returns.return_line SET policy_id = $4, window_ends_at = $5"
		" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND line_no OPERATOR(pg_catalog.=) $2"
		" AND return_id OPERATOR(pg_catalog.=) $3",
		5, {TEXTOID, INT4OID, INT8OID, INT8OID, TIMESTAMPTZOID}
	};
	Datum		args[5];
	char		nulls[] = "     ";

	args[0] = ROW_VALUE(row, REQ_ORDER_REF);
	args[1] = Int32GetDatum(line->sale.line_no);
	args[2] = Int32GetDatum(line->quantity);
	trigger_check_wrote("sale_line", plan_run(&reserve, args, NULL), 1);
	args[2] = ROW_VALUE(row, REQ_ID);
	args[3] = Int64GetDatum(line->verdict.policy->id);
	args[4] = TimestampTzGetDatum(line->verdict.window_ends_at);
	nulls[4] = line->verdict.has_window ? ' ' : 'n';
	if (plan_run(&govern, args, nulls) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("lines of return " INT64_FORMAT " changed while it was requested",
						DatumGetInt64(ROW_VALUE(row, REQ_ID))),
				 errhint("Try the transaction again.")));
}

/* What later stages ask of the lines, kept on the request itself. */
static void
fill_from_lines(ReturnRow *row, const Line *lines, int nlines)
{
	Datum	   *codes = palloc(sizeof(Datum) * nlines);
	int			ncodes = 0;

	for (int i = 0; i < nlines; i++)
	{
		bool		seen = false;

		for (int j = 0; j < i; j++)
			seen |= lines[j].sale.category == lines[i].sale.category;
		if (!seen)
			codes[ncodes++] = CStringGetTextDatum(lines[i].sale.category->code);
	}
	row_set(row, REQ_CATEGORIES,
			PointerGetDatum(construct_array(codes, ncodes, TEXTOID, -1, false, TYPALIGN_INT)));
	row_set(row, REQ_SELLER_REF, CStringGetTextDatum(lines[0].sale.seller_ref));
	row_set(row, REQ_MARKET, CStringGetTextDatum(lines[0].sale.market->code));
	row_set(row, REQ_CURRENCY, CStringGetTextDatum(lines[0].currency));
}

void
request_admit(ReturnRow *row)
{
	const Reason *reason = reason_get(text_to_cstring(row_text(row, REQ_REASON)));
	Line	   *lines;
	int			nlines;
	OwnState	own;

	evidence_check(row, reason);
	own_begin(&own);
	nlines = lines_read(row, &lines);
	lines_agree(row, lines, nlines);
	lines_judge(row, lines, nlines, reason);
	for (int i = 0; i < nlines; i++)
	{
		CHECK_FOR_INTERRUPTS();
		line_admit(row, &lines[i]);
	}
	fill_from_lines(row, lines, nlines);
	own_end(&own);
}

/* The policies of the lines: NULL when there is none that decides by amount. */
static List *
deciding_policies(ReturnRow *row)
{
	static KeptPlan read_policies = {
		"SELECT policy_id FROM returns.return_line WHERE order_ref OPERATOR(pg_catalog.=) $1"
		" AND return_id OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, INT8OID}
	};
	List	   *policies = NIL;
	Datum		args[2];
	uint64		n;
	bool		isnull;

	args[0] = ROW_VALUE(row, REQ_ORDER_REF);
	args[1] = ROW_VALUE(row, REQ_ID);
	n = plan_run(&read_policies, args, NULL);
	for (uint64 i = 0; i < n; i++)
	{
		const Policy *policy = policy_by_id(DatumGetInt64(plan_value(i, 1, &isnull)));

		if (policy == NULL || !(policy->has_keep_item || policy->has_auto_approve))
			return NIL;
		policies = lappend(policies, (void *) policy);
	}
	return policies;
}

/* Does the amount stay below the limit of every line's policy? */
static bool
limits_allow(List *policies, bool keep_item, int64 amount, const Currency *currency)
{
	ListCell   *cell;

	foreach(cell, policies)
	{
		const Policy *policy = lfirst(cell);

		if (!(keep_item ? policy->has_keep_item : policy->has_auto_approve) ||
			!policy_amount_below(keep_item ? policy->keep_item_below : policy->auto_approve_below,
								 amount, currency))
			return false;
	}
	return true;
}

/*
 * May the system move the return there by itself?  Whatever the edge asks of
 * others it asks of a rule too, guard and all; where the answer is no, the
 * return waits for somebody.
 */
static bool
system_may(ReturnRow *row, const State *to)
{
	Refusal		refusal;
	MoveQuestion question = {
		.machine = MACHINE_RETURN,
		.id = DatumGetInt64(ROW_VALUE(row, REQ_ID)),
		.return_id = DatumGetInt64(ROW_VALUE(row, REQ_ID)),
		.from = row->state,
		.to = to,
		.actor = actor_as_system(),
		.resolution = row_resolution(row),
		.has_evidence = row_has_evidence(row),
		.now = row->now,
	};

	return to != NULL && move_judge(&question, &refusal);
}

void
request_decide(ReturnRow *row)
{
	const Rules *rules = rules_current();
	const State *keep_item = rules->roles[ROLE_REFUND_DUE];
	const State *approved = rules->roles[ROLE_APPROVED];
	const Currency *currency = currency_get(text_to_cstring(row_text(row, REQ_CURRENCY)));
	const State *decision = NULL;
	List	   *policies;
	OwnState	own;

	own_begin(&own);
	policies = deciding_policies(row);
	if (policies != NIL)
	{
		bool		covered;
		int64		amount = refund_estimate(row, &covered);

		if (covered && row_resolution(row) == RESOLUTION_REFUND &&
			limits_allow(policies, true, amount, currency) && system_may(row, keep_item))
			decision = keep_item;
		else if (limits_allow(policies, false, amount, currency) && system_may(row, approved))
			decision = approved;
	}
	own_end(&own);
	if (decision != NULL)
		return_move(row, decision, actor_as_system(), NULL, NULL);
}
