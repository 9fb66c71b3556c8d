/*-------------------------------------------------------------------------
 *
 * issue.h
 *		Decide a return: price its lines and create its refunds.
 *
 * src/records/decision/issue.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ISSUE_H
#define RETURNS_ISSUE_H

#include "records/decision/price.h"
#include "records/row.h"

/*
 * Decide a return for money, when it enters refund_due for the first time:
 * price its lines, split the total over the payments of the order, create the
 * refunds, post the ledger, set refund_total.  The caller has called
 * units_decide(), which locks the sale lines.  Lines that refund_price() has
 * priced (refund_fee is set) keep their price.
 *
 * Returns the total in minor units; 0 when there is nothing to pay, and the
 * caller moves the return on; -1 when there is nothing to pay, but refunds that
 * were granted before are not settled yet.  RT004 when the return has no lines,
 * RT006 when the payments cannot cover the total.
 */
extern int64 refund_open(ReturnRow *row);

/*
 * Decide a return for an exchange: price its lines (return_line.refund_goods,
 * refund_fee, refund_shipping), so that later returns of a sale line are worth
 * the rest, but owe no money.  Same conditions as refund_open().  When a decided
 * exchange is called off, units_release() sets the three columns to NULL again.
 */
extern void refund_price(ReturnRow *row);

/*
 * The total that refund_open() would return, in minor units, before the units
 * are decided, and whether the payments cover it: for the rules that decide by
 * amount.
 */
extern int64 refund_estimate(ReturnRow *row, bool *covered);

/*
 * RT006 when a deduction (numeric) cannot be taken from that many units of a
 * line: it is more than goods - fee, or the reason has a fault.  22003 when it
 * is no exact amount.
 */
extern void refund_check_deduction(Datum order_ref, int64 return_id, int line_no,
								   const Reason *reason, int units, Datum deduction);

/*
 * Create a refund for each tender that is used, and count it on its payment.
 * price_tenders() has locked the payments.  Call this in a section of
 * as_owner_begin().
 */
extern void refund_issue(ReturnRow *row, const Pricing *pricing);

#endif							/* RETURNS_ISSUE_H */
