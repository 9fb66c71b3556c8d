/*-------------------------------------------------------------------------
 *
 * trigger.c
 *		The triggers of returns.refund: a report moves a refund.
 *
 * A client writes status, provider_ref and failure; the other columns are
 * computed.  The BEFORE trigger decides the effect of the report (refund_report.h)
 * and fills in the computed columns.  The AFTER trigger posts it (post.h).
 *
 * sent_at, settled_at and failed_at say when the refund last entered that state,
 * failure why it last failed.  A new try starts without a provider_ref.
 *
 * src/records/refund/trigger.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "base/trigger_row.h"
#include "catalog/pg_type.h"
#include "records/refund/pending_reports.h"
#include "records/refund/post.h"
#include "records/refund/trigger.h"
#include "rules/cache/cache.h"
#include "rules/money.h"
#include "rules/session.h"
#include "rules/workflow/refund_report.h"
#include "rules/workflow/workflow.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define DEFAULT_LEASE (10 * USECS_PER_MINUTE)

#define DETAIL(key) "(details OPERATOR(pg_catalog.->>) '" key "')"

typedef enum RefundColumn
{
	RF_ID, RF_ORDER_REF, RF_RETURN_ID, RF_PAYMENT_NO, RF_AMOUNT, RF_CURRENCY, RF_STATUS,
	RF_ATTEMPT, RF_IDEMPOTENCY_KEY, RF_PROVIDER, RF_PROVIDER_REF, RF_CREATED_AT,
	RF_SENT_AT, RF_SETTLED_AT, RF_FAILED_AT, RF_FAILURE, RF_LEASE_UNTIL, RF_NCOLUMNS
} RefundColumn;

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
static const TimestampTz *lease = NULL; /* until when; NULL: DEFAULT_LEASE */

/* A refund that is reported on. */
typedef struct RefundChange
{
	TriggerRow	row;
	int64		id;
	RefundReport report;
	const Actor *actor;
} RefundChange;

static Statement read_chargeback = {
	"SELECT chargeback FROM returns.payment WHERE order_ref" EQ "$1 AND payment_no" EQ "$2",
	2, {TEXTOID, INT4OID}
};

/* Each time it was sent or settled: did it settle, and under this provider_ref? */
static Statement read_past = {
	"SELECT " DETAIL("status") EQ "'settled',"
	DETAIL("status") EQ "'settled' AND " DETAIL("provider_ref") EQ "$4"
	" FROM returns.return_event"
	" WHERE order_ref" EQ "$1 AND return_id" EQ "$2 AND kind" EQ "'refund'"
	" AND " DETAIL("refund_id") EQ "CAST($3 AS pg_catalog.text)"
	" AND " DETAIL("status") EQ "ANY (ARRAY['sent', 'settled'])"
	" ORDER BY seq DESC",
	4, {TEXTOID, INT8OID, INT8OID, TEXTOID}
};

void
refund_lease(const TimestampTz *until)
{
	lease = until;
}

/* The columns that a client writes. */
static bool
is_reported(RefundColumn col)
{
	return col == RF_STATUS || col == RF_PROVIDER_REF || col == RF_FAILURE;
}

static void
check_computed(const TriggerRow *row)
{
	bool		isnull;

	for (int col = 0; col < RF_NCOLUMNS; col++)
		if (!is_reported(col) && trigger_changed(row, col))
			trigger_refuse_change(row, col,
								  psprintf("refund " INT64_FORMAT,
										   DatumGetInt64(trigger_old_value(row, RF_ID, &isnull))),
								  "A client writes status, provider_ref and failure; the other columns are computed.",
								  "Leave the column out, or send it back unchanged.");
}

static const State *
reported_state(const TriggerRow *row)
{
	if (trigger_is_null(row, RF_STATUS))
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("status of refund " INT64_FORMAT " must not be null",
						DatumGetInt64(trigger_value(row, RF_ID))),
				 errdetail("Every refund has a state."),
				 errhint("Leave the column out to keep the state."),
				 err_column(row->rel, "status")));
	return state_get(MACHINE_REFUND, trigger_cstring(row, RF_STATUS));
}

/* Only the columns that a client writes differ between old and new row. */
static void
change_read(RefundChange *change)
{
	TriggerRow *row = &change->row;
	bool		had_ref = trigger_old_text(row, RF_PROVIDER_REF) != NULL;

	change->id = DatumGetInt64(trigger_value(row, RF_ID));
	change->report = (RefundReport) {
		.from = state_get(MACHINE_REFUND, trigger_old_cstring(row, RF_STATUS)),
		.to = reported_state(row),
		.attempt = DatumGetInt32(trigger_value(row, RF_ATTEMPT)),
		.has_settled = !trigger_is_null(row, RF_SETTLED_AT),
		.has_ref = !trigger_is_null(row, RF_PROVIDER_REF),
		.replaces_ref = had_ref && trigger_changed(row, RF_PROVIDER_REF),
	};
}

