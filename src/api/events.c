/*-------------------------------------------------------------------------
 *
 * events.c
 *		events_after(): the histories of all returns as one stream.
 *
 * Events are ordered by (epoch, xid, return_id, seq).  No event can be added
 * before the oldest running transaction (the xmin of a snapshot), because later
 * transactions have later xids.  So a reader that stops there misses nothing,
 * in whatever order the transactions commit.  Events of an earlier life of the
 * cluster are complete: their transaction ids mean nothing now, and their epoch
 * puts them before all events of this life.
 *
 * src/api/events.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "api/argument.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/xid8.h"

#define PAGE_ROWS 1000			/* read by one statement */

/* A place in the stream: of an event, or (horizon) before the first event of xid. */
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

/* Accepts only what position_text() writes. */
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
			 errdetail("A cursor is a value of the column cursor of returns.events_after()."),
			 errhint("Pass the cursor of the last event that was read, or NULL to start at the first event.")));
}

/* The place before which the stream is complete. */
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

/* The columns of the function after the cursor, in its order. */
#define EVENT_COLUMNS \
	"order_ref, return_id, seq, epoch, xid, at, actor, actor_ref, db_role, from_state," \
	" to_state, kind, note, details, due_at, hash"
enum
{
	EVENT_RETURN_ID = 2, EVENT_SEQ, EVENT_EPOCH, EVENT_XID, EVENT_NCOLUMNS = 16
};

/*
 * Read a page of events between two positions into the result; from becomes its
 * last event.  Returns the number of events.
 */
static uint64
read_page(Position *from, const Position *horizon, int max_rows, ReturnSetInfo *rsinfo)
{
	static Statement select_page = {
		"SELECT " EVENT_COLUMNS " FROM returns.return_event"
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
	ResultSet	page = statement_run_as_caller(&select_page, args, NULL);

	for (uint64 row = 0; row < page.nrows; row++)
	{
		Datum		values[EVENT_NCOLUMNS + 1];
		bool		isnull[EVENT_NCOLUMNS + 1];
		char	   *cursor;

		for (int c = 1; c <= EVENT_NCOLUMNS; c++)
			values[c] = result_value(page, row, c, &isnull[c]);
		from->epoch = DatumGetInt32(values[EVENT_EPOCH]);
		from->xid = U64FromFullTransactionId(DatumGetFullTransactionId(values[EVENT_XID]));
		from->return_id = DatumGetInt64(values[EVENT_RETURN_ID]);
		from->seq = DatumGetInt32(values[EVENT_SEQ]);
		cursor = position_text(from);
		values[0] = CStringGetTextDatum(cursor);
		isnull[0] = false;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
		pfree(DatumGetPointer(values[0]));
		pfree(cursor);
	}
	SPI_freetuptable(page.table);
	return page.nrows;
}

PG_FUNCTION_INFO_V1(returns_events_after);

/* events_after(cursor text, max_rows int) → setof (cursor, and the columns of an event) */
Datum
returns_events_after(PG_FUNCTION_ARGS)
{
	Position	from = {.epoch = PG_INT32_MIN};
	Position	horizon;
	int			left;

	argument_check_not_null(fcinfo, 1, "events_after", "max_rows");
	left = PG_GETARG_INT32(1);
	if (left < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must be positive, not %d", left),
				 errdetail("max_rows is the greatest number of events that the call returns."),
				 errhint("Pass 1 or more, for example returns.events_after(NULL, 1000).")));
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
