/*-------------------------------------------------------------------------
 *
 * cache_load.c
 *		Read the rule tables into a generation of the cache.
 *
 * Policies and the days of a calendar are not read here: they can be many and
 * are loaded when somebody asks.
 *
 * src/rules/cache/cache_load.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "rules/cache/cache_load.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static const char *const rule_tables[RULE_TABLES] = {
	"installation", "currency", "calendar", "calendar_day", "market", "category",
	"reason", "state", "transition", "stage_deadline", "actor_grant"
};

static const char *const role_codes[ROLE_COUNT] = {
	[ROLE_REQUESTED] = "requested",
	[ROLE_APPROVED] = "approved",
	[ROLE_IN_TRANSIT] = "in_transit",
	[ROLE_RECEIVED] = "received",
	[ROLE_REFUND_DUE] = "refund_due",
	[ROLE_REFUNDED] = "refunded",
	[ROLE_EXCHANGE_DUE] = "exchange_due",
	[ROLE_EXCHANGED] = "exchanged",
	[ROLE_PENDING] = "pending",
	[ROLE_SENT] = "sent",
	[ROLE_SETTLED] = "settled",
	[ROLE_FAILED] = "failed",
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

/* A column of the last result as a C string in the current context, or NULL. */
static char *
column_text(uint64 row, int col)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static int
column_int(uint64 row, int col)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

static bool
column_bool(uint64 row, int col)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);

	return !isnull && DatumGetBool(value);
}

/* A text[] as C strings; NULL elements are refused by the tables' checks. */
static int
column_texts(uint64 row, int col, char ***texts)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (isnull)
		return 0;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	*texts = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		(*texts)[i] = nulls[i] ? pstrdup("") : TextDatumGetCString(elements[i]);
	return n;
}

static int
index_order(const void *a, const void *b)
{
	const CodeIndexEntry *left = a;
	const CodeIndexEntry *right = b;

	return left->len != right->len ? left->len - right->len :
		memcmp(left->code, right->code, left->len);
}

static void
index_add(CodeIndex *index, const char *code, const void *item)
{
	index->entries[index->n++] = (CodeIndexEntry) {code, strlen(code), item};
}

static void
index_begin(CodeIndex *index, uint64 capacity)
{
	index->entries = palloc(sizeof(CodeIndexEntry) * Max(capacity, 1));
	index->n = 0;
}

static void
index_end(CodeIndex *index)
{
	qsort(index->entries, index->n, sizeof(CodeIndexEntry), index_order);
}

static const void *
index_item(const CodeIndex *index, const char *code)
{
	CodeIndexEntry key = {code, code ? strlen(code) : 0, NULL};
	CodeIndexEntry *found = code == NULL ? NULL :
		bsearch(&key, index->entries, index->n, sizeof(CodeIndexEntry), index_order);

	return found ? found->item : NULL;
}

static Resolution
resolution_parse(const char *code)
{
	return code == NULL ? RESOLUTION_ANY :
		strcmp(code, "exchange") == 0 ? RESOLUTION_EXCHANGE : RESOLUTION_REFUND;
}

static void
load_installation(Generation *generation)
{
	static KeptPlan plan = {
		"SELECT version, epoch, system_identifier FROM returns.installation", 0
	};
	bool		isnull;
	char	   *version;

	if (plan_read(&plan, NULL, NULL) != 1)
		error_not_set_up("The table returns.installation has no row.");
	version = column_text(0, 1);
	if (strcmp(version, RETURNS_VERSION) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_NOT_SET_UP),
				 errmsg("returns was set up by another version"),
				 errdetail("The tables are of version %s, the library is of version %s.",
						   version, RETURNS_VERSION),
				 errhint("Run ALTER EXTENSION returns UPDATE and then CALL returns.setup().")));
	generation->rules.epoch = column_int(0, 2);
	generation->rules.system_identifier = (uint64) DatumGetInt64(plan_value(0, 3, &isnull));
}

static void
load_currencies(Generation *generation)
{
	static KeptPlan plan = {"SELECT code, minor_units FROM returns.currency", 0};
	uint64		n = plan_read(&plan, NULL, NULL);

	index_begin(&generation->currencies, n);
	for (uint64 i = 0; i < n; i++)
	{
		Currency   *currency = palloc(sizeof(Currency));

		strlcpy(currency->code, column_text(i, 1), sizeof(currency->code));
		currency->minor_units = column_int(i, 2);
		currency->scale = 1;
		for (int d = 0; d < currency->minor_units; d++)
			currency->scale *= 10;
		index_add(&generation->currencies, currency->code, currency);
	}
	index_end(&generation->currencies);
}

