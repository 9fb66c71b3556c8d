/*-------------------------------------------------------------------------
 *
 * journal.c
 *		The history of a return: events chained by hash.
 *
 * The BEFORE ROW trigger of return_request appends an event, because the head
 * of the chain is stored in that row.  The event is kept in memory.  The AFTER
 * STATEMENT trigger writes all events of the statement with one multi-insert,
 * which costs half as much as one INSERT for each.  The events of a rolled-back
 * subtransaction are forgotten.
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

StaticAssertDecl(EV_NCOLUMNS <= STATEMENT_MAX_ARGS, "return_event has too many columns");

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

/* Events that are not written yet, in their order. */
static MemoryContext kept_context = NULL;
static Event *kept = NULL;
static int	nkept = 0;
static int	kept_capacity = 0;
static int	flush_depth = 0;	/* of nested flushes */
static int	flush_level = 0;	/* nest level of the outermost flush */

static void
forget_events(void)
{
	nkept = 0;
	kept = NULL;
	kept_capacity = 0;
	MemoryContextReset(kept_context);
}

static void
undo_events(int nest_level)
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
hand_events_up(int nest_level)
{
	for (int i = 0; i < nkept; i++)
		kept[i].nest_level = Min(kept[i].nest_level, nest_level - 1);
}

static void
check_events_written(void)
{
	if (nkept > 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("history of a return was not written"),
				 errdetail("The trigger zz_returns_request_flush did not fire."),
				 errhint("Enable the triggers of returns.return_request, or run CALL returns.setup().")));
}

static void
end_events(bool committed)
{
	flush_depth = 0;
	if (kept_capacity > 0)
		forget_events();
}

static const ScopeUser scope_user = {
	.undo = undo_events,.keep = hand_events_up,.before_commit = check_events_written,
	.end = end_events
};

void
journal_init(void)
{
	kept_context = AllocSetContextCreate(TopMemoryContext, "returns journal",
										 ALLOCSET_DEFAULT_SIZES);
	scope_register(&scope_user);
}

/*
 * A dump that is restored into another cluster brings events with transaction
 * ids of the old one, and the new cluster counts from the start.  So the first
 * writer in a cluster with another system identifier opens the next epoch.
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
 * The transaction id of the next event.  events_after() returns events in the
 * order of their transaction ids, so it must not be lower than the id of the
 * event before it: a transaction that began earlier can write to this return
 * later.  Such an event gets the id of the event before it.
 */
static uint64
event_xid(ReturnRow *row)
{
	uint64		own = U64FromFullTransactionId(GetTopFullTransactionId());
	uint64		last;

	if (ROW_NULL(row, REQ_LAST_XID))
		return own;
	last = U64FromFullTransactionId(DatumGetFullTransactionId(ROW_VALUE(row, REQ_LAST_XID)));
	/* an id that this cluster has not assigned yet is from an earlier epoch */
	if (likely(last <= own) || last >= U64FromFullTransactionId(ReadNextFullTransactionId()))
		return own;
	return last;
}

/* Set all fields but seq and hash, which row_advance_head() sets. */
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

/* The hash of the last event of the return; NULL when there is none. */
static const bytea *
row_head(const ReturnRow *row)
{
	return ROW_NULL(row, REQ_LAST_HASH) ? NULL :
		DatumGetByteaPP(ROW_VALUE(row, REQ_LAST_HASH));
}

/* Make the event the last one of the return: sets its seq and hash. */
static void
row_advance_head(ReturnRow *row, Event *event)
{
	event->seq = DatumGetInt32(ROW_VALUE(row, REQ_LAST_SEQ)) + 1;
	event_hash(event, row_head(row), event->hash);
	row_set(row, REQ_LAST_SEQ, Int32GetDatum(event->seq));
	row_set(row, REQ_LAST_XID,
			FullTransactionIdGetDatum(FullTransactionIdFromU64(event->xid)));
	row_set(row, REQ_LAST_HASH, PointerGetDatum(hash_to_bytea(event->hash)));
}

static void *
copy_varlena(const void *value)
{
	return value == NULL ? NULL :
		DatumGetPointer(datumCopy(PointerGetDatum(value), false, -1));
}

/* A word as a text value that lives as long as the backend. */
static Datum
permanent_text(const char *word)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	Datum		value = CStringGetTextDatum(word);

	MemoryContextSwitchTo(old);
	return value;
}

static Datum
event_kind_text(EventKind kind)
{
	static Datum texts[EVENT_COUNT];

	Assert(kind > EVENT_NONE && kind < EVENT_COUNT);
	if (unlikely(texts[kind] == 0))
		texts[kind] = permanent_text(event_kind_name(kind));
	return texts[kind];
}

static Datum
actor_kind_text(ActorKind kind)
{
	static Datum texts[ALL_ACTORS + 1];

	Assert(kind > ACTOR_NONE && kind <= ALL_ACTORS);
	if (unlikely(texts[kind] == 0))
		texts[kind] = permanent_text(actor_kind_name(kind));
	return texts[kind];
}

/* An event as a row of return_event. */
static void
event_values(int row, Datum *values, bool *isnull, void *arg)
{
	const Event *event = &((const Event *) arg)[row];

	values[EV_RETURN_ID] = Int64GetDatum(event->return_id);
	values[EV_XID] = FullTransactionIdGetDatum(FullTransactionIdFromU64(event->xid));
	values[EV_AT] = TimestampTzGetDatum(event->at);
	values[EV_SEQ] = Int32GetDatum(event->seq);
	values[EV_EPOCH] = Int32GetDatum(event->epoch);
	values[EV_ORDER_REF] = PointerGetDatum(event->order_ref);
	values[EV_KIND] = event_kind_text(event->kind);
	values[EV_FROM_STATE] = event->from ? PointerGetDatum(event->from->code_text) : (Datum) 0;
	values[EV_TO_STATE] = event->to ? PointerGetDatum(event->to->code_text) : (Datum) 0;
	values[EV_ACTOR] = event->actor == ACTOR_NONE ? (Datum) 0 : actor_kind_text(event->actor);
	values[EV_ACTOR_REF] = PointerGetDatum(event->actor_ref);
	values[EV_DB_ROLE] = NameGetDatum(&event->db_role);
	values[EV_HASH] = PointerGetDatum(hash_to_bytea(event->hash));
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
 * Write the events of the current subtransaction; those of others stay in
 * memory.  Writing may fire triggers of the user, which may move returns and so
 * flush again: only the outermost flush frees the memory.
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
		direct_insert(&event_table, nmine, event_values, events);
	flush_depth = depth;
	if (nkept == 0 && flush_depth == 0)
		forget_events();
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

	Assert(from != NULL && to != NULL);
	Assert((kind == EVENT_TRANSITION) == (from != to));
	event_fill(&event, row, kind, from, to, by, note, details);
	row_advance_head(row, &event);
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
	row_advance_head(row, &event);
}

void
journal_keep_first(ReturnRow *row, const State *state, const Actor *by,
				   const text *note, Jsonb *details)
{
	Event		event;
	const bytea *head = row_head(row);

	event_fill(&event, row, EVENT_TRANSITION, NULL, state, by, note, details);
	event.seq = 1;
	event_hash(&event, NULL, event.hash);
	if (head == NULL || VARSIZE_ANY_EXHDR(head) != PG_SHA256_DIGEST_LENGTH ||
		memcmp(VARDATA_ANY(head), event.hash, PG_SHA256_DIGEST_LENGTH) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("return " INT64_FORMAT " was changed after it had been checked",
						event.return_id),
				 errdetail("Another BEFORE trigger of returns.return_request fired after zz_returns_request."),
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
