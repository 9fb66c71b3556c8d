/*-------------------------------------------------------------------------
 *
 * trigger.c
 *		The row trigger of returns.return_request: every write to a return.
 *
 * A client moves a return by an UPDATE of status, and may write a few other
 * columns with the move or without one.  The trigger checks the changed
 * columns, then lets move.c make the move.  Statements of the extension itself
 * come through the same trigger (update_with.h).
 *
 * src/records/return/trigger.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "records/return/admit.h"
#include "records/return/begin.h"
#include "records/return/column_checks.h"
#include "records/return/move.h"
#include "records/update_with.h"
#include "rules/cache/cache.h"
#include "rules/workflow/stage_rule.h"
#include "rules/workflow/workflow.h"
#include "utils/builtins.h"

/* Columns that the client writes once, or while the return is a draft. */
static const RequestColumn fixed_columns[] = {REQ_ID, REQ_ORDER_REF, REQ_IDEMPOTENCY_KEY};
static const RequestColumn draft_columns[] = {REQ_REASON, REQ_RESOLUTION};

/* Columns that a party may write at any time. */
static const RequestColumn open_columns[] = {
	REQ_NOTE, REQ_DETAILS, REQ_CARRIER, REQ_TRACKING_REF
};

/* One UPDATE of one row. */
typedef struct RequestChange
{
	ReturnRow	row;
	bool		other_triggers; /* they may change columns beside the SET list */
} RequestChange;

static bool
is_changed(const RequestChange *change, RequestColumn col)
{
	const TriggerRow *row = &change->row.trigger;

	return (change->other_triggers || trigger_is_assigned(row, col)) &&
		trigger_changed(row, col);
}

/*
 * Does the statement state the value?  A column of the SET list counts even when
 * its value does not change: a second move may have the same note.  But many
 * ORMs send the whole row back; such a statement assigns computed columns too,
 * and then only the columns count that it changes.
 */
static bool
is_stated(const RequestChange *change, RequestColumn col)
{
	const TriggerRow *row = &change->row.trigger;

	return trigger_is_assigned(row, REQ_LAST_HASH) ? is_changed(change, col) :
		trigger_is_assigned(row, col);
}

static char *
return_name(const ReturnRow *row)
{
	return psprintf("return " INT64_FORMAT, row_id(row));
}

pg_noreturn static void
refuse_change(const ReturnRow *row, RequestColumn col, const char *detail, const char *hint)
{
	trigger_refuse_change(&row->trigger, col, return_name(row), detail, hint);
}

pg_noreturn static void
refuse_move(const ReturnRow *row, const Refusal *refusal)
{
	ereport(ERROR,
			(errcode(refusal->sqlstate),
			 errmsg("%s", refusal->message),
			 errdetail("%s", refusal->detail),
			 errhint("%s", refusal->hint),
			 err_column(row->trigger.rel, refusal->column)));
}

static const State *
state_of_status(const ReturnRow *row, const text *status)
{
	const State *state = state_find_text(MACHINE_RETURN, status);

	if (state == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown state \"%s\"", status == NULL ? "" : text_to_cstring(status)),
				 errdetail("The workflow of returns has no state with this code."),
				 errhint("SELECT code FROM returns.state WHERE machine = 'return' shows the known states."),
				 err_column(row->trigger.rel, "status")));
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

/* The codes that can still be changed in a draft. */
static void
check_draft_codes(const RequestChange *change)
{
	for (int i = 0; i < lengthof(draft_columns); i++)
		check_not_null(&change->row.trigger, draft_columns[i], "a return");
	if (is_changed(change, REQ_REASON))
		check_reason(&change->row);
	if (is_changed(change, REQ_RESOLUTION))
		check_resolution(&change->row);
}

static void
check_columns(const RequestChange *change)
{
	const ReturnRow *row = &change->row;

	if (trigger_is_assigned(&row->trigger, REQ_DETAILS))
		check_details(row);
	for (int col = 0; col < REQ_NCOMPUTED; col++)
		if (unlikely(is_changed(change, col)))
			refuse_change(row, col, "It is computed by the extension.",
						  "Leave the column out of the statement, or send it back unchanged.");
	for (int i = 0; i < lengthof(fixed_columns); i++)
		if (unlikely(is_changed(change, fixed_columns[i])))
			refuse_change(row, fixed_columns[i], "It is set when the return is created.",
						  "Create another return.");
	if (row->state->kind == STATE_INITIAL)
		return;
	for (int i = 0; i < lengthof(draft_columns); i++)
		if (unlikely(is_changed(change, draft_columns[i])))
			refuse_change(row, draft_columns[i],
						  "It can be changed only while the return is a draft.",
						  "Cancel this return and request another.");
}

/* An edit that moves nothing: only by a party to the return. */
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
	parties = row_parties(row);
	actor = actor_current();
	if (!party_may(actor, MAY_EDIT, &parties))
		refuse_permission(actor, MAY_EDIT, return_name(row), "return_request", NULL);
	check_draft_codes(change);
	row_set(row, REQ_UPDATED_AT, TimestampTzGetDatum(row->now));
}

