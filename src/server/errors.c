/*-------------------------------------------------------------------------
 *
 * errors.c
 *		Shared ways to raise the refusals of errors.h.
 *
 * src/server/errors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "server/errors.h"
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

void
error_not_set_up(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_NOT_SET_UP),
			 errmsg("returns is not set up in this database"),
			 errdetail("%s", detail),
			 errhint("Run CALL returns.setup() with the presets you need, for example CALL returns.setup('kz').")));
}
