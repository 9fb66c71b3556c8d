/*-------------------------------------------------------------------------
 *
 * stage_rule.h
 *		How long may a return stay in a state?
 *
 * src/rules/workflow/stage_rule.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_STAGE_RULE_H
#define RETURNS_STAGE_RULE_H

#include "rules/rules.h"

/*
 * The rule that applies to a return of these categories in a state: if several
 * apply, the one that ends first.  NULL: the state has no timer.  Sets when the
 * stage ends and when to remind (0: never).
 */
extern const StageRule *stage_rule_find(const State *state, const Market *market,
										Resolution resolution, const Category *const *categories,
										int ncategories, TimestampTz start,
										TimestampTz *due_at, TimestampTz *remind_at);

/*
 * The rule for one category; NULL stands for a market or a category that no
 * rule names.  NULL: none.
 */
extern StageRule *stage_rule_of_category(const State *state, const Market *market,
										 Resolution resolution, const Category *category);

/* Which returns a rule is for: "market kz, category phones"; "": all. */
extern char *stage_rule_scope(const StageRule *rule);

/*
 * The start of the term of a state that a timer enters.  The timer ended at
 * due_at, and a sweep makes the move at now, which may be much later.  Where a
 * party can act in the state, the term starts at now: the party has the whole
 * term from the moment in which it can know and act.  Where the return waits for
 * the platform only, the term starts at due_at: an outage of the platform gives
 * it no extra time.
 */
extern TimestampTz timeout_term_start(const State *to, TimestampTz due_at, TimestampTz now);

#endif							/* RETURNS_STAGE_RULE_H */
