/*-------------------------------------------------------------------------
 *
 * soundness.c
 *		Is the workflow sound?
 *
 * Soundness as defined for workflow nets (W. van der Aalst, 1997): every state
 * can be reached from the initial one, a final state can be reached from every
 * state, and here also without an act of any actor.  A return is a single
 * token, so its net is a state machine, and these are questions of
 * reachability in a graph.
 *
 * A transition may be for one resolution only, so what is reachable depends on
 * the resolution: a state is judged under the resolutions that reach it.  Guards
 * decide by data, so they are assumed to let moves pass.
 *
 * src/rules/workflow/soundness.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/as_owner.h"
#include "rules/actor/permission.h"
#include "rules/cache/cache.h"
#include "rules/workflow/outcome.h"
#include "rules/workflow/silence.h"
#include "rules/workflow/soundness.h"
#include "rules/workflow/workflow.h"

/* bad[]: by resolution, does a state have the defect? */
static bool
is_bad_for_any(const bool *bad)
{
	for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
		if (bad[r])
			return true;
	return false;
}

/* " with resolution exchange"; "" when the defect does not depend on it. */
static const char *
with_resolution(const bool *bad)
{
	int			having = 0;
	int			all = 0;

	for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
	{
		all |= 1 << r;
		if (bad[r])
			having |= 1 << r;
	}
	return having == all ? "" :
		psprintf(" with resolution %s", resolutions_describe(having, " or "));
}

/* ---- reachability ---- */

/* Add to goal[] the states from which one of them can be reached. */
static void
mark_leading(Graph *graph, Resolution resolution, bool *goal)
{
	bool		changed = true;

	while (changed)
	{
		changed = false;
		for (int i = 0; i < graph->n; i++)
			for (int t = 0; !goal[i] && t < graph->states[i]->ntransitions; t++)
				if (goal[graph->targets[i][t]] &&
					edge_is_for(&graph->states[i]->transitions[t], resolution))
					changed = goal[i] = true;
	}
}

static void
check_paths(Graph *graph)
{
	bool	   *ends[RESOLUTION_COUNT];

	for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
	{
		bool	   *goal = palloc0(graph->n + 1);

		for (int i = 0; i < graph->n; i++)
			goal[i] = graph->states[i]->kind == STATE_FINAL;
		mark_leading(graph, r, goal);
		ends[r] = goal;
	}
	for (int i = 0; i < graph->n; i++)
	{
		bool		bad[RESOLUTION_COUNT] = {false};

		for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
			bad[r] = graph->judged[r][i] && !ends[r][i];
		if (is_bad_for_any(bad))
			graph_add_defect(graph, graph->states[i]->code, DEFECT_NO_PATH,
							 psprintf("No path of transitions leads from \"%s\" to a final state%s.",
									  graph->states[i]->code, with_resolution(bad)));
	}
}

/* ---- each state and its edges ---- */

static void
check_exits(Graph *graph)
{
	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];
		bool		bad[RESOLUTION_COUNT] = {false};

		for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
		{
			bad[r] = state->kind == STATE_OPEN && graph->judged[r][i];
			for (int t = 0; t < state->ntransitions; t++)
				if (edge_is_automatic(&state->transitions[t]) &&
					edge_is_for(&state->transitions[t], r))
					bad[r] = false;
		}
		if (is_bad_for_any(bad))
			graph_add_defect(graph, state->code, DEFECT_NO_EXIT,
							 psprintf("If no actor moves it, a return%s waits in \"%s\" for ever: the system can make no transition from it.",
									  with_resolution(bad), state->code));
	}
}

static void
check_guard(Graph *graph, const Transition *edge)
{
	const char *why;
	AsOwner		owner;
	Oid			function;

	as_owner_begin_foreign(&owner);
	function = guard_function(edge->guard, &why);
	as_owner_end(&owner);
	if (!OidIsValid(function))
		graph_add_defect(graph, edge->from->code, DEFECT_GUARD,
						 psprintf("\"%s\" guards the transition from \"%s\" to \"%s\". %s",
								  edge->guard, edge->from->code, edge->to->code, why));
}

static void
check_edges(Graph *graph)
{
	int			participants = permitted_actors(graph->machine == MACHINE_REFUND ?
										MAY_MOVE_REFUNDS : MAY_MOVE_RETURNS);

	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];

		for (int t = 0; t < state->ntransitions; t++)
		{
			const Transition *edge = &state->transitions[t];

			if (state->kind == STATE_FINAL && !edge->reversal)
				graph_add_defect(graph, state->code, DEFECT_FINAL_EXIT,
								 psprintf("The state \"%s\" is final, but its transition to \"%s\" is not marked as a reversal.",
										  state->code, edge->to->code));
			if ((edge->actors & participants) == 0)
				graph_add_defect(graph, state->code, DEFECT_NO_ACTOR,
								 psprintf("None of the actors of the transition from \"%s\" to \"%s\" takes part in a %s.",
										  state->code, edge->to->code, machine_name(graph->machine)));
			if (edge->guard != NULL)
				check_guard(graph, edge);
		}
	}
}

/*
 * The state must exist and be of this kind.  It may be missing when another one
 * is missing, which may be the same (ROLE_NONE: it may not be missing).
 */
static void
check_needed_state(Graph *graph, StateRole role, StateKind kind, StateRole needed_by)
{
	const State *const *roles = rules_current()->roles;

	if (roles[role] != NULL ? roles[role]->kind == kind :
		needed_by != ROLE_NONE && roles[needed_by] == NULL)
		return;
	graph_add_defect(graph, state_role_name(role), DEFECT_NEEDED,
					 psprintf("The machine \"%s\" needs a state \"%s\" of kind %s.",
							  machine_name(graph->machine), state_role_name(role),
							  state_kind_name(kind)));
}

