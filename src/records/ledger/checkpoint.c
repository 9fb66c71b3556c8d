/*-------------------------------------------------------------------------
 *
 * checkpoint.c
 *		Balances without reading the whole ledger: what was summed already.
 *
 * A balance is a sum, never a counter, so that no two orders wait for each
 * other.  What every transaction before a horizon has written is summed once,
 * into ledger_checkpoint; a balance is that and the entries since.  The horizon
 * is one of transactions, the oldest that is still running, not of numbers or
 * times: an entry that is written but not committed when the sum is taken
 * belongs to a transaction behind the horizon, and is counted by the next.
 *
 * src/records/ledger/checkpoint.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "portability/instr_time.h"
#include "records/ledger/ledger.h"
#include "rules/session.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static KeptPlan begin_horizon = {
	"INSERT INTO returns.ledger_horizon (written) SELECT 0"
	" WHERE NOT EXISTS (SELECT FROM returns.ledger_horizon) ON CONFLICT DO NOTHING", 0
};

static KeptPlan lock_horizon = {
	"SELECT written FROM returns.ledger_horizon FOR UPDATE SKIP LOCKED", 0
};

/* What ledger_maintain() goes by. */
#define MAINTAIN_INTERVAL (INT64CONST(60) * 1000000)
#define MAINTAIN_ENTRIES 10000

/*
 * $1 the horizon so far, $2 what to add to a transaction id, $3 the least
 * number of entries, $4 now.  One statement, so that the sum and the horizon
 * are of one snapshot.
 */
static KeptPlan take_in = {
	"WITH bound AS (SELECT $2 OPERATOR(pg_catalog.+) CAST(CAST("
	"pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())"
	" AS pg_catalog.text) AS pg_catalog.int8) AS written),"
	" delta AS MATERIALIZED (SELECT e.account, e.party_ref, e.currency,"
	" COALESCE(pg_catalog.sum(e.amount) FILTER (WHERE e.amount OPERATOR(pg_catalog.>) 0), 0) AS debit,"
	" COALESCE(OPERATOR(pg_catalog.-) pg_catalog.sum(e.amount)"
	" FILTER (WHERE e.amount OPERATOR(pg_catalog.<) 0), 0) AS credit,"
	" pg_catalog.count(*) AS entries"
	" FROM returns.ledger_entry AS e WHERE e.written OPERATOR(pg_catalog.>=) $1"
	" AND e.written OPERATOR(pg_catalog.<) (SELECT written FROM bound)"
	" GROUP BY e.account, e.party_ref, e.currency),"
	" total AS (SELECT CAST(pg_catalog.sum(entries) AS pg_catalog.int8) AS entries FROM delta),"
	" summed AS (INSERT INTO returns.ledger_checkpoint AS c"
	" (account, party_ref, currency, debit, credit)"
	" SELECT d.account, d.party_ref, d.currency, d.debit, d.credit FROM delta AS d, total AS t"
	" WHERE t.entries OPERATOR(pg_catalog.>=) $3"
	" ON CONFLICT (account, party_ref, currency) DO UPDATE"
	" SET debit = c.debit OPERATOR(pg_catalog.+) excluded.debit,"
	" credit = c.credit OPERATOR(pg_catalog.+) excluded.credit RETURNING 1)"
	" UPDATE returns.ledger_horizon AS h SET written = b.written, at = $4"
	" FROM bound AS b, total AS t WHERE t.entries OPERATOR(pg_catalog.>=) $3"
	" RETURNING t.entries, (SELECT pg_catalog.count(*) FROM summed),"
	" (SELECT pg_catalog.count(*) FROM delta)",
	4, {INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID}
};

/* So that the next reads skip what is summed. */
static KeptPlan summarize = {
	"SELECT pg_catalog.brin_summarize_new_values(c.oid)"
	" FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_am AS a"
	" ON a.oid OPERATOR(pg_catalog.=) c.relam"
	" WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('returns.ledger_entry_written')"
	" AND a.amname OPERATOR(pg_catalog.=) 'brin'",
	0
};

uint64
ledger_checkpoint(int64 min_entries)
{
	Datum		args[4] = {0, Int64GetDatum(ledger_time(0)), Int64GetDatum(Max(min_entries, 1)),
	TimestampTzGetDatum(clock_now())};
	OwnState	own;
	uint64		entries = 0;
	bool		isnull;

	own_begin(&own);
	if (plan_run(&lock_horizon, NULL, NULL) == 0)
		plan_run(&begin_horizon, NULL, NULL);
	if (plan_run(&lock_horizon, NULL, NULL) > 0)
	{
		args[0] = plan_value(0, 1, &isnull);
		if (plan_run(&take_in, args, NULL) > 0)
		{
			entries = DatumGetInt64(plan_value(0, 1, &isnull));
			trigger_check_wrote("ledger_checkpoint", DatumGetInt64(plan_value(0, 2, &isnull)),
								DatumGetInt64(plan_value(0, 3, &isnull)));
			plan_run(&summarize, NULL, NULL);
		}
	}
	own_end(&own);
	return entries;
}

void
ledger_maintain(void)
{
	static int64 look_again = 0;
	instr_time	now;
	int64		microseconds;

	INSTR_TIME_SET_CURRENT(now);
	microseconds = INSTR_TIME_GET_MICROSEC(now);
	if (microseconds < look_again)
		return;
	look_again = microseconds + MAINTAIN_INTERVAL;
	ledger_checkpoint(MAINTAIN_ENTRIES);
}

PG_FUNCTION_INFO_V1(returns_checkpoint_balances);

/* checkpoint_balances(min_entries int) → bigint */
Datum
returns_checkpoint_balances(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("min_entries must not be null"),
				 errdetail("It is the least number of entries that a checkpoint is worth."),
				 errhint("Leave it out to take in whatever there is.")));
	PG_RETURN_INT64(ledger_checkpoint(PG_GETARG_INT32(0)));
}
