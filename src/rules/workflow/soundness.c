/*-------------------------------------------------------------------------
 *
 * soundness.c
 *		Can the workflow do what it should?
 *
 * A return is one token, so its net is a state machine and soundness is
 * reachability: every state can be reached, from every state a final one can
 * be, and that also when nobody acts.  What is reachable differs by the
 * resolution, since edges may be for one only; a state is judged under the
 * resolutions that reach it.  Guards look at data and are taken to pass.
 *
 * src/rules/workflow/soundness.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/plan.h"
#include "rules/cache/cache.h"
#include "rules/workflow/silence.h"
#include "rules/workflow/soundness.h"
#include "rules/workflow/workflow.h"

/* " with resolution exchange" where only these have the defect. */
static const char *
under(const bool *bad)
{
	if (bad[RESOLUTION_REFUND] && bad[RESOLUTION_EXCHANGE])
		return "";
	return bad[RESOLUTION_REFUND] ? " with resolution refund" : " with resolution exchange";
}

/* ---- what can be reached from a state ---- */

/* Extend goal backwards along the edges that the resolution may take. */
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
	bool	   *ends[RESOLUTIONS];

	for (int r = FIRST_RESOLUTION; r < RESOLUTIONS; r++)
	{
		bool	   *goal = palloc0(graph->n + 1);

		for (int i = 0; i < graph->n; i++)
			goal[i] = graph->states[i]->kind == STATE_FINAL;
		mark_leading(graph, r, goal);
		ends[r] = goal;
	}
	for (int i = 0; i < graph->n; i++)
	{
		bool		bad[RESOLUTIONS] = {false};

		for (int r = FIRST_RESOLUTION; r < RESOLUTIONS; r++)
			bad[r] = graph->judged[r][i] && !ends[r][i];
		if (bad[RESOLUTION_REFUND] || bad[RESOLUTION_EXCHANGE])
			graph_add_defect(graph, graph->states[i]->code, DEFECT_NO_PATH,
							 psprintf("No path of transitions leads from \"%s\" to a final state%s.",
									  graph->states[i]->code, under(bad)));
	}
}

/* ---- each state and its edges ---- */

static void
check_exits(Graph *graph)
{
	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];
		bool		bad[RESOLUTIONS] = {false};

		for (int r = FIRST_RESOLUTION; r < RESOLUTIONS; r++)
		{
			bad[r] = state->kind == STATE_OPEN && graph->judged[r][i];
			for (int t = 0; t < state->ntransitions; t++)
				if (edge_is_systems(&state->transitions[t]) &&
					edge_is_for(&state->transitions[t], r))
					bad[r] = false;
		}
		if (bad[RESOLUTION_REFUND] || bad[RESOLUTION_EXCHANGE])
			graph_add_defect(graph, state->code, DEFECT_NO_EXIT,
							 psprintf("When nobody acts, \"%s\" is left by no transition that the system can make%s: it would wait for ever.",
									  state->code, under(bad)));
	}
}

static void
check_guard(Graph *graph, const Transition *edge)
{
	const char *why;
	OwnState	own;
	Oid			function;

	own_begin_foreign(&own);
	function = guard_function(edge->guard, &why);
	own_end(&own);
	if (!OidIsValid(function))
		graph_add_defect(graph, edge->from->code, DEFECT_GUARD,
						 psprintf("\"%s\" guards the transition from \"%s\" to \"%s\". %s",
								  edge->guard, edge->from->code, edge->to->code, why));
}

static void
check_edges(Graph *graph)
{
	int			able = graph->machine == MACHINE_REFUND ?
		ACTOR_PROVIDER | ACTOR_OPERATOR | ACTOR_SYSTEM :
		ACTOR_BUYER | ACTOR_SELLER | ACTOR_CARRIER | ACTOR_OPERATOR | ACTOR_SYSTEM;

	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];

		for (int t = 0; t < state->ntransitions; t++)
		{
			const Transition *edge = &state->transitions[t];

			if (state->kind == STATE_FINAL && !edge->reversal)
				graph_add_defect(graph, state->code, DEFECT_FINAL_EXIT,
								 psprintf("\"%s\" is final, and its transition to \"%s\" is not marked as a reversal.",
										  state->code, edge->to->code));
			if ((edge->actors & able) == 0)
				graph_add_defect(graph, state->code, DEFECT_NO_ACTOR,
								 psprintf("None of the actors of the transition from \"%s\" to \"%s\" takes part in a %s.",
										  state->code, edge->to->code, machine_name(graph->machine)));
			if (edge->guard != NULL)
				check_guard(graph, edge);
		}
	}
}

