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
row_of_slot(ReturnRow *row, Relation rel, TupleTableSlot *slot)
{
	int			natts = RelationGetDescr(rel)->natts;

	slot_getallattrs(slot);
	row->rel = rel;
	row->attno = request_columns(rel);
	row->values = palloc(sizeof(Datum) * natts);
	row->isnull = palloc(sizeof(bool) * natts);
	memcpy(row->values, slot->tts_values, sizeof(Datum) * natts);
	memcpy(row->isnull, slot->tts_isnull, sizeof(bool) * natts);
	row->now = row->since = clock_now();
	row->state = rules_current()->initial;
	row->owed = -1;
	row->transfers = row->refunds = NIL;
	if (row->state == NULL)
		error_not_set_up("The workflow of returns has no initial state.");
}

static void
refuse_null(ReturnRow *row, RequestColumn col)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("a return must have a value in column \"%s\"", request_column_name(col)),
			 err_column(row->rel, request_column_name(col))));
}

/* Computed columns of a new row: nothing, or what their defaults say. */
static void
check_computed(ReturnRow *row)
{
	static const RequestColumn zero[] = {REQ_LAST_SEQ, REQ_LAST_TRANSFER, REQ_FAILURES};
	static const RequestColumn none[] = {
		REQ_LAST_XID, REQ_LAST_HASH, REQ_CREATED_AT, REQ_UPDATED_AT, REQ_REQUESTED_AT, REQ_CLOSED_AT,
		REQ_DUE_AT, REQ_WAKE_AT, REQ_ON_TIMEOUT, REQ_BUYER_REF, REQ_SELLER_REF, REQ_MARKET,
		REQ_CURRENCY, REQ_CATEGORIES, REQ_REFUND_TOTAL, REQ_CONTENT_HASH
	};
	int			bad = -1;

	for (int i = 0; i < lengthof(zero); i++)
		if (!ROW_NULL(row, zero[i]) && DatumGetInt32(ROW_VALUE(row, zero[i])) != 0)
			bad = zero[i];
	if (!ROW_NULL(row, REQ_OVERDUE) && DatumGetBool(ROW_VALUE(row, REQ_OVERDUE)))
		bad = REQ_OVERDUE;
	for (int i = 0; i < lengthof(none); i++)
		if (!ROW_NULL(row, none[i]))
			bad = none[i];
	if (bad >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("column \"%s\" of a new return cannot be given", request_column_name(bad)),
				 errdetail("It is computed by the extension."),
				 errhint("Leave it out of the statement. History is loaded with the triggers disabled by the owner."),
				 err_column(row->rel, request_column_name(bad))));
}

static void
check_codes(ReturnRow *row)
{
	text	   *status = row_text(row, REQ_STATUS);
	text	   *resolution = row_text(row, REQ_RESOLUTION);
	char	   *code;

	if (status == NULL)
		refuse_null(row, REQ_STATUS);
	if (resolution == NULL)
		refuse_null(row, REQ_RESOLUTION);
	if (ROW_NULL(row, REQ_REASON))
		refuse_null(row, REQ_REASON);
	if (ROW_NULL(row, REQ_ORDER_REF))
		refuse_null(row, REQ_ORDER_REF);
	code = text_to_cstring(status);
	if (strcmp(code, row->state->code) != 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_RT_ILLEGAL_TRANSITION),
				 errmsg("a return cannot begin in state \"%s\"", code),
				 errdetail("Every return begins in state \"%s\".", row->state->code),
				 errhint("Insert it as \"%s\" and move it. History is loaded with the triggers disabled by the owner.",
						 row->state->code),
				 err_column(row->rel, "status")));
	}
	check_resolution(row);
	check_details(row);
	check_reason(row);
}

