/*-------------------------------------------------------------------------
 *
 * sweep.c
 *		run_deadlines() and sweep(): batch after batch until nothing is due.
 *
 * A pass goes over the due returns in order of (wake_at, id).  When it has come
 * to the end and some were held by others, or began a stage that is over as
 * well, there is another one.
 *
 * What was swept leaves dead entries at the beginning of the index.  As a rule
 * the first to meet them clears them away; but while an old snapshot is held
 * anywhere they must stay, and every pass from the start would step over all
 * of them again.  So when there are many, the passes of the next minute start
 * where the last one ended.  What comes behind this watermark all the same,
 * because its writer began long ago or has another clock, is found when the
 * minute is over.  A pass that was left among returns that can neither be moved
 * nor put off is gone on with likewise, else they would be all it ever meets.
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

/* Dead entries that make a pass dear: about a millisecond. */
#define DEAR 1000

/* For how long a watermark is trusted: so long, or so long for each of them. */
#define TRUST_TIME (60 * 1000000)
#define TRUST_TIME_PER_ENTRY 50

#define NEVER PG_INT64_MIN
#define NOWHERE ((SweepPosition) {DT_NOEND, 0})

Watermark	sweep_watermark = {.trusted_until = NEVER};

/* What was swept is due again when it is undone. */
static void
undo(int nest_level)
{
	sweep_watermark.trusted_until = NEVER;
}

static void
end(bool committed)
{
	if (!committed)
		sweep_watermark.trusted_until = NEVER;
}

static const ScopeUser scope_user = {.undo = undo,.end = end};

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
	/* a clock that was set back makes other returns the oldest */
	sweep->complete = !trusted || sweep_watermark.position.wake_at > sweep->clock;
	sweep->over_since = DT_NOEND;
	sweep->pass = (Pass) {
		.position = sweep->complete ? SWEEP_START : sweep_watermark.position,
		.first_held = sweep->complete ? NOWHERE : sweep_watermark.held,
	};
}

/*
 * Where the next step may start when it is dear to start at the beginning.
 * After the last one of a pass: not behind what somebody held, nor behind a
 * stage that was over when it began, which wakes at that moment.  What was done
 * leaves dead entries as well.
 */
static void
pass_remember(Sweep *sweep, bool more)
{
	const Pass *pass = &sweep->pass;
	SweepPosition reached = more ? pass->position : (SweepPosition) {sweep->clock, PG_INT64_MAX};
	int64		litter = pass->count.dead + pass->count.found;
	bool		cheap = litter <= DEAR && (pass->count.stuck == 0 || !more);

	if (sweep->complete)
		sweep_watermark.trusted_until = cheap ? NEVER :
			monotonic_now() + Max(TRUST_TIME, TRUST_TIME_PER_ENTRY * litter);
	if (!more && !TIMESTAMP_IS_NOEND(pass->first_held.wake_at))
		reached = (SweepPosition) {pass->first_held.wake_at, pass->first_held.id - 1};
	if (reached.wake_at >= sweep->over_since)
		reached = (SweepPosition) {sweep->over_since - 1, PG_INT64_MAX};
	sweep_watermark.position = reached;
	sweep_watermark.held = more ? pass->first_held : NOWHERE;
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
	bool		more = sweep_batch(pass, max_rows, sweep->commits);

	/* what the batch itself has undone is no reason to doubt */
	sweep_watermark.trusted_until = trusted_until;
	MemoryContextSwitchTo(old);
	MemoryContextReset(sweep->context);
	sweep->total.moved += pass->count.moved - before.moved;
	sweep->total.marked += pass->count.marked - before.marked;
	sweep->total.failed += pass->count.failed - before.failed;
	if (return_stages_over != stages_over)
		sweep->over_since = Min(sweep->over_since, clock_now());
	pass_remember(sweep, more);
	if (more)
		return true;
	/* another pass for what this one passed over, as long as it gets on */
	if (pass->count.moved + pass->count.marked == 0 ||
		(TIMESTAMP_IS_NOEND(pass->first_held.wake_at) && TIMESTAMP_IS_NOEND(sweep->over_since)))
		return false;
	pass_begin(sweep);
	return true;
}

/* The rows that a caller asks for. */
static int
rows_argument(FunctionCallInfo fcinfo, const char *name)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	if (PG_GETARG_INT32(0) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive, not %d", name, PG_GETARG_INT32(0))));
	return PG_GETARG_INT32(0);
}

PG_FUNCTION_INFO_V1(returns_run_deadlines);

/* run_deadlines(max_rows int) → int */
Datum
returns_run_deadlines(PG_FUNCTION_ARGS)
{
	int			max_rows = rows_argument(fcinfo, "max_rows");
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
	int			batch = rows_argument(fcinfo, "batch");
	Sweep		sweep;
	bool		more;

	if (!may_commit(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("sweep() commits each batch, so it cannot run inside a transaction"),
				 errhint("Inside a transaction, use returns.run_deadlines().")));
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
