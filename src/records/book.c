/*-------------------------------------------------------------------------
 *
 * book.c
 *		One return while it changes: its row and what is booked with it.
 *
 * src/records/book.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/scope.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "records/journal.h"
#include "records/refund.h"
#include "records/request.h"
#include "records/units.h"
#include "rules/workflow.h"
#include "server/columns.h"
#include "server/compat.h"
#include "server/errors.h"
#include "server/plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static const char *const column_names[REQ_NCOLUMNS] = {
	[REQ_ID] = "id",
	[REQ_LAST_XID] = "last_xid",
	[REQ_LAST_SEQ] = "last_seq",
	[REQ_LAST_TRANSFER] = "last_transfer",
	[REQ_FAILURES] = "failures",
	[REQ_OVERDUE] = "overdue",
	[REQ_ORDER_REF] = "order_ref",
	[REQ_STATUS] = "status",
	[REQ_RESOLUTION] = "resolution",
	[REQ_REASON] = "reason",
	[REQ_LAST_HASH] = "last_hash",
	[REQ_CREATED_AT] = "created_at",
	[REQ_UPDATED_AT] = "updated_at",
	[REQ_REQUESTED_AT] = "requested_at",
	[REQ_CLOSED_AT] = "closed_at",
	[REQ_DUE_AT] = "due_at",
	[REQ_WAKE_AT] = "wake_at",
	[REQ_ON_TIMEOUT] = "on_timeout",
	[REQ_BUYER_REF] = "buyer_ref",
	[REQ_SELLER_REF] = "seller_ref",
	[REQ_MARKET] = "market",
	[REQ_CURRENCY] = "currency",
	[REQ_CATEGORIES] = "categories",
	[REQ_REFUND_TOTAL] = "refund_total",
	[REQ_NOTE] = "note",
	[REQ_DETAILS] = "details",
	[REQ_CARRIER] = "carrier",
	[REQ_TRACKING_REF] = "tracking_ref",
	[REQ_IDEMPOTENCY_KEY] = "idempotency_key",
	[REQ_CONTENT_HASH] = "content_hash",
};

static AttrNumber attno[REQ_NCOLUMNS];
static ColumnSet columns = {
	"return_request", REQ_NCOLUMNS, column_names, attno, InvalidOid, NULL
};

/*
 * What a touching statement wants done by the trigger that it fires.  They
 * nest where a trigger of the user's touches other returns; an error unwinds
 * without us, so the transaction callbacks drop what was aborted.  Until then
 * they must last: not on the stack, but in the memory of the subtransaction.
 */
typedef struct Touch
{
	struct Touch *outer;
	int			nest_level;		/* of transactions */
	int64		return_id;		/* 0: every row of the statement */
	BookWork	work;
	void	   *arg;
	uint64		taken;
} Touch;

static Touch *touch = NULL;

uint64		book_stages_over = 0;

static void
undo(int nest_level)
{
	while (touch != NULL && touch->nest_level >= nest_level)
		touch = touch->outer;
}

static void
end(bool committed)
{
	touch = NULL;
}

static const ScopeUser scope_user = {.undo = undo,.end = end};

void
book_init(void)
{
	scope_register(&scope_user);
}

const char *
request_column_name(RequestColumn col)
{
	return column_names[col];
}

const AttrNumber *
request_columns(Relation rel)
{
	columns_find(&columns, rel);
	return attno;
}

text *
book_text(ReturnBook *book, RequestColumn col)
{
	return BOOK_NULL(book, col) ? NULL : DatumGetTextPP(BOOK_VALUE(book, col));
}

Jsonb *
book_details(ReturnBook *book)
{
	return BOOK_NULL(book, REQ_DETAILS) ? NULL :
		DatumGetJsonbP(BOOK_VALUE(book, REQ_DETAILS));
}

Resolution
book_resolution(ReturnBook *book)
{
	text	   *code = book_text(book, REQ_RESOLUTION);

	return code != NULL && VARSIZE_ANY_EXHDR(code) == 8 &&
		memcmp(VARDATA_ANY(code), "exchange", 8) == 0 ?
		RESOLUTION_EXCHANGE : RESOLUTION_REFUND;
}

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

bool
touch_take(int64 return_id, BookWork *work, void **arg)
{
	if (touch == NULL || !own_writing() ||
		(touch->return_id != 0 && (touch->return_id != return_id || touch->taken > 0)))
		return false;
	touch->taken++;
	*work = touch->work;
	*arg = touch->arg;
	return true;
}

/* Run the statement, which updates rows without changing them, as a touch. */
static uint64
touch_run(KeptPlan *update, Datum *args, int64 return_id, BookWork work, void *arg)
{
	Touch	   *mine = MemoryContextAlloc(CurTransactionContext, sizeof(Touch));
	OwnState	own;
	uint64		found;

	*mine = (Touch) {touch, GetCurrentTransactionNestLevel(), return_id, work, arg, 0};
	own_begin(&own);
	touch = mine;
	found = plan_run(update, args, NULL);
	touch = mine->outer;
	if (mine->taken < found)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("a return was updated without its trigger"),
				 errhint("Enable the triggers of returns.return_request, or run CALL returns.setup().")));
	own_end(&own);
	pfree(mine);
	return found;
}

/*
 * The statements name status, which the work may move: so a trigger of the
 * user's on UPDATE OF status sees these moves too.
 */
bool
return_touch(Datum order_ref, int64 return_id, BookWork work, void *arg)
{
	static KeptPlan update = {
		"UPDATE returns.return_request SET status = status"
		" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2] = {order_ref, Int64GetDatum(return_id)};

	return touch_run(&update, args, return_id, work, arg) > 0;
}

uint64
return_touch_all(Datum tids, BookWork work, void *arg)
{
	static KeptPlan update = {
		"UPDATE ONLY returns.return_request SET status = status"
		" WHERE ctid OPERATOR(pg_catalog.=) ANY ($1)",
		1, {TIDARRAYOID}
	};

	return touch_run(&update, &tids, 0, work, arg);
}
