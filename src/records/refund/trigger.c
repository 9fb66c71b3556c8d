/*-------------------------------------------------------------------------
 *
 * trigger.c
 *		The triggers of returns.refund: which report moves it to which state.
 *
 * A client writes status, provider_ref and failure; the rest is ours.  Reports
 * come late, twice and out of order, and money that has moved must be posted:
 *
 * * "settled" for a refund that was sent once (attempt > 0) but is pending
 *   again, because its lease ended, or failed, is taken as the report on that
 *   sending: the refund passes through the states between.  An actor must be
 *   allowed each of these steps.
 * * "settled" under a provider_ref under which it has settled before, but
 *   which failed late since, is that old report again: nothing changes.  The
 *   journal remembers the references.
 * * "settled" again changes nothing; under another provider_ref it is another
 *   payment of the same money: RT011.
 *
 * sent_at, settled_at and failed_at say when it last came into that state,
 * failure why it last failed.  A new try starts without a provider_ref.
 *
 * src/records/refund/trigger.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/columns.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "records/refund/pending_reports.h"
#include "records/refund/post.h"
#include "records/refund/trigger.h"
#include "rules/cache/cache.h"
#include "rules/money.h"
#include "rules/session.h"
#include "rules/workflow/workflow.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define DEFAULT_LEASE (10 * USECS_PER_MINUTE)

static const char *const column_names[RF_NCOLUMNS] = {
	[RF_ID] = "id",
	[RF_ORDER_REF] = "order_ref",
	[RF_RETURN_ID] = "return_id",
	[RF_PAYMENT_NO] = "payment_no",
	[RF_AMOUNT] = "amount",
	[RF_CURRENCY] = "currency",
	[RF_STATUS] = "status",
	[RF_ATTEMPT] = "attempt",
	[RF_IDEMPOTENCY_KEY] = "idempotency_key",
	[RF_PROVIDER] = "provider",
	[RF_PROVIDER_REF] = "provider_ref",
	[RF_CREATED_AT] = "created_at",
	[RF_SENT_AT] = "sent_at",
	[RF_SETTLED_AT] = "settled_at",
	[RF_FAILED_AT] = "failed_at",
	[RF_FAILURE] = "failure",
	[RF_LEASE_UNTIL] = "lease_until",
};

static AttrNumber attnos[RF_NCOLUMNS];
static ColumnSet columns = {"refund", RF_NCOLUMNS, column_names, attnos, InvalidOid, NULL};
static const TimestampTz *lease = NULL;

/* Both versions of the row; new is what will be written. */
typedef struct RefundRow
{
	Relation	rel;
	Datum		old[RF_NCOLUMNS];
	bool		old_null[RF_NCOLUMNS];
	Datum		new[RF_NCOLUMNS];
	bool		new_null[RF_NCOLUMNS];
	bool		changed[RF_NCOLUMNS];
	bool		computed[RF_NCOLUMNS];	/* by us, to be put into the tuple */
	int64		id;
	const Actor *actor;
} RefundRow;

static KeptPlan read_chargeback = {
	"SELECT chargeback FROM returns.payment"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND payment_no OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, INT4OID}
};

static KeptPlan settled_before = {
	"SELECT FROM returns.return_event"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND return_id OPERATOR(pg_catalog.=) $2"
	" AND kind OPERATOR(pg_catalog.=) 'refund'"
	" AND (details OPERATOR(pg_catalog.->>) 'refund_id') OPERATOR(pg_catalog.=) CAST($3 AS pg_catalog.text)"
	" AND (details OPERATOR(pg_catalog.->>) 'status') OPERATOR(pg_catalog.=) 'settled'"
	" AND (details OPERATOR(pg_catalog.->>) 'provider_ref') OPERATOR(pg_catalog.=) $4",
	4, {TEXTOID, INT8OID, INT8OID, TEXTOID}
};

static KeptPlan last_paid_or_sent = {
	"SELECT details OPERATOR(pg_catalog.->>) 'status' FROM returns.return_event"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND return_id OPERATOR(pg_catalog.=) $2"
	" AND kind OPERATOR(pg_catalog.=) 'refund'"
	" AND (details OPERATOR(pg_catalog.->>) 'refund_id') OPERATOR(pg_catalog.=) CAST($3 AS pg_catalog.text)"
	" AND (details OPERATOR(pg_catalog.->>) 'status') OPERATOR(pg_catalog.=) ANY (ARRAY['sent', 'settled'])"
	" ORDER BY seq DESC LIMIT 1",
	3, {TEXTOID, INT8OID, INT8OID}
};

void
refund_lease(const TimestampTz *until)
{
	lease = until;
}

