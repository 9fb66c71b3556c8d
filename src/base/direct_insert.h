/*-------------------------------------------------------------------------
 *
 * direct_insert.h
 *		Insert rows of our own tables directly into heap and indexes, as COPY does.
 *
 * A direct insert runs no plan, no trigger, no CHECK and no foreign key.  It is
 * for rows whose values all come from the extension and are valid by
 * construction.  But an addition of the user to the table (a column, a type, a
 * trigger, a constraint, an index with an expression) must take effect.  So
 * the table is compared with the one that sql/tables creates: once, and again
 * when it changes.  If it differs, the rows are inserted by plain INSERT
 * statements.
 *
 * Indexes of plain columns and unique or exclusion constraints that are not
 * deferrable are no difference, because a direct insert maintains them too.
 *
 * src/base/direct_insert.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_DIRECT_INSERT_H
#define RETURNS_DIRECT_INSERT_H

#include "base/statement.h"

typedef struct DirectColumn
{
	const char *name;
	Oid			type;
	bool		notnull;
} DirectColumn;

/* A table as sql/tables creates it.  Must be a static variable. */
typedef struct DirectTable
{
	const char *name;			/* in schema returns */
	int			ncolumns;		/* at most STATEMENT_MAX_ARGS */
	const DirectColumn *columns;	/* in order */
	/* its other objects, at most one of each; NULL: none */
	const char *guard;			/* name of the trigger on INSERT */
	const char *check;			/* CHECK, as pg_get_constraintdef() prints it */
	const char *foreign_key;	/* name */
	const char *partial_index;	/* name */
	/* filled by direct_insert() */
	Oid			relid;			/* that unchanged is valid for, or InvalidOid */
	bool		unchanged;
	Statement	insert;
	struct DirectTable *next;
} DirectTable;

/*
 * Set the values of one row by position; rows count from 0.  All isnull are false
 * at first.  Memory that it allocates may be freed as soon as the row is inserted.
 */
typedef void (*DirectFill) (int row, Datum *values, bool *isnull, void *arg);

/*
 * Insert nrows rows; they are visible to the next command.  Raises RT012 when
 * the table does not exist, RT007 when a trigger suppresses a row, and the errors
 * of indexes, constraints and triggers.
 */
extern void direct_insert(DirectTable *table, int nrows, DirectFill fill, void *arg);

#endif							/* RETURNS_DIRECT_INSERT_H */
