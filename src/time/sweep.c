/*-------------------------------------------------------------------------
 *
 * sweep.c
 *		run_deadlines() and sweep(): process batches until no return is due.
 *
 * A pass processes the due returns in order of (wake_at, id).  Another pass
 * follows if the first skipped rows that other transactions had locked, or if a
 * return entered a stage whose deadline has already passed.
 *
 * Processed returns leave dead entries at the beginning of the index on
 * (wake_at, id).  Usually the next scan removes them.  But as long as any old
 * snapshot is held they stay, and every scan from the beginning would step over
 * all of them again.  So when a pass has met many dead entries, the passes of
 * the next minute start behind the position that it has reached: the watermark.
 * A return may still get a wake_at before the watermark, because its transaction
 * began long ago or uses another clock.  It is found when the minute is over.
 *
 * The watermark also serves when a pass is interrupted among returns that can
 * neither be moved nor put off.  Otherwise every pass would start with these
 * returns and never reach the ones behind them.
 *
 * src/time/sweep.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/scope.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "portability/instr_time.h"
#include "records/return/move.h"
#include "rules/session.h"
#include "tcop/utility.h"
#include "time/sweep.h"
#include "utils/memutils.h"

/* More dead entries make a scan slow: they take about a millisecond. */
#define CHEAP_ENTRIES 1000

/* How long a watermark is valid: the longer of the two. */
#define TRUST_TIME (60 * USECS_PER_SEC)
#define TRUST_TIME_PER_ENTRY 50 /* microseconds for each dead entry */

#define NEVER PG_INT64_MIN

Watermark	sweep_watermark = {.trusted_until = NEVER};

/* When moves are rolled back, their returns are due again. */
static void
watermark_undo(int nest_level)
{
	sweep_watermark.trusted_until = NEVER;
}

static void
watermark_end(bool committed)
{
	if (!committed)
		sweep_watermark.trusted_until = NEVER;
}

static const ScopeUser scope_user = {.undo = watermark_undo,.end = watermark_end};

void
sweep_init(void)
{
	scope_register(&scope_user);
}

int64
monotonic_now(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return INSTR_TIME_GET_MICROSEC(now);
}

static void
pass_begin(Sweep *sweep)
{
	bool		trusted = monotonic_now() < sweep_watermark.trusted_until;

	sweep->clock = clock_now();
	/* if the clock was set back, returns before the watermark may be due */
	sweep->complete = !trusted || sweep_watermark.position.wake_at > sweep->clock;
	sweep->over_since = DT_NOEND;
	sweep->pass = (Pass) {
		.position = sweep->complete ? SWEEP_START : sweep_watermark.position,
		.first_held = sweep->complete ? SWEEP_NOWHERE : sweep_watermark.held,
	};
}

/*
 * Set the watermark after a batch; more: the pass is not finished.
 *
 * The watermark of a finished pass must not lie behind a row that was skipped
 * because it was locked.  Nor may it lie behind a return that entered a stage
 * whose deadline had already passed: its wake_at is the time of that move.  Rows
 * that the pass has processed leave dead entries too.
 */
static void
watermark_set(const Sweep *sweep, bool more)
{
	const Pass *pass = &sweep->pass;
	SweepPosition reached = more ? pass->position : (SweepPosition) {sweep->clock, PG_INT64_MAX};
	int64		entries = pass->count.dead + pass->count.found;
	bool		cheap = entries <= CHEAP_ENTRIES && (pass->count.stuck == 0 || !more);

	if (sweep->complete)
		sweep_watermark.trusted_until = cheap ? NEVER :
			monotonic_now() + Max(TRUST_TIME, TRUST_TIME_PER_ENTRY * entries);
	if (!more && !position_is_nowhere(pass->first_held))
		reached = (SweepPosition) {pass->first_held.wake_at, pass->first_held.id - 1};
	if (reached.wake_at >= sweep->over_since)
		reached = (SweepPosition) {sweep->over_since - 1, PG_INT64_MAX};
	sweep_watermark.position = reached;
	sweep_watermark.held = more ? pass->first_held : SWEEP_NOWHERE;
}

