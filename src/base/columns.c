/*-------------------------------------------------------------------------
 *
 * columns.c
 *		The numbers of the columns of our tables, found by name.
 *
 * src/base/columns.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/as_owner.h"
#include "base/columns.h"
#include "base/errors.h"
#include "base/relation_watch.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"

static ColumnSet *known = NULL;

static void
table_changed(Oid relid)
{
	for (ColumnSet *set = known; set != NULL; set = set->next)
		if (!OidIsValid(relid) || set->relid == relid)
			set->relid = InvalidOid;
}

static void
known_add(ColumnSet *set)
{
	for (ColumnSet *other = known; other != NULL; other = other->next)
		if (other == set)
			return;
	Assert(set->next == NULL);
	relation_watch(table_changed);
	set->next = known;
	known = set;
}

static AttrNumber
column_find(TupleDesc tupdesc, const char *name)
{
	for (int i = 0; i < tupdesc->natts; i++)
		if (!TupleDescAttr(tupdesc, i)->attisdropped &&
			namestrcmp(&TupleDescAttr(tupdesc, i)->attname, name) == 0)
			return i + 1;
	return InvalidAttrNumber;
}

void
columns_find(ColumnSet *set, Relation rel)
{
	if (likely(set->relid == RelationGetRelid(rel)))
		return;
	if (RelationGetRelid(rel) != table_oid(set->table))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("the trigger functions of returns.%s do not work on other tables",
						set->table),
				 errdetail("A trigger on table \"%s\" calls one of them.",
						   RelationGetRelationName(rel)),
				 errhint("Drop the trigger on table \"%s\".", RelationGetRelationName(rel)),
				 errtable(rel)));
	known_add(set);
	for (int col = 0; col < set->ncolumns; col++)
	{
		set->attno[col] = column_find(RelationGetDescr(rel), set->names[col]);
		if (set->attno[col] == InvalidAttrNumber)
			error_not_set_up(psprintf("The column \"%s\" of returns.%s does not exist.",
									  set->names[col], set->table));
	}
	set->relid = RelationGetRelid(rel);
}

bool
column_changed(Relation rel, AttrNumber attno, Datum old, bool old_null,
			   Datum new, bool new_null)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);

	if (old_null || new_null)
		return old_null != new_null;
	if (att->atttypid == NUMERICOID)
		return !DatumGetBool(DirectFunctionCall2(numeric_eq, old, new));
	return !datum_image_eq(old, new, att->attbyval, att->attlen);
}
