/*-------------------------------------------------------------------------
 *
 * cache_load.c
 *		Read the rule tables into a generation of the cache.
 *
 * Policies and the days of a calendar are not read here: there can be many of
 * them, so they are read when they are first needed.
 *
 * The constraints of the tables keep rows out that are no rules, but the owner
 * of the tables can drop them.  So words are parsed by codes.h, which refuses
 * unknown ones, and a null is refused where a rule must have a value.
 *
 * src/rules/cache/cache_load.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/statement.h"
#include "rules/cache/cache_load.h"
#include "rules/cache/rule_cell.h"
#include "utils/builtins.h"

static const char *const rule_tables[RULE_TABLES] = {
	"installation", "currency", "calendar", "calendar_day", "market", "category",
	"reason", "state", "transition", "stage_deadline", "actor_grant"
};

Generation *
generation_begin(MemoryContext context)
{
	Generation *generation = MemoryContextAllocZero(context, sizeof(Generation));

	generation->context = context;
	for (int i = 0; i < RULE_TABLES; i++)
	{
		generation->relids[i] = table_oid(rule_tables[i]);
		if (!OidIsValid(generation->relids[i]))
			error_not_set_up(psprintf("The table returns.%s does not exist.", rule_tables[i]));
	}
	return generation;
}

/* ---- cells ---- */

/* The rows of a rule table; an error names the cell that was read last. */
typedef struct RuleRows
{
	ResultSet	result;
	RuleCell	cell;
} RuleRows;

/* Read a rule table; the rows stay open until rows_end(). */
static int
rows_begin(RuleRows *rows, Statement *statement, const char *table)
{
	rows->result = statement_read(statement, NULL, NULL);
	rule_cell_begin(&rows->cell, table);
	return (int) rows->result.nrows;
}

static void
rows_end(RuleRows *rows)
{
	rule_cell_end(&rows->cell);
}

static const char *
column_name(ResultSet result, int col)
{
	return NameStr(TupleDescAttr(result.table->tupdesc, col - 1)->attname);
}

/* A column of type text, as a C string in the current context; NULL: null. */
static char *
optional_cstring(RuleRows *rows, int row, int col)
{
	rows->cell.column = column_name(rows->result, col);
	return result_cstring(rows->result, row, col);
}

static int
optional_int(RuleRows *rows, int row, int col)
{
	rows->cell.column = column_name(rows->result, col);
	return result_int(rows->result, row, col);
}

/*
 * Read a column that the table declares NOT NULL.  Its owner may have dropped
 * the constraint, so the value is checked.
 */
static void
require_value(RuleRows *rows, int row, int col)
{
	rows->cell.column = column_name(rows->result, col);
	if (result_is_null(rows->result, row, col))
		rule_cell_refuse_null(&rows->cell);
}

static char *
required_cstring(RuleRows *rows, int row, int col)
{
	require_value(rows, row, col);
	return result_cstring(rows->result, row, col);
}

static int
required_int(RuleRows *rows, int row, int col)
{
	require_value(rows, row, col);
	return result_int(rows->result, row, col);
}

static bool
required_bool(RuleRows *rows, int row, int col)
{
	require_value(rows, row, col);
	return result_bool(rows->result, row, col);
}

/* A text[] as C strings; an element that is null is "", which is no code. */
static int
required_cstrings(RuleRows *rows, int row, int col, char ***strings)
{
	require_value(rows, row, col);
	return result_cstrings(rows->result, row, col, strings);
}

static Machine
required_machine(RuleRows *rows, int row, int col)
{
	return machine_parse(required_cstring(rows, row, col));
}

static Resolution
optional_resolution(RuleRows *rows, int row, int col)
{
	char	   *word = optional_cstring(rows, row, col);

	return word == NULL ? RESOLUTION_ANY : resolution_parse(word);
}

/* ---- tables ---- */

static void
load_installation(Generation *generation)
{
	static Statement statement = {
		"SELECT version, epoch, system_identifier FROM returns.installation", 0
	};
	RuleRows	rows;
	char	   *version;

	if (rows_begin(&rows, &statement, "installation") != 1)
		error_not_set_up("The table returns.installation has no row.");
	version = required_cstring(&rows, 0, 1);
	if (strcmp(version, RETURNS_VERSION) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_NOT_SET_UP),
				 errmsg("returns was set up by another version"),
				 errdetail("The tables are of version %s, the library is of version %s.",
						   version, RETURNS_VERSION),
				 errhint("Run ALTER EXTENSION returns UPDATE and then CALL returns.setup().")));
	generation->rules.epoch = required_int(&rows, 0, 2);
	require_value(&rows, 0, 3);
	generation->rules.system_identifier = (uint64) result_int64(rows.result, 0, 3);
	rows_end(&rows);
}

