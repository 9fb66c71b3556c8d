/*-------------------------------------------------------------------------
 *
 * sweep_scan.c
 *		Find and lock due returns by a scan of the index on (wake_at, id).
 *
 * The scan is written here, because a query with SKIP LOCKED does not report
 * two things that a sweep needs: which rows were skipped, so that a later pass
 * returns to them, and how many dead entries the scan has met.
 *
 * src/time/sweep_scan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/as_owner.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "records/row.h"
#include "rules/session.h"
#include "time/sweep.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define FIRST_CAPACITY 64

/* Does the index have an entry for each row whose column is not null? */
static bool
index_covers_not_null(Relation index, AttrNumber attno)
{
	List	   *predicate = RelationGetIndexPredicate(index);
	NullTest   *test;

	if (predicate == NIL)
		return true;
	test = linitial(predicate);
	return list_length(predicate) == 1 && IsA(test, NullTest) &&
		test->nulltesttype == IS_NOT_NULL && IsA(test->arg, Var) &&
		((Var *) test->arg)->varattno == attno;
}

static bool
is_wake_index(Relation index, const AttrNumber *attno)
{
	Form_pg_index form = index->rd_index;

	return form->indisvalid && index->rd_rel->relam == BTREE_AM_OID &&
		form->indnkeyatts == 2 && form->indkey.values[0] == attno[REQ_WAKE_AT] &&
		form->indkey.values[1] == attno[REQ_ID] &&
		(index->rd_indoption[0] & INDOPTION_DESC) == 0 &&
		(index->rd_indoption[1] & INDOPTION_DESC) == 0 &&
		index_covers_not_null(index, attno[REQ_WAKE_AT]);
}

static Relation
wake_index_open(Relation rel, const AttrNumber *attno)
{
	List	   *oids = RelationGetIndexList(rel);
	ListCell   *cell;

	foreach(cell, oids)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (is_wake_index(index, attno))
		{
			list_free(oids);
			return index;
		}
		index_close(index, AccessShareLock);
	}
	error_not_set_up("The table returns.return_request has no index on (wake_at, id).");
}

/*
 * wake_at <= now AND (wake_at, id) > (after->wake_at, after->id): two keys, and
 * the two members of the row comparison.
 */
static void
scan_keys_init(ScanKey keys, ScanKey members, TimestampTz now, const SweepPosition *after)
{
	ScanKeyInit(&keys[0], 1, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
				TimestampTzGetDatum(now));
	ScanKeyEntryInitialize(&members[0], SK_ROW_MEMBER, 1, BTGreaterStrategyNumber, InvalidOid,
						   InvalidOid, F_TIMESTAMPTZ_CMP, TimestampTzGetDatum(after->wake_at));
	ScanKeyEntryInitialize(&members[1], SK_ROW_MEMBER | SK_ROW_END, 2, BTGreaterStrategyNumber,
						   InvalidOid, InvalidOid, F_BTINT8CMP, Int64GetDatum(after->id));
	memset(&keys[1], 0, sizeof(ScanKeyData));
	keys[1].sk_flags = SK_ROW_HEADER;
	keys[1].sk_attno = 1;
	keys[1].sk_strategy = BTGreaterStrategyNumber;
	keys[1].sk_argument = PointerGetDatum(members);
}

static SweepPosition
row_position(TupleTableSlot *slot, const AttrNumber *attno)
{
	bool		isnull;			/* neither is: entries have wake_at <= now */

	return (SweepPosition) {
		.wake_at = DatumGetTimestampTz(slot_getattr(slot, attno[REQ_WAKE_AT], &isnull)),
		.id = DatumGetInt64(slot_getattr(slot, attno[REQ_ID], &isnull)),
	};
}

static bool
is_due(TupleTableSlot *slot, AttrNumber column, TimestampTz now)
{
	bool		isnull;
	Datum		at = slot_getattr(slot, column, &isnull);

	return !isnull && DatumGetTimestampTz(at) <= now;
}

