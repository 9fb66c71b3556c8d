/*-------------------------------------------------------------------------
 *
 * attested.h
 *		What an event attests of the money that moved before it.
 *
 * Refunds and ledger transfers are rows of their own.  So that nobody can
 * change them unnoticed, the next event of the return speaks of them: under
 * the key "booked" of its details stand the refunds that were issued, and a
 * hash of each transfer; the event's own hash covers both.
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

/* A refund as it is issued. */
typedef struct AttestedRefund
{
	int64		refund_id;
	int			payment_no;
	Datum		amount;			/* numeric */
	const char *currency;
	const char *provider;		/* NULL: none */
	const char *idempotency_key;
} AttestedRefund;

extern void attested_transfer(ReturnRow *row, const TransferContent *transfer);
extern void attested_refund(ReturnRow *row, const AttestedRefund *refund);

/*
 * The details of the event that is being appended: those given (NULL: none),
 * with what is attested since the last event; NULL when there is neither.
 */
extern Jsonb *attested_details(ReturnRow *row, Jsonb *details);

#endif							/* RETURNS_ATTESTED_H */