static void
row_load(RefundRow *row, TriggerData *trigger)
{
	TupleDesc	tupdesc = RelationGetDescr(trigger->tg_relation);

	memset(row, 0, sizeof(*row));
	row->rel = trigger->tg_relation;
	columns_find(&columns, row->rel);
	for (int c = 0; c < RF_NCOLUMNS; c++)
	{
		row->old[c] = heap_getattr(trigger->tg_trigtuple, attnos[c], tupdesc, &row->old_null[c]);
		row->new[c] = heap_getattr(trigger->tg_newtuple, attnos[c], tupdesc, &row->new_null[c]);
		row->changed[c] = column_changed(row->rel, attnos[c], row->old[c], row->old_null[c],
										 row->new[c], row->new_null[c]);
	}
	row->id = DatumGetInt64(row->old[RF_ID]);
}

static char *
refund_text(const Datum *values, const bool *isnull, RefundColumn c)
{
	return isnull[c] ? NULL : TextDatumGetCString(values[c]);
}

static void
refund_set(RefundRow *row, RefundColumn c, Datum value)
{
	row->new[c] = value;
	row->new_null[c] = false;
	row->computed[c] = true;
}

static void
refund_clear(RefundRow *row, RefundColumn c)
{
	row->new[c] = (Datum) 0;
	row->new_null[c] = true;
	row->computed[c] = true;
}

static HeapTuple
row_store(RefundRow *row, HeapTuple tuple)
{
	int			columns_set[RF_NCOLUMNS];
	Datum		values[RF_NCOLUMNS];
	bool		isnull[RF_NCOLUMNS];
	int			n = 0;

	for (int c = 0; c < RF_NCOLUMNS; c++)
	{
		if (!row->computed[c])
			continue;
		columns_set[n] = attnos[c];
		values[n] = row->new[c];
		isnull[n++] = row->new_null[c];
	}
	return n == 0 ? tuple :
		heap_modify_tuple_by_cols(tuple, RelationGetDescr(row->rel), n, columns_set, values, isnull);
}

static const State *
row_state(RefundRow *row, const Datum *values, const bool *isnull)
{
	if (isnull[RF_STATUS])
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("status of refund " INT64_FORMAT " must not be null", row->id),
				 errhint("Leave the column out to keep it."),
				 err_column(row->rel, "status")));
	return state_get(MACHINE_REFUND, TextDatumGetCString(values[RF_STATUS]));
}

static void
refuse_computed(RefundRow *row)
{
	for (int c = 0; c < RF_NCOLUMNS; c++)
		if (row->changed[c] && c != RF_STATUS && c != RF_PROVIDER_REF && c != RF_FAILURE)
			ereport(ERROR,
					(errcode(ERRCODE_RT_PROTECTED),
					 errmsg("column \"%s\" of refund " INT64_FORMAT " is computed",
							column_names[c], row->id),
					 errdetail("A client writes status, provider_ref and failure only."),
					 errhint("Leave the column out, or send it back unchanged."),
					 err_column(row->rel, column_names[c])));
}

static void
judge_step(RefundRow *row, const State *from, const State *to)
{
	MoveQuestion question = {0};
	Refusal		refusal = {0};

	question.machine = MACHINE_REFUND;
	question.id = row->id;
	question.return_id = DatumGetInt64(row->old[RF_RETURN_ID]);
	question.from = from;
	question.to = to;
	question.actor = row->actor;
	question.provider = row->old_null[RF_PROVIDER] ? NULL : DatumGetTextPP(row->old[RF_PROVIDER]);
	question.now = clock_now();
	if (!move_judge(&question, &refusal))
		ereport(ERROR,
				(errcode(refusal.sqlstate),
				 errmsg("%s", refusal.message),
				 errdetail("%s", refusal.detail),
				 errhint("%s", refusal.hint),
				 err_column(row->rel, "status")));
}

/* "settled" without being sent now: is it the late answer to a sending before? */
static bool
is_late_answer(RefundRow *row, const State *from, const State *to)
{
	return to->role == ROLE_SETTLED && transition_find(from, to) == NULL &&
		(from->role == ROLE_PENDING || from->role == ROLE_FAILED) &&
		DatumGetInt32(row->old[RF_ATTEMPT]) > 0;
}

static void
judge_late_answer(RefundRow *row, const State *from, const State *to)
{
	const State *pending = state_get(MACHINE_REFUND, "pending");
	const State *sent = state_get(MACHINE_REFUND, "sent");

	if (from != pending)
		judge_step(row, from, pending);
	judge_step(row, pending, sent);
	judge_step(row, sent, to);
}

