/*-------------------------------------------------------------------------
 *
 * silence.c
 *		What happens when nobody acts: are the timers sound?
 *
 * A timer's move must be one that the system can make, and timers must not
 * lead round in a ring.  That a market has no timer for some state is no
 * defect of the workflow, but worth a warning: a return may wait there for
 * ever.
 *
 * src/rules/workflow/silence.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "rules/cache/cache.h"
#include "rules/workflow/silence.h"
#include "rules/workflow/workflow.h"

/* ---- timers ---- */

/* Where a rule is for both resolutions: is there one like it for this one? */
static bool
rule_is_shadowed(const State *state, const StageRule *rule, Resolution resolution)
{
	for (int i = 0; i < state->nrules; i++)
	{
		const StageRule *other = &state->rules[i];

		if (other->resolution == resolution && rule->resolution != resolution &&
			(other->market == NULL ? rule->market == NULL :
			 rule->market != NULL && strcmp(other->market, rule->market) == 0) &&
			(other->category == NULL ? rule->category == NULL :
			 rule->category != NULL && strcmp(other->category, rule->category) == 0))
			return true;
	}
	return false;
}

/* The timer of "requested", market kz, category phones */
static char *
rule_name(const State *state, const StageRule *rule)
{
	char	   *scope = stage_rule_scope(rule);

	return psprintf("The timer of \"%s\"%s%s", state->code, scope[0] != '\0' ? ", " : "", scope);
}

/* Why the system cannot make the timer's move; NULL: it can. */
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
		return "that transition requires a note, and the system has none to give";
	for (int r = FIRST_RESOLUTION; r < RESOLUTIONS; r++)
		if (graph->judged[r][i] && !edge_is_for(edge, r) &&
			(rule->resolution == RESOLUTION_ANY || rule->resolution == r) &&
			!rule_is_shadowed(state, rule, r))
			return r == RESOLUTION_REFUND ?
				"that transition is not for returns with resolution refund" :
				"that transition is not for returns with resolution exchange";
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
								 psprintf("%s can never end: the state is final.", rule_name(state, rule)));
			else if (rule->on_timeout != NULL &&
					 (obstacle = timer_obstacle(graph, i, rule)) != NULL)
				graph_add_defect(graph, state->code, DEFECT_TIMER_TARGET,
								 psprintf("%s leads to \"%s\", but %s.", rule_name(state, rule),
										  rule->on_timeout->code, obstacle));
		}
	}
}

/* ---- silence ---- */

/* A kind of return, as the timers tell them apart. */
typedef struct Silence
{
	const Market *market;		/* NULL: one that no timer names */
	const Category *category;	/* NULL: the same */
	Resolution	resolution;
} Silence;

/*
 * Where a return of the kind goes from state i when nobody acts: where its
 * timer leads, or where it has none, any way the system may take.  Money on
 * its way arrives, whatever the timer says.  among NULL: all states, else
 * these.  -1: nowhere.
 */
static int
silent_next(Graph *graph, int i, const Silence *kind, const bool *among)
{
	const State *state = graph->states[i];
	const StageRule *rule = stage_rule_of_category(state, kind->market, kind->resolution,
												   kind->category);

	for (int t = 0; t < state->ntransitions; t++)
	{
		const Transition *edge = &state->transitions[t];

		if ((among == NULL || among[graph->targets[i][t]]) &&
			edge_is_systems(edge) && edge_is_for(edge, kind->resolution) &&
			(rule == NULL || edge->to == rule->on_timeout || state->role == ROLE_REFUND_DUE))
			return graph->targets[i][t];
	}
	return -1;
}

/* "a -> b -> a", from state i until it comes back to where it was. */
static char *
silent_path(Graph *graph, int i, const Silence *kind)
{
	StringInfoData path;
	bool	   *seen = palloc0(graph->n);

	initStringInfo(&path);
	appendStringInfo(&path, "\"%s\"", graph->states[i]->code);
	while (!seen[i])
	{
		seen[i] = true;
		i = silent_next(graph, i, kind, NULL);
		appendStringInfo(&path, " -> \"%s\"", graph->states[i]->code);
	}
	return path.data;
}

static char *
silence_name(const Silence *kind)
{
	return psprintf("%s%s%s%s, resolution %s",
					kind->market == NULL ? "other markets" : "market ",
					kind->market == NULL ? "" : kind->market->code,
					kind->category == NULL ? "" : ", category ",
					kind->category == NULL ? "" : kind->category->code,
					kind->resolution == RESOLUTION_REFUND ? "refund" : "exchange");
}

/*
 * Does it end when nobody acts?  It does in a final state, and where the timer
 * says to stay.  A state that silence cannot leave although it should is
 * reported as such; what remains are rings of timers.
 */
static void
check_silence(Graph *graph, const Silence *kind, bool *reported)
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
						 psprintf("It would go on for ever: %s (%s).", silent_path(graph, i, kind),
								  silence_name(kind)));
	}
	pfree(ends);
}

static const char *
market_of_timer(const StageRule *rule)
{
	return rule->market;
}

static const char *
category_of_timer(const StageRule *rule)
{
	return rule->category;
}

/* The codes that the timers name, each once; NULL is not among them. */
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

/* Every kind of return that the timers tell apart. */
void
check_silences(Graph *graph)
{
	List	   *markets = timer_codes(graph, market_of_timer);
	List	   *categories = timer_codes(graph, category_of_timer);
	bool	   *reported = palloc0(graph->n + 1);

	for (int m = -1; m < list_length(markets); m++)
		for (int c = -1; c < list_length(categories); c++)
			for (int r = FIRST_RESOLUTION; r < RESOLUTIONS; r++)
			{
				Silence		kind = {
					m < 0 ? NULL : market_get(list_nth(markets, m)),
					c < 0 ? NULL : category_get(list_nth(categories, c)),
					r
				};

				check_silence(graph, &kind, reported);
			}
}

/* ---- states without a timer ---- */

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

/* The open states that a market which has timers has none for. */
static char *
states_without_timer(Graph *graph, const char *market)
{
	StringInfoData codes;

	initStringInfo(&codes);
	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];

		if (state->kind != STATE_OPEN || state->role == ROLE_REFUND_DUE)
			continue;
		for (int r = FIRST_RESOLUTION; r < RESOLUTIONS; r++)
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
	StringInfoData told;
	List	   *markets;
	ListCell   *cell;

	graph_load(&graph, MACHINE_RETURN);
	graph_check_reached(&graph);
	markets = timer_codes(&graph, market_of_timer);
	initStringInfo(&told);
	foreach(cell, markets)
	{
		const char *market = lfirst(cell);
		char	   *codes = states_without_timer(&graph, market);

		if (codes != NULL)
			appendStringInfo(&told, "%sMarket %s: %s.", told.len > 0 ? "\n" : "", market, codes);
	}
	return told.len > 0 ? told.data : NULL;
}