/* Has a move been made already with the parcel that the row names? */
static bool
tracking_used(const ReturnRow *row)
{
	static Statement find_use = {
		"SELECT FROM returns.return_event e JOIN returns.transition t"
		" ON t.machine" EQ "'return' AND t.from_state" EQ "e.from_state"
		" AND t.to_state" EQ "e.to_state"
		" WHERE e.order_ref" EQ "$1 AND e.return_id" EQ "$2"
		" AND e.kind" EQ "'transition' AND 'tracking'" EQ "ANY (t.requires) LIMIT 1",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2];
	AsOwner		owner;
	bool		used;

	row_key(row, args);
	as_owner_begin(&owner);
	used = statement_run(&find_use, args, NULL).nrows > 0;
	as_owner_end(&owner);
	return used;
}

/*
 * A parcel may be named in the statement of the move or before it, but each parcel
 * moves a return only once: the replacement needs a number of its own.
 */
static bool
has_tracking(const RequestChange *change, const State *to)
{
	const Transition *edge = transition_find(change->row.state, to);

	if (edge == NULL || (edge->requires & REQUIRES_TRACKING) == 0 ||
		is_blank(row_text(&change->row, REQ_TRACKING_REF)))
		return false;
	return is_stated(change, REQ_TRACKING_REF) || !tracking_used(&change->row);
}

static MoveQuestion
move_question(const RequestChange *change, const State *to, const Actor *actor,
			  Parties parties)
{
	const ReturnRow *row = &change->row;

	return (MoveQuestion) {
		.machine = MACHINE_RETURN,
		.id = row_id(row),
		.return_id = row_id(row),
		.from = row->state,
		.to = to,
		.actor = actor,
		.parties = parties,
		.resolution = row_resolution(row),
		.has_note = is_stated(change, REQ_NOTE) && !is_blank(row_text(row, REQ_NOTE)),
		.has_tracking = has_tracking(change, to),
		.has_evidence = row_has_evidence(row),
		.has_due = !ROW_NULL(row, REQ_DUE_AT) && !ROW_NULL(row, REQ_ON_TIMEOUT),
		.due_at = ROW_NULL(row, REQ_DUE_AT) ? 0 :
		DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT)),
		.now = row->now,
	};
}

/*
 * A carrier may become the carrier of a return by its move, but it cannot take
 * a return from another carrier that way.
 */
static void
check_carrier(const RequestChange *change, const Actor *actor, const Parties *before)
{
	if (actor_may(actor, MAY_CARRY) && before->carrier != NULL &&
		!actor_is_party(actor, before))
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("carrier \"%s\" is not a party to return " INT64_FORMAT, actor->ref,
						row_id(&change->row)),
				 errdetail("The carrier of the return is \"%s\".", text_to_cstring(before->carrier)),
				 errhint("Check returns.actor, or let an operator change the column carrier."),
				 err_column(change->row.trigger.rel, "carrier")));
}

static void
request_move(RequestChange *change, const State *to)
{
	ReturnRow  *row = &change->row;
	const Actor *actor = actor_current();
	Parties		parties = row_parties(row);
	MoveQuestion question;
	Refusal		refusal;

	if (row->state->kind == STATE_INITIAL)
		check_draft_codes(change);
	check_carrier(change, actor, &parties);
	parties.carrier = row_text(row, REQ_CARRIER);	/* the move may name it */
	question = move_question(change, to, actor, parties);
	if (unlikely(!move_judge(&question, &refusal)))
		refuse_move(row, &refusal);
	if (actor->kind == ACTOR_SYSTEM && question.has_due && row->now >= question.due_at)
		row->since = timeout_term_start(to, question.due_at, row->now);
	if (row->state->kind != STATE_OPEN && to->kind == STATE_OPEN &&
		ROW_NULL(row, REQ_REQUESTED_AT))
		request_admit(row);
	return_move(row, to, actor, is_stated(change, REQ_NOTE) ? row_text(row, REQ_NOTE) : NULL,
				is_stated(change, REQ_DETAILS) ? row_details(row) : NULL);
	if (to->role == ROLE_REQUESTED)
		request_decide(row);
}

/* A statement of update_with.c: do its work only. */
static void
request_update_with(RequestChange *change, const State *to, RowWork work, void *arg)
{
	ReturnRow  *row = &change->row;

	if (change->other_triggers)
		check_columns(change);
	if (to != row->state)
		refuse_change(row, REQ_STATUS,
					  "Another trigger of the table changed it in a statement that moves nothing.",
					  "Let that trigger leave status as it is, and move the return by an UPDATE of its own.");
	work(row, arg);
}

static HeapTuple
request_update(TriggerData *trigdata)
{
	RequestChange change;
	ReturnRow  *row = &change.row;
	const State *to;
	RowWork		work;
	void	   *arg;

	change.other_triggers = trigger_check_row(trigdata);
	return_row_load(row, trigdata);
	check_not_null(&row->trigger, REQ_STATUS, "a return");
	row->state = state_of_status(row, trigger_old_text(&row->trigger, REQ_STATUS));
	to = state_of_status(row, row_text(row, REQ_STATUS));

	if (update_with_take(row_id(row), &work, &arg))
		request_update_with(&change, to, work, arg);
	else
	{
		check_columns(&change);
		if (to == row->state)
			check_edit(&change);
		else
			request_move(&change, to);
	}
	return trigger_tuple(&row->trigger);
}

PG_FUNCTION_INFO_V1(returns_request_row);

/* BEFORE INSERT OR UPDATE OR DELETE, AFTER INSERT: FOR EACH ROW */
Datum
returns_request_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_check(fcinfo, "returns_request_row", NULL,
										  FIRES_BEFORE | FIRES_AFTER | FIRES_FOR_ROW);
	HeapTuple	result = NULL;

	/* one row is decided by one generation of the rules */
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
