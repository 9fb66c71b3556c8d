/*-------------------------------------------------------------------------
 *
 * graph.h
 *		A machine as a graph, and the defects found in it.
 *
 * src/rules/workflow/graph.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_GRAPH_H
#define RETURNS_GRAPH_H

#include "nodes/pg_list.h"
#include "rules/rules.h"

/* The kinds of defect, as check_workflow() names them. */
#define DEFECT_NO_INITIAL	"no initial state"
#define DEFECT_INITIALS		"several initial states"
#define DEFECT_NEEDED		"state that the extension needs"
#define DEFECT_UNREACHABLE	"unreachable state"
#define DEFECT_NO_PATH		"no path to a final state"
#define DEFECT_NO_EXIT		"open state without an exit by timer or system"
#define DEFECT_TIMER_TARGET	"timer whose target is no edge for system"
#define DEFECT_TIMER_FINAL	"timer of a final state"
#define DEFECT_FINAL_EXIT	"final state with an ordinary exit"
#define DEFECT_RESTART		"transition back to the initial state"
#define DEFECT_MONEY		"move that money and goods do not follow"
#define DEFECT_NO_ACTOR		"transition that nobody can make"
#define DEFECT_GUARD		"guard that is no function"
#define DEFECT_SILENCE		"no end when nobody acts"
#define DEFECT_UNKNOWN		"unknown state"
#define DEFECT_ROWS			"records in a removed state"

typedef struct Defect
{
	Machine		machine;
	const char *state;			/* NULL: the machine as a whole */
	const char *defect;			/* one of DEFECT_ */
	const char *detail;			/* a sentence */
} Defect;

/* RESOLUTION_REFUND and RESOLUTION_EXCHANGE, and the size of arrays by them */
#define FIRST_RESOLUTION	RESOLUTION_REFUND
#define RESOLUTIONS			(RESOLUTION_EXCHANGE + 1)

/* One machine; its states are known by their number here. */
typedef struct Graph
{
	Machine		machine;
	int			n;
	const State **states;
	int		  **targets;		/* of each transition of each state */
	bool	   *judged[RESOLUTIONS];	/* states that this resolution concerns */
	List	   *defects;
} Graph;

extern void graph_load(Graph *graph, Machine machine);
extern void graph_add_defect(Graph *graph, const char *state, const char *defect, char *detail);

/* The number of a state of this machine. */
extern int	graph_state_number(const Graph *graph, const State *state);

/*
 * Mark what can be reached from the initial states, not through the state
 * without (NULL: through all).
 */
extern void graph_mark_reached(Graph *graph, Resolution resolution, const State *without,
							   bool *reached);

/* Which states a return of this resolution can be in; reports those that none reaches. */
extern void graph_check_reached(Graph *graph);

extern bool edge_is_for(const Transition *edge, Resolution resolution);

/* Can the system take the edge by itself? */
extern bool edge_is_systems(const Transition *edge);

#endif							/* RETURNS_GRAPH_H */
