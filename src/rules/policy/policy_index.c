/*-------------------------------------------------------------------------
 *
 * policy_index.c
 *		Policies in memory, and which of them governs a sale.
 *
 * The texts in the five keys of a policy become small numbers (0: any), so that
 * a look-up hashes each text once and then compares integers.  Policies with the
 * same five keys are versions of one rule, sorted by valid_from.
 *
 * A look-up tries the combinations of keys that match the sale, the most
 * specific first.  No policy has most of these combinations.  So the index notes
 * which shapes its policies have (which keys are set), for each seller and for
 * the policies for any seller, and a look-up skips all others.
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
 * A shape says which keys other than the seller are set.  A more significant bit
 * is a more specific key, so a larger shape is more specific than a smaller one.
 */
#define SHAPE_MARKET	1
#define SHAPE_FAULT		2
#define SHAPE_REASON	4
#define SHAPE_CATEGORY	8
#define NSHAPES			16

/* A set of shapes: bit i is shape i. */
typedef uint16 ShapeSet;

/* Shapes 8 to 15, the larger half. */
#define SHAPES_WITH_CATEGORY ((ShapeSet) (0xFF << SHAPE_CATEGORY))

StaticAssertDecl(NSHAPES == 8 * sizeof(ShapeSet), "a ShapeSet has a bit for each shape");

