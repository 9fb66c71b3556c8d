/*-------------------------------------------------------------------------
 *
 * events.c
 *		events_after(): the histories of all returns as one stream.
 *
 * Events are ordered by (epoch, xid, return_id, seq).  Below the oldest
 * transaction that still runs (the xmin of a snapshot) nothing can be added:
 * who writes later has a later xid.  So a reader who stops there misses
 * nothing, in whatever order the writers commit.  What was written in an
 * earlier life of the cluster is complete as it is: its transaction ids say
 * nothing here, and its epoch puts it before all that is written now.
 *
 * src/api/events.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/compat.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/xid8.h"

#define PAGE_ROWS 1000			/* read at once */

/* A place in the stream: that of an event, or (horizon) before the events of xid. */
typedef struct Position
{
	int			epoch;
	uint64		xid;
	int64		return_id;
	int			seq;
} Position;

static char *
position_text(const Position *position)
{
	return psprintf("%d.%llu.%lld.%d", position->epoch, (unsigned long long) position->xid,
					(long long) position->return_id, position->seq);
}

/* Only what position_text() writes. */
static void
position_parse(const char *cursor, Position *position)
{
	unsigned long long xid;
	long long	return_id;

	if (sscanf(cursor, "%d.%llu.%lld.%d", &position->epoch, &xid, &return_id,
			   &position->seq) == 4)
	{
		position->xid = xid;
		position->return_id = return_id;
		if (strcmp(cursor, position_text(position)) == 0)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid cursor \"%s\"", cursor),
			 errdetail("A cursor is what returns.events_after() gave with an event."),
			 errhint("Pass NULL to start at the beginning.")));
}

/* Up to where the stream is complete. */
static Position
events_horizon(void)
{
	const Rules *rules = rules_current();
	Datum		snapshot;

	if (rules->system_identifier != GetSystemIdentifier())
		return (Position) {.epoch = rules->epoch + 1};
	snapshot = DirectFunctionCall1(pg_current_snapshot, (Datum) 0);
	return (Position) {
		.epoch = rules->epoch,
		.xid = U64FromFullTransactionId(
			DatumGetFullTransactionId(DirectFunctionCall1(pg_snapshot_xmin, snapshot)))
	};
}

/* In the order of the function's columns, which are those after the cursor. */
#define COLUMNS \
	"order_ref, return_id, seq, epoch, xid, at, actor, actor_ref, db_role, from_state," \
	" to_state, kind, note, details, due_at, hash"
enum
{
	COL_RETURN_ID = 2, COL_SEQ, COL_EPOCH, COL_XID, COL_COUNT = 16
};

/* Read a page between two positions; returns its rows and where it ends. */
static uint64
read_page(Position *from, const Position *horizon, int max_rows, ReturnSetInfo *rsinfo)
{
	static KeptPlan page = {
		"SELECT " COLUMNS " FROM returns.return_event"
		" WHERE ROW(epoch, xid, return_id, seq) OPERATOR(pg_catalog.>) ROW($1, $2, $3, $4)"
		" AND ROW(epoch, xid) OPERATOR(pg_catalog.<) ROW($5, $6)"
		" ORDER BY epoch, xid, return_id, seq LIMIT $7",
		7, {INT4OID, XID8OID, INT8OID, INT4OID, INT4OID, XID8OID, INT8OID}
	};
	Datum		args[7] = {Int32GetDatum(from->epoch),
		FullTransactionIdGetDatum(FullTransactionIdFromU64(from->xid)),
		Int64GetDatum(from->return_id), Int32GetDatum(from->seq), Int32GetDatum(horizon->epoch),
		FullTransactionIdGetDatum(FullTransactionIdFromU64(horizon->xid)),
	Int64GetDatum(max_rows)};
	uint64		n = plan_run_as_caller(&page, args, NULL);

	for (uint64 row = 0; row < n; row++)
	{
		Datum		values[COL_COUNT + 1];
		bool		isnull[COL_COUNT + 1];
		char	   *cursor;

		for (int c = 1; c <= COL_COUNT; c++)
			values[c] = plan_value(row, c, &isnull[c]);
		from->epoch = DatumGetInt32(values[COL_EPOCH]);
		from->xid = U64FromFullTransactionId(DatumGetFullTransactionId(values[COL_XID]));
		from->return_id = DatumGetInt64(values[COL_RETURN_ID]);
		from->seq = DatumGetInt32(values[COL_SEQ]);
		cursor = position_text(from);
		values[0] = CStringGetTextDatum(cursor);
		isnull[0] = false;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
		pfree(DatumGetPointer(values[0]));
		pfree(cursor);
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

PG_FUNCTION_INFO_V1(returns_events_after);

/* events_after(cursor text, max_rows int) → cursor, and the event */
Datum
returns_events_after(PG_FUNCTION_ARGS)
{
	Position	from = {.epoch = PG_INT32_MIN};
	Position	horizon;
	int			left;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("max_rows must not be null")));
	left = PG_GETARG_INT32(1);
	if (left < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must be positive, not %d", left)));
	if (!PG_ARGISNULL(0))
		position_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), &from);

	horizon = events_horizon();
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	while (left > 0)
	{
		int			wanted = Min(left, PAGE_ROWS);
		int			got;

		CHECK_FOR_INTERRUPTS();
		got = read_page(&from, &horizon, wanted, (ReturnSetInfo *) fcinfo->resultinfo);
		if (got < wanted)
			break;
		left -= got;
	}
	SPI_finish();
	return (Datum) 0;
}