static void
load_currencies(Generation *generation)
{
	static Statement statement = {"SELECT code, minor_units FROM returns.currency", 0};
	RuleRows	rows;
	int			n = rows_begin(&rows, &statement, "currency");

	code_index_begin(&generation->currencies, "currency", n);
	for (int i = 0; i < n; i++)
	{
		Currency   *currency = palloc(sizeof(Currency));

		strlcpy(currency->code, required_cstring(&rows, i, 1), sizeof(currency->code));
		currency->minor_units = required_int(&rows, i, 2);
		currency->scale = 1;
		for (int d = 0; d < currency->minor_units; d++)
			currency->scale *= 10;
		code_index_add(&generation->currencies, currency->code, currency);
	}
	code_index_sort(&generation->currencies);
	rows_end(&rows);
}

static void
load_markets(Generation *generation)
{
	static Statement statement = {"SELECT code, calendar, timezone FROM returns.market", 0};
	RuleRows	rows;
	int			n = rows_begin(&rows, &statement, "market");

	code_index_begin(&generation->markets, "market", n);
	for (int i = 0; i < n; i++)
	{
		Market	   *market = palloc0(sizeof(Market));
		char	   *zone;

		market->code = required_cstring(&rows, i, 1);
		market->calendar_code = required_cstring(&rows, i, 2);
		zone = required_cstring(&rows, i, 3);
		market->zone = pg_tzset(zone);
		if (market->zone == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_RT_RULE_REFUSED),
					 errmsg("market \"%s\" has an unknown time zone \"%s\"", market->code, zone),
					 errhint("Set returns.market.timezone to a name of pg_timezone_names.")));
		code_index_add(&generation->markets, market->code, market);
	}
	code_index_sort(&generation->markets);
	rows_end(&rows);
}

/* A category that is its own ancestor would be searched for ever. */
static void
check_ancestors(const Category *category, int ncategories)
{
	int			steps = 0;

	for (const Category *c = category; c != NULL; c = c->parent)
		if (++steps > ncategories)
			ereport(ERROR,
					(errcode(ERRCODE_RT_RULE_REFUSED),
					 errmsg("category \"%s\" is its own ancestor", category->code),
					 errhint("Set returns.category.parent so that the categories are a tree.")));
}

static void
load_categories(Generation *generation)
{
	static Statement statement = {"SELECT code, parent FROM returns.category", 0};
	RuleRows	rows;
	int			n = rows_begin(&rows, &statement, "category");
	Category   *categories = palloc0(sizeof(Category) * n);

	code_index_begin(&generation->categories, "category", n);
	for (int i = 0; i < n; i++)
	{
		categories[i].code = required_cstring(&rows, i, 1);
		code_index_add(&generation->categories, categories[i].code, &categories[i]);
	}
	code_index_sort(&generation->categories);
	for (int i = 0; i < n; i++)
	{
		char	   *parent = optional_cstring(&rows, i, 2);

		if (parent != NULL)
			categories[i].parent = code_index_find(&generation->categories, parent,
												   strlen(parent));
	}
	for (int i = 0; i < n; i++)
		check_ancestors(&categories[i], n);
	rows_end(&rows);
}

static void
load_reasons(Generation *generation)
{
	static Statement statement = {"SELECT code, fault, evidence_required FROM returns.reason", 0};
	RuleRows	rows;
	int			n = rows_begin(&rows, &statement, "reason");

	code_index_begin(&generation->reasons, "reason", n);
	for (int i = 0; i < n; i++)
	{
		Reason	   *reason = palloc0(sizeof(Reason));

		reason->code = required_cstring(&rows, i, 1);
		reason->fault = fault_parse(required_cstring(&rows, i, 2));
		reason->evidence_required = required_bool(&rows, i, 3);
		code_index_add(&generation->reasons, reason->code, reason);
	}
	code_index_sort(&generation->reasons);
	rows_end(&rows);
}

static void
load_states(Generation *generation)
{
	static Statement statement = {"SELECT machine, code, kind FROM returns.state", 0};
	RuleRows	rows;
	int			n = rows_begin(&rows, &statement, "state");

	for (Machine machine = 0; machine < MACHINE_COUNT; machine++)
		code_index_begin(&generation->states[machine], "state", n);
	for (int i = 0; i < n; i++)
	{
		State	   *state = palloc0(sizeof(State));

		state->machine = required_machine(&rows, i, 1);
		state->code = required_cstring(&rows, i, 2);
		state->code_text = cstring_to_text(state->code);
		state->kind = state_kind_parse(required_cstring(&rows, i, 3));
		state->role = state_role_find(state->machine, state->code);
		if (state->role != ROLE_NONE)
			generation->rules.roles[state->role] = state;
		if (state->kind == STATE_INITIAL && state->machine == MACHINE_RETURN)
			generation->rules.initial = state;
		code_index_add(&generation->states[state->machine], state->code, state);
	}
	for (Machine machine = 0; machine < MACHINE_COUNT; machine++)
		code_index_sort(&generation->states[machine]);
	rows_end(&rows);
}

