/*-------------------------------------------------------------------------
 *
 * silence.h
 *		Are the timers sound: does every return end if no actor moves it?
 *
 * src/rules/workflow/silence.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SILENCE_H
#define RETURNS_SILENCE_H

#include "rules/workflow/graph.h"

/* Report timers that make no move, or one that the system cannot make. */
extern void check_timers(Graph *graph);

/* Report returns that move for ever if no actor moves them.  Call after graph_check_reached(). */
extern void check_silences(Graph *graph);

/*
 * For a warning, because it is no defect: the states for which a market has no
 * timer, a line for each market that has timers.  NULL when there are none.
 */
extern char *workflow_gaps(void);

#endif							/* RETURNS_SILENCE_H */