static void
load_markets(Generation *generation)
{
	static KeptPlan plan = {"SELECT code, timezone, calendar, currency FROM returns.market", 0};
	uint64		n = plan_read(&plan, NULL, NULL);

	index_begin(&generation->markets, n);
	for (uint64 i = 0; i < n; i++)
	{
		Market	   *market = palloc0(sizeof(Market));
		char	   *zone = column_text(i, 2);

		market->code = column_text(i, 1);
		market->zone = pg_tzset(zone);
		if (market->zone == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_RT_RULE_REFUSED),
					 errmsg("market \"%s\" has an unknown time zone \"%s\"", market->code, zone),
					 errhint("Set returns.market.timezone to a name of pg_timezone_names.")));
		market->calendar_code = column_text(i, 3);
		market->currency = index_item(&generation->currencies, column_text(i, 4));
		index_add(&generation->markets, market->code, market);
	}
	index_end(&generation->markets);
}

static void
load_categories(Generation *generation)
{
	static KeptPlan plan = {"SELECT code, parent FROM returns.category", 0};
	uint64		n = plan_read(&plan, NULL, NULL);
	char	  **parents = palloc0(sizeof(char *) * (n + 1));
	Category  **categories = palloc0(sizeof(Category *) * (n + 1));

	index_begin(&generation->categories, n);
	for (uint64 i = 0; i < n; i++)
	{
		categories[i] = palloc0(sizeof(Category));
		categories[i]->code = column_text(i, 1);
		parents[i] = column_text(i, 2);
		index_add(&generation->categories, categories[i]->code, categories[i]);
	}
	index_end(&generation->categories);
	for (uint64 i = 0; i < n; i++)
		categories[i]->parent = (Category *) index_item(&generation->categories, parents[i]);
	/* a ring would be walked for ever */
	for (uint64 i = 0; i < n; i++)
	{
		uint64		steps = 0;

		for (Category *c = categories[i]; c != NULL; c = c->parent)
			if (++steps > n)
				ereport(ERROR,
						(errcode(ERRCODE_RT_RULE_REFUSED),
						 errmsg("category \"%s\" is its own ancestor", categories[i]->code),
						 errhint("Set returns.category.parent so that the categories are a tree.")));
	}
}

static Fault
fault_parse(const char *code)
{
	return strcmp(code, "seller") == 0 ? FAULT_SELLER :
		strcmp(code, "carrier") == 0 ? FAULT_CARRIER :
		strcmp(code, "platform") == 0 ? FAULT_PLATFORM : FAULT_NONE;
}

static void
load_reasons(Generation *generation)
{
	static KeptPlan plan = {"SELECT code, fault, evidence_required FROM returns.reason", 0};
	uint64		n = plan_read(&plan, NULL, NULL);

	index_begin(&generation->reasons, n);
	for (uint64 i = 0; i < n; i++)
	{
		Reason	   *reason = palloc0(sizeof(Reason));

		reason->code = column_text(i, 1);
		reason->fault = fault_parse(column_text(i, 2));
		reason->evidence_required = column_bool(i, 3);
		index_add(&generation->reasons, reason->code, reason);
	}
	index_end(&generation->reasons);
}

static StateRole
role_of(Machine machine, const char *code)
{
	for (int i = 1; i < ROLE_COUNT; i++)
		if ((i >= ROLE_PENDING) == (machine == MACHINE_REFUND) &&
			strcmp(role_codes[i], code) == 0)
			return i;
	return ROLE_NONE;
}

static Machine
machine_parse(const char *code)
{
	return strcmp(code, "refund") == 0 ? MACHINE_REFUND : MACHINE_RETURN;
}

static void
load_states(Generation *generation)
{
	static KeptPlan plan = {"SELECT machine, code, kind FROM returns.state", 0};
	uint64		n = plan_read(&plan, NULL, NULL);

	index_begin(&generation->states[MACHINE_RETURN], n);
	index_begin(&generation->states[MACHINE_REFUND], n);
	for (uint64 i = 0; i < n; i++)
	{
		State	   *state = palloc0(sizeof(State));
		char	   *kind = column_text(i, 3);

		state->machine = machine_parse(column_text(i, 1));
		state->code = column_text(i, 2);
		state->code_text = cstring_to_text(state->code);
		state->role = role_of(state->machine, state->code);
		state->kind = strcmp(kind, "initial") == 0 ? STATE_INITIAL :
			strcmp(kind, "final") == 0 ? STATE_FINAL : STATE_OPEN;
		generation->rules.roles[state->role] = state->role == ROLE_NONE ? NULL : state;
		if (state->kind == STATE_INITIAL && state->machine == MACHINE_RETURN)
			generation->rules.initial = state;
		index_add(&generation->states[state->machine], state->code, state);
	}
	index_end(&generation->states[MACHINE_RETURN]);
	index_end(&generation->states[MACHINE_REFUND]);
}

