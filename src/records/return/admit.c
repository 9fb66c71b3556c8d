/*-------------------------------------------------------------------------
 *
 * admit.c
 *		Request a return: judge its lines and reserve their units.
 *
 * Once a return is requested, a rule may decide it at once: the policies of its
 * lines have limits below which the system approves a return, or refunds it
 * without taking the goods back.
 *
 * src/records/return/admit.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "records/decision/issue.h"
#include "records/return/admit.h"
#include "records/return/column_checks.h"
#include "records/return/move.h"
#include "records/sale_facts.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy.h"
#include "rules/policy/policy_load.h"
#include "rules/workflow/outcome.h"
#include "rules/workflow/workflow.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* A line of the draft and the sale line that it returns units of. */
typedef struct DraftLine
{
	SaleFacts	sale;
	text	   *buyer_ref;
	const char *currency;
	int			quantity;
	Verdict		verdict;
} DraftLine;

/*
 * Read the lines, and lock them and their sale lines in key order.  An UPDATE or
 * DELETE of a line of the draft locks that line, but not always the return.
 */
static int
lines_read(const ReturnRow *row, DraftLine **lines)
{
	static Statement read_lines = {
		"SELECT " SALE_FACTS ", s.buyer_ref, s.currency, l.quantity"
		" FROM returns.return_line l JOIN returns.sale_line s"
		" ON s.order_ref" EQ "l.order_ref AND s.line_no" EQ "l.line_no"
		" WHERE l.order_ref" EQ "$1 AND l.return_id" EQ "$2"
		" ORDER BY l.line_no FOR NO KEY UPDATE OF l, s",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2];
	ResultSet	result;

	row_key(row, args);
	result = statement_run(&read_lines, args, NULL);
	*lines = palloc0(sizeof(DraftLine) * Max(result.nrows, 1));
	for (uint64 i = 0; i < result.nrows; i++)
	{
		DraftLine  *line = &(*lines)[i];

		sale_facts_read(result, i, &line->sale);
		line->buyer_ref = result_text(result, i, AFTER_SALE_FACTS);
		line->currency = result_cstring(result, i, AFTER_SALE_FACTS + 1);
		line->quantity = result_int(result, i, AFTER_SALE_FACTS + 2);
	}
	return result.nrows;
}

pg_noreturn static void
refuse_mixed(const ReturnRow *row, const char *what, const DraftLine *line)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_NOT_RETURNABLE),
			 errmsg("return " INT64_FORMAT " has lines of more than one %s", row_id(row), what),
			 errdetail("Line %d of order \"%s\" has another %s than the return.",
					   line->sale.line_no, text_to_cstring(row_text(row, REQ_ORDER_REF)), what),
			 errhint("Open one return for each %s.", what)));
}

/* A return is of one buyer, one seller, one market and one currency. */
static void
check_lines_agree(const ReturnRow *row, const DraftLine *lines, int nlines)
{
	Actor		buyer = {.kind = ACTOR_BUYER, .ref_text = row_text(row, REQ_BUYER_REF)};

	if (nlines == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_REQUIREMENT_MISSING),
				 errmsg("return " INT64_FORMAT " has no lines", row_id(row)),
				 errdetail("A return is requested for at least one line of its order."),
				 errhint("Insert the lines into returns.return_line first."),
				 errtable(row->trigger.rel)));
	for (int i = 0; i < nlines; i++)
	{
		Parties		sold_to = {.buyer_ref = lines[i].buyer_ref};

		if (!actor_is_party(&buyer, &sold_to))
			refuse_mixed(row, "buyer", &lines[i]);
		if (strcmp(lines[i].sale.seller_ref, lines[0].sale.seller_ref) != 0)
			refuse_mixed(row, "seller", &lines[i]);
		if (lines[i].sale.market != lines[0].sale.market)
			refuse_mixed(row, "market", &lines[i]);
		if (strcmp(lines[i].currency, lines[0].currency) != 0)
			refuse_mixed(row, "currency", &lines[i]);
	}
}

static void
check_lines_returnable(const ReturnRow *row, DraftLine *lines, int nlines, const Reason *reason)
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
					 errtable(row->trigger.rel)));
	}
}

static void
check_evidence(const ReturnRow *row, const Reason *reason)
{
	if (reason->evidence_required && !row_has_evidence(row))
		ereport(ERROR,
				(errcode(ERRCODE_RT_REQUIREMENT_MISSING),
				 errmsg("reason \"%s\" requires evidence", reason->code),
				 errdetail("Return " INT64_FORMAT " has none.", row_id(row)),
				 errhint("Write evidence into the column details, for example {\"evidence\": [\"photo-1\"]}."),
				 err_column(row->trigger.rel, "details")));
}

