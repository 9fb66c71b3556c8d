/*-------------------------------------------------------------------------
 *
 * outcome.h
 *		The outcome of each resolution: how a return is decided and ends.
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
	StateRole	due;			/* open state: the accepted goods are decided
								 * where it is entered */
	StateRole	done;			/* final state: the decision is carried out */
	bool		pays;			/* does the decision owe money to the buyer? */
	bool		takes_goods;	/* are the accepted units returned for good
								 * when it is done? */
} Outcome;

/* The outcome of a resolution, which is not RESOLUTION_ANY. */
extern const Outcome *outcome_of(Resolution resolution);

/* The outcome that is decided in a state; NULL: nothing is decided there. */
extern const Outcome *outcome_due_in(StateRole role);

/* Is the state the end of an outcome that takes the goods? */
extern bool outcome_takes_goods(StateRole role);

/* Does a return in the state wait for its refunds? */
extern bool outcome_awaits_refunds(StateRole role);

#endif							/* RETURNS_OUTCOME_H */
