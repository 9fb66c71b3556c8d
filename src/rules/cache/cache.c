/*-------------------------------------------------------------------------
 *
 * cache.c
 *		The rules as the backend keeps them in memory: look-up and lifetime.
 *
 * A generation is one memory context, filled by cache_load.c.  The relcache
 * callback only marks it as stale, since it may be called at any moment; the
 * next statement that needs the rules loads a new one.  The old one lives until
 * the end of the transaction, because callers up the stack may hold pointers
 * into it.
 *
 * src/rules/cache/cache.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/relation_watch.h"
#include "base/scope.h"
#include "base/trigger_check.h"
#include "rules/cache/cache.h"
#include "rules/cache/cache_load.h"
#include "utils/inval.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

static Generation *generation = NULL;
static MemoryContext generation_context = NULL;
static bool generation_stale = true;
static bool generation_borrowed = false;
static uint64 reloads = 0;
static List *retired = NIL;		/* of MemoryContext, in TopMemoryContext */

/*
 * The rules must not change while a row is decided, because pointers into two
 * generations do not compare.  Each pin has an entry, the nest level of the
 * transaction that set it: the rollback of a subtransaction removes its pins.
 */
#define MAX_PINS 64

static int	pins[MAX_PINS];
static int	npins = 0;

/* The statement that last processed invalidations. */
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
pins_undo(int nest_level)
{
	while (npins > 0 && pins[npins - 1] >= nest_level)
		npins--;
}

static void
transaction_end(bool committed)
{
	npins = 0;
	while (retired != NIL)
	{
		MemoryContextDelete((MemoryContext) linitial(retired));
		retired = list_delete_first(retired);
	}
}

static const ScopeUser scope_user = {.undo = pins_undo,.end = transaction_end};

const Rules *
rules_pin(void)
{
	const Rules *rules = rules_current();

	if (npins >= MAX_PINS)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("triggers on the tables of returns are nested too deeply"),
				 errdetail("%d rows are being written, each by a trigger of the one before.",
						   MAX_PINS),
				 errhint("Look for a trigger on a table of returns that writes to the same table again.")));
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
generation_reload(void)
{
	MemoryContext context;
	Generation *loaded;

	/*
	 * A change that arrives while the tables are read makes the new
	 * generation stale too.  So the mark is cleared before reading, not
	 * after.
	 */
	context = AllocSetContextCreate(CurrentMemoryContext, "returns rules",
									ALLOCSET_DEFAULT_SIZES);
	reloads++;
	generation_stale = false;
	PG_TRY();
	{
		/* rule_table_changed() must know the tables before anything is read */
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
	/* a parallel query reads by its own, older snapshot: for this query only */
	generation_borrowed = IsInParallelMode();
}

static Generation *
generation_current(void)
{
	CommandId	command;
	TimestampTz statement;

	if (npins > 0 && generation != NULL)
		return generation;
	command = GetCurrentCommandId(false);
	statement = GetCurrentStatementStartTimestamp();

	/*
	 * A table whose lock is already held is locked again without a look at
	 * the invalidations, so that a later statement of a transaction would
	 * keep the old rules.  Process them here, once a statement.
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
		generation_reload();
	return generation;
}

const Rules *
rules_current(void)
{
	return &generation_current()->rules;
}

uint64
rules_generation(void)
{
	return reloads;
}

static const CodeIndex *
states_of(Machine machine)
{
	Assert(machine >= 0 && machine < MACHINE_COUNT);
	return &generation_current()->states[machine];
}

const State *
state_find(Machine machine, const char *code, int len)
{
	return code_index_find(states_of(machine), code, len);
}

const State *
state_get(Machine machine, const char *code)
{
	return code_index_get(states_of(machine), code);
}

const State *
state_find_text(Machine machine, const text *code)
{
	return code == NULL ? NULL : state_find(machine, VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code));
}

const State *
state_get_text(Machine machine, const text *code)
{
	const State *state = state_find_text(machine, code);

	return state != NULL ? state : state_get(machine, code == NULL ? "" : text_to_cstring(code));
}

const State *
state_of_role(StateRole role)
{
	const State *state;

	Assert(role > ROLE_NONE && role < ROLE_COUNT);
	state = rules_current()->roles[role];
	return state != NULL ? state : state_get(state_role_machine(role), state_role_name(role));
}

const State *
state_nth(Machine machine, int i)
{
	const CodeIndex *states = states_of(machine);

	return i < states->n ? states->entries[i].item : NULL;
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
	return code_index_get(&generation_current()->markets, code);
}

const Currency *
currency_get(const char *code)
{
	return code_index_get(&generation_current()->currencies, code);
}

const Category *
category_get(const char *code)
{
	return code_index_get(&generation_current()->categories, code);
}

const Reason *
reason_get(const char *code)
{
	return code_index_get(&generation_current()->reasons, code);
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
 * Trigger of every rule table.  The cached rules of a session become stale when
 * the change becomes visible to it: in this session at once, in the others at
 * commit.
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
