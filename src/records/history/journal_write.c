/*-------------------------------------------------------------------------
 *
 * journal_write.c
 *		How events get into returns.return_event.
 *
 * Straight into the heap and its indexes, many at a time, as COPY does: no
 * plan, no per-row trigger, no foreign key.  None is missed: every value is
 * our own, and the row lock on the request proves that it exists.  Where the
 * user has added to the table (columns, triggers, constraints), plain INSERTs
 * are made instead, so that what was added takes effect.
 *
 * src/records/history/journal_write.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "records/history/journal_write.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#define WRITE_BATCH 100			/* tuples of one multi-insert */

/* In the order that sql/tables lays them out. */
typedef enum EventColumn
{
	EV_RETURN_ID, EV_XID, EV_AT, EV_SEQ, EV_EPOCH, EV_ORDER_REF, EV_KIND, EV_FROM_STATE,
	EV_TO_STATE, EV_ACTOR, EV_ACTOR_REF, EV_DB_ROLE, EV_HASH, EV_DUE_AT, EV_NOTE,
	EV_DETAILS, EV_NCOLUMNS
} EventColumn;

static const char *const column_names[EV_NCOLUMNS] = {
	"return_id", "xid", "at", "seq", "epoch", "order_ref", "kind", "from_state",
	"to_state", "actor", "actor_ref", "db_role", "hash", "due_at", "note", "details"
};

/* Codes as text values, made once. */
static Datum kind_texts[EVENT_OVERRIDE + 1];
static Datum actor_texts[ACTOR_SYSTEM + 1];

static Datum
kind_text(EventKind kind)
{
	if (kind_texts[kind] == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		kind_texts[kind] = CStringGetTextDatum(event_kind_name(kind));
		MemoryContextSwitchTo(old);
	}
	return kind_texts[kind];
}

static Datum
actor_text(ActorKind kind)
{
	if (actor_texts[kind] == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		actor_texts[kind] = CStringGetTextDatum(actor_kind_name(kind));
		MemoryContextSwitchTo(old);
	}
	return actor_texts[kind];
}

/* hash: room for the value, which must live as long as the row is used. */
static void
event_values(const Event *event, bytea *hash, Datum *values, bool *isnull)
{
	SET_VARSIZE(hash, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	memcpy(VARDATA(hash), event->hash, PG_SHA256_DIGEST_LENGTH);

	values[EV_RETURN_ID] = Int64GetDatum(event->return_id);
	values[EV_XID] = FullTransactionIdGetDatum(FullTransactionIdFromU64(event->xid));
	values[EV_AT] = TimestampTzGetDatum(event->at);
	values[EV_SEQ] = Int32GetDatum(event->seq);
	values[EV_EPOCH] = Int32GetDatum(event->epoch);
	values[EV_ORDER_REF] = PointerGetDatum(event->order_ref);
	values[EV_KIND] = kind_text(event->kind);
	values[EV_FROM_STATE] = event->from ? PointerGetDatum(event->from->code_text) : (Datum) 0;
	values[EV_TO_STATE] = event->to ? PointerGetDatum(event->to->code_text) : (Datum) 0;
	values[EV_ACTOR] = event->actor == ACTOR_NONE ? (Datum) 0 : actor_text(event->actor);
	values[EV_ACTOR_REF] = PointerGetDatum(event->actor_ref);
	values[EV_DB_ROLE] = NameGetDatum(&event->db_role);
	values[EV_HASH] = PointerGetDatum(hash);
	values[EV_DUE_AT] = TimestampTzGetDatum(event->due_at);
	values[EV_NOTE] = PointerGetDatum(event->note);
	values[EV_DETAILS] = PointerGetDatum(event->details);
	memset(isnull, 0, sizeof(bool) * EV_NCOLUMNS);
	isnull[EV_FROM_STATE] = event->from == NULL;
	isnull[EV_TO_STATE] = event->to == NULL;
	isnull[EV_ACTOR] = event->actor == ACTOR_NONE;
	isnull[EV_ACTOR_REF] = event->actor_ref == NULL;
	isnull[EV_DUE_AT] = !event->has_due;
	isnull[EV_NOTE] = event->note == NULL;
	isnull[EV_DETAILS] = event->details == NULL;
}

/* Is the table as we laid it out, with no trigger on INSERT but our guard? */
static bool
is_plain(Relation rel)
{
	TupleDesc	tupdesc = RelationGetDescr(rel);
	TriggerDesc *triggers = rel->trigdesc;

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		tupdesc->natts != EV_NCOLUMNS || rel->rd_rules != NULL ||
		(tupdesc->constr != NULL &&
		 (tupdesc->constr->num_check > 0 || tupdesc->constr->has_generated_stored)))
		return false;
	for (int i = 0; i < EV_NCOLUMNS; i++)
		if (namestrcmp(&TupleDescAttr(tupdesc, i)->attname, column_names[i]) != 0)
			return false;
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (TRIGGER_FOR_INSERT(triggers->triggers[i].tgtype) &&
			!triggers->triggers[i].tgisinternal &&
			strcmp(triggers->triggers[i].tgname, "zz_returns_event") != 0)
			return false;
	return true;
}