static int
required_actors(RuleRows *rows, int row, int col)
{
	char	  **words;
	int			n = required_cstrings(rows, row, col, &words);
	int			bits = 0;

	for (int i = 0; i < n; i++)
		bits |= actor_kind_parse(words[i]);
	return bits;
}

static int
required_requirements(RuleRows *rows, int row, int col)
{
	char	  **words;
	int			n = required_cstrings(rows, row, col, &words);
	int			bits = 0;

	for (int i = 0; i < n; i++)
		bits |= requirement_parse(words[i]);
	return bits;
}

/*
 * NULL: there is no such state.  Foreign keys refuse that at commit; until then
 * a row that names it is no rule.
 */
static State *
state_of_code(Generation *generation, Machine machine, const char *code)
{
	return code == NULL ? NULL :
		(State *) code_index_find(&generation->states[machine], code, strlen(code));
}

static void
load_transitions(Generation *generation)
{
	/* in this order the transitions that leave a state are neighbours */
	static Statement statement = {
		"SELECT machine, from_state, to_state, actors, requires, resolution, reversal, guard"
		" FROM returns.transition ORDER BY machine, from_state, to_state", 0
	};
	RuleRows	rows;
	int			n = rows_begin(&rows, &statement, "transition");
	Transition *transitions = palloc0(sizeof(Transition) * n);

	for (int i = 0; i < n; i++)
	{
		Machine		machine = required_machine(&rows, i, 1);
		State	   *from = state_of_code(generation, machine, required_cstring(&rows, i, 2));
		State	   *to = state_of_code(generation, machine, required_cstring(&rows, i, 3));
		Transition	transition = {
			.from = from,
			.to = to,
			.actors = required_actors(&rows, i, 4),
			.requires = required_requirements(&rows, i, 5),
			.resolution = optional_resolution(&rows, i, 6),
			.reversal = required_bool(&rows, i, 7),
			.guard = optional_cstring(&rows, i, 8),
		};

		if (from == NULL || to == NULL)
			continue;
		if (from->ntransitions == 0)
			from->transitions = &transitions[i];
		from->transitions[from->ntransitions++] = transition;
	}
	rows_end(&rows);
}

static void
load_stage_rules(Generation *generation)
{
	/* the rules of a state are neighbours, the most specific first */
	static Statement statement = {
		"SELECT machine, state, market, category, resolution, term, unit, on_timeout, remind"
		" FROM returns.stage_deadline ORDER BY machine, state,"
		" market NULLS LAST, category NULLS LAST, resolution NULLS LAST", 0
	};
	RuleRows	rows;
	int			n = rows_begin(&rows, &statement, "stage_deadline");
	StageRule  *rules = palloc0(sizeof(StageRule) * n);

	for (int i = 0; i < n; i++)
	{
		Machine		machine = required_machine(&rows, i, 1);
		State	   *state = state_of_code(generation, machine, required_cstring(&rows, i, 2));
		TermUnit	unit = term_unit_parse(required_cstring(&rows, i, 7));
		StageRule	rule = {
			.market = optional_cstring(&rows, i, 3),
			.category = optional_cstring(&rows, i, 4),
			.resolution = optional_resolution(&rows, i, 5),
			.term = required_int(&rows, i, 6),
			.unit = unit,
			.on_timeout = state_of_code(generation, machine, optional_cstring(&rows, i, 8)),
			.remind = optional_int(&rows, i, 9),
		};

		if (state == NULL)
			continue;
		if (state->nrules == 0)
			state->rules = &rules[i];
		state->rules[state->nrules++] = rule;
		if (rule.category != NULL)
			state->names_category = true;
	}
	rows_end(&rows);
}

static void
load_grants(Generation *generation)
{
	/* db_role is of type name, which result.h does not read */
	static Statement statement = {
		"SELECT db_role::pg_catalog.text AS db_role, actor, ref FROM returns.actor_grant", 0
	};
	RuleRows	rows;
	int			n = rows_begin(&rows, &statement, "actor_grant");

	generation->rules.grants = palloc0(sizeof(ActorGrant) * n);
	generation->rules.ngrants = n;
	for (int i = 0; i < n; i++)
	{
		ActorGrant *grant = &generation->rules.grants[i];

		namestrcpy(&grant->db_role, required_cstring(&rows, i, 1));
		grant->actor = actor_kind_parse(required_cstring(&rows, i, 2));
		grant->ref = optional_cstring(&rows, i, 3);
	}
	rows_end(&rows);
}

void
generation_load(Generation *generation)
{
	AsOwner		owner;
	MemoryContext old;

	as_owner_begin(&owner);
	old = MemoryContextSwitchTo(generation->context);
	load_installation(generation);
	load_currencies(generation);
	load_markets(generation);
	load_categories(generation);
	load_reasons(generation);
	load_states(generation);
	load_transitions(generation);
	load_stage_rules(generation);
	load_grants(generation);
	MemoryContextSwitchTo(old);
	as_owner_end(&owner);
}
