/*-------------------------------------------------------------------------
 *
 * columns.h
 *		The numbers of the columns of our tables, found by name.
 *
 * A user may add columns, and a dump may restore them in another order.  So a
 * trigger looks its columns up by name: once, and again when the table changes.
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
	AttrNumber *attno;			/* ncolumns of them; columns_find() fills it */
	Oid			relid;			/* that attno is valid for, or InvalidOid */
	struct ColumnSet *next;
} ColumnSet;

/*
 * Fill attno for rel.  Raises 39P01 when rel is another table, RT012 when a
 * column does not exist.  The set must be a static variable.
 */
extern void columns_find(ColumnSet *set, Relation rel);

/* Do the values differ?  Numbers are compared as numbers: 1.5 equals 1.50. */
extern bool column_changed(Relation rel, AttrNumber attno, Datum old, bool old_null,
						   Datum new, bool new_null);

#endif							/* RETURNS_COLUMNS_H */
