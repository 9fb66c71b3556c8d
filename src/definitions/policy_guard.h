/*-------------------------------------------------------------------------
 *
 * policy_guard.h
 *		Between the triggers of returns.policy: before a row, after a statement.
 *
 * src/definitions/policy_guard.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POLICY_GUARD_H
#define RETURNS_POLICY_GUARD_H

#include "commands/trigger.h"
#include "rules/policy/policy_index.h"

/* A row of returns.policy that was written. */
typedef struct PolicyChange
{
	const Policy *old;			/* NULL: inserted */
	const Policy *new;			/* NULL: deleted */
} PolicyChange;

/* All that a statement did. */
typedef struct PolicyEffect
{
	Relation	rel;
	TimestampTz now;
	int			n;
	PolicyChange *changes;
	bool		law;			/* a statutory policy was among them */
	bool		past;			/* sales were made in the time that they cover: */
	TimestampTz past_from;		/* from here */
	TimestampTz past_to;		/* until here */
	PolicyIndex *after;			/* the policies that matter, as they are now */
} PolicyEffect;

/*
 * Has a foreign key carried a new code of a market, category or reason into
 * the policy?  That is no change of the rule.
 */
extern bool policy_is_renamed(const Policy *old, const Policy *new);

/* In force, or has been: then it can only be ended. */
static inline bool
policy_has_begun(const Policy *policy, TimestampTz now)
{
	return policy->valid_from <= now;
}

/*
 * Has anything been sold?  Waits for those who are writing sales, and holds up
 * new ones until the end of the transaction.
 */
extern bool policy_any_sale(void);

/*
 * RT009 when a policy in force or to come gives the buyer less than the law,
 * now that a row of the table rel has changed what they speak of.  Between
 * own_begin() and own_end().
 */
extern void policy_check_law(Relation rel, const char *hint);

/* RT009 when a sale already made would change its rule. */
extern void policy_check_past(const PolicyEffect *effect);

extern void policy_trigger_check(FunctionCallInfo fcinfo, const char *function,
								 TriggerEvent timing, bool row);

#endif							/* RETURNS_POLICY_GUARD_H */
