/*-------------------------------------------------------------------------
 *
 * reschedule.c
 *		reschedule(): open deadlines anew, after a calendar has changed.
 *
 * Every open stage is counted again from where it began, by the rules as they
 * are now.  What was promised stands: a deadline only ever moves to a later
 * instant, and what follows it stays the same.  Lines keep the end of the
 * window that they were requested in.
 *
 * Returns whose deadline would not move are read only.  The others are updated
 * one by one in order of their numbers, and what is decided then is decided on
 * the row as it is then.  A transaction that is writing returns when we come
 * may still count by the old calendar, so we first wait for it to end; those
 * that begin after us count by the new one.
 *
 * src/time/reschedule.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
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
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/inval.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#define BATCH 1000

/* An open deadline, as it was read. */
typedef struct OpenStage
{
	int64		id;
	Datum		order_ref;
	const State *state;			/* NULL: unknown */
	const Market *market;		/* NULL: none */
	Resolution	resolution;
	int			ncategories;
	const Category **categories;
	TimestampTz due_at;
} OpenStage;

/* A market whose calendar is too short for some of its returns. */
typedef struct ShortMarket
{
	char	   *code;
	int64		first_id;		/* of its returns that were left as they are */
	int			n;
	char	   *message;		/* what was wrong with the first */
	char	   *detail;
} ShortMarket;

/* Of one call, its triggers included. */
typedef struct Reschedule
{
	const Actor *actor;
	int			changed;
	MemoryContext context;
	List	   *short_markets;	/* of ShortMarket, in context */
} Reschedule;

static void
check_rights(void)
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
				 errdetail("The owner of the tables, \"%s\", may, and every operator.",
						   GetUserNameFromId(owner, false)),
				 errhint("Act as an operator: SET returns.actor = 'operator:...'.")));
}

static void
stage_categories(OpenStage *stage, Datum value)
{
	Datum	   *codes;
	bool	   *nulls;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &codes, &nulls, &stage->ncategories);
	stage->categories = palloc(sizeof(Category *) * (stage->ncategories + 1));
	for (int i = 0; i < stage->ncategories; i++)
		stage->categories[i] = category_get(TextDatumGetCString(codes[i]));
}

/* The next open deadlines behind a number; how many. */
static int
read_stages(int64 after, OpenStage *stages)
{
	static KeptPlan read = {
		"SELECT id, order_ref, status, market, resolution, categories, due_at"
		" FROM returns.return_request WHERE id OPERATOR(pg_catalog.>) $1"
		" AND due_at IS NOT NULL ORDER BY id LIMIT " CppAsString2(BATCH),
		1, {INT8OID}
	};
	Datum		arg = Int64GetDatum(after);
	int			n = plan_run(&read, &arg, NULL);

	for (int i = 0; i < n; i++)
	{
		OpenStage  *stage = &stages[i];
		char	   *status;
		bool		isnull;
		Datum		value;

		memset(stage, 0, sizeof(OpenStage));
		stage->id = DatumGetInt64(plan_value(i, 1, &isnull));
		stage->order_ref = PointerGetDatum(DatumGetTextPCopy(plan_value(i, 2, &isnull)));
		status = TextDatumGetCString(plan_value(i, 3, &isnull));
		stage->state = state_find(MACHINE_RETURN, status, strlen(status));
		value = plan_value(i, 4, &isnull);
		stage->market = isnull ? NULL : market_get(TextDatumGetCString(value));
		stage->resolution = resolution_parse(TextDatumGetCString(plan_value(i, 5, &isnull)));
		value = plan_value(i, 6, &isnull);
		if (!isnull)
			stage_categories(stage, value);
		stage->due_at = DatumGetTimestampTz(plan_value(i, 7, &isnull));
	}
	return n;
}