static int
actors_bits(uint64 row, int col)
{
	char	  **names;
	int			n = column_texts(row, col, &names);
	int			bits = 0;

	for (int i = 0; i < n; i++)
		bits |= actor_kind_parse(names[i]);
	return bits;
}

static int
requires_bits(uint64 row, int col)
{
	char	  **names;
	int			n = column_texts(row, col, &names);
	int			bits = 0;

	for (int i = 0; i < n; i++)
		bits |= strcmp(names[i], "note") == 0 ? REQUIRES_NOTE :
			strcmp(names[i], "tracking") == 0 ? REQUIRES_TRACKING : REQUIRES_EVIDENCE;
	return bits;
}

static State *
state_of_row(Generation *generation, uint64 row, int machine_col, int state_col)
{
	Machine		machine = machine_parse(column_text(row, machine_col));

	return (State *) index_item(&generation->states[machine], column_text(row, state_col));
}

static void
load_transitions(Generation *generation)
{
	static KeptPlan plan = {
		"SELECT machine, from_state, to_state, actors, requires, resolution, reversal, guard"
		" FROM returns.transition ORDER BY machine, from_state, to_state", 0
	};
	uint64		n = plan_read(&plan, NULL, NULL);
	Transition *transitions = palloc0(sizeof(Transition) * (n + 1));

	for (uint64 i = 0; i < n; i++)
	{
		State	   *from = state_of_row(generation, i, 1, 2);
		const State *to = state_of_row(generation, i, 1, 3);

		/* an edge without its state is refused at commit; until then it is none */
		if (from == NULL || to == NULL)
			continue;
		if (from->ntransitions++ == 0)
			from->transitions = &transitions[i];
		transitions[i] = (Transition) {
			.from = from,
			.to = to,
			.actors = actors_bits(i, 4),
			.requires = requires_bits(i, 5),
			.resolution = resolution_parse(column_text(i, 6)),
			.reversal = column_bool(i, 7),
			.guard = column_text(i, 8),
		};
		from->transitions[from->ntransitions - 1] = transitions[i];
	}
}

static void
load_stage_rules(Generation *generation)
{
	static KeptPlan plan = {
		"SELECT machine, state, market, category, resolution, term, unit, on_timeout, remind"
		" FROM returns.stage_deadline ORDER BY machine, state,"
		" market NULLS LAST, category NULLS LAST, resolution NULLS LAST", 0
	};
	uint64		n = plan_read(&plan, NULL, NULL);
	StageRule  *rules = palloc0(sizeof(StageRule) * (n + 1));

	for (uint64 i = 0; i < n; i++)
	{
		State	   *state = state_of_row(generation, i, 1, 2);

		if (state == NULL)
			continue;
		if (state->nrules++ == 0)
			state->rules = &rules[i];
		state->rules[state->nrules - 1] = (StageRule) {
			.market = column_text(i, 3),
			.category = column_text(i, 4),
			.resolution = resolution_parse(column_text(i, 5)),
			.term = column_int(i, 6),
			.unit = term_unit_parse(column_text(i, 7)),
			.on_timeout = state_of_row(generation, i, 1, 8),
			.remind = column_int(i, 9),
		};
		if (state->rules[state->nrules - 1].category != NULL)
			state->names_category = true;
	}
}

static void
load_grants(Generation *generation)
{
	static KeptPlan plan = {"SELECT db_role, actor, ref FROM returns.actor_grant", 0};
	uint64		n = plan_read(&plan, NULL, NULL);
	bool		isnull;

	generation->rules.grants = palloc0(sizeof(ActorGrant) * (n + 1));
	generation->rules.ngrants = n;
	for (uint64 i = 0; i < n; i++)
	{
		ActorGrant *grant = &generation->rules.grants[i];

		namestrcpy(&grant->db_role, NameStr(*DatumGetName(plan_value(i, 1, &isnull))));
		grant->actor = actor_kind_parse(column_text(i, 2));
		grant->ref = column_text(i, 3);
	}
}

void
generation_load(Generation *generation)
{
	OwnState	own;
	MemoryContext old;

	own_begin(&own);
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
	own_end(&own);
}
