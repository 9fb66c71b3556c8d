/*-------------------------------------------------------------------------
 *
 * policy_floor.h
 *		The law as a floor: does a policy give the buyer less than it?
 *
 * src/rules/policy/policy_floor.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POLICY_FLOOR_H
#define RETURNS_POLICY_FLOOR_H

#include "datatype/timestamp.h"
#include "rules/policy/policy_index.h"

/*
 * Returns a statutory policy of the index that would apply to some sale at or
 * after the time "from" if this policy did not override it, and that gives the
 * buyer more; NULL: there is none.  *missing is the benefit that this policy
 * does not give, as the end of a sentence.
 */
extern const Policy *policy_floor_breach(const Policy *policy, const PolicyIndex *statutory,
										 TimestampTz from, char **missing);

#endif							/* RETURNS_POLICY_FLOOR_H */
