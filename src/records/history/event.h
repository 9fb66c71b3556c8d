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

typedef enum EventKind
{
	EVENT_TRANSITION, EVENT_REMINDER, EVENT_OVERDUE, EVENT_RECEIPT, EVENT_REFUND,
	EVENT_OVERRIDE
} EventKind;

/* One event as the journal keeps it until it is written. */
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
	ActorKind	actor;
	NameData	db_role;
	/* NULL: none */
	const State *from;
	const State *to;
	const text *order_ref;
	const text *actor_ref;
	const text *note;
	Jsonb	   *details;
	uint8		hash[PG_SHA256_DIGEST_LENGTH];
	int			nest_level;		/* of the subtransaction that it belongs to */
} Event;

extern const char *event_kind_name(EventKind kind);

#endif							/* RETURNS_EVENT_H */
