/*-------------------------------------------------------------------------
 *
 * rule_cell.c
 *		The cell of a rule table that is being read, for errors.
 *
 * src/rules/cache/rule_cell.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "rules/cache/rule_cell.h"

static void
name_cell(void *arg)
{
	const RuleCell *cell = arg;
	int			code = geterrcode();

	if (cell->column == NULL)
		return;
	if (code == ERRCODE_RT_UNKNOWN_CODE || code == ERRCODE_RT_RULE_REFUSED)
		err_our_column(cell->table, cell->column);
	errcontext("column \"%s\" of table returns.%s", cell->column, cell->table);
}

void
rule_cell_begin(RuleCell *cell, const char *table)
{
	cell->table = table;
	cell->column = NULL;
	cell->callback.callback = name_cell;
	cell->callback.arg = cell;
	cell->callback.previous = error_context_stack;
	error_context_stack = &cell->callback;
}

void
rule_cell_end(RuleCell *cell)
{
	Assert(error_context_stack == &cell->callback);
	error_context_stack = cell->callback.previous;
}

void
rule_cell_refuse_null(const RuleCell *cell)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg("column \"%s\" of returns.%s is null", cell->column, cell->table),
			 errdetail("The rules cannot be read while a row has no value in this column."),
			 errhint("Correct the row, then run ALTER TABLE returns.%s ALTER COLUMN %s SET NOT NULL.",
					 cell->table, cell->column)));
}