/* The states that the C code knows by name must be of the kind that it assumes. */
static void
check_needed(Graph *graph)
{
	if (graph->machine == MACHINE_REFUND)
	{
		check_needed_state(graph, ROLE_PENDING, STATE_INITIAL, ROLE_NONE);
		check_needed_state(graph, ROLE_SENT, STATE_OPEN, ROLE_NONE);
		check_needed_state(graph, ROLE_SETTLED, STATE_FINAL, ROLE_NONE);
		check_needed_state(graph, ROLE_FAILED, STATE_OPEN, ROLE_NONE);
		return;
	}
	for (Resolution r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
	{
		const Outcome *outcome = outcome_of(r);

		check_needed_state(graph, outcome->due, STATE_OPEN, outcome->due);
		check_needed_state(graph, outcome->done, STATE_FINAL,
						   outcome->pays ? outcome->due : outcome->done);
	}
}

/* ---- money and goods ---- */

static bool
is_of_outcome(const State *state, const Outcome *outcome)
{
	return state->role == outcome->due || state->role == outcome->done;
}

/*
 * Refunds are issued where the due state of an outcome that pays is entered.
 * When they are settled, the return moves to the done state; when one fails
 * later, it moves back.  No other transition may leave the two states, or the
 * return would move away from its refunds; none may enter the done state, or it
 * would be done before they are.  And these two transitions are made by no
 * actor, so they can require nothing.
 */
static void
check_paying_edge(Graph *graph, const Transition *edge, const Outcome *outcome)
{
	bool		settles = edge->from->role == outcome->due && edge->to->role == outcome->done;
	bool		fails = edge->from->role == outcome->done && edge->to->role == outcome->due;
	bool		follows = edge->actors == ACTOR_SYSTEM && edge->requires == 0 && edge->guard == NULL;
	const char *due = state_role_name(outcome->due);
	const char *done = state_role_name(outcome->done);
	const char *problem;

	if (settles || fails)
		problem = follows ? NULL :
			"follows the refunds: its only actor must be the system, without requirements or guard";
	else if (is_of_outcome(edge->from, outcome))
		problem = psprintf("leaves refunds behind: \"%s\" and \"%s\" may only lead to each other",
						   due, done);
	else if (edge->to->role == outcome->done)
		problem = psprintf("does not wait for the refunds: only \"%s\" may lead to \"%s\"",
						   due, done);
	else
		problem = NULL;
	if (problem != NULL)
		graph_add_defect(graph, edge->from->code, DEFECT_MONEY,
						 psprintf("The transition from \"%s\" to \"%s\" %s.",
								  edge->from->code, edge->to->code, problem));
}

static void
check_paying(Graph *graph, const Outcome *outcome)
{
	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];

		for (int t = 0; t < state->ntransitions; t++)
			check_paying_edge(graph, &state->transitions[t], outcome);
		for (int k = 0; state->role == outcome->due && k < state->nrules; k++)
			if (state->rules[k].on_timeout != NULL)
				graph_add_defect(graph, state->code, DEFECT_MONEY,
								 psprintf("Its timer leads to \"%s\", but a timer cannot settle a refund: on_timeout must be NULL.",
										  state->rules[k].on_timeout->code));
	}
}

/*
 * Which goods are accepted is decided where the due state of an outcome is
 * entered, so every path to the done state must pass through the due state.  For
 * outcomes that pay, check_paying_edge() has checked more.
 */
static void
check_decided(Graph *graph, const Outcome *outcome)
{
	const State *due = rules_current()->roles[outcome->due];
	const State *done = rules_current()->roles[outcome->done];

	for (int r = FIRST_RESOLUTION; done != NULL && r < RESOLUTION_COUNT; r++)
	{
		bool	   *reached = palloc0(graph->n + 1);

		graph_mark_reached(graph, r, due, reached);
		if (!reached[graph_state_number(graph, done)])
			continue;
		graph_add_defect(graph, done->code, DEFECT_MONEY,
						 psprintf("A path leads to \"%s\" without \"%s\", where the accepted goods are decided.",
								  done->code, state_role_name(outcome->due)));
		break;
	}
}

/* A return that is a draft again would still hold its units. */
static void
check_restarts(Graph *graph)
{
	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];

		for (int t = 0; t < state->ntransitions; t++)
			if (state->transitions[t].to->kind == STATE_INITIAL)
				graph_add_defect(graph, state->code, DEFECT_RESTART,
								 psprintf("The transition leads back from \"%s\" to \"%s\", where a return must not hold units.",
										  state->code, state->transitions[t].to->code));
	}
}

static void
check_money(Graph *graph)
{
	if (graph->machine != MACHINE_RETURN)
		return;
	check_restarts(graph);
	for (Resolution r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
	{
		const Outcome *outcome = outcome_of(r);

		if (outcome->pays)
			check_paying(graph, outcome);
		else
			check_decided(graph, outcome);
	}
}

List *
workflow_defects(void)
{
	List	   *defects = NIL;

	for (Machine machine = MACHINE_RETURN; machine < MACHINE_COUNT; machine++)
	{
		Graph		graph;

		graph_load(&graph, machine);
		check_needed(&graph);
		graph_check_reached(&graph);
		check_paths(&graph);
		check_exits(&graph);
		check_edges(&graph);
		check_money(&graph);
		check_timers(&graph);
		check_silences(&graph);
		defects = list_concat(defects, graph.defects);
	}
	return defects;
}
