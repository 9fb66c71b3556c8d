/*-------------------------------------------------------------------------
 *
 * begin.h
 *		A return begins as a draft, or its draft is deleted.
 *
 * src/records/return/begin.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_BEGIN_H
#define RETURNS_BEGIN_H

#include "commands/trigger.h"

/* The row trigger of return_request: BEFORE INSERT, AFTER INSERT, BEFORE DELETE. */
extern HeapTuple request_insert(TriggerData *trigdata);
extern void request_inserted(TriggerData *trigdata);
extern HeapTuple request_delete(TriggerData *trigdata);

/*
 * The content_hash of the return that the caller inserts next, for the BEFORE
 * INSERT trigger.  It is copied into the current memory context, which must live
 * until the insert; hash NULL: there is none, and one announced before is dropped.
 */
extern void request_announce_content(const uint8 *hash, int length);

#endif							/* RETURNS_BEGIN_H */
