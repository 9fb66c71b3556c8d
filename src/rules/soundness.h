/*-------------------------------------------------------------------------
 *
 * soundness.h
 *		Can the workflow do what it should?
 *
 * src/rules/soundness.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SOUNDNESS_H
#define RETURNS_SOUNDNESS_H

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

/*
 * The defects of both machines, in no order; NIL when they are sound.  Edges
 * and timers that name unknown states are not in the cache and not judged.
 */
extern List *workflow_defects(void);

/*
 * No defect, but worth a word: for each market that has timers, the states of
 * returns for which it has none.  NULL when there are none.
 */
extern char *workflow_gaps(void);

#endif							/* RETURNS_SOUNDNESS_H */
