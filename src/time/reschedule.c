/*-------------------------------------------------------------------------
 *
 * reschedule.c
 *		reschedule(): move open deadlines after a calendar or a rule has changed.
 *
 * The deadline of every open stage is computed again, from the start of the
 * stage and by the present rules.  A deadline only moves to a later instant, and
 * the state that follows it stays the same, because the parties already know
 * both.  Lines keep the end of the window in which they were requested.
 *
 * A return whose deadline does not move is only read.  The others are updated
 * one by one in order of their ids, and each decision is made again on the
 * locked row.  A transaction that is writing returns at the start of
 * reschedule() may still use the old calendar, so reschedule() first waits for
 * its end.  Transactions that begin later use the new calendar.
 *
 * src/time/reschedule.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "records/history/journal.h"
#include "records/return/move.h"
#include "records/return/stage.h"
#include "records/update_with.h"
#include "rules/actor/permission.h"
#include "rules/cache/cache.h"
#include "rules/workflow/stage_rule.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/inval.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#define BATCH 1000

/* A return with a deadline, as it was read. */
typedef struct OpenStage
{
	int64		id;
	text	   *order_ref;
	const State *state;			/* NULL: it does not exist any more */
	const Market *market;		/* NULL: the return has none */
	Resolution	resolution;
	int			ncategories;
	const Category **categories;
	TimestampTz due_at;
} OpenStage;

/* A market whose calendar is too short for some of its returns. */
typedef struct ShortMarket
{
	char	   *code;
	int			n;				/* returns that keep their deadlines */
	int64		first_id;		/* the first of them, and its error */
	char	   *message;
	char	   *detail;
} ShortMarket;

/* One call of reschedule(). */
typedef struct Reschedule
{
	const Actor *actor;
	int			changed;		/* returns */
	MemoryContext context;		/* lives as long as the call */
	List	   *short_markets;	/* of ShortMarket, in context */
} Reschedule;

/* A column that is restored after return_stage() has computed it again. */
typedef struct SavedColumn
{
	Datum		value;
	bool		isnull;
} SavedColumn;

static void
check_may_reschedule(void)
{
	Oid			owner = tables_owner();
	const Actor *actor;

	if (superuser_arg(caller_role()) || has_privs_of_role(caller_role(), owner))
		return;
	actor = actor_if_any();
	if (!actor_may(actor, MAY_RESCHEDULE))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to reschedule returns"),
				 errdetail("Only operators and the owner of the tables, \"%s\", may reschedule returns.",
						   GetUserNameFromId(owner, false)),
				 errhint("Act as an operator, for example SET returns.actor = 'operator:ann'.")));
}

static void
stage_read(OpenStage *stage, ResultSet rows, uint64 row)
{
	char	   *status = result_cstring(rows, row, 3);
	char	   *market = result_cstring(rows, row, 4);
	char	  **categories;

	memset(stage, 0, sizeof(OpenStage));
	stage->id = result_int64(rows, row, 1);
	stage->order_ref = result_text(rows, row, 2);
	stage->state = state_find(MACHINE_RETURN, status, strlen(status));
	stage->market = market == NULL ? NULL : market_get(market);
	stage->resolution = resolution_parse(result_cstring(rows, row, 5));
	stage->ncategories = result_cstrings(rows, row, 6, &categories);
	stage->categories = palloc(sizeof(Category *) * Max(stage->ncategories, 1));
	for (int i = 0; i < stage->ncategories; i++)
		stage->categories[i] = category_get(categories[i]);
	(void) result_time(rows, row, 7, &stage->due_at);
}

