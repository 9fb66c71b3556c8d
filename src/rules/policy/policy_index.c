/*-------------------------------------------------------------------------
 *
 * policy_index.c
 *		Many policies, to be asked for the one that governs a sale.
 *
 * The five keys of a policy become small numbers (0: any), so that a look-up
 * hashes each text once and then compares integers.  Behind each combination
 * of keys stand its versions by valid_from.
 *
 * A look-up goes through the combinations that could match, the most specific
 * first.  Most of them are named by no policy at all: which of the keys are
 * set, the shape of a policy, is noted in a mask for each seller and for those
 * without one, and only shapes in use are looked for.
 *
 * src/rules/policy/policy_index.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/pg_bitutils.h"
#include "rules/policy/policy_index.h"
#include "utils/datum.h"

/*
 * A shape: which keys beside the seller are set, the more significant bit the
 * more specific, so that shapes are tried from the largest down.
 */
#define SHAPE_MARKET	1
#define SHAPE_FAULT		2
#define SHAPE_REASON	4
#define SHAPE_CATEGORY	8

/* A mask has bit i for shape i; its halves are the shapes with a category and without. */
#define WITH_CATEGORY(mask)		(((mask) >> SHAPE_CATEGORY) & 0xFF)
#define WITHOUT_CATEGORY(mask)	((mask) & 0xFF)

typedef struct Symbol
{
	const char *name;			/* a code or a seller */
	uint32		id;				/* from 1 */
	uint16		shapes;			/* of the policies of this seller */
	bool		seller_known;
	char		status;
	uint32		hash;
} Symbol;

#define SH_PREFIX symbols
#define SH_ELEMENT_TYPE Symbol
#define SH_KEY_TYPE const char *
#define SH_KEY name
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct PolicyKey
{
	uint32		seller;
	uint32		category;
	uint32		reason;
	uint32		market;
	uint32		fault;			/* Fault + 1 */
} PolicyKey;

/* The versions of one combination of keys. */
typedef struct PolicyVersions
{
	PolicyKey	key;
	int			n;
	int			capacity;
	const Policy **versions;	/* by valid_from */
	char		status;
	uint32		hash;
} PolicyVersions;

static inline uint32
key_hash(const PolicyKey *key)
{
	uint32		hash = murmurhash32(key->seller);

	hash = hash_combine(hash, murmurhash32(key->category));
	hash = hash_combine(hash, murmurhash32(key->reason));
	return hash_combine(hash, murmurhash32(key->market ^ (key->fault << 28)));
}

#define SH_PREFIX lines
#define SH_ELEMENT_TYPE PolicyVersions
#define SH_KEY_TYPE PolicyKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) key_hash(&(key))
#define SH_EQUAL(tb, a, b) (memcmp(&(a), &(b), sizeof(PolicyKey)) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct PolicyNumber
{
	int64		id;
	const Policy *policy;
	char		status;
} PolicyNumber;

