/*-------------------------------------------------------------------------
 *
 * pending_reports.h
 *		Refunds that have changed and whose report is not posted yet.
 *
 * The BEFORE trigger of a refund decides its change and the AFTER trigger posts
 * it.  Triggers of the user may run between the two.  If such a trigger changed
 * the same refund, its change would be posted before the first one.
 *
 * src/records/refund/pending_reports.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_PENDING_REPORTS_H
#define RETURNS_PENDING_REPORTS_H

#include "utils/rel.h"

/* The refund changes.  RT007 when an earlier change of it is not posted yet. */
extern void pending_report_add(Relation refund, int64 refund_id);

/* Its change is being posted. */
extern void pending_report_remove(int64 refund_id);

#endif							/* RETURNS_PENDING_REPORTS_H */
