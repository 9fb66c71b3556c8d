/*-------------------------------------------------------------------------
 *
 * cache.h
 *		The rules as the backend keeps them in memory.
 *
 * rules_current() returns the rules in force; pointers into them stay valid
 * until the end of the transaction, also when the rules change meanwhile.
 * Look-ups that take a code raise RT010 for an unknown one unless their comment
 * says otherwise.  Each look-up may load the rules, and then raises RT012 when
 * the tables are missing or of another version, and RT010 or RT009 for a row of
 * the rule tables that is no rule (cache_load.h).
 *
 * src/rules/cache/cache.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CACHE_H
#define RETURNS_CACHE_H

#include "rules/rules.h"

extern const Rules *rules_current(void);

/*
 * The same, and they stay the current rules until rules_unpin(), whatever
 * changes meanwhile: for the decision on one row.  Pins nest; an error removes
 * them.  54001 when too many are set.
 */
extern const Rules *rules_pin(void);
extern void rules_unpin(void);

/* The number of reloads: a memo made under another number is stale. */
extern uint64 rules_generation(void);

extern const State *state_find(Machine machine, const char *code, int len); /* NULL: unknown */
extern const State *state_get(Machine machine, const char *code);

/* The same for a text value; a NULL, which the constraints forbid, is unknown. */
extern const State *state_find_text(Machine machine, const text *code);
extern const State *state_get_text(Machine machine, const text *code);

extern const State *state_of_role(StateRole role);
extern const State *state_nth(Machine machine, int i);	/* from 0; NULL behind
														 * the last */
extern const Transition *transition_find(const State *from, const State *to);	/* NULL: none */
extern const Market *market_get(const char *code);
extern const Currency *currency_get(const char *code);
extern const Category *category_get(const char *code);
extern const Reason *reason_get(const char *code);

/* The steps from a category up the tree to the ancestor, 0: itself; -1: it is none. */
extern int	category_distance(const char *ancestor, const Category *category);

/*
 * Delete a context at the end of the transaction, because callers up the stack
 * may hold pointers into it until then.
 */
extern void rules_retire(MemoryContext context);

/* Registered once, at load. */
extern void cache_init(void);

#endif							/* RETURNS_CACHE_H */
