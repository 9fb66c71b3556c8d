/*-------------------------------------------------------------------------
 *
 * outcome.h
 *		What each resolution does when a return is decided and when it ends.
 *
 * src/rules/workflow/outcome.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_OUTCOME_H
#define RETURNS_OUTCOME_H

#include "rules/codes.h"

typedef struct Outcome
{
	Resolution	resolution;
	StateRole	due;			/* open state in which the return is decided */
	StateRole	done;			/* final state in which the decision is carried out */
	bool		pays;			/* does the decision owe money to the buyer? */
	bool		takes_goods;	/* are the units returned for good when it is done? */
} Outcome;

/* The outcome that is due in a state; NULL: nothing is decided there. */
extern const Outcome *outcome_due_in(StateRole role);

/* Is the state the end of an outcome that takes the goods for good? */
extern bool outcome_takes_goods(StateRole role);

/* The outcome of a resolution, which is not RESOLUTION_ANY. */
extern const Outcome *outcome_of(Resolution resolution);

#endif							/* RETURNS_OUTCOME_H */
