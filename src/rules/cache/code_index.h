/*-------------------------------------------------------------------------
 *
 * code_index.h
 *		The rows of a rule table in memory, found by their code.
 *
 * src/rules/cache/code_index.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CODE_INDEX_H
#define RETURNS_CODE_INDEX_H

typedef struct CodeIndexEntry
{
	const char *code;
	int			len;
	const void *item;
} CodeIndexEntry;

typedef struct CodeIndex
{
	const char *table;			/* in schema returns; for messages */
	int			n;
	int			capacity;
	CodeIndexEntry *entries;	/* shorter codes first, then by bytes */
} CodeIndex;

/*
 * An empty index, in the current memory context.  Add as many items as
 * announced at most, then sort it; only then can it be searched.
 */
extern void code_index_begin(CodeIndex *index, const char *table, int capacity);
extern void code_index_add(CodeIndex *index, const char *code, const void *item);
extern void code_index_sort(CodeIndex *index);

/* The item of a code of len bytes; NULL: unknown. */
extern const void *code_index_find(const CodeIndex *index, const char *code, int len);

/* The same; raises RT010 for an unknown code. */
extern const void *code_index_get(const CodeIndex *index, const char *code);

#endif							/* RETURNS_CODE_INDEX_H */
