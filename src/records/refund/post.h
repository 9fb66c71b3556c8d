/*-------------------------------------------------------------------------
 *
 * post.h
 *		Post a report on a refund: ledger, payment, history and return follow.
 *
 * src/records/refund/post.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POST_H
#define RETURNS_POST_H

#include "rules/actor/actor.h"

/*
 * A refund has moved, or, where from and to are the same, a reference or a
 * failure was added.
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
 * Post the transfers, the amount of the payment, the event, and the move of the
 * return that follows; the event alone where the refund has not moved.  RT006
 * when a failed refund is tried again and its payment has not enough left.
 */
extern void refund_post(RefundMove *move);

#endif							/* RETURNS_POST_H */
