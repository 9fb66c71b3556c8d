/*-------------------------------------------------------------------------
 *
 * issue.h
 *		What a decided return owes: amounts of its lines, refunds to its tenders.
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
 * The return has just been decided for money (it enters refund_due for the
 * first time): price its lines, split the total over the order's payments,
 * create the refunds, post the ledger, set refund_total.  Its sale lines are
 * locked and units_decide() has been called.  Lines that refund_price() priced
 * (refund_fee is set) keep their price.  RT006 when the payments cannot cover it.  Returns the
 * total in minor units; 0: nothing to pay, the caller moves the return on;
 * -1: nothing to pay now, but refunds granted before have not settled yet.
 */
extern int64 refund_open(ReturnRow *row);

/*
 * The return has just been decided for an exchange: its units take their exact
 * share of the line (return_line.refund_goods, refund_fee, refund_shipping),
 * so that later returns of the line are worth the rest, but no money is owed.
 * Same conditions as refund_open().  When a decided exchange is called off,
 * units_release() sets the three columns to NULL again.
 */
extern void refund_price(ReturnRow *row);

/*
 * What refund_open() would make the total, in minor units, before the units
 * are decided, and whether the payments cover it: for the rules that decide by
 * amount.
 */
extern int64 refund_estimate(ReturnRow *row, bool *covered);

/*
 * RT006 when a deduction (numeric) cannot be taken from that many units of a
 * line: it is more than goods - fee, or somebody is at fault; 22003 when it is
 * no exact amount.
 */
extern void refund_check_deduction(Datum order_ref, int64 return_id, int line_no,
								   const Reason *reason, int units, Datum deduction);

/*
 * Create the refunds of a priced return and count them on its payments, which
 * are locked.
 */
struct Pricing;
extern void refund_issue(ReturnRow *row, const struct Pricing *pricing);

#endif							/* RETURNS_ISSUE_H */
