/*-------------------------------------------------------------------------
 *
 * cache_load.h
 *		Between cache.c, which keeps the rules, and cache_load.c, which reads them.
 *
 * src/rules/cache/cache_load.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CACHE_LOAD_H
#define RETURNS_CACHE_LOAD_H

#include "rules/rules.h"

#define RULE_TABLES 11			/* the names are in cache_load.c */

typedef struct CodeIndexEntry
{
	const char *code;
	int			len;
	const void *item;
} CodeIndexEntry;

typedef struct CodeIndex
{
	int			n;
	CodeIndexEntry *entries;	/* sorted by len, then bytes */
} CodeIndex;

/* A generation of the rules. */
typedef struct Generation
{
	Rules		rules;
	MemoryContext context;
	Oid			relids[RULE_TABLES];
	CodeIndex	states[2];		/* by Machine */
	CodeIndex	currencies;
	CodeIndex	markets;
	CodeIndex	categories;
	CodeIndex	reasons;
} Generation;

/* An empty one that knows its tables; RT012 when they do not exist. */
extern Generation *generation_begin(MemoryContext context);

/* Read all of it. RT012 when another version laid the tables out. */
extern void generation_load(Generation *generation);

#endif							/* RETURNS_CACHE_LOAD_H */
