/*-------------------------------------------------------------------------
 *
 * begin.c
 *		A return begins, or its draft is thrown away.
 *
 * src/records/return/begin.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "records/history/journal.h"
#include "records/return/begin.h"
#include "records/return/checks.h"
#include "records/return/move.h"
#include "rules/cache/cache.h"
#include "rules/session.h"
#include "rules/workflow/workflow.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static bytea *announced_content = NULL;

void
request_announce_content(const uint8 *hash, int length)
{
	announced_content = NULL;
	if (hash == NULL)
		return;
	announced_content = palloc(VARHDRSZ + length);
	SET_VARSIZE(announced_content, VARHDRSZ + length);
	memcpy(VARDATA(announced_content), hash, length);
}

static void
book_of_slot(ReturnBook *book, Relation rel, TupleTableSlot *slot)
{
	int			natts = RelationGetDescr(rel)->natts;

	slot_getallattrs(slot);
	book->rel = rel;
	book->attno = request_columns(rel);
	book->values = palloc(sizeof(Datum) * natts);
	book->isnull = palloc(sizeof(bool) * natts);
	memcpy(book->values, slot->tts_values, sizeof(Datum) * natts);
	memcpy(book->isnull, slot->tts_isnull, sizeof(bool) * natts);
	book->now = book->since = clock_now();
	book->state = rules_current()->initial;
	book->owed = -1;
	book->transfers = book->refunds = NIL;
	if (book->state == NULL)
		error_not_set_up("The workflow of returns has no initial state.");
}

static void
refuse_null(ReturnBook *book, RequestColumn col)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("a return must have a value in column \"%s\"", request_column_name(col)),
			 err_column(book->rel, request_column_name(col))));
}

/* Computed columns of a new row: nothing, or what their defaults say. */
static void
check_computed(ReturnBook *book)
{
	static const RequestColumn zero[] = {REQ_LAST_SEQ, REQ_LAST_TRANSFER, REQ_FAILURES};
	static const RequestColumn none[] = {
		REQ_LAST_XID, REQ_LAST_HASH, REQ_CREATED_AT, REQ_UPDATED_AT, REQ_REQUESTED_AT, REQ_CLOSED_AT,
		REQ_DUE_AT, REQ_WAKE_AT, REQ_ON_TIMEOUT, REQ_BUYER_REF, REQ_SELLER_REF, REQ_MARKET,
		REQ_CURRENCY, REQ_CATEGORIES, REQ_REFUND_TOTAL, REQ_CONTENT_HASH
	};
	int			bad = -1;

	for (int i = 0; i < lengthof(zero); i++)
		if (!BOOK_NULL(book, zero[i]) && DatumGetInt32(BOOK_VALUE(book, zero[i])) != 0)
			bad = zero[i];
	if (!BOOK_NULL(book, REQ_OVERDUE) && DatumGetBool(BOOK_VALUE(book, REQ_OVERDUE)))
		bad = REQ_OVERDUE;
	for (int i = 0; i < lengthof(none); i++)
		if (!BOOK_NULL(book, none[i]))
			bad = none[i];
	if (bad >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("column \"%s\" of a new return cannot be given", request_column_name(bad)),
				 errdetail("It is computed by the extension."),
				 errhint("Leave it out of the statement. History is loaded with the triggers disabled by the owner."),
				 err_column(book->rel, request_column_name(bad))));
}

static void
check_codes(ReturnBook *book)
{
	text	   *status = book_text(book, REQ_STATUS);
	text	   *resolution = book_text(book, REQ_RESOLUTION);
	char	   *code;

	if (status == NULL)
		refuse_null(book, REQ_STATUS);
	if (resolution == NULL)
		refuse_null(book, REQ_RESOLUTION);
	if (BOOK_NULL(book, REQ_REASON))
		refuse_null(book, REQ_REASON);
	if (BOOK_NULL(book, REQ_ORDER_REF))
		refuse_null(book, REQ_ORDER_REF);
	code = text_to_cstring(status);
	if (strcmp(code, book->state->code) != 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_RT_ILLEGAL_TRANSITION),
				 errmsg("a return cannot begin in state \"%s\"", code),
				 errdetail("Every return begins in state \"%s\".", book->state->code),
				 errhint("Insert it as \"%s\" and move it. History is loaded with the triggers disabled by the owner.",
						 book->state->code),
				 err_column(book->rel, "status")));
	}
	check_resolution(book);
	check_details(book);
	check_reason(book);
}