/* Whose order it is, and where: from its sale lines. */
static void
fill_from_order(ReturnRow *row)
{
	static KeptPlan read_order = {
		"SELECT buyer_ref, market, currency FROM returns.sale_line"
		" WHERE order_ref OPERATOR(pg_catalog.=) $1 ORDER BY line_no LIMIT 1",
		1, {TEXTOID}
	};
	static const RequestColumn filled[] = {REQ_BUYER_REF, REQ_MARKET, REQ_CURRENCY};
	Datum		order_ref = ROW_VALUE(row, REQ_ORDER_REF);
	OwnState	own;
	bool		isnull;

	own_begin(&own);
	if (plan_run(&read_order, &order_ref, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown order \"%s\"", TextDatumGetCString(order_ref)),
				 errdetail("returns.sale_line has no line of it."),
				 errhint("Record what was sold before it is returned."),
				 err_column(row->rel, "order_ref")));
	for (int i = 0; i < lengthof(filled); i++)
		row_set(row, filled[i],
				PointerGetDatum(DatumGetTextPCopy(plan_value(0, i + 1, &isnull))));
	own_end(&own);
}

static void
check_beginner(ReturnRow *row, const Actor *actor)
{
	if ((actor->kind & (ACTOR_BUYER | ACTOR_OPERATOR | ACTOR_SYSTEM)) == 0 ||
		!actor_is_party(actor, row_text(row, REQ_BUYER_REF), NULL, NULL, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("%s \"%s\" may not begin a return of order \"%s\"",
						actor_kind_name(actor->kind), actor->ref,
						text_to_cstring(row_text(row, REQ_ORDER_REF))),
				 errdetail("A return is begun by the buyer of the order or by an operator."),
				 errhint("Check returns.actor."),
				 err_column(row->rel, "order_ref")));
}

HeapTuple
request_insert(TriggerData *trigdata)
{
	ReturnRow	row;
	const Actor *actor;
	HeapTuple	tuple;

	trigger_check_row(trigdata);
	row_of_slot(&row, trigdata->tg_relation, trigdata->tg_trigslot);
	check_computed(&row);
	check_codes(&row);
	actor = actor_current();
	fill_from_order(&row);
	check_beginner(&row, actor);
	row_set(&row, REQ_LAST_TRANSFER, Int32GetDatum(0));
	row_set(&row, REQ_FAILURES, Int32GetDatum(0));
	row_set(&row, REQ_OVERDUE, BoolGetDatum(false));
	row_set(&row, REQ_CREATED_AT, TimestampTzGetDatum(row.now));
	row_set(&row, REQ_UPDATED_AT, TimestampTzGetDatum(row.now));
	if (announced_content != NULL)
		row_set(&row, REQ_CONTENT_HASH, PointerGetDatum(announced_content));
	announced_content = NULL;
	return_stage(&row);
	journal_open(&row, row.state, actor, row_text(&row, REQ_NOTE), row_details(&row));

	tuple = heap_form_tuple(RelationGetDescr(row.rel), row.values, row.isnull);
	tuple->t_tableOid = trigdata->tg_trigtuple->t_tableOid;
	return tuple;
}

void
request_inserted(TriggerData *trigdata)
{
	ReturnRow	row;

	row_of_slot(&row, trigdata->tg_relation, trigdata->tg_trigslot);
	journal_keep_first(&row, row.state, actor_current(), row_text(&row, REQ_NOTE),
					   row_details(&row));
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
	ReturnRow	row;
	text	   *status;
	const State *state;
	const Actor *actor;
	Datum		args[2];
	OwnState	own;

	row_of_slot(&row, trigdata->tg_relation, trigdata->tg_trigslot);
	status = row_text(&row, REQ_STATUS);
	state = state_find(MACHINE_RETURN, VARDATA_ANY(status), VARSIZE_ANY_EXHDR(status));
	if (state == NULL || state->kind != STATE_INITIAL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("return " INT64_FORMAT " cannot be deleted",
						DatumGetInt64(ROW_VALUE(&row, REQ_ID))),
				 errdetail("It is in state \"%s\"; only a draft can be deleted.", text_to_cstring(status)),
				 errhint("Cancel it instead."),
				 errtable(row.rel)));
	/* who bypasses row-level security needs no actor to clear a draft away */
	actor = actor_if_any();
	if (actor != NULL)
		check_beginner(&row, actor);
	args[0] = ROW_VALUE(&row, REQ_ORDER_REF);
	args[1] = ROW_VALUE(&row, REQ_ID);
	own_begin(&own);
	plan_run(&drop_draft, args, NULL);
	own_end(&own);
	return trigdata->tg_trigtuple;
}
