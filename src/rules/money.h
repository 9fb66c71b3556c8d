/*-------------------------------------------------------------------------
 *
 * money.h
 *		Exact money: minor units, shares of a line, the split over tenders.
 *
 * Pure arithmetic.  An amount is an int64 of minor units of its currency
 * (Currency.scale); numeric appears at the border only.  Every product is
 * taken in 128 bits and rounded once, half away from zero.
 *
 * src/rules/money.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_MONEY_H
#define RETURNS_MONEY_H

#include "rules/rules.h"
#include "utils/numeric.h"

/* Amounts are less, as the CHECK constraints of the tables say. */
#define MONEY_LIMIT INT64CONST(100000000000000)

/* Policy.restocking counts in millionths of a percent. */
#define RESTOCKING_WHOLE INT64CONST(100000000)

/*
 * A numeric as minor units.  Raises 22003 for NaN, an infinity, an absolute value
 * of 1e14 or more, and a value with more decimals than the currency has, trailing
 * zeros aside.  what names the value in the message.
 */
extern int64 numeric_to_minor(Datum value, const Currency *currency, const char *what);

/* The same for a stored amount or sum: every value that an int64 can hold. */
extern int64 stored_to_minor(Datum value, const Currency *currency, const char *what);

/* A numeric that shows exactly the currency's decimals. */
extern Numeric minor_to_numeric(int64 amount, const Currency *currency);

/* The same as text, with the currency's code, for messages: "12.50 KZT". */
extern char *money_text(int64 amount, const Currency *currency);

/* The sum; 22003 on overflow. */
extern int64 money_add(int64 a, int64 b);

/* round(amount * part / whole); whole > 0.  22003 on overflow. */
extern int64 money_share(int64 amount, int64 part, int64 whole);

/* The values that determine the money of a line of a return. */
typedef struct LineFacts
{
	int			quantity;		/* units sold */
	int64		paid;			/* for all of them: goods */
	int64		shipping_paid;	/* for all of them: delivery */
	Numeric		commission_rate;
	/* decided before in other returns of the same sale line */
	int			units_before;
	int64		goods_before;
	int64		deduction_before;
	int64		shipping_before;
	int			shipping_units_before;	/* those whose policy refunds delivery */
	/* this return */
	int			units;
	int64		deduction;
	Fault		fault;
	int64		restocking;		/* of the policy */
	bool		refund_shipping;	/* of the policy */
} LineFacts;

typedef struct LinePrice
{
	int64		goods;			/* exact share of the units */
	int64		fee;			/* restocking, kept by the platform */
	int64		deduction;		/* for lost value, kept by the seller */
	int64		shipping;
	int64		commission;		/* given back to the seller */
	int64		total;			/* goods - fee - deduction + shipping, >= 0 */
} LinePrice;

/*
 * Price a line.  Returns false, with commission and total not set, when the
 * deduction is negative, is more than goods - fee, or is not zero although a
 * seller, carrier or the platform is at fault.
 *
 * Goods: the first m of q units of amount A are worth round(A m / q).  n units
 * after k others get the value of the first k + n, less the amount that the
 * others got.  So all q units together get A, in any order and any portions.
 * The amount that the others got is read from the tables, because it can differ
 * from the value of the first k: an exchange that was decided and then cancelled
 * has given its share back.
 * Delivery: the same, if the policies of all k others refunded delivery;
 * otherwise the value of k + n units less the value of k.  It is never more than
 * the rest.
 * Commission: of the goods less the deductions; the running sum is rounded, not
 * each return, so the reversals of a sale line are rounded once in total.
 */
extern bool money_price_line(const LineFacts *facts, LinePrice *price);

/* Set commission and total of a line whose other members are set. */
extern void money_complete(const LineFacts *facts, LinePrice *price);

/* A payment that a refund is split over. */
typedef struct Tender
{
	int			payment_no;
	int64		left;			/* captured and not yet refunded */
	int64		taken;			/* set by money_waterfall() */
} Tender;

/*
 * Take the total from the tenders in the order given, from each as much as it has
 * left.  Returns the rest that they do not cover.
 */
extern int64 money_waterfall(int64 total, Tender *tenders, int ntenders);

#endif							/* RETURNS_MONEY_H */
