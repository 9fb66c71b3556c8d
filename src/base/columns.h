/*-------------------------------------------------------------------------
 *
 * columns.h
 *		The columns of our tables by name, whatever their physical numbers.
 *
 * A user may add columns, a dump may restore them in another order: so a
 * trigger looks them up by name, once, and again when the table changes.
 *
 * src/base/columns.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_COLUMNS_H
#define RETURNS_COLUMNS_H

#include "utils/rel.h"

typedef struct ColumnSet
{
	const char *table;			/* in schema returns */
	int			ncolumns;
	const char *const *names;
	AttrNumber *attno;			/* room for ncolumns; filled */
	Oid			relid;			/* that attno is true of; start with InvalidOid */
	struct ColumnSet *next;
} ColumnSet;

/* Fill attno for rel.  Raises when rel is another table or lacks a column. */
extern void columns_find(ColumnSet *set, Relation rel);

/* Does a value differ?  Numbers are compared as numbers: 1.5 is 1.50. */
extern bool column_changed(Relation rel, AttrNumber attno, Datum old, bool old_null,
						   Datum new, bool new_null);

#endif							/* RETURNS_COLUMNS_H */
