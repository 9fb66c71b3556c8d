/*-------------------------------------------------------------------------
 *
 * cache.c
 *		The rules as the backend keeps them in memory: look-up and lifetime.
 *
 * A generation is one memory context, filled by cache_load.c.  The relcache
 * callback only tags it as stale, since it may come at any moment; the next
 * statement that asks loads a new one.  The old one lives on until the end of
 * the transaction, because callers up the stack may hold pointers into it.
 *
 * src/rules/cache/cache.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/relation_watch.h"
#include "base/scope.h"
#include "base/trigger_check.h"
#include "rules/cache/cache.h"
#include "rules/cache/cache_load.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

static Generation *generation = NULL;
static MemoryContext generation_context = NULL;
static bool generation_stale = true;
static bool generation_borrowed = false;
static uint64 reloads = 0;
static List *retired = NIL;		/* of MemoryContext, in TopMemoryContext */

/*
 * While a row is decided its rules stay the same: pointers into two generations
 * do not compare.  One entry per pin, the level of the transaction that set it,
 * so that an error unwinds the pins of what it aborts.
 */
#define MAX_PINS 64

static int	pins[MAX_PINS];
static int	npins = 0;

/* The statement that last looked for invalidations. */
static CommandId checked_command = InvalidCommandId;
static TimestampTz checked_statement = 0;

static void
rule_table_changed(Oid relid)
{
	if (generation == NULL || generation_stale)
		return;
	if (!OidIsValid(relid))
		generation_stale = true;
	for (int i = 0; i < RULE_TABLES; i++)
		if (generation->relids[i] == relid)
			generation_stale = true;
}

static void
undo(int nest_level)
{
	while (npins > 0 && pins[npins - 1] >= nest_level)
		npins--;
}

static void
end(bool committed)
{
	npins = 0;
	while (retired != NIL)
	{
		MemoryContextDelete((MemoryContext) linitial(retired));
		retired = list_delete_first(retired);
	}
}

static const ScopeUser scope_user = {.undo = undo,.end = end};

const Rules *
rules_pin(void)
{
	const Rules *rules = rules_current();

	if (npins >= MAX_PINS)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("statements of the extension returns are nested too deeply"),
				 errhint("Look for a trigger on its tables that writes to them again.")));
	pins[npins++] = GetCurrentTransactionNestLevel();
	return rules;
}

void
rules_unpin(void)
{
	Assert(npins > 0);
	npins--;
}

void
cache_init(void)
{
	relation_watch(rule_table_changed);
	scope_register(&scope_user);
}

void
rules_retire(MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	retired = lappend(retired, context);
	MemoryContextSwitchTo(old);
}

static void
rules_reload(void)
{
	MemoryContext context;
	Generation *loaded;

	/*
	 * An invalidation that arrives while we read makes what we read stale
	 * already, so the tag is cleared before, not after.
	 */
	context = AllocSetContextCreate(CurrentMemoryContext, "returns rules",
									ALLOCSET_DEFAULT_SIZES);
	reloads++;
	generation_stale = false;
	PG_TRY();
	{
		/* the relids must be known before anything is read */
		Generation *old = generation;

		generation = generation_begin(context);
		generation_load(generation);
		loaded = generation;
		generation = old;
	}
	PG_CATCH();
	{
		generation = NULL;
		generation_stale = true;
		if (generation_context != NULL)
			rules_retire(generation_context);
		generation_context = NULL;
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSetParent(context, TopMemoryContext);
	if (generation_context != NULL)
		rules_retire(generation_context);
	generation = loaded;
	generation_context = context;
	/* what was read under a parallel query's snapshot serves that query only */
	generation_borrowed = IsInParallelMode();
}

const Rules *
rules_current(void)
{
	CommandId	command;
	TimestampTz statement;

	if (npins > 0 && generation != NULL)
		return &generation->rules;
	command = GetCurrentCommandId(false);
	statement = GetCurrentStatementStartTimestamp();

	/*
	 * A lock already held does not look for invalidations again, so a later
	 * statement of a transaction would keep the old rules: look ourselves.
	 */
	if (command != checked_command || statement != checked_statement)
	{
		checked_command = command;
		checked_statement = statement;
		if (generation_borrowed)
			generation_stale = true;
		AcceptInvalidationMessages();
	}
	if (unlikely(generation_stale || generation == NULL))
		rules_reload();
	return &generation->rules;
}

uint64
rules_generation(void)
{
	return reloads;
}

/*
 * Find a code in a sorted index: by length, then bytes, so most misses cost
 * one comparison of integers.
 */
static const void *
index_find(const CodeIndex *index, const char *code, int len)
{
	int			low = 0;
	int			high = index->n - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		const CodeIndexEntry *entry = &index->entries[middle];
		int			order = len - entry->len;

		if (order == 0)
			order = memcmp(code, entry->code, len);
		if (order == 0)
			return entry->item;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

static const void *
index_get(const CodeIndex *index, const char *code, const char *what)
{
	const void *item = index_find(index, code, strlen(code));

	if (item == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown %s \"%s\"", what, code),
				 errdetail("No row of returns.%s has it.", what),
				 errhint("The known ones are in the table returns.%s; add a row for a new one.", what)));
	return item;
}

const State *
state_find(Machine machine, const char *code, int len)
{
	rules_current();
	return index_find(&generation->states[machine], code, len);
}

const State *
state_get(Machine machine, const char *code)
{
	rules_current();
	return index_get(&generation->states[machine], code, "state");
}

const State *
state_of_role(StateRole role)
{
	const State *state = rules_current()->roles[role];

	return state != NULL ? state : state_get(state_role_machine(role), state_role_name(role));
}

const State *
state_nth(Machine machine, int i)
{
	rules_current();
	return i < generation->states[machine].n ? generation->states[machine].entries[i].item : NULL;
}

const Transition *
transition_find(const State *from, const State *to)
{
	for (int i = 0; i < from->ntransitions; i++)
		if (from->transitions[i].to == to)
			return &from->transitions[i];
	return NULL;
}

const Market *
market_get(const char *code)
{
	rules_current();
	return index_get(&generation->markets, code, "market");
}

const Currency *
currency_get(const char *code)
{
	rules_current();
	return index_get(&generation->currencies, code, "currency");
}

const Category *
category_get(const char *code)
{
	rules_current();
	return index_get(&generation->categories, code, "category");
}

const Reason *
reason_get(const char *code)
{
	rules_current();
	return index_get(&generation->reasons, code, "reason");
}

int
category_distance(const char *ancestor, const Category *category)
{
	for (int steps = 0; category != NULL; category = category->parent, steps++)
		if (strcmp(category->code, ancestor) == 0)
			return steps;
	return -1;
}

/*
 * Trigger of every rule table: tell this and all other sessions, when the
 * change becomes theirs to see, that what they have cached of it is old.
 */
PG_FUNCTION_INFO_V1(returns_rules_changed);

Datum
returns_rules_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_check(fcinfo, "returns_rules_changed", NULL,
										  FIRES_AFTER | FIRES_FOR_ROW | FIRES_FOR_STATEMENT);

	CacheInvalidateRelcache(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}