/* Has it settled under this reference before, and failed late since? */
static bool
is_old_answer(RefundRow *row, const State *from, const State *to)
{
	Datum		args[4] = {row->old[RF_ORDER_REF], row->old[RF_RETURN_ID], row->old[RF_ID],
	row->new[RF_PROVIDER_REF]};
	OwnState	own;
	bool		found;
	bool		isnull;

	if (to->role != ROLE_SETTLED || row->old_null[RF_SETTLED_AT])
		return false;
	own_begin(&own);
	if (!row->new_null[RF_PROVIDER_REF])
		found = plan_run_limit(&settled_before, args, NULL, 1) > 0;
	else
		/* nothing was sent since it failed late: so nothing new can have settled */
		found = from->role != ROLE_SENT && plan_run(&last_paid_or_sent, args, NULL) > 0 &&
			strcmp(TextDatumGetCString(plan_value(0, 1, &isnull)), "settled") == 0;
	own_end(&own);
	return found;
}

static void
refuse_other_reference(RefundRow *row)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_KEY_REUSED),
			 errmsg("refund " INT64_FORMAT " has settled under another provider_ref", row->id),
			 errdetail("It settled as \"%s\"; this report says \"%s\".",
					   refund_text(row->old, row->old_null, RF_PROVIDER_REF),
					   row->new_null[RF_PROVIDER_REF] ? "" :
					   refund_text(row->new, row->new_null, RF_PROVIDER_REF)),
			 errhint("Ask the provider whether it has paid twice."),
			 err_column(row->rel, "provider_ref")));
}

/* Money at the bank's disposal must not be paid out a second time. */
static void
refuse_chargeback(RefundRow *row)
{
	Datum		args[2] = {row->old[RF_ORDER_REF], row->old[RF_PAYMENT_NO]};
	OwnState	own;
	bool		isnull;
	char	   *chargeback;

	own_begin(&own);
	if (plan_run(&read_chargeback, args, NULL) != 1)
		elog(ERROR, "payment of refund " INT64_FORMAT " not found", row->id);
	chargeback = TextDatumGetCString(plan_value(0, 1, &isnull));
	own_end(&own);

	if (strcmp(chargeback, "open") == 0 ||
		(strcmp(chargeback, "lost") == 0 && row->actor->kind != ACTOR_OPERATOR))
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
				 errmsg("refund " INT64_FORMAT " cannot be sent: its payment has a chargeback",
						row->id),
				 errdetail("The chargeback of payment %d is \"%s\".",
						   DatumGetInt32(row->old[RF_PAYMENT_NO]), chargeback),
				 errhint("Wait for its end; where it was lost the buyer has the money, and an operator may record that."),
				 err_our_column("payment", "chargeback")));
}

static void
check_move(RefundRow *row, const State *from, const State *to)
{
	if (is_late_answer(row, from, to))
	{
		judge_late_answer(row, from, to);
		return;
	}
	judge_step(row, from, to);
	if (from->role == ROLE_SETTLED && row->changed[RF_PROVIDER_REF] &&
		!row->old_null[RF_PROVIDER_REF])
		refuse_other_reference(row);
	if (to->role == ROLE_SENT && lease == NULL)
		refuse_chargeback(row);
}

/* The columns that follow from the new state. */
static void
enter_state(RefundRow *row, const State *from, const State *to)
{
	TimestampTz now = clock_now();

	if (row->changed[RF_FAILURE] && to->role != ROLE_FAILED)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("failure of refund " INT64_FORMAT " is written when it fails", row->id),
				 errdetail("It says why the refund is in state \"failed\"."),
				 errhint("Leave the column out, or report the refund as failed."),
				 err_column(row->rel, "failure")));
	refund_clear(row, RF_LEASE_UNTIL);
	switch (to->role)
	{
		case ROLE_SENT:
			refund_set(row, RF_ATTEMPT, Int32GetDatum(DatumGetInt32(row->old[RF_ATTEMPT]) + 1));
			refund_set(row, RF_SENT_AT, TimestampTzGetDatum(now));
			refund_set(row, RF_LEASE_UNTIL,
					   TimestampTzGetDatum(lease != NULL ? *lease : now + DEFAULT_LEASE));
			break;
		case ROLE_SETTLED:
			refund_set(row, RF_SETTLED_AT, TimestampTzGetDatum(now));
			break;
		case ROLE_FAILED:
			refund_set(row, RF_FAILED_AT, TimestampTzGetDatum(now));
			break;
		case ROLE_PENDING:
			if (from->role == ROLE_FAILED && !row->changed[RF_PROVIDER_REF])
				refund_clear(row, RF_PROVIDER_REF);
			break;
		default:
			break;
	}
}

