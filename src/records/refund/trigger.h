/*-------------------------------------------------------------------------
 *
 * trigger.h
 *		The triggers of returns.refund: its columns, and what a claim tells them.
 *
 * src/records/refund/trigger.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_REFUND_TRIGGER_H
#define RETURNS_REFUND_TRIGGER_H

#include "datatype/timestamp.h"

/* The columns of refund. */
typedef enum RefundColumn
{
	RF_ID, RF_ORDER_REF, RF_RETURN_ID, RF_PAYMENT_NO, RF_AMOUNT, RF_CURRENCY, RF_STATUS,
	RF_ATTEMPT, RF_IDEMPOTENCY_KEY, RF_PROVIDER, RF_PROVIDER_REF, RF_CREATED_AT,
	RF_SENT_AT, RF_SETTLED_AT, RF_FAILED_AT, RF_FAILURE, RF_LEASE_UNTIL, RF_NCOLUMNS
} RefundColumn;

/*
 * Refunds that become "sent" get this lease until the call with NULL.  While
 * one is given, the caller has seen to it that the payment may be refunded.
 */
extern void refund_lease(const TimestampTz *until);

#endif							/* RETURNS_REFUND_TRIGGER_H */
