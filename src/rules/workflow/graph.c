/*-------------------------------------------------------------------------
 *
 * graph.c
 *		A machine of the workflow as a graph, and the defects found in it.
 *
 * src/rules/workflow/graph.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "rules/cache/cache.h"
#include "rules/workflow/graph.h"

void
graph_add_defect(Graph *graph, const char *state, const char *defect, char *detail)
{
	Defect	   *found = palloc(sizeof(Defect));

	*found = (Defect) {graph->machine, state, defect, detail};
	graph->defects = lappend(graph->defects, found);
}

int
graph_state_number(const Graph *graph, const State *state)
{
	for (int i = 0; i < graph->n; i++)
		if (graph->states[i] == state)
			return i;
	elog(ERROR, "state \"%s\" is not in its machine", state->code);
}

void
graph_load(Graph *graph, Machine machine)
{
	const State *state;

	memset(graph, 0, sizeof(Graph));
	graph->machine = machine;
	while ((state = state_nth(machine, graph->n)) != NULL)
		graph->n++;
	graph->states = palloc0(sizeof(State *) * (graph->n + 1));
	graph->targets = palloc0(sizeof(int *) * (graph->n + 1));
	for (int i = 0; i < graph->n; i++)
		graph->states[i] = state_nth(machine, i);
	for (int i = 0; i < graph->n; i++)
	{
		state = graph->states[i];
		graph->targets[i] = palloc0(sizeof(int) * (state->ntransitions + 1));
		for (int t = 0; t < state->ntransitions; t++)
			graph->targets[i][t] = graph_state_number(graph, state->transitions[t].to);
	}
	for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
		graph->judged[r] = palloc0(graph->n + 1);
}

bool
edge_is_for(const Transition *edge, Resolution resolution)
{
	return edge->resolution == RESOLUTION_ANY || edge->resolution == resolution;
}

/* Only actors write notes, so the system cannot make a move that requires one. */
bool
edge_is_automatic(const Transition *edge)
{
	return (edge->actors & ACTOR_SYSTEM) != 0 && (edge->requires & REQUIRES_NOTE) == 0;
}

void
graph_mark_reached(Graph *graph, Resolution resolution, const State *without, bool *reached)
{
	int		   *todo = palloc(sizeof(int) * (graph->n + 1));	/* each state once */
	int			ntodo = 0;

	for (int i = 0; i < graph->n; i++)
		if (graph->states[i]->kind == STATE_INITIAL)
		{
			reached[i] = true;
			todo[ntodo++] = i;
		}
	while (ntodo > 0)
	{
		int			i = todo[--ntodo];

		for (int t = 0; t < graph->states[i]->ntransitions; t++)
		{
			int			to = graph->targets[i][t];

			if (reached[to] || graph->states[to] == without ||
				!edge_is_for(&graph->states[i]->transitions[t], resolution))
				continue;
			reached[to] = true;
			todo[ntodo++] = to;
		}
	}
}

/* Report a machine that has not exactly one initial state; returns how many. */
static int
check_initial(Graph *graph)
{
	StringInfoData codes;
	int			ninitial = 0;

	initStringInfo(&codes);
	for (int i = 0; i < graph->n; i++)
		if (graph->states[i]->kind == STATE_INITIAL)
			appendStringInfo(&codes, "%s\"%s\"", ninitial++ > 0 ? ", " : "",
							 graph->states[i]->code);
	if (ninitial == 0)
		graph_add_defect(graph, NULL, DEFECT_NO_INITIAL,
						 psprintf("No state of the machine \"%s\" is of kind initial.",
								  machine_name(graph->machine)));
	else if (ninitial > 1)
		graph_add_defect(graph, NULL, DEFECT_INITIALS,
						 psprintf("Several states are of kind initial: %s.", codes.data));
	return ninitial;
}

void
graph_check_reached(Graph *graph)
{
	bool	  **judged = graph->judged;
	int			ninitial = check_initial(graph);

	for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
		graph_mark_reached(graph, r, NULL, judged[r]);
	for (int i = 0; i < graph->n; i++)
	{
		bool		reached = false;

		for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
			reached |= judged[r][i];
		if (reached)
			continue;
		for (int r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
			judged[r][i] = true;
		if (ninitial > 0)
			graph_add_defect(graph, graph->states[i]->code, DEFECT_UNREACHABLE,
							 psprintf("No path of transitions leads from the initial state to \"%s\".",
									  graph->states[i]->code));
	}
}
