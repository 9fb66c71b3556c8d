/*-------------------------------------------------------------------------
 *
 * graph.h
 *		Between soundness.c, which judges states and edges, and silence.c, which
 *		judges timers.
 *
 * src/rules/graph.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_GRAPH_H
#define RETURNS_GRAPH_H

#include "nodes/pg_list.h"
#include "rules/rules.h"

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
extern void add_defect(Graph *graph, const char *state, const char *defect, char *detail);

/* Which states a return of this resolution can be in; reports those that none reaches. */
extern void check_reached(Graph *graph);

extern bool edge_is_for(const Transition *edge, Resolution resolution);

/* Can the system take the edge by itself? */
extern bool edge_is_systems(const Transition *edge);

extern void check_timers(Graph *graph);
extern void check_silences(Graph *graph);

#endif							/* RETURNS_GRAPH_H */
