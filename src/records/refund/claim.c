/*-------------------------------------------------------------------------
 *
 * claim.c
 *		claim_refunds(): the payment providers' queue.
 *
 * A refund is claimed, the claim is committed, then the provider is called,
 * then the outcome is reported.  Whoever dies in between leaves a claim whose
 * lease ends; the refund goes round again under the same idempotency key.
 *
 * Refund and return are locked together and passed over when either is held:
 * a claim never waits, so it can neither block nor deadlock with anybody.
 *
 * src/records/refund/claim.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "records/refund/claim.h"
#include "records/refund/trigger.h"
#include "rules/session.h"
#include "rules/workflow/actor.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#define CLAIM_COLUMNS 11

#define JOIN_RETURN \
	" FROM returns.refund AS r JOIN returns.return_request AS q" \
	" ON q.order_ref OPERATOR(pg_catalog.=) r.order_ref AND q.id OPERATOR(pg_catalog.=) r.return_id"
#define OF_PROVIDER " AND ($2 IS NULL OR r.provider OPERATOR(pg_catalog.=) $2)"
#define TAKE " LIMIT $1 FOR NO KEY UPDATE OF r, q SKIP LOCKED"

static KeptPlan select_expired = {
	"SELECT r.id" JOIN_RETURN
	" WHERE r.status OPERATOR(pg_catalog.=) 'sent' AND r.lease_until OPERATOR(pg_catalog.<=) $3"
	OF_PROVIDER " ORDER BY r.lease_until" TAKE,
	3, {INT8OID, TEXTOID, TIMESTAMPTZOID}
};

static KeptPlan select_pending = {
	"SELECT r.id" JOIN_RETURN
	" WHERE r.status OPERATOR(pg_catalog.=) 'pending'" OF_PROVIDER
	" AND NOT EXISTS (SELECT FROM returns.payment AS p"
	" WHERE p.order_ref OPERATOR(pg_catalog.=) r.order_ref"
	" AND p.payment_no OPERATOR(pg_catalog.=) r.payment_no"
	" AND p.chargeback OPERATOR(pg_catalog.=) ANY (ARRAY['open', 'lost']))"
	" ORDER BY r.id" TAKE,
	2, {INT8OID, TEXTOID}
};

static KeptPlan let_go = {
	"UPDATE returns.refund SET status = 'pending' WHERE id OPERATOR(pg_catalog.=) ANY ($1)",
	1, {INT8ARRAYOID}
};

static KeptPlan take = {
	"WITH taken AS (UPDATE returns.refund SET status = 'sent'"
	" WHERE id OPERATOR(pg_catalog.=) ANY ($1)"
	" RETURNING id, order_ref, return_id, payment_no, amount, currency, idempotency_key,"
	" provider, attempt, lease_until)"
	" SELECT t.id, t.order_ref, t.return_id, t.payment_no, t.amount, t.currency,"
	" t.idempotency_key, t.provider, p.provider_ref, t.attempt, t.lease_until"
	" FROM taken AS t JOIN returns.payment AS p"
	" ON p.order_ref OPERATOR(pg_catalog.=) t.order_ref"
	" AND p.payment_no OPERATOR(pg_catalog.=) t.payment_no ORDER BY t.id",
	1, {INT8ARRAYOID}
};

/* The ids of the last result; NULL when there are none. */
static ArrayType *
result_ids(uint64 rows)
{
	Datum	   *ids;
	bool		isnull;

	if (rows == 0)
		return NULL;
	ids = palloc(sizeof(Datum) * rows);
	for (uint64 i = 0; i < rows; i++)
		ids[i] = plan_value(i, 1, &isnull);
	return construct_array(ids, rows, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
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
				 errdetail("It would end at %s.", timestamptz_to_str(until)),
				 errhint("Give the time a provider may take to answer, for example '10 minutes'.")));
	return until;
}

static uint64
let_go_expired(Datum *args, const char *nulls)
{
	uint64		rows = plan_run(&select_expired, args, nulls);
	ArrayType  *ids = result_ids(rows);
	Datum		arg = PointerGetDatum(ids);
	bool		previous;

	if (ids == NULL)
		return 0;
	previous = actor_become_system();
	PG_TRY();
	{
		trigger_check_wrote("refund", plan_run(&let_go, &arg, NULL), rows);
	}
	PG_FINALLY();
	{
		actor_restore(previous);
	}
	PG_END_TRY();
	return rows;
}

uint64
refund_end_leases(int max_rows)
{
	Datum		args[3] = {Int64GetDatum(max_rows), (Datum) 0, TimestampTzGetDatum(clock_now())};
	OwnState	own;
	uint64		rows;

	own_begin(&own);
	rows = let_go_expired(args, " n ");
	own_end(&own);
	return rows;
}

static void
take_pending(Datum *args, const char *nulls, TimestampTz until, ReturnSetInfo *result)
{
	ArrayType  *ids = result_ids(plan_run(&select_pending, args, nulls));
	Datum		arg = PointerGetDatum(ids);
	volatile uint64 rows = 0;

	if (ids == NULL)
		return;
	refund_lease(&until);
	PG_TRY();
	{
		rows = plan_run(&take, &arg, NULL);
		trigger_check_wrote("refund", rows, ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids)));
	}
	PG_FINALLY();
	{
		refund_lease(NULL);
	}
	PG_END_TRY();
	for (uint64 i = 0; i < rows; i++)
	{
		Datum		values[CLAIM_COLUMNS];
		bool		isnull[CLAIM_COLUMNS];

		for (int c = 0; c < CLAIM_COLUMNS; c++)
			values[c] = plan_value(i, c + 1, &isnull[c]);
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
	Datum		args[3];
	OwnState	own;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("max_rows and lease must not be null"),
				 errdetail("NULL never means all, or for ever."),
				 errhint("For example returns.claim_refunds(100, '10 minutes').")));
	if (PG_GETARG_INT32(0) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must be positive, not %d", PG_GETARG_INT32(0)),
				 errdetail("It is the greatest number of refunds to take at once."),
				 errhint("For example returns.claim_refunds(100).")));
	until = lease_end(PG_GETARG_INTERVAL_P(1));
	actor = actor_current();
	if ((actor->kind & (ACTOR_PROVIDER | ACTOR_OPERATOR)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("%s may not claim refunds", actor_kind_name(actor->kind)),
				 errdetail("Refunds are claimed by their payment provider or by an operator."),
				 errhint("Check returns.actor.")));
	args[0] = Int64GetDatum(PG_GETARG_INT32(0));
	args[1] = PointerGetDatum(actor->kind == ACTOR_PROVIDER ? actor->ref_text : NULL);
	args[2] = TimestampTzGetDatum(clock_now());

	InitMaterializedSRF(fcinfo, 0);
	own_begin(&own);
	let_go_expired(args, actor->kind == ACTOR_PROVIDER ? NULL : " n ");
	take_pending(args, actor->kind == ACTOR_PROVIDER ? NULL : " n ", until,
				 (ReturnSetInfo *) fcinfo->resultinfo);
	own_end(&own);
	return (Datum) 0;
}
