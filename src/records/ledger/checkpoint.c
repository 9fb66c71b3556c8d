/*-------------------------------------------------------------------------
 *
 * checkpoint.c
 *		Checkpoints of the balances: sums that are not computed again.
 *
 * A balance is a sum, never a counter, so that orders do not wait for each
 * other.  The entries of all transactions before a horizon are summed once, in
 * ledger_checkpoint; a balance is that sum plus the entries since.  The horizon
 * is a transaction, the oldest that is still running, not an entry number or a
 * time: an entry that is not committed yet when the sum is computed belongs to a
 * transaction after the horizon, and the next checkpoint counts it.
 *
 * src/records/ledger/checkpoint.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "portability/instr_time.h"
#include "records/ledger/ledger.h"
#include "rules/session.h"
#include "utils/timestamp.h"

static Statement begin_horizon = {
	"INSERT INTO returns.ledger_horizon (written) SELECT 0"
	" WHERE NOT EXISTS (SELECT FROM returns.ledger_horizon) ON CONFLICT DO NOTHING", 0
};

static Statement lock_horizon = {
	"SELECT written FROM returns.ledger_horizon FOR UPDATE SKIP LOCKED", 0
};

/* How often ledger_maintain() looks, and how many entries are worth a checkpoint. */
#define MAINTAIN_INTERVAL (INT64CONST(60) * USECS_PER_SEC)
#define MAINTAIN_ENTRIES 10000

/*
 * Sum the entries since the last horizon and move the horizon.  It is one
 * statement, so that the sum and the new horizon are of one snapshot.  $1 is the
 * last horizon, $2 the number that is added to a transaction id, $3 the least
 * number of entries, $4 now.  Returns the entries, and the balances written
 * and summed.
 */
static Statement sum_entries = {
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

/* With a summarized BRIN index, reads of the entries since skip the others. */
static Statement summarize_index = {
	"SELECT pg_catalog.brin_summarize_new_values(c.oid)"
	" FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_am AS a"
	" ON a.oid" EQ "c.relam"
	" WHERE c.oid" EQ "pg_catalog.to_regclass('returns.ledger_entry_written')"
	" AND a.amname" EQ "'brin'",
	0
};

/*
 * Move the checkpoint to the oldest transaction that is still running; returns
 * how many entries it took in.  0: fewer than min_entries were there, or another
 * session is writing a checkpoint.
 */
static uint64
ledger_checkpoint(int64 min_entries)
{
	Datum		args[4] = {0, Int64GetDatum(ledger_time(0)), Int64GetDatum(Max(min_entries, 1)),
	TimestampTzGetDatum(clock_now())};
	ResultSet	horizon;
	ResultSet	summed;
	uint64		entries = 0;
	AsOwner		owner;

	as_owner_begin(&owner);
	if (statement_run(&lock_horizon, NULL, NULL).nrows == 0)
		statement_run(&begin_horizon, NULL, NULL);
	horizon = statement_run(&lock_horizon, NULL, NULL);
	if (horizon.nrows > 0)
	{
		args[0] = Int64GetDatum(result_int64(horizon, 0, 1));
		summed = statement_run(&sum_entries, args, NULL);
		if (summed.nrows > 0)
		{
			entries = result_int64(summed, 0, 1);
			trigger_check_wrote("ledger_checkpoint", result_int64(summed, 0, 2),
								result_int64(summed, 0, 3));
			statement_run(&summarize_index, NULL, NULL);
		}
	}
	as_owner_end(&owner);
	return entries;
}

void
ledger_maintain(void)
{
	static int64 next_look = 0;
	instr_time	now;
	int64		microseconds;

	INSTR_TIME_SET_CURRENT(now);
	microseconds = INSTR_TIME_GET_MICROSEC(now);
	if (microseconds < next_look)
		return;
	next_look = microseconds + MAINTAIN_INTERVAL;
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
				 errdetail("It is the least number of entries for which a checkpoint is written."),
				 errhint("Call returns.checkpoint_balances() without it to include every entry.")));
	PG_RETURN_INT64(ledger_checkpoint(PG_GETARG_INT32(0)));
}
