/*-------------------------------------------------------------------------
 *
 * graph.h
 *		A machine of the workflow as a graph, and the defects found in it.
 *
 * src/rules/workflow/graph.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_GRAPH_H
#define RETURNS_GRAPH_H

#include "nodes/pg_list.h"
#include "rules/rules.h"

/* The kinds of defects, as check_workflow() returns them. */
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

/* One machine.  States are numbered from 0 here; arrays are indexed by number. */
typedef struct Graph
{
	Machine		machine;
	int			n;
	const State **states;
	int		  **targets;		/* by state: where its transitions lead */
	bool	   *judged[RESOLUTION_COUNT];	/* by resolution: states in which
											 * such a return can be */
	List	   *defects;
} Graph;

extern void graph_load(Graph *graph, Machine machine);

/* state NULL: the defect is of the machine as a whole. */
extern void graph_add_defect(Graph *graph, const char *state, const char *defect, char *detail);

/* The number of a state, which must be of this machine. */
extern int	graph_state_number(const Graph *graph, const State *state);

/*
 * Set reached[] of every state that a return with this resolution can reach from
 * an initial state on a path that avoids the state without (NULL: on any path).
 */
extern void graph_mark_reached(Graph *graph, Resolution resolution, const State *without,
							   bool *reached);

/*
 * Set graph->judged, and report the states that cannot be reached.  These are
 * judged under every resolution.
 */
extern void graph_check_reached(Graph *graph);

/* May a return with this resolution take the edge? */
extern bool edge_is_for(const Transition *edge, Resolution resolution);

/* Can the system take the edge by itself? */
extern bool edge_is_automatic(const Transition *edge);

#endif							/* RETURNS_GRAPH_H */
