/*-------------------------------------------------------------------------
 *
 * rule_cell.h
 *		The cell of a rule table that is being read, for errors.
 *
 * Rules are read in the middle of statements that do not name them: a move of a
 * return may be what finds a word in returns.transition that no set of codes
 * has.  Between rule_cell_begin() and rule_cell_end() such an error names table
 * and column of the cell; an error ends the section too.
 *
 * src/rules/cache/rule_cell.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RULE_CELL_H
#define RETURNS_RULE_CELL_H

#include "base/compat.h"
#include "utils/elog.h"

typedef struct RuleCell
{
	ErrorContextCallback callback;
	const char *table;			/* in schema returns */
	const char *column;			/* set by the reader at each cell; NULL: none
								 * yet */
} RuleCell;

extern void rule_cell_begin(RuleCell *cell, const char *table);
extern void rule_cell_end(RuleCell *cell);

/* Raise RT009: the cell is null, but the column must not be. */
pg_noreturn extern void rule_cell_refuse_null(const RuleCell *cell);

#endif							/* RETURNS_RULE_CELL_H */
