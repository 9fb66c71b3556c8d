/*-------------------------------------------------------------------------
 *
 * errors.c
 *		Errors that several files raise, and fields of errors.
 *
 * src/base/errors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "utils/builtins.h"

int
err_column(Relation rel, const char *column)
{
	AttrNumber	attno = InvalidAttrNumber;

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
		if (namestrcmp(&TupleDescAttr(RelationGetDescr(rel), i)->attname, column) == 0)
			attno = i + 1;
	return attno != InvalidAttrNumber ? errtablecol(rel, attno) : errtable(rel);
}

int
err_our_column(const char *table, const char *column)
{
	err_generic_string(PG_DIAG_SCHEMA_NAME, "returns");
	err_generic_string(PG_DIAG_TABLE_NAME, table);
	return column == NULL ? 0 : err_generic_string(PG_DIAG_COLUMN_NAME, column);
}

void
error_not_set_up(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_NOT_SET_UP),
			 errmsg("returns is not set up in this database"),
			 errdetail("%s", detail),
			 errhint("Run CALL returns.setup() with the presets you need, for example CALL returns.setup('kz').")));
}

void
error_unknown_return(int64 return_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_UNKNOWN_CODE),
			 errmsg("unknown return " INT64_FORMAT, return_id),
			 errdetail("No return with this id is visible to the current role and actor."),
			 errhint("Check the id, and the actor: SHOW returns.actor."),
			 err_our_column("return_request", "id")));
}

static void
code_column_callback(void *arg)
{
	CodeColumn *place = arg;

	/* an error context inside, of the rules being loaded, names its own column */
	if (geterrcode() == ERRCODE_RT_UNKNOWN_CODE && error_context_stack == &place->callback)
		err_column(place->rel, place->column);
}

void
code_column_begin(CodeColumn *place, Relation rel, const char *column)
{
	place->rel = rel;
	place->column = column;
	place->callback.callback = code_column_callback;
	place->callback.arg = place;
	place->callback.previous = error_context_stack;
	error_context_stack = &place->callback;
}

void
code_column_end(CodeColumn *place)
{
	error_context_stack = place->callback.previous;
}
