/*-------------------------------------------------------------------------
 *
 * admit.h
 *		draft → requested: every line is judged and its units are reserved.
 *
 * src/records/return/admit.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ADMIT_H
#define RETURNS_ADMIT_H

#include "records/row.h"

/*
 * The checks of draft → requested: judge every line, fill in what follows from
 * them, reserve the units.  Sale lines are locked in key order.
 */
extern void request_admit(ReturnRow *row);

/* What a rule decides at once, as the system's own moves. */
extern void request_decide(ReturnRow *row);

#endif							/* RETURNS_ADMIT_H */
