/*-------------------------------------------------------------------------
 *
 * attested.h
 *		The key "booked" of an event, which attests refunds and transfers.
 *
 * Refunds and ledger transfers are rows of tables of their own.  The next event
 * of the return attests them, so that the audit notices a later change: the key
 * "booked" of its details holds the refunds that were issued and the hash of
 * each transfer, and the hash of the event covers the details.
 *
 *		{"booked": {"refunds": [{"refund_id": 7, "payment_no": 1, "amount": 5.00,
 *		"currency": "KZT", "provider": "bank", "idempotency_key": "0a1b..."}],
 *		"transfers": {"1": "<sha256, hex>"}}}
 *
 * src/records/history/attested.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ATTESTED_H
#define RETURNS_ATTESTED_H

#include "records/history/hash.h"
#include "records/row.h"
#include "utils/numeric.h"

/* A refund as it is issued. */
typedef struct AttestedRefund
{
	int64		refund_id;
	int			payment_no;
	Numeric		amount;
	const char *currency;
	const char *provider;		/* NULL: none */
	const char *idempotency_key;
} AttestedRefund;

/*
 * The next event of the return attests this transfer or refund.  The strings of
 * the refund must live until then.
 */
extern void attested_transfer(ReturnRow *row, const TransferContent *transfer);
extern void attested_refund(ReturnRow *row, const AttestedRefund *refund);

/*
 * The details of the event that is being appended: those given (NULL: none)
 * and the values that the event attests; NULL when there is neither.  A key
 * "booked" in the details given is dropped: only the extension attests.
 */
extern Jsonb *attested_details(ReturnRow *row, Jsonb *details);

#endif							/* RETURNS_ATTESTED_H */
