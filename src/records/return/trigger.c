/*-------------------------------------------------------------------------
 *
 * trigger.c
 *		The row trigger of returns.return_request: every client's way in.
 *
 * src/records/return/trigger.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "base/columns.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "records/return/admit.h"
#include "records/return/begin.h"
#include "records/return/checks.h"
#include "records/return/move.h"
#include "records/update_with.h"
#include "rules/cache/cache.h"
#include "rules/session.h"
#include "rules/workflow/stage_rule.h"
#include "rules/workflow/workflow.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* Columns that nobody but the extension writes. */
static const RequestColumn computed_columns[] = {
	REQ_LAST_XID, REQ_LAST_SEQ, REQ_LAST_TRANSFER, REQ_FAILURES, REQ_OVERDUE, REQ_LAST_HASH,
	REQ_CREATED_AT, REQ_UPDATED_AT, REQ_REQUESTED_AT, REQ_CLOSED_AT, REQ_DUE_AT,
	REQ_WAKE_AT, REQ_ON_TIMEOUT, REQ_BUYER_REF, REQ_SELLER_REF, REQ_MARKET,
	REQ_CURRENCY, REQ_CATEGORIES, REQ_REFUND_TOTAL, REQ_CONTENT_HASH
};

/* Columns that the client writes once, or while the return is a draft. */
static const RequestColumn fixed_columns[] = {REQ_ID, REQ_ORDER_REF, REQ_IDEMPOTENCY_KEY};
static const RequestColumn draft_columns[] = {REQ_REASON, REQ_RESOLUTION};

/* Columns that a party may write at any time. */
static const RequestColumn open_columns[] = {
	REQ_NOTE, REQ_DETAILS, REQ_CARRIER, REQ_TRACKING_REF
};

/* One UPDATE of one row: the row as it was and as it becomes. */
typedef struct RequestChange
{
	ReturnRow	row;
	TupleTableSlot *old;
	TupleTableSlot *new;
	const Bitmapset *set;		/* columns of the SET list */
	bool		other_triggers; /* may other triggers have changed more than it? */
} RequestChange;

static bool
was_set(const RequestChange *change, RequestColumn col)
{
	return bms_is_member(change->row.attno[col] - FirstLowInvalidHeapAttributeNumber,
						 change->set);
}

static Datum
old_value(const RequestChange *change, RequestColumn col, bool *isnull)
{
	return slot_getattr(change->old, change->row.attno[col], isnull);
}

static text *
old_text(const RequestChange *change, RequestColumn col)
{
	bool		isnull;
	Datum		value = old_value(change, col, &isnull);

	return isnull ? NULL : DatumGetTextPP(value);
}

/* Does the statement really change the column? */
static bool
is_changed(RequestChange *change, RequestColumn col)
{
	ReturnRow  *row = &change->row;
	bool		isnull;
	Datum		old;

	if (!was_set(change, col) && !change->other_triggers)
		return false;
	old = old_value(change, col, &isnull);
	return column_changed(row->rel, row->attno[col], old, isnull,
						  ROW_VALUE(row, col), ROW_NULL(row, col));
}

/*
 * Does the statement say it?  A column of the SET list is said, also when it
 * says the same again; but a client that sends the whole row back, as many
 * ORMs do, names even what only the extension writes, and then says only what
 * it changes.
 */
static bool
was_said(RequestChange *change, RequestColumn col)
{
	return was_set(change, REQ_LAST_HASH) ? is_changed(change, col) : was_set(change, col);
}

static void
refuse_protected(ReturnRow *row, RequestColumn col, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_PROTECTED),
			 errmsg("column \"%s\" of return " INT64_FORMAT " cannot be changed",
					request_column_name(col), DatumGetInt64(ROW_VALUE(row, REQ_ID))),
			 errdetail("%s", detail),
			 errhint("%s", hint),
			 err_column(row->rel, request_column_name(col))));
}

static void
refuse(ReturnRow *row, const Refusal *refusal)
{
	ereport(ERROR,
			(errcode(refusal->sqlstate),
			 errmsg("%s", refusal->message),
			 errdetail("%s", refusal->detail),
			 errhint("%s", refusal->hint),
			 err_column(row->rel, refusal->column)));
}

static const State *
state_of_text(ReturnRow *row, const text *code)
{
	const State *state;

	if (code == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a return must have a status"),
				 errhint("Leave the column out of the statement to keep it as it is."),
				 err_column(row->rel, "status")));
	state = state_find(MACHINE_RETURN, VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code));
	if (state == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown state \"%s\"", text_to_cstring(code)),
				 errdetail("The workflow of returns has no such state."),
				 errhint("The known ones are in returns.state where machine = 'return'."),
				 err_column(row->rel, "status")));
	return state;
}

static bool
is_blank(const text *value)
{
	if (value == NULL)
		return true;
	for (int i = 0; i < VARSIZE_ANY_EXHDR(value); i++)
		if (!isspace((unsigned char) VARDATA_ANY(value)[i]))
			return false;
	return true;
}

