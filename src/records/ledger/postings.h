/*-------------------------------------------------------------------------
 *
 * postings.h
 *		Which accounts each transfer of a return debits and credits.
 *
 * src/records/ledger/postings.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POSTINGS_H
#define RETURNS_POSTINGS_H

#include "records/row.h"
#include "rules/money.h"

/* A return is decided for a refund: sum is the sum of the prices of its lines. */
extern void ledger_post_due(ReturnRow *row, const LinePrice *sum, Fault fault);

/* An operator grants an amount. */
extern void ledger_post_grant(ReturnRow *row, int64 amount);

/*
 * A refund is sent, and settles.  tender is the party of the provider's
 * accounts.
 */
extern void ledger_post_sent(ReturnRow *row, int64 refund_id, const char *tender, int64 amount);
extern void ledger_post_settled(ReturnRow *row, int64 refund_id, const char *tender, int64 amount);

/*
 * Reverse the transfers of a refund that has moved back to the state to.  is_sent:
 * its money is sent in that state, so only the settlement is reversed.
 */
extern void ledger_post_back(ReturnRow *row, int64 refund_id, const State *to, bool is_sent);

#endif							/* RETURNS_POSTINGS_H */
