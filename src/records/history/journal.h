/*-------------------------------------------------------------------------
 *
 * journal.h
 *		The history of a return: events chained by hash.
 *
 * src/records/history/journal.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_JOURNAL_H
#define RETURNS_JOURNAL_H

#include "records/history/event.h"
#include "records/row.h"
#include "rules/workflow/actor.h"
#include "utils/jsonb.h"

/*
 * Append an event to the row's return: takes the next seq, moves the hash
 * head, keeps the event for the end of the statement.  from NULL: the return
 * begins.  note NULL and details NULL: none.
 */
extern void journal_append(ReturnRow *row, EventKind kind, const State *from,
						   const State *to, const Actor *by, const text *note,
						   Jsonb *details);

/*
 * The first event of a return.  A row is not inserted yet when its BEFORE
 * trigger runs, and may never be (ON CONFLICT): journal_open() only fills in
 * the head, journal_keep_first() keeps the same event once the row is there.
 */
extern void journal_open(ReturnRow *row, const State *state, const Actor *by,
						 const text *note, Jsonb *details);
extern void journal_keep_first(ReturnRow *row, const State *state, const Actor *by,
							   const text *note, Jsonb *details);

/* Which life of the cluster this is: transaction ids are unique within it. */
extern int	journal_epoch(void);

extern void journal_init(void);

#endif							/* RETURNS_JOURNAL_H */