/* Whose order it is, and where: from its sale lines. */
static void
fill_from_order(ReturnBook *book)
{
	static KeptPlan read_order = {
		"SELECT buyer_ref, market, currency FROM returns.sale_line"
		" WHERE order_ref OPERATOR(pg_catalog.=) $1 ORDER BY line_no LIMIT 1",
		1, {TEXTOID}
	};
	static const RequestColumn filled[] = {REQ_BUYER_REF, REQ_MARKET, REQ_CURRENCY};
	Datum		order_ref = BOOK_VALUE(book, REQ_ORDER_REF);
	OwnState	own;
	bool		isnull;

	own_begin(&own);
	if (plan_run(&read_order, &order_ref, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown order \"%s\"", TextDatumGetCString(order_ref)),
				 errdetail("returns.sale_line has no line of it."),
				 errhint("Record what was sold before it is returned."),
				 err_column(book->rel, "order_ref")));
	for (int i = 0; i < lengthof(filled); i++)
		book_set(book, filled[i],
				 PointerGetDatum(DatumGetTextPCopy(plan_value(0, i + 1, &isnull))));
	own_end(&own);
}

static void
check_beginner(ReturnBook *book, const Actor *actor)
{
	if ((actor->kind & (ACTOR_BUYER | ACTOR_OPERATOR | ACTOR_SYSTEM)) == 0 ||
		!actor_is_party(actor, book_text(book, REQ_BUYER_REF), NULL, NULL, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("%s \"%s\" may not begin a return of order \"%s\"",
						actor_kind_name(actor->kind), actor->ref,
						text_to_cstring(book_text(book, REQ_ORDER_REF))),
				 errdetail("A return is begun by the buyer of the order or by an operator."),
				 errhint("Check returns.actor."),
				 err_column(book->rel, "order_ref")));
}

HeapTuple
request_insert(TriggerData *trigdata)
{
	ReturnBook	book;
	const Actor *actor;
	HeapTuple	tuple;

	guard_row(trigdata);
	book_of_slot(&book, trigdata->tg_relation, trigdata->tg_trigslot);
	check_computed(&book);
	check_codes(&book);
	actor = actor_current();
	fill_from_order(&book);
	check_beginner(&book, actor);
	book_set(&book, REQ_LAST_TRANSFER, Int32GetDatum(0));
	book_set(&book, REQ_FAILURES, Int32GetDatum(0));
	book_set(&book, REQ_OVERDUE, BoolGetDatum(false));
	book_set(&book, REQ_CREATED_AT, TimestampTzGetDatum(book.now));
	book_set(&book, REQ_UPDATED_AT, TimestampTzGetDatum(book.now));
	if (announced_content != NULL)
		book_set(&book, REQ_CONTENT_HASH, PointerGetDatum(announced_content));
	announced_content = NULL;
	book_stage(&book);
	journal_open(&book, book.state, actor, book_text(&book, REQ_NOTE), book_details(&book));

	tuple = heap_form_tuple(RelationGetDescr(book.rel), book.values, book.isnull);
	tuple->t_tableOid = trigdata->tg_trigtuple->t_tableOid;
	return tuple;
}

void
request_inserted(TriggerData *trigdata)
{
	ReturnBook	book;

	book_of_slot(&book, trigdata->tg_relation, trigdata->tg_trigslot);
	journal_keep_first(&book, book.state, actor_current(), book_text(&book, REQ_NOTE),
					   book_details(&book));
}

/* Only a draft goes, and its lines and history with it. */
HeapTuple
request_delete(TriggerData *trigdata)
{
	static KeptPlan drop_draft = {
		"WITH l AS (DELETE FROM returns.return_line WHERE order_ref OPERATOR(pg_catalog.=) $1"
		" AND return_id OPERATOR(pg_catalog.=) $2)"
		" DELETE FROM returns.return_event WHERE order_ref OPERATOR(pg_catalog.=) $1"
		" AND return_id OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, INT8OID}
	};
	ReturnBook	book;
	text	   *status;
	const State *state;
	const Actor *actor;
	Datum		args[2];
	OwnState	own;

	book_of_slot(&book, trigdata->tg_relation, trigdata->tg_trigslot);
	status = book_text(&book, REQ_STATUS);
	state = state_find(MACHINE_RETURN, VARDATA_ANY(status), VARSIZE_ANY_EXHDR(status));
	if (state == NULL || state->kind != STATE_INITIAL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("return " INT64_FORMAT " cannot be deleted",
						DatumGetInt64(BOOK_VALUE(&book, REQ_ID))),
				 errdetail("It is in state \"%s\"; only a draft can be deleted.", text_to_cstring(status)),
				 errhint("Cancel it instead."),
				 errtable(book.rel)));
	/* who bypasses row-level security needs no actor to clear a draft away */
	actor = actor_if_any();
	if (actor != NULL)
		check_beginner(&book, actor);
	args[0] = BOOK_VALUE(&book, REQ_ORDER_REF);
	args[1] = BOOK_VALUE(&book, REQ_ID);
	own_begin(&own);
	plan_run(&drop_draft, args, NULL);
	own_end(&own);
	return trigdata->tg_trigtuple;
}
