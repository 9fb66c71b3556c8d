/*-------------------------------------------------------------------------
 *
 * direct_insert.c
 *		Insert rows of our own tables directly into heap and indexes, as COPY does.
 *
 * src/base/direct_insert.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/direct_insert.h"
#include "base/errors.h"
#include "base/relation_watch.h"
#include "base/trigger_check.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "rewrite/prs2lock.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define INSERT_BATCH 100		/* tuples of one multi-insert */

/* ---- is the table as sql/tables makes it? ---- */

static bool
is_named(const char *name, const char *expected)
{
	return expected != NULL && name != NULL && strcmp(name, expected) == 0;
}

static bool
columns_unchanged(Relation rel, const DirectTable *table)
{
	TupleDesc	tupdesc = RelationGetDescr(rel);

	if (tupdesc->natts != table->ncolumns)
		return false;
	for (int i = 0; i < table->ncolumns; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);
		const DirectColumn *column = &table->columns[i];

		if (!is_named(NameStr(att->attname), column->name) || att->atttypid != column->type ||
			att->atttypmod != -1 || (att->attnotnull && !column->notnull) ||
			att->attgenerated != '\0' || att->attidentity != '\0')
			return false;
	}
	return true;
}

/*
 * A CHECK is compared by its definition: when a user replaces ours by another
 * one, PostgreSQL gives it the same name.
 */
static bool
checks_unchanged(Relation rel, const DirectTable *table)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
	{
		Oid			check = get_relation_constraint_oid(RelationGetRelid(rel),
														constr->check[i].ccname, false);
		Datum		definition = DirectFunctionCall1(pg_get_constraintdef,
													 ObjectIdGetDatum(check));

		if (!is_named(TextDatumGetCString(definition), table->check))
			return false;
	}
	return true;
}

/* Foreign keys and deferrable constraints are triggers too. */
static bool
triggers_unchanged(Relation rel, const DirectTable *table)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (TRIGGER_FOR_INSERT(trigger->tgtype) &&
			!(trigger->tgisinternal ?
			  is_named(get_constraint_name(trigger->tgconstraint), table->foreign_key) :
			  is_named(trigger->tgname, table->guard)))
			return false;
	}
	return true;
}

/*
 * An expression or a predicate may call a function of the user.  An INSERT runs
 * such a function with the rights of the owner of the table, a direct insert
 * does not.
 */
static bool
indexes_unchanged(Relation rel, const DirectTable *table)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *cell;
	bool		unchanged = true;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if ((RelationGetIndexExpressions(index) != NIL ||
			 RelationGetIndexPredicate(index) != NIL) &&
			!is_named(RelationGetRelationName(index), table->partial_index))
			unchanged = false;
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return unchanged;
}

static bool
is_unchanged(Relation rel, const DirectTable *table)
{
	return rel->rd_rel->relkind == RELKIND_RELATION && !rel->rd_rel->relispartition &&
		rel->rd_rel->relam == HEAP_TABLE_AM_OID &&
		(rel->rd_rules == NULL || rel->rd_rules->numLocks == 0) &&
		columns_unchanged(rel, table) && checks_unchanged(rel, table) &&
		triggers_unchanged(rel, table) && indexes_unchanged(rel, table);
}

/* ---- the result of the comparison, valid until the table changes ---- */

static DirectTable *known = NULL;

static void
table_changed(Oid relid)
{
	for (DirectTable *table = known; table != NULL; table = table->next)
		if (!OidIsValid(relid) || table->relid == relid)
			table->relid = InvalidOid;
}

/* INSERT INTO returns.table (column, ...) VALUES ($1, ...) */
static void
build_insert(DirectTable *table)
{
	StringInfoData columns;
	StringInfoData values;

	Assert(table->ncolumns <= STATEMENT_MAX_ARGS);
	initStringInfo(&columns);
	initStringInfo(&values);
	for (int i = 0; i < table->ncolumns; i++)
	{
		appendStringInfo(&columns, "%s%s", i == 0 ? "" : ", ", table->columns[i].name);
		appendStringInfo(&values, "%s$%d", i == 0 ? "" : ", ", i + 1);
		table->insert.argtypes[i] = table->columns[i].type;
	}
	table->insert.nargs = table->ncolumns;
	table->insert.text = MemoryContextStrdup(TopMemoryContext,
											 psprintf("INSERT INTO returns.%s (%s) VALUES (%s)",
													  table->name, columns.data, values.data));
}

