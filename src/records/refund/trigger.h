/*-------------------------------------------------------------------------
 *
 * trigger.h
 *		The triggers of returns.refund: the lease that a claim gives.
 *
 * src/records/refund/trigger.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_REFUND_TRIGGER_H
#define RETURNS_REFUND_TRIGGER_H

#include "datatype/timestamp.h"

/*
 * Refunds that become "sent" get a lease until this time, up to the call with
 * NULL.  The caller has checked that no chargeback forbids their payments.
 */
extern void refund_lease(const TimestampTz *until);

#endif							/* RETURNS_REFUND_TRIGGER_H */
