/*-------------------------------------------------------------------------
 *
 * cache.h
 *		The rules as the backend keeps them in memory.
 *
 * rules_current() gives the generation in force; pointers into it stay valid
 * until the end of the transaction, also when the rules change meanwhile.
 * Look-ups that take a code raise RT010 for an unknown one unless they say
 * otherwise.
 *
 * src/rules/cache/cache.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CACHE_H
#define RETURNS_CACHE_H

#include "rules/rules.h"

/* Raises RT012 when the tables are missing or of another version. */
extern const Rules *rules_current(void);

/*
 * The same, and it stays the current one until rules_unpin(), whatever changes
 * meanwhile: around the decision on one row.  Nests; an error unpins.
 */
extern const Rules *rules_pin(void);
extern void rules_unpin(void);

/* Counts every reload: a memo made under another number is stale. */
extern uint64 rules_generation(void);

extern const State *state_find(Machine machine, const char *code, int len); /* NULL: unknown */
extern const State *state_get(Machine machine, const char *code);
extern const State *state_nth(Machine machine, int i);	/* from 0; NULL behind the last */
extern const Transition *transition_find(const State *from, const State *to);	/* NULL: none */
extern const Market *market_get(const char *code);
extern const Currency *currency_get(const char *code);
extern const Category *category_get(const char *code);
extern const Reason *reason_get(const char *code);

/* a is b or stands above it in the tree: how many steps; -1: it does not. */
extern int	category_distance(const char *ancestor, const Category *category);

/*
 * Memory for what outlives the statement but not the rules: hand a context to
 * rules_retire() instead of deleting it, and it goes at the end of the
 * transaction, when nobody holds a pointer into it any more.
 */
extern void rules_retire(MemoryContext context);

/* Registered once, at load. */
extern void cache_init(void);

#endif							/* RETURNS_CACHE_H */
