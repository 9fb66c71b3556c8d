/*-------------------------------------------------------------------------
 *
 * refund_report.h
 *		The effect of a report on the state of a refund.
 *
 * A client reports on a refund by writing its status.  Reports come late, twice
 * and out of order:
 *
 * * "settled" for a refund that is pending again, because its lease ended, or
 *   that has failed, is the late answer to an earlier sending, if there was one.
 *   The refund passes through the states between.
 * * "settled" for a refund that has settled before and failed since is the old
 *   report again, unless it can be the answer to a newer sending.  It changes
 *   nothing.
 * * "settled" for a refund that is settled changes nothing.  Under another
 *   provider_ref it is a second payment of the same money.
 *
 * The functions judge from values and run no statement.
 *
 * src/rules/workflow/refund_report.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_REFUND_REPORT_H
#define RETURNS_REFUND_REPORT_H

#include "rules/actor/actor.h"

typedef struct RefundReport
{
	const State *from;
	const State *to;			/* equal to from when the refund does not move */
	int			attempt;		/* how often the refund was sent */
	bool		has_settled;	/* at least once; it may have failed since */
	bool		has_ref;		/* has the refund, with the report, a provider_ref? */
	bool		replaces_ref;	/* does the report replace a provider_ref? */
} RefundReport;

/* Facts from the history of the refund. */
typedef struct RefundPast
{
	bool		settled_under_ref;	/* under the provider_ref of the report */
	bool		settled_last;	/* it was not sent since it last settled */
} RefundPast;

/* May a report that moves the refund be an old one?  Then its past is needed. */
extern bool report_may_be_old(const RefundReport *report);

/* Is it an old one?  Only for a report that may be old. */
extern bool report_is_old(const RefundReport *report, const RefundPast *past);

/*
 * The states that the refund enters one after the other, the last one being
 * report->to; returns their number.
 */
#define REPORT_MAX_STEPS 3
extern int	report_steps(const RefundReport *report, const State *steps[REPORT_MAX_STEPS]);

/* Does the report say that the provider has paid a second time? */
extern bool report_pays_twice(const RefundReport *report);

/*
 * May a refund of a payment with this chargeback be reported as sent?  The money
 * of an open chargeback is at the bank's disposal.  Of a lost one the buyer has
 * it already, which an operator may record.
 */
extern bool chargeback_allows_sending(Chargeback chargeback, const Actor *actor);

#endif							/* RETURNS_REFUND_REPORT_H */
