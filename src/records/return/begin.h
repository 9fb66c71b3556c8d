/*-------------------------------------------------------------------------
 *
 * begin.h
 *		A return begins, or its draft is thrown away.
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

/* What open_return() says of the return it is about to insert. */
extern void request_announce_content(const uint8 *hash, int length);

#endif							/* RETURNS_BEGIN_H */