/* Does the statement write anything that is posted? */
static bool
is_report(const RefundChange *change)
{
	return change->report.from != change->report.to ||
		trigger_changed(&change->row, RF_PROVIDER_REF) ||
		trigger_changed(&change->row, RF_FAILURE);
}

static Parties
refund_parties(const RefundChange *change)
{
	return (Parties) {.provider = trigger_text(&change->row, RF_PROVIDER)};
}

static void
check_step(const RefundChange *change, const State *from, const State *to)
{
	MoveQuestion question = {
		.machine = MACHINE_REFUND,
		.id = change->id,
		.return_id = DatumGetInt64(trigger_value(&change->row, RF_RETURN_ID)),
		.from = from,
		.to = to,
		.actor = change->actor,
		.parties = refund_parties(change),
		.now = clock_now(),
	};
	Refusal		refusal = {0};

	if (!move_judge(&question, &refusal))
		ereport(ERROR,
				(errcode(refusal.sqlstate),
				 errmsg("%s", refusal.message),
				 errdetail("%s", refusal.detail),
				 errhint("%s", refusal.hint),
				 err_column(change->row.rel, "status")));
}

static RefundPast
past_read(const RefundChange *change)
{
	const TriggerRow *row = &change->row;
	Datum		args[4] = {trigger_value(row, RF_ORDER_REF), trigger_value(row, RF_RETURN_ID),
		trigger_value(row, RF_ID),
	change->report.has_ref ? trigger_value(row, RF_PROVIDER_REF) : (Datum) 0};
	RefundPast	past = {0};
	ResultSet	events;
	AsOwner		owner;

	as_owner_begin(&owner);
	events = statement_run(&read_past, args, change->report.has_ref ? NULL : "   n");
	past.settled_last = events.nrows > 0 && result_bool(events, 0, 1);
	for (uint64 i = 0; i < events.nrows; i++)
		past.settled_under_ref |= result_bool(events, i, 2);
	as_owner_end(&owner);
	return past;
}

static bool
is_old_report(const RefundChange *change)
{
	RefundPast	past;

	if (!report_may_be_old(&change->report))
		return false;
	past = past_read(change);
	return report_is_old(&change->report, &past);
}

pg_noreturn static void
refuse_second_payment(const RefundChange *change)
{
	char	   *settled = trigger_old_cstring(&change->row, RF_PROVIDER_REF);
	char	   *reported = trigger_cstring(&change->row, RF_PROVIDER_REF);

	ereport(ERROR,
			(errcode(ERRCODE_RT_KEY_REUSED),
			 errmsg("refund " INT64_FORMAT " has settled under another provider_ref", change->id),
			 reported == NULL ?
			 errdetail("The refund settled under \"%s\"; this report has no provider_ref.", settled) :
			 errdetail("The refund settled under \"%s\"; this report has \"%s\".",
					   settled, reported),
			 errhint("Ask the provider whether it has paid twice; if not, leave provider_ref out."),
			 err_column(change->row.rel, "provider_ref")));
}

static void
check_reference(const RefundChange *change)
{
	if (report_pays_twice(&change->report))
		refuse_second_payment(change);
}

static void
check_chargeback(const RefundChange *change)
{
	const TriggerRow *row = &change->row;
	Datum		args[2] = {trigger_value(row, RF_ORDER_REF), trigger_value(row, RF_PAYMENT_NO)};
	ResultSet	payment;
	Chargeback	chargeback;
	AsOwner		owner;

	as_owner_begin(&owner);
	payment = statement_run(&read_chargeback, args, NULL);
	if (payment.nrows != 1)
		elog(ERROR, "payment of refund " INT64_FORMAT " not found", change->id);
	chargeback = chargeback_parse(result_cstring(payment, 0, 1));
	as_owner_end(&owner);

	if (!chargeback_allows_sending(chargeback, change->actor))
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
				 errmsg("refund " INT64_FORMAT " cannot be sent: its payment has a chargeback",
						change->id),
				 errdetail("The chargeback of payment %d is \"%s\".",
						   DatumGetInt32(trigger_value(row, RF_PAYMENT_NO)),
						   chargeback_name(chargeback)),
				 errhint("Wait until the chargeback is decided. If it is lost, the buyer has the money, and an operator may report the refund as sent."),
				 err_our_column("payment", "chargeback")));
}

static void
check_failure(const RefundChange *change)
{
	if (trigger_changed(&change->row, RF_FAILURE) && change->report.to->role != ROLE_FAILED)
		trigger_refuse_change(&change->row, RF_FAILURE,
							  psprintf("refund " INT64_FORMAT, change->id),
							  "It says why a refund is in state \"failed\", and this refund is in another state.",
							  "Leave the column out, or set status to \"failed\" too.");
}

/* An actor must be allowed each of the steps. */
static void
check_move(const RefundChange *change)
{
	const State *steps[REPORT_MAX_STEPS];
	int			nsteps = report_steps(&change->report, steps);
	const State *from = change->report.from;

	for (int i = 0; i < nsteps; i++)
	{
		check_step(change, from, steps[i]);
		from = steps[i];
	}
	check_reference(change);
	if (change->report.to->role == ROLE_SENT && lease == NULL)
		check_chargeback(change);
	check_failure(change);
}

