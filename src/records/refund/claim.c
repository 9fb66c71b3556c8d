/*-------------------------------------------------------------------------
 *
 * claim.c
 *		claim_refunds(): workers claim refunds to send, for the time of a lease.
 *
 * A worker claims a refund, commits, calls the provider and reports the outcome.
 * If it crashes in between, the lease of its claim ends and another worker
 * claims the refund, under the same idempotency key.
 *
 * Refund and return are locked together, and skipped when either is locked: a
 * claim never waits, so it cannot deadlock.
 *
 * src/records/refund/claim.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "records/refund/claim.h"
#include "records/refund/trigger.h"
#include "rules/actor/permission.h"
#include "rules/session.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#define CLAIM_COLUMNS 11

#define JOIN_RETURN \
	" FROM returns.refund AS r JOIN returns.return_request AS q" \
	" ON q.order_ref" EQ "r.order_ref AND q.id" EQ "r.return_id"
#define OF_PROVIDER " AND ($2 IS NULL OR r.provider" EQ "$2)"
#define LOCK " LIMIT $1 FOR NO KEY UPDATE OF r, q SKIP LOCKED"

static Statement select_expired = {
	"SELECT r.id" JOIN_RETURN
	" WHERE r.status" EQ "'sent' AND r.lease_until OPERATOR(pg_catalog.<=) $3"
	OF_PROVIDER " ORDER BY r.lease_until" LOCK,
	3, {INT8OID, TEXTOID, TIMESTAMPTZOID}
};

static Statement select_pending = {
	"SELECT r.id" JOIN_RETURN
	" WHERE r.status" EQ "'pending'" OF_PROVIDER
	" AND NOT EXISTS (SELECT FROM returns.payment AS p"
	" WHERE p.order_ref" EQ "r.order_ref"
	" AND p.payment_no" EQ "r.payment_no"
	" AND p.chargeback" EQ "ANY (ARRAY['open', 'lost']))"
	" ORDER BY r.id" LOCK,
	2, {INT8OID, TEXTOID}
};

static Statement set_pending = {
	"UPDATE returns.refund SET status = 'pending' WHERE id" EQ "ANY ($1)",
	1, {INT8ARRAYOID}
};

static Statement set_sent = {
	"WITH taken AS (UPDATE returns.refund SET status = 'sent'"
	" WHERE id" EQ "ANY ($1)"
	" RETURNING id, order_ref, return_id, payment_no, amount, currency, idempotency_key,"
	" provider, attempt, lease_until)"
	" SELECT t.id, t.order_ref, t.return_id, t.payment_no, t.amount, t.currency,"
	" t.idempotency_key, t.provider, p.provider_ref, t.attempt, t.lease_until"
	" FROM taken AS t JOIN returns.payment AS p"
	" ON p.order_ref" EQ "t.order_ref"
	" AND p.payment_no" EQ "t.payment_no ORDER BY t.id",
	1, {INT8ARRAYOID}
};

/* The ids of the refunds that were found, at least one, as bigint[]. */
static Datum
refund_ids(ResultSet refunds)
{
	ArrayBuildState *ids = NULL;
	bool		isnull;

	Assert(refunds.nrows > 0);
	for (uint64 i = 0; i < refunds.nrows; i++)
		ids = accumArrayResult(ids, result_value(refunds, i, 1, &isnull), false, INT8OID,
							   CurrentMemoryContext);
	return makeArrayResult(ids, CurrentMemoryContext);
}

static TimestampTz
lease_end(Interval *lease)
{
	TimestampTz now = clock_now();
	TimestampTz until = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
																TimestampTzGetDatum(now),
																IntervalPGetDatum(lease)));

	if (until <= now || TIMESTAMP_NOT_FINITE(until))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lease must be a positive, finite interval"),
				 errdetail("The lease would end at %s.", timestamptz_to_str(until)),
				 errhint("Pass the time that the provider may take to answer, for example '10 minutes'.")));
	return until;
}

static uint64
end_leases(Datum *args, const char *nulls)
{
	ResultSet	expired = statement_run(&select_expired, args, nulls);
	Datum		ids;
	bool		previous;

	if (expired.nrows == 0)
		return 0;
	ids = refund_ids(expired);
	previous = actor_become_system();
	PG_TRY();
	{
		trigger_check_wrote("refund", statement_run(&set_pending, &ids, NULL).nrows,
							expired.nrows);
	}
	PG_FINALLY();
	{
		actor_restore(previous);
	}
	PG_END_TRY();
	return expired.nrows;
}

uint64
refund_end_leases(int max_rows)
{
	Datum		args[3] = {Int64GetDatum(max_rows), (Datum) 0, TimestampTzGetDatum(clock_now())};
	AsOwner		owner;
	uint64		rows;

	Assert(max_rows > 0);
	as_owner_begin(&owner);
	rows = end_leases(args, " n ");
	as_owner_end(&owner);
	return rows;
}

/* Move the refunds to "sent", with a lease until then. */
static ResultSet
send_refunds(ResultSet pending, TimestampTz until)
{
	Datum		ids = refund_ids(pending);
	ResultSet	sent;

	refund_lease(&until);
	PG_TRY();
	{
		sent = statement_run(&set_sent, &ids, NULL);
	}
	PG_FINALLY();
	{
		refund_lease(NULL);
	}
	PG_END_TRY();
	trigger_check_wrote("refund", sent.nrows, pending.nrows);
	return sent;
}

static void
claim_pending(Datum *args, const char *nulls, TimestampTz until, ReturnSetInfo *result)
{
	ResultSet	pending = statement_run(&select_pending, args, nulls);
	ResultSet	sent;

	if (pending.nrows == 0)
		return;
	sent = send_refunds(pending, until);
	for (uint64 i = 0; i < sent.nrows; i++)
	{
		Datum		values[CLAIM_COLUMNS];
		bool		isnull[CLAIM_COLUMNS];

		for (int col = 0; col < CLAIM_COLUMNS; col++)
			values[col] = result_value(sent, i, col + 1, &isnull[col]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

PG_FUNCTION_INFO_V1(returns_claim_refunds);

/* claim_refunds(max_rows int, lease interval) → setof record */
Datum
returns_claim_refunds(PG_FUNCTION_ARGS)
{
	const Actor *actor;
	TimestampTz until;
	const char *nulls;
	Datum		args[3];
	AsOwner		owner;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("max_rows and lease must not be null"),
				 errdetail("max_rows limits the number of refunds, and lease the time of the claim."),
				 errhint("Call it with both, for example returns.claim_refunds(100, '10 minutes').")));
	if (PG_GETARG_INT32(0) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must be positive, not %d", PG_GETARG_INT32(0)),
				 errdetail("max_rows is the greatest number of refunds that the call claims."),
				 errhint("Pass 1 or more, for example returns.claim_refunds(100).")));
	until = lease_end(PG_GETARG_INTERVAL_P(1));
	actor = actor_current();
	if (!actor_may(actor, MAY_CLAIM))
		refuse_permission(actor, MAY_CLAIM, "refunds", "refund", NULL);
	nulls = actor_may(actor, MAY_CLAIM_ANY) ? " n " : NULL;
	args[0] = Int64GetDatum(PG_GETARG_INT32(0));
	args[1] = PointerGetDatum(actor->ref_text);
	args[2] = TimestampTzGetDatum(clock_now());

	InitMaterializedSRF(fcinfo, 0);
	as_owner_begin(&owner);
	end_leases(args, nulls);
	claim_pending(args, nulls, until, (ReturnSetInfo *) fcinfo->resultinfo);
	as_owner_end(&owner);
	return (Datum) 0;
}