static void
table_compare(DirectTable *table, Relation rel)
{
	if (table->insert.text == NULL)
	{
		build_insert(table);
		relation_watch(table_changed);
		table->next = known;
		known = table;
	}
	/* set first: a change during the comparison must reset it again */
	table->relid = RelationGetRelid(rel);
	table->unchanged = is_unchanged(rel, table);
}

/* ---- the direct insert ---- */

static void
insert_batch(ResultRelInfo *target, EState *estate, TupleTableSlot **slots, int nslots,
			 CommandId command)
{
	table_multi_insert(target->ri_RelationDesc, slots, nslots, command, 0, NULL);
	for (int i = 0; i < nslots; i++)
	{
		/* see triggers_unchanged(): a deferrable constraint has a trigger */
		if (ExecInsertIndexTuplesCompat(target, slots[i], estate) != NIL)
			elog(ERROR, "a deferrable constraint of \"%s\" would not be checked",
				 RelationGetRelationName(target->ri_RelationDesc));
		ResetPerTupleExprContext(estate);
	}
}

/* A statement may insert many rows, so the values are freed with their batch. */
static TupleTableSlot *
fill_slot(TupleTableSlot *slot, Relation rel, int row, MemoryContext batch, DirectFill fill,
		  void *arg)
{
	MemoryContext old;

	if (slot == NULL)
		slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsVirtual);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, 0, sizeof(bool) * RelationGetDescr(rel)->natts);
	old = MemoryContextSwitchTo(batch);
	fill(row, slot->tts_values, slot->tts_isnull, arg);
	MemoryContextSwitchTo(old);
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(rel);
	return slot;
}

static void
insert_rows(Relation rel, int nrows, DirectFill fill, void *arg)
{
	EState	   *estate = CreateExecutorState();
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	MemoryContext batch = AllocSetContextCreate(estate->es_query_cxt, "returns rows to insert",
												ALLOCSET_DEFAULT_SIZES);
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
			slots[i] = fill_slot(slots[i], rel, done + i, batch, fill, arg);
		insert_batch(target, estate, slots, n, command);
		MemoryContextReset(batch);
	}
	for (int i = 0; i < INSERT_BATCH && slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	ExecCloseIndices(target);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
}

/* ---- the insert into a table that was changed ---- */

static void
insert_by_statement(DirectTable *table, int nrows, DirectFill fill, void *arg)
{
	AsOwner		owner;

	as_owner_begin(&owner);
	for (int row = 0; row < nrows; row++)
	{
		Datum		values[STATEMENT_MAX_ARGS];
		bool		isnull[STATEMENT_MAX_ARGS] = {false};
		char		nulls[STATEMENT_MAX_ARGS];

		fill(row, values, isnull, arg);
		for (int i = 0; i < table->ncolumns; i++)
			nulls[i] = isnull[i] ? 'n' : ' ';
		trigger_check_wrote(table->name, statement_run(&table->insert, values, nulls).nrows, 1);
	}
	as_owner_end(&owner);
}

void
direct_insert(DirectTable *table, int nrows, DirectFill fill, void *arg)
{
	Oid			relid = table_oid(table->name);
	Relation	rel;

	Assert(nrows >= 0 && fill != NULL);
	if (!OidIsValid(relid))
		error_not_set_up(psprintf("The table returns.%s does not exist.", table->name));
	rel = table_open(relid, RowExclusiveLock);
	if (unlikely(table->relid != relid))
		table_compare(table, rel);
	if (likely(table->unchanged))
		insert_rows(rel, nrows, fill, arg);
	else
		insert_by_statement(table, nrows, fill, arg);
	table_close(rel, NoLock);
}