#define SH_PREFIX numbers
#define SH_ELEMENT_TYPE PolicyNumber
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) murmurhash32((uint32) (key) ^ (uint32) ((key) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct PolicyIndex
{
	MemoryContext context;
	symbols_hash *symbols;
	lines_hash *lines;
	numbers_hash *numbers;
	uint16		shapes;			/* of the policies for any seller */
	int			n;
	int			capacity;
	const Policy **policies;
};

PolicyIndex *
policy_index_create(void)
{
	PolicyIndex *index = palloc0(sizeof(PolicyIndex));

	index->context = CurrentMemoryContext;
	index->symbols = symbols_create(CurrentMemoryContext, 64, NULL);
	index->lines = lines_create(CurrentMemoryContext, 64, NULL);
	index->numbers = numbers_create(CurrentMemoryContext, 64, NULL);
	index->capacity = 64;
	index->policies = palloc(sizeof(Policy *) * index->capacity);
	return index;
}

/* The symbol of a text, made when it is new; the text is copied. */
static Symbol *
symbol_make(PolicyIndex *index, const char *name)
{
	Symbol	   *symbol = symbols_lookup(index->symbols, name);
	bool		found;

	if (symbol == NULL)
	{
		name = MemoryContextStrdup(index->context, name);
		symbol = symbols_insert(index->symbols, name, &found);
		symbol->id = index->symbols->members;
		symbol->shapes = 0;
		symbol->seller_known = false;
	}
	return symbol;
}

/* Give a key its number, and the policy the index's own copy of the text. */
static uint32
key_make(PolicyIndex *index, const char **name)
{
	Symbol	   *symbol;

	if (*name == NULL)
		return 0;
	symbol = symbol_make(index, *name);
	*name = symbol->name;
	return symbol->id;
}

/* The number of a text; 0 when no policy has it, or it is NULL. */
static inline uint32
key_find(const PolicyIndex *index, const char *name)
{
	const Symbol *symbol = name == NULL ? NULL : symbols_lookup(index->symbols, name);

	return symbol == NULL ? 0 : symbol->id;
}

static int
policy_shape(const Policy *policy)
{
	return (policy->category != NULL ? SHAPE_CATEGORY : 0) |
		(policy->reason != NULL ? SHAPE_REASON : 0) |
		(policy->fault != FAULT_ANY ? SHAPE_FAULT : 0) |
		(policy->market != NULL ? SHAPE_MARKET : 0);
}

/* Put a version into its place; loaded in order, that is the end. */
static void
version_insert(PolicyVersions *line, const Policy *policy)
{
	int			at = line->n;

	if (line->n == line->capacity)
	{
		line->capacity *= 2;
		line->versions = repalloc(line->versions, sizeof(Policy *) * line->capacity);
	}
	while (at > 0 && line->versions[at - 1]->valid_from > policy->valid_from)
	{
		line->versions[at] = line->versions[at - 1];
		at--;
	}
	line->versions[at] = policy;
	line->n++;
}

static void
line_add(PolicyIndex *index, const PolicyKey *key, const Policy *policy)
{
	bool		found;
	PolicyVersions *line = lines_insert(index->lines, *key, &found);

	if (!found)
	{
		line->n = 0;
		line->capacity = 1;
		line->versions = palloc(sizeof(Policy *));
	}
	version_insert(line, policy);
}

static void
number_add(PolicyIndex *index, const Policy *policy)
{
	bool		found;

	numbers_insert(index->numbers, policy->id, &found)->policy = policy;
	if (index->n == index->capacity)
	{
		index->capacity *= 2;
		index->policies = repalloc(index->policies, sizeof(Policy *) * index->capacity);
	}
	index->policies[index->n++] = policy;
}

static Datum
numeric_copy(bool present, Datum value)
{
	return present ? datumCopy(value, false, -1) : (Datum) 0;
}

const Policy *
policy_index_add(PolicyIndex *index, const Policy *policy)
{
	MemoryContext old = MemoryContextSwitchTo(index->context);
	Policy	   *copy = palloc(sizeof(Policy));
	PolicyKey	key;
	uint16		shape = 1 << policy_shape(policy);

	*copy = *policy;
	key.seller = key_make(index, &copy->seller_ref);
	key.category = key_make(index, &copy->category);
	key.reason = key_make(index, &copy->reason);
	key.market = key_make(index, &copy->market);
	key.fault = copy->fault + 1;
	copy->auto_approve_below = numeric_copy(copy->has_auto_approve, copy->auto_approve_below);
	copy->keep_item_below = numeric_copy(copy->has_keep_item, copy->keep_item_below);
	if (copy->source != NULL)
		copy->source = pstrdup(copy->source);

	line_add(index, &key, copy);
	number_add(index, copy);
	if (copy->seller_ref == NULL)
		index->shapes |= shape;
	else
		symbol_make(index, copy->seller_ref)->shapes |= shape;
	MemoryContextSwitchTo(old);
	return copy;
}

void
policy_index_note_seller(PolicyIndex *index, const char *seller_ref)
{
	MemoryContext old = MemoryContextSwitchTo(index->context);

	symbol_make(index, seller_ref)->seller_known = true;
	MemoryContextSwitchTo(old);
}

bool
policy_index_knows_seller(const PolicyIndex *index, const char *seller_ref)
{
	const Symbol *symbol = symbols_lookup(index->symbols, seller_ref);

	return symbol != NULL && symbol->seller_known;
}

const Policy *
policy_index_by_id(const PolicyIndex *index, int64 id)
{
	const PolicyNumber *number = numbers_lookup(index->numbers, id);

	return number == NULL ? NULL : number->policy;
}

const Policy *
policy_index_nth(const PolicyIndex *index, int i)
{
	return i < index->n ? index->policies[i] : NULL;
}

/* The version in force at an instant, NULL when there is none. */
static const Policy *
version_at(const PolicyVersions *line, TimestampTz at)
{
	int			low = 0;
	int			high = line->n;

	/* the first that begins later; versions do not overlap */
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (line->versions[middle]->valid_from <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && at < line->versions[low - 1]->valid_to ? line->versions[low - 1] : NULL;
}

/*
 * Try the shapes of a mask over reason, fault and market, the most specific
 * first, for one seller and one category (0: policies for any).
 */
static const Policy *
find_shapes(const PolicyIndex *index, const PolicyKey *all, uint32 seller,
			uint32 category, uint32 mask, TimestampTz at)
{
	while (mask != 0)
	{
		int			shape = pg_leftmost_one_pos32(mask);
		PolicyKey	key = {
			.seller = seller,
			.category = category,
			.reason = shape & SHAPE_REASON ? all->reason : 0,
			.market = shape & SHAPE_MARKET ? all->market : 0,
			.fault = shape & SHAPE_FAULT ? all->fault : 0,
		};
		const PolicyVersions *line = lines_lookup(index->lines, key);
		const Policy *policy = line == NULL ? NULL : version_at(line, at);

		if (policy != NULL)
			return policy;
		mask &= ~(1U << shape);
	}
	return NULL;
}

/* The policies of one seller, or (0) those for any: nearest category first. */
static const Policy *
find_seller(const PolicyIndex *index, const PolicyKey *all, uint32 seller, uint32 shapes,
			uint32 possible, const PolicyQuestion *question)
{
	uint32		mask = WITH_CATEGORY(shapes) & possible;

	if (mask != 0)
		for (const Category *c = question->category; c != NULL; c = c->parent)
		{
			uint32		category = key_find(index, c->code);
			const Policy *policy = category == 0 ? NULL :
				find_shapes(index, all, seller, category, mask, question->purchased_at);

			if (policy != NULL)
				return policy;
		}
	return find_shapes(index, all, seller, 0, WITHOUT_CATEGORY(shapes) & possible,
					   question->purchased_at);
}

const Policy *
policy_index_find(const PolicyIndex *index, const PolicyQuestion *question)
{
	const Symbol *seller = question->seller_ref == NULL ? NULL :
		symbols_lookup(index->symbols, question->seller_ref);
	PolicyKey	all = {
		.reason = key_find(index, question->reason),
		.market = key_find(index, question->market),
		.fault = question->fault + 1,
	};
	uint32		possible = 0xFF;
	const Policy *policy = NULL;

	/* a mask of the shapes without a bit: those whose number lacks it */
	if (all.reason == 0)
		possible &= 0x0F;
	if (all.market == 0)
		possible &= 0x55;
	if (seller != NULL && seller->shapes != 0)
		policy = find_seller(index, &all, seller->id, seller->shapes, possible, question);
	if (policy == NULL)
		policy = find_seller(index, &all, 0, index->shapes, possible, question);
	return policy;
}

const Policy *
policy_index_tie(const PolicyIndex *index, const Policy *policy)
{
	PolicyKey	key = {
		.seller = key_find(index, policy->seller_ref),
		.category = key_find(index, policy->category),
		.reason = key_find(index, policy->reason),
		.market = key_find(index, policy->market),
		.fault = policy->fault + 1,
	};
	const PolicyVersions *line = lines_lookup(index->lines, key);

	for (int i = 0; line != NULL && i < line->n; i++)
	{
		const Policy *other = line->versions[i];

		if (other->id != policy->id && other->valid_from < policy->valid_to &&
			policy->valid_from < other->valid_to)
			return other;
	}
	return NULL;
}
