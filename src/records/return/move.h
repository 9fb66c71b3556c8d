/*-------------------------------------------------------------------------
 *
 * move.h
 *		A return moves from state to state.
 *
 * src/records/return/move.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_MOVE_H
#define RETURNS_MOVE_H

#include "records/row.h"
#include "rules/workflow/actor.h"
#include "utils/jsonb.h"

/*
 * Move to a state and book the event: counters, money, deadline and history
 * follow, and then the moves that the system makes at once.  The caller has
 * decided that the move is right.
 */
extern void book_move(ReturnBook *book, const State *to, const Actor *by,
					  const text *note, Jsonb *details);

/* The deadline of the book's state, counted from book->since. */
extern void book_stage(ReturnBook *book);

/* How many stages of this session were over when they began. */
extern uint64 book_stages_over;

#endif							/* RETURNS_MOVE_H */