/* Set the computed columns that follow from the new state. */
static void
enter_state(RefundChange *change)
{
	TriggerRow *row = &change->row;
	TimestampTz now = clock_now();

	trigger_clear(row, RF_LEASE_UNTIL);
	switch (change->report.to->role)
	{
		case ROLE_SENT:
			trigger_set(row, RF_ATTEMPT, Int32GetDatum(change->report.attempt + 1));
			trigger_set(row, RF_SENT_AT, TimestampTzGetDatum(now));
			trigger_set(row, RF_LEASE_UNTIL,
						TimestampTzGetDatum(lease != NULL ? *lease : now + DEFAULT_LEASE));
			break;
		case ROLE_SETTLED:
			trigger_set(row, RF_SETTLED_AT, TimestampTzGetDatum(now));
			break;
		case ROLE_FAILED:
			trigger_set(row, RF_FAILED_AT, TimestampTzGetDatum(now));
			break;
		case ROLE_PENDING:
			if (change->report.from->role == ROLE_FAILED &&
				!trigger_changed(row, RF_PROVIDER_REF))
				trigger_clear(row, RF_PROVIDER_REF);
			break;
		default:
			break;
	}
}

/* The refund does not move: a reference or a failure is added. */
static void
check_addition(RefundChange *change)
{
	Parties		parties;

	check_reference(change);
	check_failure(change);
	change->actor = actor_current();
	parties = refund_parties(change);
	if (!party_may(change->actor, MAY_REPORT, &parties))
		refuse_permission(change->actor, MAY_REPORT, psprintf("refund " INT64_FORMAT, change->id),
						  "refund", NULL);
}

static HeapTuple
refund_update(TriggerData *trigdata)
{
	RefundChange change = {0};

	trigger_row_load(&change.row, trigdata, &columns);
	check_computed(&change.row);
	change_read(&change);
	if (!is_report(&change))
		return trigdata->tg_newtuple;
	if (change.report.from == change.report.to)
		check_addition(&change);
	else
	{
		change.actor = actor_current();
		if (is_old_report(&change))
			return trigdata->tg_trigtuple;
		check_move(&change);
		enter_state(&change);
	}
	pending_report_add(change.row.rel, change.id);
	return trigger_tuple(&change.row);
}

PG_FUNCTION_INFO_V1(returns_refund_row);

/* BEFORE INSERT OR UPDATE ON returns.refund FOR EACH ROW */
Datum
returns_refund_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_check(fcinfo, "returns_refund_row", NULL,
										  FIRES_BEFORE | FIRES_FOR_ROW);
	HeapTuple	updated;

	trigger_check_row(trigdata);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		rules_pin();
		updated = refund_update(trigdata);
		rules_unpin();
		return PointerGetDatum(updated);
	}
	if (!writing_as_owner())
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("refunds cannot be inserted directly"),
				 errdetail("A refund is created when a return is decided for a refund, or when an operator grants one."),
				 errhint("Move the return to \"refund_due\", or call returns.grant_refund()."),
				 errtable(trigdata->tg_relation)));
	return PointerGetDatum(trigdata->tg_trigtuple);
}

static RefundMove
change_move(const RefundChange *change)
{
	const TriggerRow *row = &change->row;
	const State *to = change->report.to;
	const Currency *currency = currency_get(trigger_cstring(row, RF_CURRENCY));

	return (RefundMove) {
		.refund_id = change->id,
		.order_ref = trigger_value(row, RF_ORDER_REF),
		.return_id = DatumGetInt64(trigger_value(row, RF_RETURN_ID)),
		.payment_no = DatumGetInt32(trigger_value(row, RF_PAYMENT_NO)),
		.currency = currency,
		.amount = numeric_to_minor(trigger_value(row, RF_AMOUNT), currency, "amount"),
		.attempt = change->report.attempt,
		.provider = trigger_cstring(row, RF_PROVIDER),
		.provider_ref = trigger_cstring(row, RF_PROVIDER_REF),
		.failure = to->role == ROLE_FAILED ? trigger_cstring(row, RF_FAILURE) : NULL,
		.from = change->report.from,
		.to = to,
		.actor = actor_current(),
	};
}

PG_FUNCTION_INFO_V1(returns_refund_booked);

/* AFTER UPDATE ON returns.refund FOR EACH ROW */
Datum
returns_refund_booked(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_check(fcinfo, "returns_refund_booked", NULL,
										  FIRES_AFTER | FIRES_FOR_ROW);
	RefundChange change = {0};
	RefundMove	move;

	if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return PointerGetDatum(NULL);
	rules_pin();
	trigger_row_load(&change.row, trigdata, &columns);
	change_read(&change);
	if (is_report(&change))
	{
		pending_report_remove(change.id);
		move = change_move(&change);
		refund_post(&move);
	}
	rules_unpin();
	return PointerGetDatum(NULL);
}
