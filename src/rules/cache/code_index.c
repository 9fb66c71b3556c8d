/*-------------------------------------------------------------------------
 *
 * code_index.c
 *		The rows of a rule table in memory, found by their code.
 *
 * A table of codes has a few dozen rows, so a sorted array is as fast as a hash
 * table.  The length is compared first: most comparisons end there.
 *
 * src/rules/cache/code_index.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "rules/cache/code_index.h"

void
code_index_begin(CodeIndex *index, const char *table, int capacity)
{
	index->table = table;
	index->n = 0;
	index->capacity = capacity;
	index->entries = palloc(sizeof(CodeIndexEntry) * capacity);
}

void
code_index_add(CodeIndex *index, const char *code, const void *item)
{
	CodeIndexEntry *entry = &index->entries[index->n++];

	Assert(index->n <= index->capacity);
	entry->code = code;
	entry->len = strlen(code);
	entry->item = item;
}

static int
compare_entries(const void *a, const void *b)
{
	const CodeIndexEntry *left = a;
	const CodeIndexEntry *right = b;

	return left->len != right->len ? left->len - right->len :
		memcmp(left->code, right->code, left->len);
}

void
code_index_sort(CodeIndex *index)
{
	qsort(index->entries, index->n, sizeof(CodeIndexEntry), compare_entries);
}

const void *
code_index_find(const CodeIndex *index, const char *code, int len)
{
	CodeIndexEntry key = {code, len, NULL};
	const CodeIndexEntry *found = bsearch(&key, index->entries, index->n,
										  sizeof(CodeIndexEntry), compare_entries);

	return found == NULL ? NULL : found->item;
}

const void *
code_index_get(const CodeIndex *index, const char *code)
{
	const void *item = code_index_find(index, code, strlen(code));

	if (item == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown %s \"%s\"", index->table, code),
				 errdetail("No row of returns.%s has it.", index->table),
				 errhint("The known ones are in the table returns.%s; add a row for a new one.",
						 index->table)));
	return item;
}