/* Read the next returns with a deadline, by id; returns how many. */
static int
read_stages(int64 after, OpenStage *stages)
{
	static Statement read = {
		"SELECT id, order_ref, status, market, resolution, categories, due_at"
		" FROM returns.return_request WHERE id OPERATOR(pg_catalog.>) $1"
		" AND due_at IS NOT NULL ORDER BY id LIMIT " CppAsString2(BATCH),
		1, {INT8OID}
	};
	Datum		arg = Int64GetDatum(after);
	ResultSet	rows = statement_run(&read, &arg, NULL);

	Assert(rows.nrows <= BATCH);
	for (uint64 i = 0; i < rows.nrows; i++)
		stage_read(&stages[i], rows, i);
	return rows.nrows;
}

/* Is the deadline later if it is computed now? */
static bool
is_later_now(const OpenStage *stage)
{
	StageStart	start;
	TimestampTz due_at;
	TimestampTz remind_at;

	return stage->state != NULL &&
		stage_start(PointerGetDatum(stage->order_ref), stage->id, stage->state, &start) &&
		stage_rule_find(stage->state, stage->market, stage->resolution, stage->categories,
						stage->ncategories, start.since, &due_at, &remind_at) != NULL &&
		due_at > stage->due_at;
}

/* Count a return that keeps its deadline, for warn_short_markets(). */
static void
note_short_market(Reschedule *reschedule, const OpenStage *stage, const ErrorData *error)
{
	MemoryContext old = MemoryContextSwitchTo(reschedule->context);
	ShortMarket *market = NULL;
	ListCell   *cell;

	foreach(cell, reschedule->short_markets)
	{
		market = lfirst(cell);
		if (strcmp(market->code, stage->market->code) == 0)
			break;
	}
	if (cell == NULL)
	{
		market = palloc0(sizeof(ShortMarket));
		market->code = pstrdup(stage->market->code);
		market->first_id = stage->id;
		market->message = pstrdup(error->message);
		market->detail = pstrdup(error->detail == NULL ? "" : error->detail);
		reschedule->short_markets = lappend(reschedule->short_markets, market);
	}
	market->n++;
	MemoryContextSwitchTo(old);
}

static void
warn_short_markets(const Reschedule *reschedule)
{
	ListCell   *cell;

	foreach(cell, reschedule->short_markets)
	{
		const ShortMarket *market = lfirst(cell);

		ereport(WARNING,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("the calendar of market \"%s\" is too short for %d of its returns",
						market->code, market->n),
				 errdetail("They keep their deadlines. Return " INT64_FORMAT ": %s. %s",
						   market->first_id, market->message, market->detail),
				 errhint("Extend the calendar, then call returns.reschedule() again.")));
	}
}

/*
 * As is_later_now().  False, and noted for a warning, when the calendar of the
 * market is too short: the returns of other markets are rescheduled anyway.
 */
static bool
is_later_if_known(const OpenStage *stage, Reschedule *reschedule)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	volatile bool later = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		later = is_later_now(stage);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return later;
	if (error->sqlerrcode != ERRCODE_RT_RULE_REFUSED || stage->market == NULL)
		ReThrowError(error);
	note_short_market(reschedule, stage, error);
	return false;
}

static Jsonb *
event_details(TimestampTz before)
{
	char		instant[MAXDATELEN + 1];
	int			utc = 0;
	Json		json;

	JsonEncodeDateTime(instant, TimestampTzGetDatum(before), TIMESTAMPTZOID, &utc);
	json_begin(&json);
	json_text(&json, "due_at_before", instant);
	return json_end(&json);
}

static bool
find_stage_start(ReturnRow *row, StageStart *start)
{
	AsOwner		owner;
	bool		known;

	as_owner_begin(&owner);
	known = stage_start(ROW_VALUE(row, REQ_ORDER_REF), DatumGetInt64(ROW_VALUE(row, REQ_ID)),
						row->state, start);
	as_owner_end(&owner);
	return known;
}

static SavedColumn
column_save(ReturnRow *row, RequestColumn col)
{
	if (ROW_NULL(row, col))
		return (SavedColumn) {.isnull = true};
	return (SavedColumn) {.value = ROW_VALUE(row, col)};
}

