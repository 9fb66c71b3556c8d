/*-------------------------------------------------------------------------
 *
 * price.h
 *		The price of a return, before anything is written.
 *
 * The one computation behind paying, estimating and previewing.
 *
 * src/records/decision/price.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_PRICE_H
#define RETURNS_PRICE_H

#include "rules/money.h"

typedef struct PricedLine
{
	int			line_no;
	LinePrice	price;
	bool		cut;			/* the deduction was reduced */
	int64		refunded;		/* of the sale line, so far */
	int64		cap;			/* paid for the sale line, with shipping */
} PricedLine;

typedef struct Pricing
{
	const Currency *currency;	/* NULL: the return has no lines */
	Fault		fault;
	int			nlines;
	PricedLine *lines;			/* by line_no */
	int64		total;
	int			ntenders;
	Tender	   *tenders;		/* in the order in which they are filled */
	char	  **providers;		/* of each tender; NULL: none */
} Pricing;

/* Units and deduction of a line that are not stored yet. */
typedef struct LineTrial
{
	int			line_no;
	int			units;
	Datum		deduction;		/* numeric */
} LineTrial;

/*
 * Price the lines of a return: the units accepted, or the quantity requested
 * when accepted is null.  A stored deduction that is more than the units are
 * worth now is reduced to that.  trial: NULL, or the one line to price instead;
 * raises RT006 when its deduction is more than its units are worth.  RT004 when
 * the currencies of the lines differ.
 *
 * The result is allocated in the current memory context.  Call this in a
 * section of as_owner_begin(), with the sale lines locked when the result will
 * be written.
 */
extern Pricing *price_lines(Datum order_ref, int64 return_id,
							const Reason *reason, const LineTrial *trial);

/*
 * Split the total over the captured payments of the order; lock: lock them.
 * RT006 when they cannot cover it.  A payment under an open or lost chargeback
 * is not used: the bank decides about its money, or the buyer has it already.
 * Call this in a section of as_owner_begin().
 */
extern void price_tenders(Pricing *pricing, Datum order_ref, int64 return_id, bool lock);

/*
 * Do the payments cover the total?  Locks them, so that the answer stays true
 * until the transaction ends.
 */
extern bool price_covered(Pricing *pricing, Datum order_ref);

#endif							/* RETURNS_PRICE_H */
