/*-------------------------------------------------------------------------
 *
 * silence.c
 *		Are the timers sound: does every return end if no actor moves it?
 *
 * The move of a timer must be one that the system can make, and timers must not
 * form a ring.  A market that has no timer for some state is no defect of the
 * workflow, but it deserves a warning: a return may wait in this state for ever.
 *
 * src/rules/workflow/silence.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "rules/cache/cache.h"
#include "rules/workflow/outcome.h"
#include "rules/workflow/silence.h"
#include "rules/workflow/stage_rule.h"

/* ---- timers ---- */

static bool
is_same_code(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/*
 * Does a rule that is for all resolutions never apply to this one, because
 * another rule for the same market and category is for it?
 */
static bool
rule_is_shadowed(const State *state, const StageRule *rule, Resolution resolution)
{
	for (int i = 0; i < state->nrules; i++)
	{
		const StageRule *other = &state->rules[i];

		if (other->resolution == resolution && rule->resolution != resolution &&
			is_same_code(other->market, rule->market) &&
			is_same_code(other->category, rule->category))
			return true;
	}
	return false;
}

/* "The timer of "requested", market kz, category phones" */
static char *
timer_text(const State *state, const StageRule *rule)
{
	char	   *scope = stage_rule_scope(rule);

	return psprintf("The timer of \"%s\"%s%s", state->code, scope[0] != '\0' ? ", " : "", scope);
}

/* Why the system cannot make the move of the timer; NULL: it can. */
static const char *
timer_obstacle(Graph *graph, int i, const StageRule *rule)
{
	const State *state = graph->states[i];
	const Transition *edge = transition_find(state, rule->on_timeout);

	if (edge == NULL)
		return "there is no such transition";
	if ((edge->actors & ACTOR_SYSTEM) == 0)
		return "the system is not among the actors of that transition";
	if (edge->requires & REQUIRES_NOTE)
		return "that transition requires a note, which the system cannot write";
	for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
		if (graph->judged[r][i] && !edge_is_for(edge, r) &&
			(rule->resolution == RESOLUTION_ANY || rule->resolution == r) &&
			!rule_is_shadowed(state, rule, r))
			return psprintf("that transition is not for returns with resolution %s",
							resolution_name(r));
	return NULL;
}

void
check_timers(Graph *graph)
{
	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];

		for (int k = 0; k < state->nrules; k++)
		{
			const StageRule *rule = &state->rules[k];
			const char *obstacle;

			if (state->kind == STATE_FINAL)
				graph_add_defect(graph, state->code, DEFECT_TIMER_FINAL,
								 psprintf("%s never starts, because the state is final.",
										  timer_text(state, rule)));
			else if (rule->on_timeout != NULL &&
					 (obstacle = timer_obstacle(graph, i, rule)) != NULL)
				graph_add_defect(graph, state->code, DEFECT_TIMER_TARGET,
								 psprintf("%s leads to \"%s\", but %s.", timer_text(state, rule),
										  rule->on_timeout->code, obstacle));
		}
	}
}

/* ---- silence ---- */

/* A kind of return, as far as the timers distinguish returns. */
typedef struct ReturnKind
{
	const Market *market;		/* NULL: one that no timer names */
	const Category *category;	/* NULL: the same */
	Resolution	resolution;
} ReturnKind;

/*
 * The state that a return of the kind goes to from state i if no actor moves
 * it: the target of its timer or, where it has no timer, of any edge that the
 * system may take.  A return that waits for refunds moves when they are
 * settled, whatever its timer says.  Only targets in among are considered
 * (NULL: all).  -1: it stays.
 */
static int
silent_next(Graph *graph, int i, const ReturnKind *kind, const bool *among)
{
	const State *state = graph->states[i];
	const StageRule *rule = stage_rule_of_category(state, kind->market, kind->resolution,
												   kind->category);

	for (int t = 0; t < state->ntransitions; t++)
	{
		const Transition *edge = &state->transitions[t];

		if ((among == NULL || among[graph->targets[i][t]]) &&
			edge_is_automatic(edge) && edge_is_for(edge, kind->resolution) &&
			(rule == NULL || edge->to == rule->on_timeout ||
			 outcome_awaits_refunds(state->role)))
			return graph->targets[i][t];
	}
	return -1;
}

/* "a" -> "b" -> "a": from state i of a ring, until a state comes again. */
static char *
ring_text(Graph *graph, int i, const ReturnKind *kind)
{
	StringInfoData path;
	bool	   *seen = palloc0(graph->n);

	initStringInfo(&path);
	appendStringInfo(&path, "\"%s\"", graph->states[i]->code);
	while (!seen[i])
	{
		seen[i] = true;
		i = silent_next(graph, i, kind, NULL);
		Assert(i >= 0);			/* otherwise it would not be in a ring */
		appendStringInfo(&path, " -> \"%s\"", graph->states[i]->code);
	}
	return path.data;
}

