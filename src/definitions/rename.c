/*-------------------------------------------------------------------------
 *
 * rename.c
 *		Which codes this transaction has renamed.
 *
 * A foreign key carries the new code of a market, category or reason into the
 * rows that name it.  The triggers of those rows must distinguish this from a
 * statement that moves a row from one code to another.  A missing old code
 * does not prove a renaming, because its row may have been deleted.  So each
 * renaming is noted when it happens.
 *
 * A note becomes void when a row gets the old code again.  Until then, only
 * rows that the foreign key has not updated yet have the old code.
 *
 * src/definitions/rename.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/scope.h"
#include "definitions/rename.h"
#include "utils/memutils.h"

typedef struct Rename
{
	const char *table;			/* a constant */
	char	   *old;
	char	   *new;
	int			nest_level;		/* of transactions */
} Rename;

static List *renames = NIL;		/* of Rename, in TopTransactionContext */

static void
renames_undo(int nest_level)
{
	ListCell   *cell;

	foreach(cell, renames)
	{
		if (((Rename *) lfirst(cell))->nest_level >= nest_level)
			renames = foreach_delete_current(renames, cell);
	}
}

static void
renames_keep(int nest_level)
{
	ListCell   *cell;

	foreach(cell, renames)
	{
		Rename	   *rename = lfirst(cell);

		rename->nest_level = Min(rename->nest_level, nest_level - 1);
	}
}

static void
renames_end(bool committed)
{
	renames = NIL;
}

static const ScopeUser scope_user = {
	.undo = renames_undo,.keep = renames_keep,.end = renames_end
};

static void
forget_rename(const char *table, const char *old)
{
	ListCell   *cell;

	foreach(cell, renames)
	{
		Rename	   *rename = lfirst(cell);

		if (strcmp(rename->table, table) == 0 && strcmp(rename->old, old) == 0)
			renames = foreach_delete_current(renames, cell);
	}
}

static void
add_rename(const char *table, const char *old, const char *new)
{
	MemoryContext context = MemoryContextSwitchTo(TopTransactionContext);
	Rename	   *rename = palloc(sizeof(Rename));

	scope_register(&scope_user);
	rename->table = table;
	rename->old = pstrdup(old);
	rename->new = pstrdup(new);
	rename->nest_level = GetCurrentTransactionNestLevel();
	renames = lappend(renames, rename);
	MemoryContextSwitchTo(context);
}

void
rename_note(const char *table, const char *old, const char *new)
{
	forget_rename(table, new);
	if (old != NULL)
		add_rename(table, old, new);
}

bool
rename_is_noted(const char *table, const char *old, const char *new)
{
	ListCell   *cell;

	foreach(cell, renames)
	{
		Rename	   *rename = lfirst(cell);

		if (strcmp(rename->table, table) == 0 && strcmp(rename->old, old) == 0 &&
			strcmp(rename->new, new) == 0)
			return true;
	}
	return false;
}
