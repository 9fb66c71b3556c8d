/*-------------------------------------------------------------------------
 *
 * policy_guard.h
 *		Types and functions that the triggers of returns.policy share.
 *
 * src/definitions/policy_guard.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POLICY_GUARD_H
#define RETURNS_POLICY_GUARD_H

#include "rules/policy/policy_index.h"
#include "utils/rel.h"

/* A row of returns.policy that a statement has written. */
typedef struct PolicyChange
{
	const Policy *old;			/* NULL: inserted */
	const Policy *new;			/* NULL: deleted */
} PolicyChange;

/* All changes of a statement. */
typedef struct PolicyEffect
{
	Relation	rel;
	TimestampTz now;
	int			n;
	PolicyChange *changes;
	bool		law;			/* is a statutory policy among them? */
	TimestampTz past_from;		/* they concern sales from here */
	TimestampTz past_to;		/* to here, if past_from is earlier */
	bool		past;			/* are there such sales? */
	PolicyIndex *after;			/* the current policies that can matter */
} PolicyEffect;

/*
 * Has a foreign key carried a new code of a market, category or reason into
 * the policy?  This does not change which sales it governs.
 */
extern bool policy_is_renamed(const Policy *old, const Policy *new);

/* Is or was the policy in force?  Then only its end may be set. */
static inline bool
policy_has_begun(const Policy *policy, TimestampTz now)
{
	return policy->valid_from <= now;
}

/*
 * Is there any sale?  Waits for transactions that write sales, and blocks new
 * ones until the end of this transaction.
 */
extern bool policy_any_sale(void);

/*
 * A row of the table rel (category or reason) has changed which sales the
 * policies govern: RT009 if a current or future policy gives the buyer less
 * than the law.  To be called between as_owner_begin() and as_owner_end().
 */
extern void policy_check_law(Relation rel, const char *hint);

/* RT009 if an existing sale would get another policy; effect->past must be true. */
extern void policy_check_past(const PolicyEffect *effect);

#endif							/* RETURNS_POLICY_GUARD_H */