/* Reserve the units of the line and note the policy that governs it. */
static void
line_admit(const ReturnRow *row, const DraftLine *line)
{
	static Statement reserve = {
		"UPDATE returns.sale_line SET reserved = reserved OPERATOR(pg_catalog.+) $3"
		" WHERE order_ref" EQ "$1 AND line_no" EQ "$2",
		3, {TEXTOID, INT4OID, INT4OID}
	};
	static Statement set_policy = {
		"UPDATE returns.return_line SET policy_id = $4, window_ends_at = $5"
		OF_RETURN " AND line_no" EQ "$3",
		5, {TEXTOID, INT8OID, INT4OID, INT8OID, TIMESTAMPTZOID}
	};
	Datum		sale[3];
	Datum		args[5];

	Assert(line->verdict.sqlstate == 0 && line->verdict.policy != NULL &&
		   line->verdict.has_window);
	sale[0] = ROW_VALUE(row, REQ_ORDER_REF);
	sale[1] = Int32GetDatum(line->sale.line_no);
	sale[2] = Int32GetDatum(line->quantity);
	trigger_check_wrote("sale_line", statement_run(&reserve, sale, NULL).nrows, 1);
	row_key(row, args);
	args[2] = Int32GetDatum(line->sale.line_no);
	args[3] = Int64GetDatum(line->verdict.policy->id);
	args[4] = TimestampTzGetDatum(line->verdict.window_ends_at);
	if (statement_run(&set_policy, args, NULL).nrows != 1)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("lines of return " INT64_FORMAT " changed while it was requested", row_id(row)),
				 errdetail("Line %d of the return could not be updated.", line->sale.line_no),
				 errhint("Retry the transaction.")));
}

/* Columns of the return that follow from its lines, for the later stages. */
static void
fill_from_lines(ReturnRow *row, const DraftLine *lines, int nlines)
{
	ArrayBuildState *categories = NULL;

	Assert(nlines > 0);
	for (int i = 0; i < nlines; i++)
	{
		const Category *category = lines[i].sale.category;
		bool		seen = false;

		for (int j = 0; j < i; j++)
			seen |= lines[j].sale.category == category;
		if (!seen)
			categories = accumArrayResult(categories, CStringGetTextDatum(category->code),
										  false, TEXTOID, CurrentMemoryContext);
	}
	row_set(row, REQ_CATEGORIES, makeArrayResult(categories, CurrentMemoryContext));
	row_set(row, REQ_SELLER_REF, CStringGetTextDatum(lines[0].sale.seller_ref));
	row_set(row, REQ_MARKET, CStringGetTextDatum(lines[0].sale.market->code));
	row_set(row, REQ_CURRENCY, CStringGetTextDatum(lines[0].currency));
}

void
request_admit(ReturnRow *row)
{
	const Reason *reason = reason_get(text_to_cstring(row_text(row, REQ_REASON)));
	DraftLine  *lines;
	int			nlines;
	AsOwner		owner;

	Assert(row->state->kind != STATE_OPEN);
	check_evidence(row, reason);
	as_owner_begin(&owner);
	nlines = lines_read(row, &lines);
	check_lines_agree(row, lines, nlines);
	check_lines_returnable(row, lines, nlines, reason);
	for (int i = 0; i < nlines; i++)
	{
		CHECK_FOR_INTERRUPTS();
		line_admit(row, &lines[i]);
	}
	fill_from_lines(row, lines, nlines);
	as_owner_end(&owner);
}

/* The policies of the lines; NIL when one of them decides nothing by amount. */
static List *
deciding_policies(const ReturnRow *row)
{
	static Statement read_policies = {
		"SELECT policy_id FROM returns.return_line" OF_RETURN,
		2, {TEXTOID, INT8OID}
	};
	List	   *policies = NIL;
	Datum		args[2];
	ResultSet	lines;

	row_key(row, args);
	lines = statement_run(&read_policies, args, NULL);
	for (uint64 i = 0; i < lines.nrows; i++)
	{
		const Policy *policy = policy_by_id(result_int64(lines, i, 1));

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
 * May the system move the return there?  The requirements and the guard of the
 * transition apply to the system too.  If it may not, the return waits for an
 * actor.
 */
static bool
system_may_move(const ReturnRow *row, const State *to)
{
	Refusal		refusal;
	MoveQuestion question = {
		.machine = MACHINE_RETURN,
		.id = row_id(row),
		.return_id = row_id(row),
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
	AsOwner		owner;

	Assert(row->state->role == ROLE_REQUESTED);
	as_owner_begin(&owner);
	policies = deciding_policies(row);
	if (policies != NIL)
	{
		bool		covered;
		int64		amount = refund_estimate(row, &covered);

		if (covered && outcome_of(row_resolution(row))->pays &&
			limits_allow(policies, true, amount, currency) && system_may_move(row, keep_item))
			decision = keep_item;
		else if (limits_allow(policies, false, amount, currency) && system_may_move(row, approved))
			decision = approved;
	}
	as_owner_end(&owner);
	if (decision != NULL)
		return_move(row, decision, actor_as_system(), NULL, NULL);
}
