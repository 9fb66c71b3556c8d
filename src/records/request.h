/*-------------------------------------------------------------------------
 *
 * request.h
 *		The triggers of returns.return_request and what they share.
 *
 * src/records/request.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_REQUEST_H
#define RETURNS_REQUEST_H

#include "commands/trigger.h"
#include "records/row.h"

/* request_new.c: a return begins, or its draft is thrown away. */
extern HeapTuple request_insert(TriggerData *trigdata);
extern void request_inserted(TriggerData *trigdata);
extern HeapTuple request_delete(TriggerData *trigdata);

/* What open_return() says of the return it is about to insert. */
extern void request_announce_content(const uint8 *hash, int length);

/*
 * admit.c: the checks of draft → requested: judge every line, fill in what
 * follows from them, reserve the units.  Sale lines are locked in key order.
 */
extern void request_admit(ReturnBook *book);

/* admit.c: what a rule decides at once, as the system's own moves. */
extern void request_decide(ReturnBook *book);

/* Is details->'evidence' a non-empty array? */
extern bool book_has_evidence(ReturnBook *book);

/* RT010 unless the resolution is refund or exchange. */
extern void check_resolution(ReturnBook *book);

/* RT010 unless the reason is known. */
extern void check_reason(ReturnBook *book);

/* 22023 unless the details are an object, or none. */
extern void check_details(ReturnBook *book);

#endif							/* RETURNS_REQUEST_H */
