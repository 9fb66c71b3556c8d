/*-------------------------------------------------------------------------
 *
 * journal.h
 *		The history of a return: events chained by hash.
 *
 * src/records/journal.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_JOURNAL_H
#define RETURNS_JOURNAL_H

#include "common/sha2.h"
#include "records/book.h"

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

/*
 * Append an event to the book's return: takes the next seq, moves the hash
 * head, keeps the event for the end of the statement.  from NULL: the return
 * begins.  note NULL and details NULL: none.
 */
extern void journal_append(ReturnBook *book, EventKind kind, const State *from,
						   const State *to, const Actor *by, const text *note,
						   Jsonb *details);

/*
 * The first event of a return.  A row is not inserted yet when its BEFORE
 * trigger runs, and may never be (ON CONFLICT): journal_open() only fills in
 * the head, journal_keep_first() keeps the same event once the row is there.
 */
extern void journal_open(ReturnBook *book, const State *state, const Actor *by,
						 const text *note, Jsonb *details);
extern void journal_keep_first(ReturnBook *book, const State *state, const Actor *by,
							   const text *note, Jsonb *details);

/* sha256 over the previous head (NULL at the start) and all that the event says. */
extern void event_hash(const Event *event, const uint8 *previous, int previous_length,
					   uint8 *hash);

/* Which life of the cluster this is: transaction ids are unique within it. */
extern int	journal_epoch(void);

extern const char *event_kind_name(EventKind kind);

extern void journal_init(void);

#endif							/* RETURNS_JOURNAL_H */
