/*-------------------------------------------------------------------------
 *
 * journal.c
 *		The history of a return: events chained by hash.
 *
 * An event is made where it happens, in the BEFORE ROW trigger of the request,
 * because the head of the chain goes into that very row.  It is kept in memory
 * and written with its fellows of the same statement by the AFTER STATEMENT
 * trigger, in one multi-insert: half the cost of an INSERT for each.  What a
 * rolled-back subtransaction has kept is forgotten with it.
 *
 * src/records/history/journal.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "base/direct_insert.h"
#include "base/errors.h"
#include "base/scope.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "records/history/attested.h"
#include "records/history/journal.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#define KEEP_MAX 1000			/* events in memory before they are written */

/* return_event, in the order of sql/tables. */
typedef enum EventColumn
{
	EV_RETURN_ID, EV_XID, EV_AT, EV_SEQ, EV_EPOCH, EV_ORDER_REF, EV_KIND, EV_FROM_STATE,
	EV_TO_STATE, EV_ACTOR, EV_ACTOR_REF, EV_DB_ROLE, EV_HASH, EV_DUE_AT, EV_NOTE,
	EV_DETAILS, EV_NCOLUMNS
} EventColumn;

static const DirectColumn event_columns[EV_NCOLUMNS] = {
	[EV_RETURN_ID] = {"return_id", INT8OID, true},
	[EV_XID] = {"xid", XID8OID, true},
	[EV_AT] = {"at", TIMESTAMPTZOID, true},
	[EV_SEQ] = {"seq", INT4OID, true},
	[EV_EPOCH] = {"epoch", INT4OID, true},
	[EV_ORDER_REF] = {"order_ref", TEXTOID, true},
	[EV_KIND] = {"kind", TEXTOID, true},
	[EV_FROM_STATE] = {"from_state", TEXTOID, false},
	[EV_TO_STATE] = {"to_state", TEXTOID, false},
	[EV_ACTOR] = {"actor", TEXTOID, false},
	[EV_ACTOR_REF] = {"actor_ref", TEXTOID, false},
	[EV_DB_ROLE] = {"db_role", NAMEOID, true},
	[EV_HASH] = {"hash", BYTEAOID, true},
	[EV_DUE_AT] = {"due_at", TIMESTAMPTZOID, false},
	[EV_NOTE] = {"note", TEXTOID, false},
	[EV_DETAILS] = {"details", JSONBOID, false},
};

static DirectTable event_table = {
	.name = "return_event",
	.ncolumns = EV_NCOLUMNS,
	.columns = event_columns,
	.guard = "zz_returns_event",
};

static MemoryContext kept_context = NULL;
static Event *kept = NULL;
static int	nkept = 0;
static int	kept_capacity = 0;
static int	flush_depth = 0;
static int	flush_level = 0;		/* of transactions, that the outermost flush is in */

static void
forget_all(void)
{
	nkept = 0;
	kept = NULL;
	kept_capacity = 0;
	MemoryContextReset(kept_context);
}

static void
undo(int nest_level)
{
	int			left = 0;

	if (nest_level <= flush_level)
		flush_depth = 0;
	for (int i = 0; i < nkept; i++)
		if (kept[i].nest_level < nest_level)
			kept[left++] = kept[i];
	nkept = left;
}

static void
keep(int nest_level)
{
	for (int i = 0; i < nkept; i++)
		kept[i].nest_level = Min(kept[i].nest_level, nest_level - 1);
}

static void
before_commit(void)
{
	if (nkept > 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("history of a return was not written"),
				 errdetail("The trigger zz_returns_request_flush did not fire."),
				 errhint("Enable the triggers of returns.return_request, or run CALL returns.setup().")));
}

static void
end(bool committed)
{
	flush_depth = 0;
	if (kept_capacity > 0)
		forget_all();
}

static const ScopeUser scope_user = {
	.undo = undo,.keep = keep,.before_commit = before_commit,.end = end
};

void
journal_init(void)
{
	kept_context = AllocSetContextCreate(TopMemoryContext, "returns journal",
										 ALLOCSET_DEFAULT_SIZES);
	scope_register(&scope_user);
}

/*
 * Which life of the cluster this is.  Transaction ids start anew when a dump
 * is restored elsewhere, so the first writer there opens the next epoch.
 */
int
journal_epoch(void)
{
	static Statement open_epoch = {
		"UPDATE returns.installation SET epoch = epoch OPERATOR(pg_catalog.+) 1,"
		" system_identifier = $1 WHERE system_identifier OPERATOR(pg_catalog.<>) $1",
		1, {INT8OID}
	};
	static Statement read_epoch = {"SELECT epoch FROM returns.installation", 0};
	const Rules *rules = rules_current();
	uint64		identifier = GetSystemIdentifier();
	Datum		arg = Int64GetDatum((int64) identifier);
	AsOwner		owner;
	ResultSet	found;
	int			epoch;

	if (likely(rules->system_identifier == identifier))
		return rules->epoch;
	as_owner_begin(&owner);
	statement_run(&open_epoch, &arg, NULL);
	found = statement_run(&read_epoch, NULL, NULL);
	if (found.nrows != 1)
		error_not_set_up("The table returns.installation has no row.");
	epoch = result_int(found, 0, 1);
	as_owner_end(&owner);
	return epoch;
}

