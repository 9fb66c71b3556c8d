/*-------------------------------------------------------------------------
 *
 * pending_reports.c
 *		Refunds that have changed and are not booked yet.
 *
 * src/records/refund/pending_reports.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "records/refund/pending_reports.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct Unbooked
{
	int64		refund_id;
	int			nest_level;		/* of transactions */
} Unbooked;

static HTAB *unbooked = NULL;	/* in TopTransactionContext */

static void
unbooked_xact_callback(XactEvent event, void *arg)
{
	unbooked = NULL;
}

/* What a failed statement has changed is not changed. */
static void
unbooked_subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent,
						  void *arg)
{
	HASH_SEQ_STATUS scan;
	Unbooked   *entry;

	if (event != SUBXACT_EVENT_ABORT_SUB || unbooked == NULL)
		return;
	hash_seq_init(&scan, unbooked);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (entry->nest_level >= GetCurrentTransactionNestLevel())
			hash_search(unbooked, &entry->refund_id, HASH_REMOVE, NULL);
}

static void
unbooked_begin(void)
{
	static bool registered = false;
	HASHCTL		control = {
		.keysize = sizeof(int64),
		.entrysize = sizeof(Unbooked),
		.hcxt = TopTransactionContext,
	};

	if (!registered)
	{
		RegisterXactCallback(unbooked_xact_callback, NULL);
		RegisterSubXactCallback(unbooked_subxact_callback, NULL);
		registered = true;
	}
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
