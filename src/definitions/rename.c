/*-------------------------------------------------------------------------
 *
 * rename.c
 *		Which codes this transaction has given another name.
 *
 * A foreign key carries the new code of a market, category or reason into the
 * rows that name it.  Their triggers must tell that from a row which is moved
 * from one code to another, and that the old code is gone does not tell: it
 * may have been deleted.  So the row that is renamed is noted itself.
 *
 * A note is void as soon as a row has the old code again.  Until then no row
 * can name the old code but one that the foreign key has yet to reach.
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
undo(int nest_level)
{
	ListCell   *cell;

	foreach(cell, renames)
	{
		if (((Rename *) lfirst(cell))->nest_level >= nest_level)
			renames = foreach_delete_current(renames, cell);
	}
}

static void
keep(int nest_level)
{
	ListCell   *cell;

	foreach(cell, renames)
	{
		Rename	   *rename = lfirst(cell);

		rename->nest_level = Min(rename->nest_level, nest_level - 1);
	}
}

static void
end(bool committed)
{
	renames = NIL;
}

static const ScopeUser scope_user = {.undo = undo,.keep = keep,.end = end};

static void
forget(const char *table, const char *old)
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
remember(const char *table, const char *old, const char *new)
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
rename_note(const RuleChange *change)
{
	static const char *const tables[] = {"market", "category", "reason"};
	char	   *old = rule_text(change, change->old, "code");
	char	   *new = rule_text(change, change->new, "code");

	if (new == NULL || !rule_text_changed(change, "code"))
		return;
	for (int i = 0; i < lengthof(tables); i++)
		if (rule_is_of(change->rel, tables[i]))
		{
			forget(tables[i], new);
			if (old != NULL)
				remember(tables[i], old, new);
		}
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
