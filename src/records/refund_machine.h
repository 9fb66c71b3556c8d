/*-------------------------------------------------------------------------
 *
 * refund_machine.h
 *		The life of a refund: what its trigger needs to be told.
 *
 * src/records/refund_machine.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_REFUND_MACHINE_H
#define RETURNS_REFUND_MACHINE_H

#include "rules/actor.h"

/* The columns of refund. */
typedef enum RefundColumn
{
	RF_ID, RF_ORDER_REF, RF_RETURN_ID, RF_PAYMENT_NO, RF_AMOUNT, RF_CURRENCY, RF_STATUS,
	RF_ATTEMPT, RF_IDEMPOTENCY_KEY, RF_PROVIDER, RF_PROVIDER_REF, RF_CREATED_AT,
	RF_SENT_AT, RF_SETTLED_AT, RF_FAILED_AT, RF_FAILURE, RF_LEASE_UNTIL, RF_NCOLUMNS
} RefundColumn;

/*
 * A report on a refund, to be booked on its return: it moved, or, where from
 * and to are the same, its reference or its failure was told later.
 */
typedef struct RefundMove
{
	int64		refund_id;
	Datum		order_ref;
	int64		return_id;
	int			payment_no;
	const Currency *currency;
	int64		amount;
	int			attempt;
	char	   *provider;		/* NULL: none */
	char	   *provider_ref;	/* NULL: none */
	char	   *failure;		/* NULL: none */
	const State *from;
	const State *to;
	const Actor *actor;
} RefundMove;

/*
 * Book it: postings, the payment's share, the event, and the return's own move
 * that follows; the event alone where it did not move.  RT006 when a failed refund is tried again and its payment has
 * nothing left.
 */
extern void refund_book(RefundMove *move);

/*
 * Refunds that become "sent" get this lease until the call with NULL.  While
 * one is given, the caller has seen to it that the payment may be refunded.
 */
extern void refund_lease(const TimestampTz *until);

/*
 * Make refunds pending again whose lease has ended, at most so many, passing
 * over those that somebody holds; returns how many.
 */
extern uint64 refund_end_leases(int max_rows);

#endif							/* RETURNS_REFUND_MACHINE_H */
