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
	const char *party_ref;		/* NULL: nobody */
	int64		amount;			/* minor units, debit positive; 0 is left out */
} LedgerEntry;

/*
 * Post one transfer on the row's return: takes the next transfer_no.
 * refund_id 0: none.  reverses 0: none.  Returns the transfer_no, 0 when
 * nothing was left to post.  XX000 when the entries do not sum to zero.
 */
extern int	ledger_post(ReturnRow *row, const char *kind, int64 refund_id, int reverses,
						const LedgerEntry *entries, int nentries);

/* Post the opposite of transfer_no. */
extern int	ledger_reverse(ReturnRow *row, const char *kind, int64 refund_id, int transfer_no);

/*
 * ledger_entry.written of what a transaction writes: greater in a later life
 * of the cluster, whose transaction ids start anew.
 */
extern int64 ledger_time(uint64 xid);

/*
 * Bring returns.ledger_checkpoint up to the horizon of the transactions that
 * are finished; returns how many entries it took in.  0: fewer than min_entries
 * were there, or somebody else is at it.
 */
extern uint64 ledger_checkpoint(int64 min_entries);

/*
 * The same when it is worth it: a session looks once a minute, and leaves
 * fewer than ten thousand entries to the next time.  For sweeps.
 */
extern void ledger_maintain(void);

#endif							/* RETURNS_LEDGER_H */
