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
 * Where both speak of the same sale: is a chosen over b?  Meaningless for
 * policies that have no sale in common.
 */
extern bool policy_outranks(const Policy *a, const Policy *b);

/*
 * A statutory policy of the index that would apply at or after the instant
 * from if this one did not, and gives the buyer more; NULL when there is none.
 * lacks: what it does and this one does not, as the end of a sentence.
 */
extern const Policy *policy_floor_breach(const Policy *policy, const PolicyIndex *statutory,
										 TimestampTz from, char **lacks);

#endif							/* RETURNS_POLICY_FLOOR_H */