void
sweep_begin(Sweep *sweep, bool commits)
{
	PreventCommandIfReadOnly(commits ? "returns.sweep()" : "returns.run_deadlines()");
	sweep->commits = commits;
	sweep->total = (SweepCount) {0};
	sweep->context = AllocSetContextCreate(CurrentMemoryContext, "returns sweep",
										   ALLOCSET_DEFAULT_SIZES);
	pass_begin(sweep);
}

bool
sweep_step(Sweep *sweep, int max_rows)
{
	MemoryContext old = MemoryContextSwitchTo(sweep->context);
	Pass	   *pass = &sweep->pass;
	SweepCount	before = pass->count;
	uint64		stages_over = return_stages_over;
	int64		trusted_until = sweep_watermark.trusted_until;
	bool		more;

	Assert(max_rows > 0);
	more = sweep_batch(pass, max_rows, sweep->commits);
	/* the batch has handled its own rollbacks */
	sweep_watermark.trusted_until = trusted_until;
	MemoryContextSwitchTo(old);
	MemoryContextReset(sweep->context);
	sweep->total.moved += pass->count.moved - before.moved;
	sweep->total.marked += pass->count.marked - before.marked;
	sweep->total.failed += pass->count.failed - before.failed;
	if (return_stages_over != stages_over)
		sweep->over_since = Min(sweep->over_since, clock_now());
	watermark_set(sweep, more);
	if (more)
		return true;
	/* a pass that did nothing is the last one, even if it skipped rows */
	if (pass->count.moved + pass->count.marked == 0 ||
		(position_is_nowhere(pass->first_held) && TIMESTAMP_IS_NOEND(sweep->over_since)))
		return false;
	pass_begin(sweep);
	return true;
}

/* The only argument: a number of rows. */
static int
rows_argument(FunctionCallInfo fcinfo, const char *name, const char *detail)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errdetail("%s", detail),
				 errhint("Leave %s out to use its default.", name)));
	if (PG_GETARG_INT32(0) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive, not %d", name, PG_GETARG_INT32(0)),
				 errdetail("%s", detail),
				 errhint("Pass 1 or more, or leave %s out to use its default.", name)));
	return PG_GETARG_INT32(0);
}

PG_FUNCTION_INFO_V1(returns_run_deadlines);

/* run_deadlines(max_rows int) → int */
Datum
returns_run_deadlines(PG_FUNCTION_ARGS)
{
	int			max_rows = rows_argument(fcinfo, "max_rows",
										 "max_rows is the number of moves after which run_deadlines() stops.");
	Sweep		sweep;

	sweep_begin(&sweep, false);
	while (sweep.total.moved < max_rows && sweep_step(&sweep, max_rows - sweep.total.moved))
		CHECK_FOR_INTERRUPTS();
	MemoryContextDelete(sweep.context);
	PG_RETURN_INT32(sweep.total.moved);
}

static bool
may_commit(FunctionCallInfo fcinfo)
{
	return fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic;
}

PG_FUNCTION_INFO_V1(returns_sweep);

/* CALL sweep(batch int) */
Datum
returns_sweep(PG_FUNCTION_ARGS)
{
	int			batch = rows_argument(fcinfo, "batch",
									  "batch is the number of returns that sweep() processes in one transaction.");
	Sweep		sweep;
	bool		more;

	if (!may_commit(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("returns.sweep() cannot run inside a transaction block"),
				 errdetail("It commits after each batch."),
				 errhint("Call it outside of a transaction block, or use SELECT returns.run_deadlines().")));
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	sweep_begin(&sweep, true);
	do
	{
		CHECK_FOR_INTERRUPTS();
		more = sweep_step(&sweep, batch);
		SPI_commit();
	} while (more);
	do
	{
		CHECK_FOR_INTERRUPTS();
		more = !sweep_leases(batch);
		SPI_commit();
	} while (more);
	sweep_ledger();
	SPI_commit();
	SPI_finish();
	PG_RETURN_VOID();
}