/*
 * The transaction of the event, for the order in which events_after() gives
 * them out: never an older one than that of the event before it.  Else a
 * transaction that began first and came second to this return would put its
 * event before that of the other.  A later transaction still has a later one.
 */
static uint64
event_xid(ReturnRow *row)
{
	uint64		own = U64FromFullTransactionId(GetTopFullTransactionId());
	uint64		last;

	if (ROW_NULL(row, REQ_LAST_XID))
		return own;
	last = U64FromFullTransactionId(DatumGetFullTransactionId(ROW_VALUE(row, REQ_LAST_XID)));
	/* one that is still to come here is of an earlier life of the cluster */
	if (likely(last <= own) || last >= U64FromFullTransactionId(ReadNextFullTransactionId()))
		return own;
	return last;
}

/* Lay the event out; seq and hash follow from the head in the row. */
static void
event_fill(Event *event, ReturnRow *row, EventKind kind, const State *from,
		   const State *to, const Actor *by, const text *note, Jsonb *details)
{
	event->kind = kind;
	event->return_id = DatumGetInt64(ROW_VALUE(row, REQ_ID));
	event->epoch = journal_epoch();
	event->xid = event_xid(row);
	event->at = row->now;
	event->has_due = !ROW_NULL(row, REQ_DUE_AT);
	event->due_at = event->has_due ? DatumGetTimestampTz(ROW_VALUE(row, REQ_DUE_AT)) : 0;
	event->actor = by->kind;
	event->db_role = by->db_role;
	event->from = from;
	event->to = to;
	event->order_ref = DatumGetTextPP(ROW_VALUE(row, REQ_ORDER_REF));
	event->actor_ref = by->ref_text;
	event->note = note;
	event->details = attested_details(row, details);
	event->nest_level = GetCurrentTransactionNestLevel();
}

