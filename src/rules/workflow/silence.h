/*-------------------------------------------------------------------------
 *
 * silence.h
 *		What happens when nobody acts: are the timers sound?
 *
 * src/rules/workflow/silence.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SILENCE_H
#define RETURNS_SILENCE_H

#include "rules/workflow/graph.h"

extern void check_timers(Graph *graph);
extern void check_silences(Graph *graph);

/*
 * No defect, but worth a word: for each market that has timers, the states of
 * returns for which it has none.  NULL when there are none.
 */
extern char *workflow_gaps(void);

#endif							/* RETURNS_SILENCE_H */