/* Would its deadline be later if it were computed now? */
static bool
is_later_now(const OpenStage *stage)
{
	StageStart	start;
	TimestampTz due_at;
	TimestampTz remind_at;

	return stage->state != NULL &&
		stage_start(stage->order_ref, stage->id, stage->state, &start) &&
		stage_rule_find(stage->state, stage->market, stage->resolution, stage->categories,
						stage->ncategories, start.since, &due_at, &remind_at) != NULL &&
		due_at > stage->due_at;
}

/* The return keeps its deadline, which is told at the end. */
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

/* As is_later_now(); a calendar that is too short does not hold up other markets. */
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
	char		text[MAXDATELEN + 1];
	int			utc = 0;
	JsonbParseState *state = NULL;
	JsonbValue	key = {.type = jbvString};
	JsonbValue	value = {.type = jbvString};

	JsonEncodeDateTime(text, TimestampTzGetDatum(before), TIMESTAMPTZOID, &utc);
	key.val.string.val = "due_at_before";
	key.val.string.len = strlen("due_at_before");
	value.val.string.val = text;
	value.val.string.len = strlen(text);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&state, WJB_KEY, &key);
	pushJsonbValue(&state, WJB_VALUE, &value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* In the trigger: the row is locked and may have moved since it was read. */
static void
reschedule_work(ReturnRow *row, void *arg)
{
	static const RequestColumn kept[] = {REQ_DUE_AT, REQ_WAKE_AT, REQ_ON_TIMEOUT};
	Reschedule *reschedule = arg;
	Datum		values[lengthof(kept)];
	bool		isnull[lengthof(kept)];
	TimestampTz before;
	StageStart	start;
	OwnState	own;
	bool		known;
	bool		later;
	bool		still_over;

	if (ROW_NULL(row, REQ_DUE_AT))
		return;
	own_begin(&own);
	known = stage_start(ROW_VALUE(row, REQ_ORDER_REF), DatumGetInt64(ROW_VALUE(row, REQ_ID)),
						row->state, &start);
	own_end(&own);
	if (!known)
		return;
	for (int i = 0; i < lengthof(kept); i++)
	{
		isnull[i] = ROW_NULL(row, kept[i]);
		values[i] = isnull[i] ? (Datum) 0 : ROW_VALUE(row, kept[i]);
	}
	before = DatumGetTimestampTz(values[0]);
	row->since = start.since;
	return_stage(row);
	later = !ROW_NULL(row, REQ_DUE_AT) &&
		DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT)) > before;
	still_over = later && DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT)) <= row->now;
	/* what follows was promised too; and what has been marked or put off stays so */
	for (int i = later ? (still_over ? 1 : 2) : 0; i < lengthof(kept); i++)
		if (isnull[i])
			row_clear(row, kept[i]);
		else
			row_set(row, kept[i], values[i]);
	if (!later)
		return;
	if (!still_over)
	{
		row_set(row, REQ_OVERDUE, BoolGetDatum(false));
		row_set(row, REQ_FAILURES, Int32GetDatum(0));
	}
	row_set(row, REQ_UPDATED_AT, TimestampTzGetDatum(row->now));
	journal_append(row, EVENT_OVERRIDE, row->state, row->state, reschedule->actor, NULL,
				   event_details(before));
	reschedule->changed++;
}

/* One batch behind a number; false at the end. */
static bool
reschedule_batch(int64 *after, Reschedule *reschedule)
{
	OpenStage  *stages = palloc(sizeof(OpenStage) * BATCH);
	int			n = read_stages(*after, stages);

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_later_if_known(&stages[i], reschedule))
			return_update_with(stages[i].order_ref, stages[i].id, reschedule_work, reschedule);
		*after = stages[i].id;
	}
	return n == BATCH;
}

/* Nobody new has to wait. */
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
	OwnState	own;
	bool		more = true;

	rules_current();
	check_rights();
	wait_for_writers();
	reschedule.actor = actor_if_any();
	if (!actor_may(reschedule.actor, MAY_RESCHEDULE))
		reschedule.actor = actor_as_system();
	own_begin(&own);
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
	own_end(&own);
	warn_short_markets(&reschedule);
	PG_RETURN_INT32(reschedule.changed);
}
