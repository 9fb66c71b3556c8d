/*-------------------------------------------------------------------------
 *
 * claim.h
 *		Workers claim refunds to send, for the time of a lease.
 *
 * src/records/refund/claim.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CLAIM_H
#define RETURNS_CLAIM_H

/*
 * Make refunds pending again whose lease has ended, at most so many, passing
 * over those that somebody holds; returns how many.
 */
extern uint64 refund_end_leases(int max_rows);

#endif							/* RETURNS_CLAIM_H */