static void
column_restore(ReturnRow *row, RequestColumn col, SavedColumn saved)
{
	if (saved.isnull)
		row_clear(row, col);
	else
		row_set(row, col, saved.value);
}

/*
 * Compute the deadline of the row again, from the start of its stage; false, and
 * nothing is changed, when it would not be later.  The state that follows the
 * deadline stays.  While the new deadline is in the past too, the sweep keeps
 * the time of its next try.
 */
static bool
move_deadline(ReturnRow *row, TimestampTz since)
{
	SavedColumn due_at = column_save(row, REQ_DUE_AT);
	SavedColumn wake_at = column_save(row, REQ_WAKE_AT);
	SavedColumn on_timeout = column_save(row, REQ_ON_TIMEOUT);
	bool		later;

	row->since = since;
	return_stage(row);
	later = !ROW_NULL(row, REQ_DUE_AT) &&
		DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT)) > DatumGetTimestampTz(due_at.value);
	column_restore(row, REQ_ON_TIMEOUT, on_timeout);
	if (!later)
		column_restore(row, REQ_DUE_AT, due_at);
	if (!later || DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT)) <= row->now)
		column_restore(row, REQ_WAKE_AT, wake_at);
	return later;
}

/* In the trigger of return_request: the row may have moved since it was read. */
static void
reschedule_work(ReturnRow *row, void *arg)
{
	Reschedule *reschedule = arg;
	TimestampTz before;
	StageStart	start;

	if (ROW_NULL(row, REQ_DUE_AT) || !find_stage_start(row, &start))
		return;
	before = DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT));
	if (!move_deadline(row, start.since))
		return;
	if (DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT)) > row->now)
	{
		row_set(row, REQ_OVERDUE, BoolGetDatum(false));
		row_set(row, REQ_FAILURES, Int32GetDatum(0));
	}
	row_set(row, REQ_UPDATED_AT, TimestampTzGetDatum(row->now));
	journal_append(row, EVENT_OVERRIDE, row->state, row->state, reschedule->actor, NULL,
				   event_details(before));
	reschedule->changed++;
}

/* Reschedule the next BATCH returns behind *after; false when there were fewer. */
static bool
reschedule_batch(int64 *after, Reschedule *reschedule)
{
	OpenStage  *stages = palloc(sizeof(OpenStage) * BATCH);
	int			n = read_stages(*after, stages);

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_later_if_known(&stages[i], reschedule))
			return_update_with(PointerGetDatum(stages[i].order_ref), stages[i].id,
							   reschedule_work, reschedule);
		*after = stages[i].id;
	}
	return n == BATCH;
}

/* Wait for the transactions that are writing returns; take no lock ourselves. */
static void
wait_for_writers(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, table_oid("return_request"));
	WaitForLockers(tag, ShareLock, false);
	AcceptInvalidationMessages();
	rules_current();
}

PG_FUNCTION_INFO_V1(returns_reschedule);

/* reschedule() → int */
Datum
returns_reschedule(PG_FUNCTION_ARGS)
{
	Reschedule	reschedule = {0};
	int64		after = PG_INT64_MIN;
	MemoryContext batch_context;
	AsOwner		owner;
	bool		more = true;

	rules_current();
	check_may_reschedule();
	wait_for_writers();
	reschedule.actor = actor_if_any();
	if (!actor_may(reschedule.actor, MAY_RESCHEDULE))
		reschedule.actor = actor_as_system();
	as_owner_begin(&owner);
	reschedule.context = CurrentMemoryContext;
	batch_context = AllocSetContextCreate(CurrentMemoryContext, "returns reschedule",
										  ALLOCSET_DEFAULT_SIZES);
	while (more)
	{
		MemoryContext old = MemoryContextSwitchTo(batch_context);

		more = reschedule_batch(&after, &reschedule);
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch_context);
	}
	as_owner_end(&owner);
	warn_short_markets(&reschedule);
	PG_RETURN_INT32(reschedule.changed);
}