/* The codes that a draft may still change. */
static void
check_draft_codes(RequestChange *change)
{
	ReturnRow  *row = &change->row;

	for (int i = 0; i < lengthof(draft_columns); i++)
		if (ROW_NULL(row, draft_columns[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("a return must have a value in column \"%s\"",
							request_column_name(draft_columns[i])),
					 err_column(row->rel, request_column_name(draft_columns[i]))));
	if (is_changed(change, REQ_REASON))
		check_reason(row);
	if (is_changed(change, REQ_RESOLUTION))
		check_resolution(row);
}

static void
check_columns(RequestChange *change)
{
	if (was_set(change, REQ_DETAILS))
		check_details(&change->row);
	for (int i = 0; i < lengthof(computed_columns); i++)
		if (unlikely(is_changed(change, computed_columns[i])))
			refuse_protected(&change->row, computed_columns[i],
							 "It is computed by the extension.",
							 "Leave it out of the statement, or send it back unchanged.");
	for (int i = 0; i < lengthof(fixed_columns); i++)
		if (unlikely(is_changed(change, fixed_columns[i])))
			refuse_protected(&change->row, fixed_columns[i],
							 "It is set when the return is created.",
							 "Create another return.");
	if (change->row.state->kind != STATE_INITIAL)
		for (int i = 0; i < lengthof(draft_columns); i++)
			if (unlikely(is_changed(change, draft_columns[i])))
				refuse_protected(&change->row, draft_columns[i],
								 "It can be changed while the return is a draft only.",
								 "Cancel this return and request another.");
}

/* Its parties before the statement: the carrier is the one that the row had. */
static Parties
parties_of(RequestChange *change)
{
	return (Parties) {
		.buyer_ref = row_text(&change->row, REQ_BUYER_REF),
		.seller_ref = row_text(&change->row, REQ_SELLER_REF),
		.carrier = old_text(change, REQ_CARRIER),
	};
}

/* An edit that moves nothing: by a party to the return only. */
static void
check_edit(RequestChange *change)
{
	ReturnRow  *row = &change->row;
	const Actor *actor;
	Parties		parties;
	bool		edits = false;

	for (int i = 0; i < lengthof(open_columns); i++)
		edits |= is_changed(change, open_columns[i]);
	for (int i = 0; i < lengthof(draft_columns); i++)
		edits |= is_changed(change, draft_columns[i]);
	if (!edits)
		return;
	parties = parties_of(change);
	actor = actor_current();
	if (!party_may(actor, MAY_EDIT, &parties))
		refuse_permission(actor, MAY_EDIT,
						  psprintf("return " INT64_FORMAT, DatumGetInt64(ROW_VALUE(row, REQ_ID))),
						  "return_request", NULL);
	check_draft_codes(change);
	row_set(row, REQ_UPDATED_AT, TimestampTzGetDatum(row->now));
}

/* Has a move been made already with the parcel that the row names? */
static bool
tracking_used(ReturnRow *row)
{
	static KeptPlan find_use = {
		"SELECT 1 FROM returns.return_event e JOIN returns.transition t"
		" ON t.machine OPERATOR(pg_catalog.=) 'return'"
		" AND t.from_state OPERATOR(pg_catalog.=) e.from_state"
		" AND t.to_state OPERATOR(pg_catalog.=) e.to_state"
		" WHERE e.order_ref OPERATOR(pg_catalog.=) $1 AND e.return_id OPERATOR(pg_catalog.=) $2"
		" AND e.kind OPERATOR(pg_catalog.=) 'transition'"
		" AND 'tracking' OPERATOR(pg_catalog.=) ANY (t.requires) LIMIT 1",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2];
	OwnState	own;
	bool		used;

	args[0] = ROW_VALUE(row, REQ_ORDER_REF);
	args[1] = ROW_VALUE(row, REQ_ID);
	own_begin(&own);
	used = plan_run(&find_use, args, NULL) > 0;
	own_end(&own);
	return used;
}

/*
 * A parcel may be named with the move or before it, but each parcel moves a
 * return once: the replacement needs a number of its own.
 */
static bool
has_tracking(RequestChange *change, const State *to)
{
	const Transition *edge = transition_find(change->row.state, to);

	if (edge == NULL || (edge->requires & REQUIRES_TRACKING) == 0 ||
		is_blank(row_text(&change->row, REQ_TRACKING_REF)))
		return false;
	return was_said(change, REQ_TRACKING_REF) || !tracking_used(&change->row);
}

static void
ask(RequestChange *change, const State *to, const Actor *actor, MoveQuestion *question)
{
	ReturnRow  *row = &change->row;

	*question = (MoveQuestion) {
		.machine = MACHINE_RETURN,
		.id = DatumGetInt64(ROW_VALUE(row, REQ_ID)),
		.return_id = DatumGetInt64(ROW_VALUE(row, REQ_ID)),
		.from = row->state,
		.to = to,
		.actor = actor,
		.parties = {
			.buyer_ref = row_text(row, REQ_BUYER_REF),
			.seller_ref = row_text(row, REQ_SELLER_REF),
			.carrier = row_text(row, REQ_CARRIER),
		},
		.resolution = row_resolution(row),
		.has_note = was_said(change, REQ_NOTE) && !is_blank(row_text(row, REQ_NOTE)),
		.has_tracking = has_tracking(change, to),
		.has_evidence = row_has_evidence(row),
		.has_due = !ROW_NULL(row, REQ_DUE_AT) && !ROW_NULL(row, REQ_ON_TIMEOUT),
		.due_at = ROW_NULL(row, REQ_DUE_AT) ? 0 :
		DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT)),
		.now = row->now,
	};
}