typedef struct Symbol
{
	const char *name;			/* a code or a seller */
	uint32		id;				/* from 1 */
	ShapeSet	shapes;			/* of the policies of this seller */
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

/* Keys are hashed and compared as they are: no padding. */
StaticAssertDecl(sizeof(PolicyKey) == 5 * sizeof(uint32), "PolicyKey has no padding");

/* The policies with the same keys. */
typedef struct PolicyVersions
{
	PolicyKey	key;
	int			n;
	int			capacity;
	const Policy **policies;	/* by valid_from */
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

#define SH_PREFIX versions
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

typedef struct PolicyById
{
	int64		id;
	const Policy *policy;
	char		status;
} PolicyById;

#define SH_PREFIX by_id
#define SH_ELEMENT_TYPE PolicyById
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
	versions_hash *versions;
	by_id_hash *by_id;
	ShapeSet	shapes;			/* of the policies for any seller */
	int			n;
	int			capacity;
	const Policy **policies;	/* in the order of their addition */
};

PolicyIndex *
policy_index_create(void)
{
	PolicyIndex *index = palloc0(sizeof(PolicyIndex));

	index->context = CurrentMemoryContext;
	index->symbols = symbols_create(CurrentMemoryContext, 64, NULL);
	index->versions = versions_create(CurrentMemoryContext, 64, NULL);
	index->by_id = by_id_create(CurrentMemoryContext, 64, NULL);
	index->capacity = 64;
	index->policies = palloc(sizeof(Policy *) * index->capacity);
	return index;
}

/* The symbol of a text; a new one gets a copy of the text. */
static Symbol *
symbol_intern(PolicyIndex *index, const char *name)
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

/* The number of a key of a policy; the text is replaced with the copy of the index. */
static uint32
key_intern(PolicyIndex *index, const char **name)
{
	Symbol	   *symbol;

	if (*name == NULL)
		return 0;
	symbol = symbol_intern(index, *name);
	*name = symbol->name;
	return symbol->id;
}

/* The number of a text; 0 when it is NULL or no policy has it. */
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

/* Insert a policy by valid_from: at the end when policies are added in this order. */
static void
versions_add(PolicyVersions *versions, const Policy *policy)
{
	int			at = versions->n;

	if (versions->n == versions->capacity)
	{
		versions->capacity *= 2;
		versions->policies = repalloc(versions->policies,
									  sizeof(Policy *) * versions->capacity);
	}
	while (at > 0 && versions->policies[at - 1]->valid_from > policy->valid_from)
	{
		versions->policies[at] = versions->policies[at - 1];
		at--;
	}
	versions->policies[at] = policy;
	versions->n++;
}

static void
index_by_keys(PolicyIndex *index, const PolicyKey *key, const Policy *policy)
{
	bool		found;
	PolicyVersions *versions = versions_insert(index->versions, *key, &found);

	if (!found)
	{
		versions->n = 0;
		versions->capacity = 1;
		versions->policies = palloc(sizeof(Policy *));
	}
	versions_add(versions, policy);
}

static void
index_by_id(PolicyIndex *index, const Policy *policy)
{
	bool		found;

	by_id_insert(index->by_id, policy->id, &found)->policy = policy;
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
	ShapeSet	shape = 1 << policy_shape(policy);

	Assert(policy->fault >= FAULT_ANY && policy->fault < FAULT_COUNT);
	*copy = *policy;
	key.seller = key_intern(index, &copy->seller_ref);
	key.category = key_intern(index, &copy->category);
	key.reason = key_intern(index, &copy->reason);
	key.market = key_intern(index, &copy->market);
	key.fault = copy->fault + 1;
	copy->auto_approve_below = numeric_copy(copy->has_auto_approve, copy->auto_approve_below);
	copy->keep_item_below = numeric_copy(copy->has_keep_item, copy->keep_item_below);
	if (copy->source != NULL)
		copy->source = pstrdup(copy->source);

	index_by_keys(index, &key, copy);
	index_by_id(index, copy);
	if (copy->seller_ref == NULL)
		index->shapes |= shape;
	else
		symbol_intern(index, copy->seller_ref)->shapes |= shape;
	MemoryContextSwitchTo(old);
	return copy;
}

void
policy_index_note_seller(PolicyIndex *index, const char *seller_ref)
{
	MemoryContext old = MemoryContextSwitchTo(index->context);

	symbol_intern(index, seller_ref)->seller_known = true;
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
	const PolicyById *found = by_id_lookup(index->by_id, id);

	return found == NULL ? NULL : found->policy;
}

const Policy *
policy_index_nth(const PolicyIndex *index, int i)
{
	return i < index->n ? index->policies[i] : NULL;
}

/* The policy in force at an instant; NULL: none. */
static const Policy *
versions_at(const PolicyVersions *versions, TimestampTz at)
{
	int			low = 0;
	int			high = versions->n;
	const Policy *policy;

	/* the first that begins later; versions do not overlap */
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (versions->policies[middle]->valid_from <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	policy = versions->policies[low - 1];
	return at < policy->valid_to ? policy : NULL;
}

/*
 * The shapes that can match a sale with these keys: all without a key whose
 * number is 0, because no policy names the sale's reason or market.
 */
static ShapeSet
matching_shapes(const PolicyKey *key)
{
	ShapeSet	shapes = 0;

	for (int shape = 0; shape < NSHAPES; shape++)
		if (!((shape & SHAPE_REASON) && key->reason == 0) &&
			!((shape & SHAPE_MARKET) && key->market == 0))
			shapes |= 1 << shape;
	return shapes;
}

/*
 * Among the policies of one seller and one category (0 in either: for any), the
 * most specific of these shapes.
 */
static const Policy *
find_shapes(const PolicyIndex *index, const PolicyKey *all, uint32 seller,
			uint32 category, uint32 shapes, TimestampTz at)
{
	while (shapes != 0)
	{
		int			shape = pg_leftmost_one_pos32(shapes);
		PolicyKey	key = {
			.seller = seller,
			.category = category,
			.reason = shape & SHAPE_REASON ? all->reason : 0,
			.market = shape & SHAPE_MARKET ? all->market : 0,
			.fault = shape & SHAPE_FAULT ? all->fault : 0,
		};
		const PolicyVersions *versions = versions_lookup(index->versions, key);
		const Policy *policy = versions == NULL ? NULL : versions_at(versions, at);

		if (policy != NULL)
			return policy;
		shapes &= ~(1U << shape);
	}
	return NULL;
}

/* Among the policies of one seller (0: for any): the nearest category first. */
static const Policy *
find_seller(const PolicyIndex *index, const PolicyKey *all, uint32 seller, ShapeSet shapes,
			const PolicyQuestion *question)
{
	ShapeSet	with_category = shapes & SHAPES_WITH_CATEGORY;

	if (with_category != 0)
		for (const Category *c = question->category; c != NULL; c = c->parent)
		{
			uint32		category = key_find(index, c->code);
			const Policy *policy = category == 0 ? NULL :
			find_shapes(index, all, seller, category, with_category,
						question->purchased_at);

			if (policy != NULL)
				return policy;
		}
	return find_shapes(index, all, seller, 0, shapes & ~SHAPES_WITH_CATEGORY,
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
	ShapeSet	matching = matching_shapes(&all);
	const Policy *policy = NULL;

	Assert(question->fault < FAULT_COUNT);
	if (seller != NULL && seller->shapes != 0)
		policy = find_seller(index, &all, seller->id, seller->shapes & matching, question);
	if (policy == NULL)
		policy = find_seller(index, &all, 0, index->shapes & matching, question);
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
	const PolicyVersions *versions = versions_lookup(index->versions, key);

	for (int i = 0; versions != NULL && i < versions->n; i++)
	{
		const Policy *other = versions->policies[i];

		if (other->id != policy->id && other->valid_from < policy->valid_to &&
			policy->valid_from < other->valid_to)
			return other;
	}
	return NULL;
}