static void
write_batch(ResultRelInfo *target, EState *estate, TupleTableSlot **slots,
			const Event *events, int nevents, CommandId command)
{
	bytea	   *hashes[WRITE_BATCH];

	for (int i = 0; i < nevents; i++)
	{
		if (slots[i] == NULL)
			slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(target->ri_RelationDesc),
												&TTSOpsVirtual);
		ExecClearTuple(slots[i]);
		hashes[i] = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
		event_values(&events[i], hashes[i], slots[i]->tts_values, slots[i]->tts_isnull);
		ExecStoreVirtualTuple(slots[i]);
		slots[i]->tts_tableOid = RelationGetRelid(target->ri_RelationDesc);
	}
	table_multi_insert(target->ri_RelationDesc, slots, nevents, command, 0, NULL);
	for (int i = 0; i < nevents; i++)
	{
		list_free(ExecInsertIndexTuplesCompat(target, slots[i], estate));
		ResetPerTupleExprContext(estate);
		pfree(hashes[i]);
	}
}

static void
write_directly(Relation rel, const Event *events, int nevents)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *target = makeNode(ResultRelInfo);
	TupleTableSlot *slots[WRITE_BATCH] = {NULL};
	CommandId	command = GetCurrentCommandId(true);
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);

	InitResultRelInfo(target, rel, 0, NULL, 0);
	ExecOpenIndices(target, false);
	for (int done = 0; done < nevents; done += WRITE_BATCH)
	{
		CHECK_FOR_INTERRUPTS();
		write_batch(target, estate, slots, events + done,
					Min(WRITE_BATCH, nevents - done), command);
	}
	for (int i = 0; i < WRITE_BATCH && slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	ExecCloseIndices(target);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
}

static void
write_by_statement(const Event *events, int nevents)
{
	static KeptPlan insert = {
		"INSERT INTO returns.return_event (return_id, xid, at, seq, epoch, order_ref, kind,"
		" from_state, to_state, actor, actor_ref, db_role, hash, due_at, note, details)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
		EV_NCOLUMNS,
		{INT8OID, XID8OID, TIMESTAMPTZOID, INT4OID, INT4OID, TEXTOID, TEXTOID,
			TEXTOID, TEXTOID, TEXTOID, TEXTOID, NAMEOID, BYTEAOID, TIMESTAMPTZOID, TEXTOID,
		JSONBOID}
	};
	OwnState	own;

	own_begin(&own);
	for (int i = 0; i < nevents; i++)
	{
		Datum		values[EV_NCOLUMNS];
		bool		isnull[EV_NCOLUMNS];
		char		nulls[EV_NCOLUMNS];
		bytea	   *hash = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

		event_values(&events[i], hash, values, isnull);
		for (int c = 0; c < EV_NCOLUMNS; c++)
			nulls[c] = isnull[c] ? 'n' : ' ';
		guard_wrote("return_event", plan_run(&insert, values, nulls), 1);
	}
	own_end(&own);
}

void
journal_write(const Event *events, int nevents)
{
	Oid			relid = table_oid("return_event");
	Relation	rel;

	if (!OidIsValid(relid))
		error_not_set_up("The table returns.return_event does not exist.");
	rel = table_open(relid, RowExclusiveLock);
	if (likely(is_plain(rel)))
		write_directly(rel, events, nevents);
	else
		write_by_statement(events, nevents);
	table_close(rel, NoLock);
}
