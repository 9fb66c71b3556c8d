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
#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "records/history/attested.h"
#include "records/history/journal.h"
#include "records/history/journal_write.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#define KEEP_MAX 1000			/* events in memory before they are written */

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
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (nkept > 0)
				ereport(ERROR,
						(errcode(ERRCODE_RT_PROTECTED),
						 errmsg("history of a return was not written"),
						 errdetail("The trigger zz_returns_request_flush did not fire."),
						 errhint("Enable the triggers of returns.return_request, or run CALL returns.setup().")));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_ABORT:
			flush_depth = 0;
			if (kept_capacity > 0)
				forget_all();
			break;
		default:
			break;
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent,
				 void *arg)
{
	int			left = 0;

	if (event == SUBXACT_EVENT_ABORT_SUB && GetCurrentTransactionNestLevel() <= flush_level)
		flush_depth = 0;
	if (nkept == 0)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (int i = 0; i < nkept; i++)
			if (kept[i].subxact == mine)
				kept[i].subxact = parent;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		for (int i = 0; i < nkept; i++)
			if (kept[i].subxact != mine)
				kept[left++] = kept[i];
		nkept = left;
	}
}

void
journal_init(void)
{
	kept_context = AllocSetContextCreate(TopMemoryContext, "returns journal",
										 ALLOCSET_DEFAULT_SIZES);
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

/*
 * Which life of the cluster this is.  Transaction ids start anew when a dump
 * is restored elsewhere, so the first writer there opens the next epoch.
 */
int
journal_epoch(void)
{
	static KeptPlan open_epoch = {
		"UPDATE returns.installation SET epoch = epoch OPERATOR(pg_catalog.+) 1,"
		" system_identifier = $1 WHERE system_identifier OPERATOR(pg_catalog.<>) $1",
		1, {INT8OID}
	};
	static KeptPlan read_epoch = {"SELECT epoch FROM returns.installation", 0};
	const Rules *rules = rules_current();
	uint64		identifier = GetSystemIdentifier();
	Datum		arg = Int64GetDatum((int64) identifier);
	OwnState	own;
	bool		isnull;
	int			epoch;

	if (likely(rules->system_identifier == identifier))
		return rules->epoch;
	own_begin(&own);
	plan_run(&open_epoch, &arg, NULL);
	if (plan_run(&read_epoch, NULL, NULL) != 1)
		error_not_set_up("The table returns.installation has no row.");
	epoch = DatumGetInt32(plan_value(0, 1, &isnull));
	own_end(&own);
	return epoch;
}

/*
 * The transaction of the event, for the order in which events_after() gives
 * them out: never an older one than that of the event before it.  Else a
 * transaction that began first and came second to this return would put its
 * event before that of the other.  A later transaction still has a later one.
 */
static uint64
event_xid(ReturnBook *book)
{
	uint64		own = U64FromFullTransactionId(GetTopFullTransactionId());
	uint64		last;

	if (BOOK_NULL(book, REQ_LAST_XID))
		return own;
	last = U64FromFullTransactionId(DatumGetFullTransactionId(BOOK_VALUE(book, REQ_LAST_XID)));
	/* one that is still to come here is of an earlier life of the cluster */
	if (likely(last <= own) || last >= U64FromFullTransactionId(ReadNextFullTransactionId()))
		return own;
	return last;
}

/* Lay the event out; seq and hash follow from the head in the book. */
static void
event_fill(Event *event, ReturnBook *book, EventKind kind, const State *from,
		   const State *to, const Actor *by, const text *note, Jsonb *details)
{
	event->kind = kind;
	event->return_id = DatumGetInt64(BOOK_VALUE(book, REQ_ID));
	event->epoch = journal_epoch();
	event->xid = event_xid(book);
	event->at = book->now;
	event->has_due = !BOOK_NULL(book, REQ_DUE_AT);
	event->due_at = event->has_due ? DatumGetTimestampTz(BOOK_VALUE(book, REQ_DUE_AT)) : 0;
	event->actor = by->kind;
	event->db_role = by->db_role;
	event->from = from;
	event->to = to;
	event->order_ref = DatumGetTextPP(BOOK_VALUE(book, REQ_ORDER_REF));
	event->actor_ref = by->ref_text;
	event->note = note;
	event->details = booked_details(book, details);
	event->subxact = GetCurrentSubTransactionId();
}

/* Move the head of the chain in the book past the event. */
static void
book_advance(ReturnBook *book, Event *event)
{
	bytea	   *head = BOOK_NULL(book, REQ_LAST_HASH) ? NULL :
		DatumGetByteaPP(BOOK_VALUE(book, REQ_LAST_HASH));
	bytea	   *hash = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	event->seq = DatumGetInt32(BOOK_VALUE(book, REQ_LAST_SEQ)) + 1;
	event_hash(event, head ? (uint8 *) VARDATA_ANY(head) : (const uint8 *) "",
			   head ? VARSIZE_ANY_EXHDR(head) : 0, event->hash);
	SET_VARSIZE(hash, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	memcpy(VARDATA(hash), event->hash, PG_SHA256_DIGEST_LENGTH);
	book_set(book, REQ_LAST_SEQ, Int32GetDatum(event->seq));
	book_set(book, REQ_LAST_XID,
			 FullTransactionIdGetDatum(FullTransactionIdFromU64(event->xid)));
	book_set(book, REQ_LAST_HASH, PointerGetDatum(hash));
}

static void *
keep_varlena(const void *value)
{
	Size		size;
	void	   *copy;

	if (value == NULL)
		return NULL;
	size = VARSIZE_ANY(value);
	copy = palloc(size);
	memcpy(copy, value, size);
	return copy;
}

/*
 * Write what the current subtransaction has kept; others keep theirs.  What is
 * written may fire triggers of the user, and they may move returns again:
 * only the outermost flush gives the memory back.
 */
static void
journal_flush(void)
{
	SubTransactionId mine = GetCurrentSubTransactionId();
	int			left = 0;
	int			nmine = 0;
	int			depth = flush_depth;
	Event	   *events;

	if (nkept == 0)
		return;
	events = MemoryContextAlloc(kept_context, sizeof(Event) * nkept);
	for (int i = 0; i < nkept; i++)
	{
		if (kept[i].subxact == mine)
			events[nmine++] = kept[i];
		else
			kept[left++] = kept[i];
	}
	nkept = left;
	if (depth == 0)
		flush_level = GetCurrentTransactionNestLevel();
	flush_depth = depth + 1;
	if (nmine > 0)
		journal_write(events, nmine);
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
	copy->order_ref = keep_varlena(event->order_ref);
	copy->actor_ref = keep_varlena(event->actor_ref);
	copy->note = keep_varlena(event->note);
	copy->details = keep_varlena(event->details);
	nkept++;
	MemoryContextSwitchTo(old);
}

void
journal_append(ReturnBook *book, EventKind kind, const State *from, const State *to,
			   const Actor *by, const text *note, Jsonb *details)
{
	Event		event;

	event_fill(&event, book, kind, from, to, by, note, details);
	book_advance(book, &event);
	event_keep(&event);
}

void
journal_open(ReturnBook *book, const State *state, const Actor *by, const text *note,
			 Jsonb *details)
{
	Event		event;

	book_set(book, REQ_LAST_SEQ, Int32GetDatum(0));
	book_clear(book, REQ_LAST_XID);
	book_clear(book, REQ_LAST_HASH);
	event_fill(&event, book, EVENT_TRANSITION, NULL, state, by, note, details);
	book_advance(book, &event);
}

void
journal_keep_first(ReturnBook *book, const State *state, const Actor *by,
				   const text *note, Jsonb *details)
{
	Event		event;
	bytea	   *head = DatumGetByteaPP(BOOK_VALUE(book, REQ_LAST_HASH));

	event_fill(&event, book, EVENT_TRANSITION, NULL, state, by, note, details);
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
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"returns_journal_flush")));
	journal_flush();
	return PointerGetDatum(NULL);
}
