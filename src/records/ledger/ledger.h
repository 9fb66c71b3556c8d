/*-------------------------------------------------------------------------
 *
 * ledger.h
 *		Double entry: transfers of a return, each balanced in one currency.
 *
 * src/records/ledger/ledger.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_LEDGER_H
#define RETURNS_LEDGER_H

#include "records/row.h"

typedef struct LedgerEntry
{
	const char *account;
	const char *party_ref;		/* NULL: none */
	int64		amount;			/* minor units, debit positive; 0: not posted */
} LedgerEntry;

/*
 * Post one transfer on the row's return, with the next transfer_no.  refund_id 0:
 * none.  reverses 0: none.  Nothing is posted when every amount is 0.  XX000 when
 * the entries do not sum to zero.
 */
extern void ledger_post(ReturnRow *row, const char *kind, int64 refund_id, int reverses,
						const LedgerEntry *entries, int nentries);

/* Post the opposite of transfer_no, which is not reversed yet. */
extern void ledger_reverse(ReturnRow *row, const char *kind, int64 refund_id, int transfer_no);

/*
 * ledger_entry.written of the entries of the current transaction.  It is
 * greater in a later life of the cluster (journal_epoch()), where transaction
 * ids start again.
 */
extern int64 ledger_time(uint64 xid);

/*
 * Write a checkpoint of the balances if one is due: a session looks once a
 * minute, and a checkpoint needs ten thousand entries.  For sweeps.
 */
extern void ledger_maintain(void);

#endif							/* RETURNS_LEDGER_H */
