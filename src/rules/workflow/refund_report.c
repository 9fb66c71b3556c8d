/*-------------------------------------------------------------------------
 *
 * refund_report.c
 *		The effect of a report on the state of a refund.
 *
 * src/rules/workflow/refund_report.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rules/actor/permission.h"
#include "rules/cache/cache.h"
#include "rules/workflow/refund_report.h"

bool
report_may_be_old(const RefundReport *report)
{
	return report->to->role == ROLE_SETTLED && report->has_settled;
}

bool
report_is_old(const RefundReport *report, const RefundPast *past)
{
	Assert(report_may_be_old(report));
	if (report->has_ref)
		return past->settled_under_ref;
	/* without a sending since it failed, nothing new can have settled */
	return report->from->role != ROLE_SENT && past->settled_last;
}

/* Is it the answer to an earlier sending? */
static bool
report_is_late(const RefundReport *report)
{
	return report->to->role == ROLE_SETTLED && report->attempt > 0 &&
		(report->from->role == ROLE_PENDING || report->from->role == ROLE_FAILED) &&
		transition_find(report->from, report->to) == NULL;
}

int
report_steps(const RefundReport *report, const State *steps[REPORT_MAX_STEPS])
{
	int			n = 0;

	if (report_is_late(report))
	{
		if (report->from->role != ROLE_PENDING)
			steps[n++] = state_of_role(ROLE_PENDING);
		steps[n++] = state_of_role(ROLE_SENT);
	}
	steps[n++] = report->to;
	Assert(n <= REPORT_MAX_STEPS);
	return n;
}

bool
report_pays_twice(const RefundReport *report)
{
	return report->from->role == ROLE_SETTLED && report->replaces_ref;
}

bool
chargeback_allows_sending(Chargeback chargeback, const Actor *actor)
{
	switch (chargeback)
	{
		case CHARGEBACK_NONE:
		case CHARGEBACK_WON:
			return true;
		case CHARGEBACK_OPEN:
			return false;
		case CHARGEBACK_LOST:
			return actor_may(actor, MAY_SETTLE_LOST);
	}
	pg_unreachable();
}
