/*-------------------------------------------------------------------------
 *
 * move.c
 *		A return moves from state to state.
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
#include "rules/workflow/workflow.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

uint64		book_stages_over = 0;

static const Market *
book_market(ReturnBook *book)
{
	static const Market *memo = NULL;
	static uint64 memo_generation = 0;
	text	   *code = book_text(book, REQ_MARKET);

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
book_categories(ReturnBook *book, const Category ***categories)
{
	Datum	   *codes;
	bool	   *nulls;
	int			n;

	*categories = NULL;
	if (BOOK_NULL(book, REQ_CATEGORIES))
		return 0;
	deconstruct_array(DatumGetArrayTypeP(BOOK_VALUE(book, REQ_CATEGORIES)), TEXTOID, -1,
					  false, TYPALIGN_INT, &codes, &nulls, &n);
	*categories = palloc(sizeof(Category *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		(*categories)[i] = category_get(TextDatumGetCString(codes[i]));
	return n;
}

void
book_stage(ReturnBook *book)
{
	const StageRule *rule = NULL;
	const Category **categories = NULL;
	int			ncategories = 0;
	TimestampTz due_at;
	TimestampTz remind_at;
	TimestampTz wake_at;

	if (book->state->nrules > 0)
	{
		if (book->state->names_category)
			ncategories = book_categories(book, &categories);
		rule = stage_rule_find(book->state, book_market(book), book_resolution(book),
							   categories, ncategories, book->since, &due_at, &remind_at);
	}
	if (rule == NULL)
	{
		book_clear(book, REQ_DUE_AT);
		book_clear(book, REQ_WAKE_AT);
		book_clear(book, REQ_ON_TIMEOUT);
		return;
	}
	book_set(book, REQ_DUE_AT, TimestampTzGetDatum(due_at));
	wake_at = rule->remind > 0 && remind_at > book->now && remind_at < due_at ?
		remind_at : due_at;
	/* never behind a sweep that is under way */
	book_set(book, REQ_WAKE_AT, TimestampTzGetDatum(Max(wake_at, book->now)));
	if (due_at <= book->now)
		book_stages_over++;
	if (rule->on_timeout != NULL)
		book_set(book, REQ_ON_TIMEOUT, PointerGetDatum(rule->on_timeout->code_text));
	else
		book_clear(book, REQ_ON_TIMEOUT);
}

/* A draft that was cancelled never was; brought back, it is judged then. */
static bool
was_requested(ReturnBook *book)
{
	return !BOOK_NULL(book, REQ_REQUESTED_AT);
}

/* Goods and money follow the move; before the row and its event are written. */
static void
move_effects(ReturnBook *book, const State *from, const State *to)
{
	bool		took_back = from->role == ROLE_REFUNDED || from->role == ROLE_EXCHANGED;
	bool		takes_back = to->role == ROLE_REFUNDED || to->role == ROLE_EXCHANGED;

	if (took_back && !takes_back)
		units_give_back(book);
	else if (from->kind == STATE_FINAL && to->kind == STATE_OPEN && was_requested(book))
		units_hold_again(book);
	if (to->role == ROLE_REFUND_DUE || to->role == ROLE_EXCHANGE_DUE)
	{
		if (!took_back)
			units_decide(book);
		if (to->role == ROLE_EXCHANGE_DUE)
			refund_price(book);
		if (to->role == ROLE_REFUND_DUE && BOOK_NULL(book, REQ_REFUND_TOTAL))
			book->owed = refund_open(book);
	}
	if (to->kind == STATE_FINAL && (from->kind == STATE_OPEN || took_back))
	{
		if (takes_back)
			units_take_back(book);
		else
			units_release(book);
	}
}

static void
move_once(ReturnBook *book, const State *to, const Actor *by, const text *note,
		  Jsonb *details)
{
	const State *from = book->state;

	move_effects(book, from, to);
	book->state = to;
	book_set(book, REQ_STATUS, PointerGetDatum(to->code_text));
	book_set(book, REQ_UPDATED_AT, TimestampTzGetDatum(book->now));
	if (from->kind != STATE_OPEN && to->kind == STATE_OPEN && !was_requested(book))
		book_set(book, REQ_REQUESTED_AT, TimestampTzGetDatum(book->now));
	if (to->kind == STATE_FINAL)
		book_set(book, REQ_CLOSED_AT, TimestampTzGetDatum(book->now));
	else
		book_clear(book, REQ_CLOSED_AT);
	book_set(book, REQ_OVERDUE, BoolGetDatum(false));
	book_set(book, REQ_FAILURES, Int32GetDatum(0));
	book_stage(book);
	journal_append(book, EVENT_TRANSITION, from, to, by, note, details);
}

void
book_move(ReturnBook *book, const State *to, const Actor *by, const text *note,
		  Jsonb *details)
{
	const State *refunded = rules_current()->roles[ROLE_REFUNDED];

	book->owed = -1;
	move_once(book, to, by, note, details);
	/* nothing to pay: no payment will come to close it */
	if (book->owed == 0 && refunded != NULL)
		move_once(book, refunded, actor_as_system(), NULL, NULL);
}
