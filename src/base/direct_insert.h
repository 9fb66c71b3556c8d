/*-------------------------------------------------------------------------
 *
 * direct_insert.h
 *		Rows of our own tables straight into heap and indexes, as COPY does.
 *
 * No plan, no trigger, no CHECK, no foreign key: for rows whose every value is
 * ours and right by construction.  Where the user has added to the table
 * (columns, triggers, constraints) a plain INSERT must be made instead, so
 * that what was added takes effect.
 *
 * src/base/direct_insert.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_DIRECT_INSERT_H
#define RETURNS_DIRECT_INSERT_H

#define DIRECT_MAX_COLUMNS 16

/* A table as sql/tables lays it out. */
typedef struct DirectTable
{
	const char *name;			/* in schema returns */
	int			ncolumns;
	const char *const *columns; /* in order */
	int			nchecks;		/* CHECK constraints of ours */
	const char *guard;			/* our trigger on INSERT */
} DirectTable;

/* Sets the values of a row (from 0) by position; isnull is false at first. */
typedef void (*DirectFill) (int row, Datum *values, bool *isnull, void *arg);

/*
 * Insert so many rows; they are visible to the next command.  False, and
 * nothing is done, when the table is not as laid out.
 */
extern bool direct_insert(const DirectTable *table, int nrows, DirectFill fill, void *arg);

#endif							/* RETURNS_DIRECT_INSERT_H */
