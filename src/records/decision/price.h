/*-------------------------------------------------------------------------
 *
 * price.h
 *		What a return is worth, before anything is written.
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
	bool		cut;			/* the deduction, to what the units are worth now */
	int64		refunded;		/* of the sale line, so far */
	int64		cap;			/* all that was paid for it */
} PricedLine;

typedef struct Pricing
{
	const Currency *currency;
	Fault		fault;
	int			nlines;
	PricedLine *lines;			/* by line_no */
	int64		total;
	int			ntenders;
	Tender	   *tenders;		/* in the order in which they are filled */
	char	  **providers;		/* of the tenders; NULL: none */
} Pricing;

/* Units and deduction of a line that are not stored yet. */
typedef struct LineTrial
{
	int			line_no;
	int			units;
	Datum		deduction;		/* numeric */
} LineTrial;

/*
 * Price the lines of a return: their accepted units, or all where none were
 * accepted yet.  trial NULL, or the one line to price instead of all: RT006
 * when its deduction is more than the line is worth.  Memory is taken in the
 * current context.  To be called between own_begin() and own_end(), with the
 * sale lines locked where the result is to be written.
 */
extern Pricing *price_lines(Datum order_ref, int64 return_id,
							const Reason *reason, const LineTrial *trial);

/*
 * Split the total over the captured payments of the order, locking them if
 * asked to.  RT006 when they cannot cover it.  A payment under a chargeback
 * that is open or lost gives nothing: its money is at the bank's disposal, or
 * the buyer has it already.
 */
extern void price_tenders(Pricing *pricing, Datum order_ref, int64 return_id, bool lock);

/* Would it cover the total?  Locks the payments, so that the answer stands. */
extern bool price_covered(Pricing *pricing, Datum order_ref);

#endif							/* RETURNS_PRICE_H */