/* No move: a reference or a cause may still be added by those who may move it. */
static void
check_attributes(RefundRow *row, const State *state)
{
	Refusal		refusal;

	if (!row->changed[RF_PROVIDER_REF] && !row->changed[RF_FAILURE])
		return;
	if (row->changed[RF_PROVIDER_REF] && state->role == ROLE_SETTLED &&
		!row->old_null[RF_PROVIDER_REF])
		refuse_other_reference(row);
	if (row->changed[RF_FAILURE] && state->role != ROLE_FAILED)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("failure of refund " INT64_FORMAT " is written when it fails", row->id),
				 errdetail("It says why the refund is in state \"failed\"."),
				 errhint("Leave the column out, or report the refund as failed."),
				 err_column(row->rel, "failure")));
	memset(&refusal, 0, sizeof(refusal));
	row->actor = actor_current();
	if ((row->actor->kind & (ACTOR_PROVIDER | ACTOR_OPERATOR | ACTOR_SYSTEM)) == 0 ||
		!actor_is_party(row->actor, NULL, NULL, NULL,
						row->old_null[RF_PROVIDER] ? NULL : DatumGetTextPP(row->old[RF_PROVIDER])))
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("%s may not report on refund " INT64_FORMAT,
						actor_kind_name(row->actor->kind), row->id),
				 errdetail("Its provider and operators report on it."),
				 errhint("Check returns.actor."),
				 errtable(row->rel)));
}

/* Is it anything to be posted? */
static bool
is_report(const RefundRow *row, const State *from, const State *to)
{
	return from != to || row->changed[RF_PROVIDER_REF] || row->changed[RF_FAILURE];
}

static HeapTuple
refund_update(TriggerData *trigger)
{
	RefundRow	row;
	const State *from;
	const State *to;

	row_load(&row, trigger);
	refuse_computed(&row);
	from = row_state(&row, row.old, row.old_null);
	to = row_state(&row, row.new, row.new_null);
	if (from == to)
	{
		check_attributes(&row, from);
		if (is_report(&row, from, to))
			pending_report_add(row.rel, row.id);
		return trigger->tg_newtuple;
	}
	row.actor = actor_current();
	if (is_old_answer(&row, from, to))
		return trigger->tg_trigtuple;
	check_move(&row, from, to);
	enter_state(&row, from, to);
	pending_report_add(row.rel, row.id);
	return row_store(&row, trigger->tg_newtuple);
}

static TriggerData *
check_call(FunctionCallInfo fcinfo, const char *function, TriggerEvent when)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		(trigger->tg_event & TRIGGER_EVENT_TIMINGMASK) != when)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger it is made for", function)));
	return trigger;
}

PG_FUNCTION_INFO_V1(returns_refund_row);

/* BEFORE INSERT OR UPDATE FOR EACH ROW */
Datum
returns_refund_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_call(fcinfo, "returns_refund_row", TRIGGER_EVENT_BEFORE);
	HeapTuple	updated;

	trigger_check_row(trigger);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		rules_pin();
		updated = refund_update(trigger);
		rules_unpin();
		return PointerGetDatum(updated);
	}
	if (!own_writing())
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("refunds are created by the extension"),
				 errdetail("They follow from a return that is decided for money."),
				 errhint("Move the return to \"refund_due\", or use returns.grant_refund()."),
				 errtable(trigger->tg_relation)));
	return PointerGetDatum(trigger->tg_trigtuple);
}

PG_FUNCTION_INFO_V1(returns_refund_booked);

/* AFTER UPDATE FOR EACH ROW */
Datum
returns_refund_booked(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_call(fcinfo, "returns_refund_booked", TRIGGER_EVENT_AFTER);
	RefundRow	row;
	RefundMove	move;

	rules_pin();
	row_load(&row, trigger);
	move.from = row_state(&row, row.old, row.old_null);
	move.to = row_state(&row, row.new, row.new_null);
	if (!is_report(&row, move.from, move.to))
	{
		rules_unpin();
		return PointerGetDatum(NULL);
	}
	pending_report_remove(row.id);
	move.refund_id = row.id;
	move.order_ref = row.new[RF_ORDER_REF];
	move.return_id = DatumGetInt64(row.new[RF_RETURN_ID]);
	move.payment_no = DatumGetInt32(row.new[RF_PAYMENT_NO]);
	move.currency = currency_get(TextDatumGetCString(row.new[RF_CURRENCY]));
	move.amount = numeric_to_minor(row.new[RF_AMOUNT], move.currency, "amount");
	move.attempt = DatumGetInt32(row.new[RF_ATTEMPT]);
	move.provider = refund_text(row.new, row.new_null, RF_PROVIDER);
	move.provider_ref = refund_text(row.new, row.new_null, RF_PROVIDER_REF);
	move.failure = move.to->role == ROLE_FAILED ?
		refund_text(row.new, row.new_null, RF_FAILURE) : NULL;
	move.actor = actor_current();
	refund_post(&move);
	rules_unpin();
	return PointerGetDatum(NULL);
}
