/*-------------------------------------------------------------------------
 *
 * unbooked.c
 *		Refunds that have changed and are not booked yet.
 *
 * src/records/unbooked.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/scope.h"
#include "records/unbooked.h"
#include "server/errors.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct Unbooked
{
	int64		refund_id;
	int			nest_level;		/* of transactions */
} Unbooked;

static HTAB *unbooked = NULL;	/* in TopTransactionContext */

/* What a failed statement has changed is not changed. */
static void
undo(int nest_level)
{
	HASH_SEQ_STATUS scan;
	Unbooked   *entry;

	if (unbooked == NULL)
		return;
	hash_seq_init(&scan, unbooked);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (entry->nest_level >= nest_level)
			hash_search(unbooked, &entry->refund_id, HASH_REMOVE, NULL);
}

static void
end(bool committed)
{
	unbooked = NULL;
}

static const ScopeUser scope_user = {.undo = undo,.end = end};

static void
unbooked_begin(void)
{
	HASHCTL		control = {
		.keysize = sizeof(int64),
		.entrysize = sizeof(Unbooked),
		.hcxt = TopTransactionContext,
	};

	scope_register(&scope_user);
	unbooked = hash_create("returns: unbooked refunds", 64, &control,
						   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void
unbooked_add(Relation refund, int64 refund_id)
{
	Unbooked   *entry;
	bool		found;

	if (unbooked == NULL)
		unbooked_begin();
	entry = hash_search(unbooked, &refund_id, HASH_ENTER, &found);
	if (found)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("refund " INT64_FORMAT " would change again before its last change is booked",
						refund_id),
				 errdetail("A row trigger changes what the statement that fired it is changing."),
				 errhint("Let the trigger change its own refund only, with a name that sorts after \"00_returns_refund_booked\", or make it a statement trigger."),
				 errtable(refund)));
	entry->nest_level = GetCurrentTransactionNestLevel();
}

void
unbooked_remove(int64 refund_id)
{
	if (unbooked != NULL)
		hash_search(unbooked, &refund_id, HASH_REMOVE, NULL);
}
