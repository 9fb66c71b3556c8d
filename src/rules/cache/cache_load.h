/*-------------------------------------------------------------------------
 *
 * cache_load.h
 *		A generation of the rules: the contents of the rule tables in memory.
 *
 * cache_load.c reads it, cache.c keeps it.
 *
 * src/rules/cache/cache_load.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CACHE_LOAD_H
#define RETURNS_CACHE_LOAD_H

#include "rules/cache/code_index.h"
#include "rules/rules.h"

#define RULE_TABLES 11			/* the names are in cache_load.c */

typedef struct Generation
{
	Rules		rules;
	MemoryContext context;
	Oid			relids[RULE_TABLES];
	CodeIndex	states[MACHINE_COUNT];	/* their table is "state" */
	CodeIndex	currencies;
	CodeIndex	markets;
	CodeIndex	categories;
	CodeIndex	reasons;
} Generation;

/* An empty generation that knows its tables; RT012 when one does not exist. */
extern Generation *generation_begin(MemoryContext context);

/*
 * Read the tables.  RT012 when they are of another version of the extension,
 * RT010 for a word that its set of codes does not have, RT009 for a null in a
 * column that must have a value.
 */
extern void generation_load(Generation *generation);

#endif							/* RETURNS_CACHE_LOAD_H */