static Datum
hash_bytea(const uint8 *hash)
{
	bytea	   *value = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	SET_VARSIZE(value, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	memcpy(VARDATA(value), hash, PG_SHA256_DIGEST_LENGTH);
	return PointerGetDatum(value);
}

/* Move the head of the chain in the row past the event. */
static void
row_advance(ReturnRow *row, Event *event)
{
	bytea	   *head = ROW_NULL(row, REQ_LAST_HASH) ? NULL :
		DatumGetByteaPP(ROW_VALUE(row, REQ_LAST_HASH));

	event->seq = DatumGetInt32(ROW_VALUE(row, REQ_LAST_SEQ)) + 1;
	event_hash(event, head ? (uint8 *) VARDATA_ANY(head) : (const uint8 *) "",
			   head ? VARSIZE_ANY_EXHDR(head) : 0, event->hash);
	row_set(row, REQ_LAST_SEQ, Int32GetDatum(event->seq));
	row_set(row, REQ_LAST_XID,
			FullTransactionIdGetDatum(FullTransactionIdFromU64(event->xid)));
	row_set(row, REQ_LAST_HASH, hash_bytea(event->hash));
}

static void *
copy_varlena(const void *value)
{
	return value == NULL ? NULL :
		DatumGetPointer(datumCopy(PointerGetDatum(value), false, -1));
}

/* The name of a code as a text value, made once: copies is where it is kept. */
static Datum
code_text(Datum *copies, int code, const char *name)
{
	if (copies[code] == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		copies[code] = CStringGetTextDatum(name);
		MemoryContextSwitchTo(old);
	}
	return copies[code];
}

/* An event as a row of return_event. */
static void
fill_event(int row, Datum *values, bool *isnull, void *arg)
{
	static Datum kind_texts[EVENT_OVERRIDE + 1];
	static Datum actor_texts[ACTOR_SYSTEM + 1];
	const Event *event = &((const Event *) arg)[row];

	values[EV_RETURN_ID] = Int64GetDatum(event->return_id);
	values[EV_XID] = FullTransactionIdGetDatum(FullTransactionIdFromU64(event->xid));
	values[EV_AT] = TimestampTzGetDatum(event->at);
	values[EV_SEQ] = Int32GetDatum(event->seq);
	values[EV_EPOCH] = Int32GetDatum(event->epoch);
	values[EV_ORDER_REF] = PointerGetDatum(event->order_ref);
	values[EV_KIND] = code_text(kind_texts, event->kind, event_kind_name(event->kind));
	values[EV_FROM_STATE] = event->from ? PointerGetDatum(event->from->code_text) : (Datum) 0;
	values[EV_TO_STATE] = event->to ? PointerGetDatum(event->to->code_text) : (Datum) 0;
	values[EV_ACTOR] = event->actor == ACTOR_NONE ? (Datum) 0 :
		code_text(actor_texts, event->actor, actor_kind_name(event->actor));
	values[EV_ACTOR_REF] = PointerGetDatum(event->actor_ref);
	values[EV_DB_ROLE] = NameGetDatum(&event->db_role);
	values[EV_HASH] = hash_bytea(event->hash);
	values[EV_DUE_AT] = TimestampTzGetDatum(event->due_at);
	values[EV_NOTE] = PointerGetDatum(event->note);
	values[EV_DETAILS] = PointerGetDatum(event->details);
	isnull[EV_FROM_STATE] = event->from == NULL;
	isnull[EV_TO_STATE] = event->to == NULL;
	isnull[EV_ACTOR] = event->actor == ACTOR_NONE;
	isnull[EV_ACTOR_REF] = event->actor_ref == NULL;
	isnull[EV_DUE_AT] = !event->has_due;
	isnull[EV_NOTE] = event->note == NULL;
	isnull[EV_DETAILS] = event->details == NULL;
}

/*
 * Write what the current subtransaction has kept; others keep theirs.  What is
 * written may fire triggers of the user, and they may move returns again:
 * only the outermost flush gives the memory back.
 */
static void
journal_flush(void)
{
	int			nest_level = GetCurrentTransactionNestLevel();
	int			left = 0;
	int			nmine = 0;
	int			depth = flush_depth;
	Event	   *events;

	if (nkept == 0)
		return;
	events = MemoryContextAlloc(kept_context, sizeof(Event) * nkept);
	for (int i = 0; i < nkept; i++)
	{
		if (kept[i].nest_level == nest_level)
			events[nmine++] = kept[i];
		else
			kept[left++] = kept[i];
	}
	nkept = left;
	if (depth == 0)
		flush_level = nest_level;
	flush_depth = depth + 1;
	if (nmine > 0)
		direct_insert(&event_table, nmine, fill_event, events);
	flush_depth = depth;
	if (nkept == 0 && flush_depth == 0)
		forget_all();
}

static void
event_keep(const Event *event)
{
	MemoryContext old;
	Event	   *copy;

	if (nkept >= KEEP_MAX)
		journal_flush();
	old = MemoryContextSwitchTo(kept_context);
	if (nkept >= kept_capacity)
	{
		int			capacity = kept_capacity == 0 ? 8 : kept_capacity * 4;

		kept = kept == NULL ? palloc(sizeof(Event) * capacity) :
			repalloc(kept, sizeof(Event) * capacity);
		kept_capacity = capacity;
	}
	copy = &kept[nkept];
	*copy = *event;
	copy->order_ref = copy_varlena(event->order_ref);
	copy->actor_ref = copy_varlena(event->actor_ref);
	copy->note = copy_varlena(event->note);
	copy->details = copy_varlena(event->details);
	nkept++;
	MemoryContextSwitchTo(old);
}

void
journal_append(ReturnRow *row, EventKind kind, const State *from, const State *to,
			   const Actor *by, const text *note, Jsonb *details)
{
	Event		event;

	event_fill(&event, row, kind, from, to, by, note, details);
	row_advance(row, &event);
	event_keep(&event);
}

void
journal_open(ReturnRow *row, const State *state, const Actor *by, const text *note,
			 Jsonb *details)
{
	Event		event;

	row_set(row, REQ_LAST_SEQ, Int32GetDatum(0));
	row_clear(row, REQ_LAST_XID);
	row_clear(row, REQ_LAST_HASH);
	event_fill(&event, row, EVENT_TRANSITION, NULL, state, by, note, details);
	row_advance(row, &event);
}

void
journal_keep_first(ReturnRow *row, const State *state, const Actor *by,
				   const text *note, Jsonb *details)
{
	Event		event;
	bytea	   *head = DatumGetByteaPP(ROW_VALUE(row, REQ_LAST_HASH));

	event_fill(&event, row, EVENT_TRANSITION, NULL, state, by, note, details);
	event.seq = 1;
	event_hash(&event, (const uint8 *) "", 0, event.hash);
	if (VARSIZE_ANY_EXHDR(head) != PG_SHA256_DIGEST_LENGTH ||
		memcmp(VARDATA_ANY(head), event.hash, PG_SHA256_DIGEST_LENGTH) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("return " INT64_FORMAT " was changed after it had been checked",
						event.return_id),
				 errdetail("Another BEFORE trigger of returns.return_request ran after zz_returns_request."),
				 errhint("Rename that trigger so that it sorts before zz_returns_request.")));
	event_keep(&event);
}

PG_FUNCTION_INFO_V1(returns_journal_flush);

Datum
returns_journal_flush(PG_FUNCTION_ARGS)
{
	trigger_check(fcinfo, "returns_journal_flush", NULL,
				  FIRES_AFTER | FIRES_FOR_STATEMENT);
	journal_flush();
	return PointerGetDatum(NULL);
}
