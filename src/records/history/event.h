/*-------------------------------------------------------------------------
 *
 * event.h
 *		One event of the history of a return.
 *
 * src/records/history/event.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_EVENT_H
#define RETURNS_EVENT_H

#include "common/sha2.h"
#include "datatype/timestamp.h"
#include "rules/rules.h"
#include "utils/jsonb.h"

/* An event as the journal keeps it in memory until it is written. */
typedef struct Event
{
	EventKind	kind;
	int64		return_id;
	int			seq;
	int			epoch;
	uint64		xid;
	TimestampTz at;
	bool		has_due;
	TimestampTz due_at;
	ActorKind	actor;			/* ACTOR_NONE: none */
	NameData	db_role;
	const text *order_ref;
	/* NULL: none */
	const State *from;
	const State *to;
	const text *actor_ref;
	const text *note;
	Jsonb	   *details;
	uint8		hash[PG_SHA256_DIGEST_LENGTH];
	int			nest_level;		/* of the subtransaction that appended it */
} Event;

#endif							/* RETURNS_EVENT_H */
