/*-------------------------------------------------------------------------
 *
 * post.h
 *		What a report on a refund means for its ledger, payment and return.
 *
 * src/records/refund/post.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POST_H
#define RETURNS_POST_H

#include "rules/workflow/actor.h"

/*
 * A report on a refund, to be posted on its return: it moved, or, where from
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
 * Post it: transfers, the payment's share, the event, and the return's own move
 * that follows; the event alone where it did not move.  RT006 when a failed
 * refund is tried again and its payment has nothing left.
 */
extern void refund_post(RefundMove *move);

#endif							/* RETURNS_POST_H */
