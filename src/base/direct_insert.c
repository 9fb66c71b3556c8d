/*-------------------------------------------------------------------------
 *
 * direct_insert.c
 *		Rows of our own tables straight into heap and indexes, as COPY does.
 *
 * src/base/direct_insert.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/direct_insert.h"
#include "base/errors.h"
#include "base/plan.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define INSERT_BATCH 100		/* tuples of one multi-insert */

/* Is it as we laid it out, with no trigger on INSERT but our guard? */
static bool
is_plain(Relation rel, const DirectTable *table)
{
	TupleDesc	tupdesc = RelationGetDescr(rel);
	TriggerDesc *triggers = rel->trigdesc;

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		tupdesc->natts != table->ncolumns || rel->rd_rules != NULL ||
		(tupdesc->constr != NULL &&
		 (tupdesc->constr->num_check > table->nchecks || tupdesc->constr->has_generated_stored)))
		return false;
	for (int i = 0; i < table->ncolumns; i++)
		if (namestrcmp(&TupleDescAttr(tupdesc, i)->attname, table->columns[i]) != 0)
			return false;
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (TRIGGER_FOR_INSERT(triggers->triggers[i].tgtype) &&
			!triggers->triggers[i].tgisinternal &&
			strcmp(triggers->triggers[i].tgname, table->guard) != 0)
			return false;
	return true;
}

static void
insert_batch(ResultRelInfo *target, EState *estate, TupleTableSlot **slots, int nslots,
			 CommandId command)
{
	table_multi_insert(target->ri_RelationDesc, slots, nslots, command, 0, NULL);
	for (int i = 0; i < nslots; i++)
	{
		list_free(ExecInsertIndexTuplesCompat(target, slots[i], estate));
		ResetPerTupleExprContext(estate);
	}
}

static TupleTableSlot *
fill_slot(TupleTableSlot *slot, Relation rel, int row, DirectFill fill, void *arg)
{
	if (slot == NULL)
		slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsVirtual);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, 0, sizeof(bool) * RelationGetDescr(rel)->natts);
	fill(row, slot->tts_values, slot->tts_isnull, arg);
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(rel);
	return slot;
}

static void
insert_rows(Relation rel, int nrows, DirectFill fill, void *arg)
{
	EState	   *estate = CreateExecutorState();
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ResultRelInfo *target = makeNode(ResultRelInfo);
	TupleTableSlot *slots[INSERT_BATCH] = {NULL};
	CommandId	command = GetCurrentCommandId(true);

	InitResultRelInfo(target, rel, 0, NULL, 0);
	ExecOpenIndices(target, false);
	for (int done = 0; done < nrows; done += INSERT_BATCH)
	{
		int			n = Min(INSERT_BATCH, nrows - done);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			slots[i] = fill_slot(slots[i], rel, done + i, fill, arg);
		insert_batch(target, estate, slots, n, command);
	}
	for (int i = 0; i < INSERT_BATCH && slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	ExecCloseIndices(target);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
}

bool
direct_insert(const DirectTable *table, int nrows, DirectFill fill, void *arg)
{
	Oid			relid = table_oid(table->name);
	Relation	rel;
	bool		plain;

	if (!OidIsValid(relid))
		error_not_set_up(psprintf("The table returns.%s does not exist.", table->name));
	rel = table_open(relid, RowExclusiveLock);
	plain = is_plain(rel, table);
	if (likely(plain))
		insert_rows(rel, nrows, fill, arg);
	table_close(rel, NoLock);
	return plain;
}