static char *
kind_text(const ReturnKind *kind)
{
	return psprintf("%s%s%s%s, resolution %s",
					kind->market == NULL ? "other markets" : "market ",
					kind->market == NULL ? "" : kind->market->code,
					kind->category == NULL ? "" : ", category ",
					kind->category == NULL ? "" : kind->category->code,
					resolution_name(kind->resolution));
}

/*
 * Does a return of this kind come to rest if no actor moves it?  It does in a
 * state that is not open, and where neither a timer nor the system moves it
 * (check_exits() reports a state where it should move).  A state from which it
 * reaches no such state is in a ring of timers, or leads to one.
 */
static void
check_silence(Graph *graph, const ReturnKind *kind, bool *reported)
{
	bool	   *ends = palloc0(graph->n + 1);
	bool		changed = true;

	for (int i = 0; i < graph->n; i++)
		ends[i] = graph->states[i]->kind != STATE_OPEN || silent_next(graph, i, kind, NULL) < 0;
	while (changed)
	{
		changed = false;
		for (int i = 0; i < graph->n; i++)
			if (!ends[i] && silent_next(graph, i, kind, ends) >= 0)
				changed = ends[i] = true;
	}
	for (int i = 0; i < graph->n; i++)
	{
		if (ends[i] || reported[i] || !graph->judged[kind->resolution][i])
			continue;
		reported[i] = true;
		graph_add_defect(graph, graph->states[i]->code, DEFECT_SILENCE,
						 psprintf("If no actor moves it, the return never stops: %s (%s).",
								  ring_text(graph, i, kind), kind_text(kind)));
	}
	pfree(ends);
}

static const char *
rule_market(const StageRule *rule)
{
	return rule->market;
}

static const char *
rule_category(const StageRule *rule)
{
	return rule->category;
}

/* The markets or categories that the timers name, each once, without NULL. */
static List *
timer_codes(Graph *graph, const char *(*code_of) (const StageRule *))
{
	List	   *codes = NIL;

	for (int i = 0; i < graph->n; i++)
		for (int k = 0; k < graph->states[i]->nrules; k++)
		{
			const char *code = code_of(&graph->states[i]->rules[k]);
			bool		known = code == NULL;
			ListCell   *cell;

			foreach(cell, codes)
				known = known || strcmp(lfirst(cell), code) == 0;
			if (!known)
				codes = lappend(codes, (void *) code);
		}
	return codes;
}

/* Check every kind of return that the timers distinguish. */
void
check_silences(Graph *graph)
{
	List	   *markets = timer_codes(graph, rule_market);
	List	   *categories = timer_codes(graph, rule_category);
	bool	   *reported = palloc0(graph->n + 1);

	for (int m = -1; m < list_length(markets); m++)
		for (int c = -1; c < list_length(categories); c++)
			for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
			{
				ReturnKind	kind = {
					m < 0 ? NULL : market_get(list_nth(markets, m)),
					c < 0 ? NULL : category_get(list_nth(categories, c)),
					r
				};

				check_silence(graph, &kind, reported);
			}
}

/* ---- states without a timer ---- */

/* Does any rule of the market apply to returns with the resolution? */
static bool
has_timer(const State *state, const char *market, Resolution resolution)
{
	for (int k = 0; k < state->nrules; k++)
	{
		const StageRule *rule = &state->rules[k];

		if ((rule->market == NULL || strcmp(rule->market, market) == 0) &&
			(rule->resolution == RESOLUTION_ANY || rule->resolution == resolution))
			return true;
	}
	return false;
}

/* The open states for which a market has no timer; NULL: none. */
static char *
states_without_timer(Graph *graph, const char *market)
{
	StringInfoData codes;

	initStringInfo(&codes);
	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];

		if (state->kind != STATE_OPEN || outcome_awaits_refunds(state->role))
			continue;
		for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
			if (graph->judged[r][i] && !has_timer(state, market, r))
			{
				appendStringInfo(&codes, "%s\"%s\"", codes.len > 0 ? ", " : "", state->code);
				break;
			}
	}
	return codes.len > 0 ? codes.data : NULL;
}

char *
workflow_gaps(void)
{
	Graph		graph;
	StringInfoData gaps;
	List	   *markets;
	ListCell   *cell;

	graph_load(&graph, MACHINE_RETURN);
	graph_check_reached(&graph);
	markets = timer_codes(&graph, rule_market);
	initStringInfo(&gaps);
	foreach(cell, markets)
	{
		const char *market = lfirst(cell);
		char	   *codes = states_without_timer(&graph, market);

		if (codes != NULL)
			appendStringInfo(&gaps, "%sMarket %s: %s.", gaps.len > 0 ? "\n" : "", market, codes);
	}
	return gaps.len > 0 ? gaps.data : NULL;
}
