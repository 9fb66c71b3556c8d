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

/* Above any amount that the tables take (their CHECK is < 1e14). */
#define MONEY_LIMIT INT64CONST(100000000000000)

/* Policy.restocking counts in millionths of a percent. */
#define RESTOCKING_WHOLE INT64CONST(100000000)

/*
 * The border.  numeric_to_minor() takes an exact amount only: 22003 for NaN,
 * an infinity, a value of 1e14 or more either way, or one with more decimals
 * than the currency has (zeros behind them do not count).  what names the
 * value in the message.
 */
extern int64 numeric_to_minor(Datum value, const Currency *currency, const char *what);

/* The same for a stored amount or sum, which may be as large as an int64 is. */
extern int64 stored_to_minor(Datum value, const Currency *currency, const char *what);

/* Shows exactly the currency's decimals. */
extern Numeric minor_to_numeric(int64 amount, const Currency *currency);

/* The same as text, with the currency's code, for messages: "12.50 KZT". */
extern char *money_text(int64 amount, const Currency *currency);

/* 22003 on overflow. */
extern int64 money_add(int64 a, int64 b);

/* The first k of q units of an amount: round(amount * k / q); q > 0. */
extern int64 money_share(int64 amount, int64 k, int64 q);

/* round(amount * rate), rate a numeric from 0 to 1. */
extern int64 money_rate(int64 amount, Numeric rate);

/* One line of a return when its money is decided. */
typedef struct LineFacts
{
	int			quantity;		/* units sold */
	int64		paid;			/* for all of them: goods */
	int64		shipping_paid;	/* and delivery */
	Numeric		commission_rate;
	/* of the same sale line, decided before by other returns */
	int			units_before;
	int64		goods_before;
	int64		deduction_before;
	int64		shipping_before;
	int			shipping_units_before;	/* those whose delivery was given back */
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
 * Price a line.  False when the deduction is negative, more than goods - fee,
 * or taken though somebody is at fault: then commission and total are not set.
 *
 * Goods: n units after k others are worth round(A (k + n) / q) less what the
 * others got, which is round(A k / q): so all q units, in any order and split,
 * are worth A.  What the others got is read, not computed, so that this stays
 * true also after a decided exchange was called off and gave its share back.
 * Shipping is shared the same way while all others had a right to it; where
 * some had none (their policy did not give it back), the share is the difference
 * of what k + n and k units are worth, and no more than is left.
 * Commission follows the goods less the deductions, rounded on their running
 * sum, so that all reversals of a sale line together are rounded once.
 */
extern bool money_price_line(const LineFacts *facts, LinePrice *price);

/* Set commission and total of a line whose parts were priced before. */
extern void money_complete(const LineFacts *facts, LinePrice *price);

/* A tender, as the waterfall sees it. */
typedef struct Tender
{
	int			payment_no;
	int64		left;			/* captured and not yet on its way back */
	int64		taken;			/* set by money_waterfall() */
} Tender;

/* Fill the tenders in the order given; returns what they could not cover. */
extern int64 money_waterfall(int64 total, Tender *tenders, int ntenders);

#endif							/* RETURNS_MONEY_H */