/* The states that the code knows by name must be what it takes them for. */
static void
check_needed(Graph *graph)
{
	static const struct
	{
		Machine		machine;
		const char *code;
		StateKind	kind;
		const char *with;		/* needed where this one is; NULL: always */
	}			needed[] = {
		{MACHINE_RETURN, "refund_due", STATE_OPEN, "refund_due"},
		{MACHINE_RETURN, "refunded", STATE_FINAL, "refund_due"},
		{MACHINE_RETURN, "exchange_due", STATE_OPEN, "exchange_due"},
		{MACHINE_RETURN, "exchanged", STATE_FINAL, "exchanged"},
		{MACHINE_REFUND, "pending", STATE_INITIAL, NULL},
		{MACHINE_REFUND, "sent", STATE_OPEN, NULL},
		{MACHINE_REFUND, "settled", STATE_FINAL, NULL},
		{MACHINE_REFUND, "failed", STATE_OPEN, NULL},
	};
	static const char *const kinds[] = {"initial", "open", "final"};

	for (int i = 0; i < lengthof(needed); i++)
	{
		const char *code = needed[i].code;
		const char *with = needed[i].with;
		const State *state = state_find(needed[i].machine, code, strlen(code));

		if (needed[i].machine != graph->machine)
			continue;
		if (state != NULL ? state->kind == needed[i].kind :
			with != NULL && state_find(graph->machine, with, strlen(with)) == NULL)
			continue;
		graph_add_defect(graph, code, DEFECT_NEEDED,
						 psprintf("The machine \"%s\" needs the state \"%s\", of kind %s.",
								  machine_name(graph->machine), code, kinds[needed[i].kind]));
	}
}

/* ---- money and goods ---- */

static bool
moves_money(const State *state)
{
	return state->role == ROLE_REFUND_DUE || state->role == ROLE_REFUNDED;
}

/*
 * Refunds are issued where refund_due is entered, and when they have settled
 * the return is refunded, or due again when one fails late.  No other way may
 * leave refunds behind, or be ahead of them; and since these moves are not
 * asked for, nothing can be asked of them.
 */
static void
check_money_edge(Graph *graph, const Transition *edge)
{
	bool		settles = edge->from->role == ROLE_REFUND_DUE && edge->to->role == ROLE_REFUNDED;
	bool		fails = edge->from->role == ROLE_REFUNDED && edge->to->role == ROLE_REFUND_DUE;
	bool		by_itself = edge->actors == ACTOR_SYSTEM && edge->requires == 0 && edge->guard == NULL;

	if (moves_money(edge->from) && !settles && !fails)
		graph_add_defect(graph, edge->from->code, DEFECT_MONEY,
						 psprintf("The transition from \"%s\" to \"%s\" would leave refunds behind: \"refund_due\" is left to \"refunded\" only, and that to \"refund_due\".",
								  edge->from->code, edge->to->code));
	else if (edge->to->role == ROLE_REFUNDED && !settles)
		graph_add_defect(graph, edge->from->code, DEFECT_MONEY,
						 psprintf("The transition from \"%s\" to \"refunded\" would be ahead of the money: only \"refund_due\" leads there.",
								  edge->from->code));
	else if ((settles || fails) && !by_itself)
		graph_add_defect(graph, edge->from->code, DEFECT_MONEY,
						 psprintf("The transition from \"%s\" to \"%s\" follows the refunds by itself: it is for the system alone, without requirements or guard.",
								  edge->from->code, edge->to->code));
}

/* What is accepted of the goods is decided where exchange_due is entered. */
static void
check_exchange(Graph *graph)
{
	const State *due = rules_current()->roles[ROLE_EXCHANGE_DUE];
	const State *exchanged = rules_current()->roles[ROLE_EXCHANGED];
	for (int r = FIRST_RESOLUTION; exchanged != NULL && r < RESOLUTIONS; r++)
	{
		bool	   *reached = palloc0(graph->n + 1);

		graph_mark_reached(graph, r, due, reached);
		if (!reached[graph_state_number(graph, exchanged)])
			continue;
		graph_add_defect(graph, exchanged->code, DEFECT_MONEY,
						 psprintf("A path leads to \"%s\" without \"exchange_due\", where it is decided what is exchanged.",
								  exchanged->code));
		break;
	}
}

static void
check_money(Graph *graph)
{
	if (graph->machine != MACHINE_RETURN)
		return;
	for (int i = 0; i < graph->n; i++)
	{
		const State *state = graph->states[i];

		for (int t = 0; t < state->ntransitions; t++)
		{
			check_money_edge(graph, &state->transitions[t]);
			if (state->transitions[t].to->kind == STATE_INITIAL)
				graph_add_defect(graph, state->code, DEFECT_RESTART,
								 psprintf("\"%s\" leads back to \"%s\", where a return holds no units.",
										  state->code, state->transitions[t].to->code));
		}
		for (int k = 0; state->role == ROLE_REFUND_DUE && k < state->nrules; k++)
			if (state->rules[k].on_timeout != NULL)
				graph_add_defect(graph, state->code, DEFECT_MONEY,
								 psprintf("Its timer leads to \"%s\" although time settles no refund: on_timeout must be NULL.",
										  state->rules[k].on_timeout->code));
	}
	check_exchange(graph);
}

List *
workflow_defects(void)
{
	List	   *defects = NIL;

	for (Machine machine = MACHINE_RETURN; machine <= MACHINE_REFUND; machine++)
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
