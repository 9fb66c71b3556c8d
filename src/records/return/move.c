/*-------------------------------------------------------------------------
 *
 * move.c
 *		A return moves from state to state, and units and money with it.
 *
 * src/records/return/move.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "records/decision/issue.h"
#include "records/decision/units.h"
#include "records/history/journal.h"
#include "records/return/move.h"
#include "rules/cache/cache.h"
#include "rules/workflow/outcome.h"
#include "rules/workflow/stage_rule.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

uint64		return_stages_over = 0;

/* The last market is kept: a bulk move asks for the same one for each row. */
static const Market *
row_market(const ReturnRow *row)
{
	static const Market *memo = NULL;
	static uint64 memo_generation = 0;
	text	   *code = row_text(row, REQ_MARKET);

	if (code == NULL)
		return NULL;
	if (memo == NULL || memo_generation != rules_generation() ||
		strlen(memo->code) != VARSIZE_ANY_EXHDR(code) ||
		memcmp(memo->code, VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code)) != 0)
	{
		memo = market_get(text_to_cstring(code));
		memo_generation = rules_generation();
	}
	return memo;
}

/* The categories of the lines, as they were when the return was requested. */
static int
row_categories(const ReturnRow *row, const Category ***categories)
{
	Datum	   *codes;
	bool	   *nulls;
	int			n;

	*categories = NULL;
	if (ROW_NULL(row, REQ_CATEGORIES))
		return 0;
	deconstruct_array(DatumGetArrayTypeP(ROW_VALUE(row, REQ_CATEGORIES)), TEXTOID, -1,
					  false, TYPALIGN_INT, &codes, &nulls, &n);
	*categories = palloc(sizeof(Category *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		(*categories)[i] = category_get(TextDatumGetCString(codes[i]));
	return n;
}

void
return_stage(ReturnRow *row)
{
	const StageRule *rule = NULL;
	const Category **categories = NULL;
	int			ncategories = 0;
	TimestampTz due_at;
	TimestampTz remind_at;
	TimestampTz wake_at;

	if (row->state->nrules > 0)
	{
		if (row->state->names_category)
			ncategories = row_categories(row, &categories);
		rule = stage_rule_find(row->state, row_market(row), row_resolution(row),
							   categories, ncategories, row->since, &due_at, &remind_at);
	}
	if (rule == NULL)
	{
		row_clear(row, REQ_DUE_AT);
		row_clear(row, REQ_WAKE_AT);
		row_clear(row, REQ_ON_TIMEOUT);
		return;
	}
	row_set(row, REQ_DUE_AT, TimestampTzGetDatum(due_at));
	wake_at = rule->remind > 0 && remind_at > row->now && remind_at < due_at ?
		remind_at : due_at;
	/* a running sweep has passed the times before now, and would not see it */
	row_set(row, REQ_WAKE_AT, TimestampTzGetDatum(Max(wake_at, row->now)));
	if (due_at <= row->now)
		return_stages_over++;
	if (rule->on_timeout != NULL)
		row_set(row, REQ_ON_TIMEOUT, PointerGetDatum(rule->on_timeout->code_text));
	else
		row_clear(row, REQ_ON_TIMEOUT);
}

/*
 * False for a draft, also for one that was cancelled: when it is reopened, it is
 * admitted like a new request.
 */
static bool
was_requested(const ReturnRow *row)
{
	return !ROW_NULL(row, REQ_REQUESTED_AT);
}

/*
 * Units and money follow the move, before the row and its event are written.
 * outcome.c has the table of the states in which a return is decided, and of
 * those in which the decided units are returned for good.
 */
static void
move_effects(ReturnRow *row, const State *from, const State *to)
{
	const Outcome *due = outcome_due_in(to->role);
	bool		took_back = outcome_takes_goods(from->role);
	bool		takes_back = outcome_takes_goods(to->role);

	if (took_back && !takes_back)
		units_give_back(row);
	else if (from->kind == STATE_FINAL && to->kind == STATE_OPEN && was_requested(row))
		units_hold_again(row);
	if (due != NULL && !took_back)
		units_decide(row);
	if (due != NULL && !due->pays)
		refund_price(row);
	if (due != NULL && due->pays && ROW_NULL(row, REQ_REFUND_TOTAL))
		row->owed = refund_open(row);
	if (to->kind == STATE_FINAL && (from->kind == STATE_OPEN || took_back))
	{
		if (takes_back)
			units_take_back(row);
		else
			units_release(row);
	}
}

static void
move_once(ReturnRow *row, const State *to, const Actor *by, const text *note,
		  Jsonb *details)
{
	const State *from = row->state;

	Assert(from != NULL && to != NULL && from != to);
	Assert(from->machine == MACHINE_RETURN && to->machine == MACHINE_RETURN);
	move_effects(row, from, to);
	row->state = to;
	row_set(row, REQ_STATUS, PointerGetDatum(to->code_text));
	row_set(row, REQ_UPDATED_AT, TimestampTzGetDatum(row->now));
	if (from->kind != STATE_OPEN && to->kind == STATE_OPEN && !was_requested(row))
		row_set(row, REQ_REQUESTED_AT, TimestampTzGetDatum(row->now));
	if (to->kind == STATE_FINAL)
		row_set(row, REQ_CLOSED_AT, TimestampTzGetDatum(row->now));
	else
		row_clear(row, REQ_CLOSED_AT);
	row_set(row, REQ_OVERDUE, BoolGetDatum(false));
	row_set(row, REQ_FAILURES, Int32GetDatum(0));
	return_stage(row);
	journal_append(row, EVENT_TRANSITION, from, to, by, note, details);
}

void
return_move(ReturnRow *row, const State *to, const Actor *by, const text *note,
			Jsonb *details)
{
	const State *refunded = rules_current()->roles[ROLE_REFUNDED];

	row->owed = -1;
	move_once(row, to, by, note, details);
	/* without a payment no report of a provider would end the return */
	if (row->owed == 0 && refunded != NULL)
		move_once(row, refunded, actor_as_system(), NULL, NULL);
}
