/*-------------------------------------------------------------------------
 *
 * direct_insert.h
 *		Rows of our own tables straight into heap and indexes, as COPY does.
 *
 * A direct insert runs no plan, no trigger, no CHECK and no foreign key: it is
 * for rows whose every value is ours and right by construction.  Whatever a user
 * adds to the table (a column, a type, a trigger, a constraint, an index with an
 * expression) must take effect all the same.  So the table is compared with
 * what sql/tables makes, once, and again when it changes; if it differs, the
 * rows are written by plain INSERT statements.
 *
 * Unique indexes that are not deferrable, exclusion constraints that are not
 * deferrable, and indexes of plain columns are kept by a direct insert as well:
 * they make no difference.
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

/* A table as sql/tables makes it: a static variable. */
typedef struct DirectTable
{
	const char *name;			/* in schema returns */
	int			ncolumns;		/* at most STATEMENT_MAX_ARGS */
	const DirectColumn *columns;	/* in order */
	/* names of what else there is, at most one of each; NULL: none */
	const char *guard;			/* trigger on INSERT */
	const char *check;			/* CHECK constraint */
	const char *foreign_key;
	const char *partial_index;
	/* filled by direct_insert() */
	Oid			relid;			/* that unchanged is true of, or InvalidOid */
	bool		unchanged;
	Statement	insert;
	struct DirectTable *next;
} DirectTable;

/*
 * Set the values of a row (from 0) by position; isnull is false at first.  What
 * it allocates must not be needed after direct_insert() returns.
 */
typedef void (*DirectFill) (int row, Datum *values, bool *isnull, void *arg);

/*
 * Insert so many rows; they are visible to the next command.  Raises RT012
 * without the table; RT007 when a trigger suppresses a row; and what indexes,
 * constraints and triggers of the user raise.
 */
extern void direct_insert(DirectTable *table, int nrows, DirectFill fill, void *arg);

#endif							/* RETURNS_DIRECT_INSERT_H */
