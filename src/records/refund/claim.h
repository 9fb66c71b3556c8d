/*-------------------------------------------------------------------------
 *
 * claim.h
 *		claim_refunds(): workers claim refunds to send, for the time of a lease.
 *
 * src/records/refund/claim.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CLAIM_H
#define RETURNS_CLAIM_H

/*
 * Make up to max_rows refunds pending again whose lease has ended; returns how
 * many.  Refunds that are locked are skipped.
 */
extern uint64 refund_end_leases(int max_rows);

#endif							/* RETURNS_CLAIM_H */
