/*-------------------------------------------------------------------------
 *
 * pending_reports.h
 *		Refunds that have changed and whose report is not posted yet.
 *
 * A refund is changed by its BEFORE trigger and posted by its AFTER trigger.
 * In between, triggers of the user's may run: what they change of the same
 * refund would be posted before the change that it follows.
 *
 * src/records/refund/pending_reports.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_PENDING_REPORTS_H
#define RETURNS_PENDING_REPORTS_H

#include "utils/rel.h"

/* The refund changes; RT007 when a change of it waits to be posted. */
extern void pending_report_add(Relation refund, int64 refund_id);

/* Its change is being posted. */
extern void pending_report_remove(int64 refund_id);

#endif							/* RETURNS_PENDING_REPORTS_H */