/*
 * A carrier becomes the return's by the move; it may not take a return from
 * another carrier that way.
 */
static void
check_carrier(RequestChange *change, const Actor *actor)
{
	text	   *carrier = old_text(change, REQ_CARRIER);

	if (actor_may(actor, MAY_CARRY) && carrier != NULL &&
		!actor_is_party(actor, &(Parties) {.carrier = carrier}))
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("carrier \"%s\" is not a party to return " INT64_FORMAT, actor->ref,
						DatumGetInt64(ROW_VALUE(&change->row, REQ_ID))),
				 errdetail("The return is carried by \"%s\".", text_to_cstring(carrier)),
				 errhint("Check returns.actor, or have an operator change the carrier."),
				 err_column(change->row.rel, "carrier")));
}

static void
request_move(RequestChange *change, const State *to)
{
	ReturnRow  *row = &change->row;
	const Actor *actor = actor_current();
	MoveQuestion question;
	Refusal		refusal;

	if (row->state->kind == STATE_INITIAL)
		check_draft_codes(change);
	check_carrier(change, actor);
	ask(change, to, actor, &question);
	if (unlikely(!move_judge(&question, &refusal)))
		refuse(row, &refusal);
	if (actor->kind == ACTOR_SYSTEM && question.has_due && row->now >= question.due_at)
		row->since = timeout_term_start(to, question.due_at, row->now);
	if (row->state->kind != STATE_OPEN && to->kind == STATE_OPEN &&
		ROW_NULL(row, REQ_REQUESTED_AT))
		request_admit(row);
	return_move(row, to, actor, was_said(change, REQ_NOTE) ? row_text(row, REQ_NOTE) : NULL,
				was_said(change, REQ_DETAILS) ? row_details(row) : NULL);
	if (to->role == ROLE_REQUESTED)
		request_decide(row);
}

/* The row that the trigger hands back to the executor. */
static HeapTuple
row_tuple(ReturnRow *row, HeapTuple original)
{
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(row->rel), row->values, row->isnull);

	tuple->t_data->t_ctid = original->t_data->t_ctid;
	tuple->t_self = original->t_self;
	tuple->t_tableOid = original->t_tableOid;
	return tuple;
}

static HeapTuple
request_update(TriggerData *trigdata)
{
	RequestChange change;
	ReturnRow  *row = &change.row;
	TupleDesc	tupdesc = RelationGetDescr(trigdata->tg_relation);
	const State *to;
	RowWork		work;
	void	   *arg;

	change.other_triggers = trigger_check_row(trigdata);
	change.old = trigdata->tg_trigslot;
	change.new = trigdata->tg_newslot;
	change.set = trigdata->tg_updatedcols;
	slot_getallattrs(change.new);
	row->rel = trigdata->tg_relation;
	row->attno = request_columns(trigdata->tg_relation);
	row->values = palloc(sizeof(Datum) * tupdesc->natts);
	row->isnull = palloc(sizeof(bool) * tupdesc->natts);
	memcpy(row->values, change.new->tts_values, sizeof(Datum) * tupdesc->natts);
	memcpy(row->isnull, change.new->tts_isnull, sizeof(bool) * tupdesc->natts);
	row->now = row->since = clock_now();
	row->transfers = row->refunds = NIL;
	row->state = state_of_text(row, old_text(&change, REQ_STATUS));
	to = state_of_text(row, row_text(row, REQ_STATUS));

	if (update_with_take(DatumGetInt64(ROW_VALUE(row, REQ_ID)), &work, &arg))
	{
		if (change.other_triggers)
			check_columns(&change);
		if (to != row->state)
			refuse_protected(row, REQ_STATUS, "Another trigger changed it in a statement that moves nothing.",
							 "Move the return by a statement of its own.");
		work(row, arg);
		return row_tuple(row, trigdata->tg_newtuple);
	}
	check_columns(&change);
	if (to == row->state)
	{
		check_edit(&change);
		return row_tuple(row, trigdata->tg_newtuple);
	}
	request_move(&change, to);
	return row_tuple(row, trigdata->tg_newtuple);
}

PG_FUNCTION_INFO_V1(returns_request_row);

Datum
returns_request_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HeapTuple	result = NULL;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as a row trigger", "returns_request_row")));
	/* one row is decided by one state of the rules */
	rules_pin();
	if (TRIGGER_FIRED_AFTER(trigdata->tg_event))
		request_inserted(trigdata);
	else if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		result = request_insert(trigdata);
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		result = request_delete(trigdata);
	else
		result = request_update(trigdata);
	rules_unpin();
	return PointerGetDatum(result);
}
