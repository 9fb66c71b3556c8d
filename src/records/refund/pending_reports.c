/*-------------------------------------------------------------------------
 *
 * pending_reports.c
 *		Refunds that have changed and whose report is not posted yet.
 *
 * src/records/refund/pending_reports.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/scope.h"
#include "records/refund/pending_reports.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct PendingReport
{
	int64		refund_id;
	int			nest_level;		/* of transactions */
} PendingReport;

static HTAB *pending = NULL;	/* in TopTransactionContext */

/* Changes of a rolled-back subtransaction will not be posted. */
static void
pending_undo(int nest_level)
{
	HASH_SEQ_STATUS scan;
	PendingReport *entry;

	if (pending == NULL)
		return;
	hash_seq_init(&scan, pending);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (entry->nest_level >= nest_level)
			hash_search(pending, &entry->refund_id, HASH_REMOVE, NULL);
}

static void
pending_end(bool committed)
{
	pending = NULL;
}

static const ScopeUser scope_user = {.undo = pending_undo,.end = pending_end};

static void
pending_begin(void)
{
	HASHCTL		control = {
		.keysize = sizeof(int64),
		.entrysize = sizeof(PendingReport),
		.hcxt = TopTransactionContext,
	};

	scope_register(&scope_user);
	pending = hash_create("returns: pending reports", 64, &control,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void
pending_report_add(Relation refund, int64 refund_id)
{
	PendingReport *entry;
	bool		found;

	if (pending == NULL)
		pending_begin();
	entry = hash_search(pending, &refund_id, HASH_ENTER, &found);
	if (found)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("refund " INT64_FORMAT " cannot change again before its last change is posted",
						refund_id),
				 errdetail("A row trigger updates a refund that the statement which fired it is updating."),
				 errhint("Use a statement trigger; or update only the refund that fired the row trigger, and name it so that it sorts after \"00_returns_refund_booked\"."),
				 errtable(refund)));
	entry->nest_level = GetCurrentTransactionNestLevel();
}

void
pending_report_remove(int64 refund_id)
{
	if (pending != NULL)
		hash_search(pending, &refund_id, HASH_REMOVE, NULL);
}
