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
#include "rules/actor/actor.h"
#include "utils/jsonb.h"

/*
 * Append an event to the return of the row: gives it the next seq, makes its
 * hash the head of the chain, keeps it for the end of the statement.  from and
 * to differ in a transition and are the same state in any other event.  note
 * NULL and details NULL: none.
 */
extern void journal_append(ReturnRow *row, EventKind kind, const State *from,
						   const State *to, const Actor *by, const text *note,
						   Jsonb *details);

/*
 * The first event of a return.  When the BEFORE trigger of an INSERT runs, the
 * row does not exist yet, and ON CONFLICT may skip it.  So journal_open() only
 * sets the head in the row, and journal_keep_first() appends the same event
 * from the AFTER trigger.  RT007 when the row was changed in between.
 */
extern void journal_open(ReturnRow *row, const State *state, const Actor *by,
						 const text *note, Jsonb *details);
extern void journal_keep_first(ReturnRow *row, const State *state, const Actor *by,
							   const text *note, Jsonb *details);

/*
 * The epoch of this cluster: transaction ids are unique within an epoch.
 * Raises RT012 when returns.installation has no row.
 */
extern int	journal_epoch(void);

extern void journal_init(void);

#endif							/* RETURNS_JOURNAL_H */