/* Does the row move to on_timeout now? */
static bool
is_move_due(TupleTableSlot *slot, const AttrNumber *attno, TimestampTz now)
{
	bool		isnull;
	Datum		target = slot_getattr(slot, attno[REQ_ON_TIMEOUT], &isnull);
	Datum		status;

	if (isnull || !is_due(slot, attno[REQ_DUE_AT], now))
		return false;
	status = slot_getattr(slot, attno[REQ_STATUS], &isnull);
	return !DatumGetBool(DirectFunctionCall2Coll(texteq, DEFAULT_COLLATION_OID, target, status));
}

/*
 * Lock the row that the scan has found.  If it was updated since, its latest
 * version is locked instead, returned in latest, and *changed is true.  Under
 * REPEATABLE READ the result is TM_Updated then.
 */
static TM_Result
lock_row(IndexScanDesc scan, TupleTableSlot *seen, TupleTableSlot *latest, bool *changed)
{
	TM_FailureData failure;
	ItemPointerData tid = seen->tts_tid;
	TM_Result	result;

	result = table_tuple_lock(scan->heapRelation, &tid, scan->xs_snapshot, latest,
							  GetCurrentCommandId(true), LockTupleNoKeyExclusive, LockWaitSkip,
							  IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION,
							  &failure);
	*changed = result == TM_Ok && failure.traversed;
	return result;
}

/* Add a row that is locked now, unless its latest version is not due. */
static void
due_rows_add(TupleTableSlot *row, SweepPosition position, const AttrNumber *attno,
			 TimestampTz now, DueRows *due)
{
	bool		isnull;
	Datum		order_ref;

	if (!is_due(row, attno[REQ_WAKE_AT], now))
		return;
	Assert(due->n == 0 || due->rows[due->n - 1].position.wake_at <= position.wake_at);
	if (due->n >= due->capacity)
	{
		due->capacity *= 4;
		due->rows = repalloc(due->rows, sizeof(DueRow) * due->capacity);
	}
	due->rows[due->n++] = (DueRow) {
		.tid = row->tts_tid, .position = position, .moves = is_move_due(row, attno, now),
	};
	if (due->max_rows > 1)
		return;
	order_ref = slot_getattr(row, attno[REQ_ORDER_REF], &isnull);
	due->order_ref = isnull ? NULL : DatumGetTextPCopy(order_ref);
}

static void
lock_due_rows(IndexScanDesc scan, const AttrNumber *attno, TimestampTz now, DueRows *due)
{
	TupleTableSlot *seen = table_slot_create(scan->heapRelation, NULL);
	TupleTableSlot *latest = table_slot_create(scan->heapRelation, NULL);

	while (due->n < due->max_rows && index_getnext_tid(scan, ForwardScanDirection) != NULL)
	{
		SweepPosition position;
		TM_Result	result;
		bool		changed;

		CHECK_FOR_INTERRUPTS();
		if (!index_fetch_heap(scan, seen))
		{
			due->dead++;
			continue;
		}
		position = row_position(seen, attno);
		result = lock_row(scan, seen, latest, &changed);
		if (result == TM_Ok)
			due_rows_add(changed ? latest : seen, position, attno, now, due);
		else if ((result == TM_WouldBlock || result == TM_Updated) && due->held++ == 0)
			due->first_held = position;
	}
	ExecDropSingleTupleTableSlot(seen);
	ExecDropSingleTupleTableSlot(latest);
}

void
sweep_lock_due(const SweepPosition *after, int max_rows, DueRows *due)
{
	Relation	rel = table_open(table_oid("return_request"), RowExclusiveLock);
	const AttrNumber *attno = request_columns(rel);
	Relation	index = wake_index_open(rel, attno);
	TimestampTz now = clock_now();
	ScanKeyData keys[2];
	ScanKeyData members[2];
	Snapshot	snapshot;
	IndexScanDesc scan;

	Assert(max_rows > 0);
	*due = (DueRows) {.max_rows = max_rows, .capacity = FIRST_CAPACITY};
	due->rows = palloc(sizeof(DueRow) * due->capacity);
	scan_keys_init(keys, members, now, after);
	/* the snapshot must see the writes of this transaction */
	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = index_beginscan_compat(rel, index, snapshot, lengthof(keys), 0);
	index_rescan(scan, keys, lengthof(keys), NULL, 0);
	lock_due_rows(scan, attno, now, due);
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(rel, NoLock);
}
