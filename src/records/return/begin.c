/*-------------------------------------------------------------------------
 *
 * begin.c
 *		A return begins as a draft, or its draft is deleted.
 *
 * src/records/return/begin.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "records/history/journal.h"
#include "records/return/begin.h"
#include "records/return/column_checks.h"
#include "records/return/move.h"
#include "rules/actor/permission.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"

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

/* A return that begins is in the initial state, whatever the row says so far. */
static void
begin_row_load(ReturnRow *row, TriggerData *trigdata)
{
	return_row_load(row, trigdata);
	row->state = rules_current()->initial;
	if (row->state == NULL)
		error_not_set_up("The workflow of returns has no initial state.");
}

/* Does a computed column of a new row have the value that its default gives it? */
static bool
is_default(const ReturnRow *row, RequestColumn col)
{
	if (ROW_NULL(row, col))
		return true;
	switch (col)
	{
		case REQ_LAST_SEQ:
		case REQ_LAST_TRANSFER:
		case REQ_FAILURES:
			return DatumGetInt32(ROW_VALUE(row, col)) == 0;
		case REQ_OVERDUE:
			return !DatumGetBool(ROW_VALUE(row, col));
		default:
			return false;
	}
}

static void
check_computed(const ReturnRow *row)
{
	for (int col = 0; col < REQ_NCOMPUTED; col++)
		if (!is_default(row, col))
			ereport(ERROR,
					(errcode(ERRCODE_RT_PROTECTED),
					 errmsg("column \"%s\" of a new return must not have a value",
							request_column_name(col)),
					 errdetail("It is computed by the extension."),
					 errhint("Leave the column out of the statement. To load old returns, the owner of the table runs ALTER TABLE returns.return_request DISABLE TRIGGER USER."),
					 err_column(row->trigger.rel, request_column_name(col))));
}

static void
check_codes(const ReturnRow *row)
{
	static const RequestColumn required[] = {
		REQ_STATUS, REQ_RESOLUTION, REQ_REASON, REQ_ORDER_REF, REQ_ID
	};
	char	   *code;

	for (int i = 0; i < lengthof(required); i++)
		check_not_null(&row->trigger, required[i], "a return");
	code = text_to_cstring(row_text(row, REQ_STATUS));
	if (strcmp(code, row->state->code) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_ILLEGAL_TRANSITION),
				 errmsg("a return cannot begin in state \"%s\"", code),
				 errdetail("Every return begins in state \"%s\".", row->state->code),
				 errhint("Insert the return as \"%s\", then move it. To load old returns, the owner of the table runs ALTER TABLE returns.return_request DISABLE TRIGGER USER.",
						 row->state->code),
				 err_column(row->trigger.rel, "status")));
	check_resolution(row);
	check_details(row);
	check_reason(row);
}

/* The buyer, the market and the currency of the order, from its first line. */
static void
fill_from_order(ReturnRow *row)
{
	static Statement read_order = {
		"SELECT buyer_ref, market, currency FROM returns.sale_line"
		" WHERE order_ref" EQ "$1 ORDER BY line_no LIMIT 1",
		1, {TEXTOID}
	};
	static const RequestColumn filled[] = {REQ_BUYER_REF, REQ_MARKET, REQ_CURRENCY};
	Datum		order_ref = ROW_VALUE(row, REQ_ORDER_REF);
	ResultSet	lines;
	AsOwner		owner;

	as_owner_begin(&owner);
	lines = statement_run(&read_order, &order_ref, NULL);
	if (lines.nrows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown order \"%s\"", TextDatumGetCString(order_ref)),
				 errdetail("No row of returns.sale_line has this order_ref."),
				 errhint("Insert the lines of the order into returns.sale_line first."),
				 err_column(row->trigger.rel, "order_ref")));
	for (int i = 0; i < lengthof(filled); i++)
		row_set(row, filled[i], PointerGetDatum(result_text(lines, 0, i + 1)));
	as_owner_end(&owner);
}

static void
check_beginner(const ReturnRow *row, const Actor *actor)
{
	Parties		parties = {.buyer_ref = row_text(row, REQ_BUYER_REF)};

	if (!party_may(actor, MAY_BEGIN, &parties))
		refuse_permission(actor, MAY_BEGIN,
						  psprintf("order \"%s\"", text_to_cstring(row_text(row, REQ_ORDER_REF))),
						  "return_request", "order_ref");
}

HeapTuple
request_insert(TriggerData *trigdata)
{
	ReturnRow	row;
	const Actor *actor;

	trigger_check_row(trigdata);
	begin_row_load(&row, trigdata);
	check_computed(&row);
	check_codes(&row);
	actor = actor_current();
	fill_from_order(&row);
	check_beginner(&row, actor);
	row_set(&row, REQ_LAST_SEQ, Int32GetDatum(0));
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
	return trigger_tuple(&row.trigger);
}

void
request_inserted(TriggerData *trigdata)
{
	ReturnRow	row;

	begin_row_load(&row, trigdata);
	journal_keep_first(&row, row.state, actor_current(), row_text(&row, REQ_NOTE),
					   row_details(&row));
}

/* Only a draft can be deleted; its lines and its history are deleted with it. */
HeapTuple
request_delete(TriggerData *trigdata)
{
	static Statement delete_draft = {
		"WITH l AS (DELETE FROM returns.return_line" OF_RETURN ")"
		" DELETE FROM returns.return_event" OF_RETURN,
		2, {TEXTOID, INT8OID}
	};
	ReturnRow	row;
	text	   *status;
	const State *state;
	const Actor *actor;
	Datum		args[2];
	AsOwner		owner;

	return_row_load(&row, trigdata);
	status = row_text(&row, REQ_STATUS);
	state = state_find_text(MACHINE_RETURN, status);
	if (state == NULL || state->kind != STATE_INITIAL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("return " INT64_FORMAT " cannot be deleted", row_id(&row)),
				 errdetail("The return is in state \"%s\"; only a draft can be deleted.",
						   status == NULL ? "" : text_to_cstring(status)),
				 errhint("Cancel the return instead."),
				 errtable(row.trigger.rel)));
	/* a role that row-level security allows to delete it needs no actor */
	actor = actor_if_any();
	if (actor != NULL)
		check_beginner(&row, actor);
	row_key(&row, args);
	as_owner_begin(&owner);
	statement_run(&delete_draft, args, NULL);
	as_owner_end(&owner);
	return trigger_tuple(&row.trigger);
}
