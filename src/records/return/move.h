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
 * Move to a state and append the event: counters, money, deadline and history
 * follow, and then the moves that the system makes at once.  The caller has
 * decided that the move is right.
 */
extern void return_move(ReturnRow *row, const State *to, const Actor *by,
						const text *note, Jsonb *details);

/* The deadline of the row's state, counted from row->since. */
extern void return_stage(ReturnRow *row);

/* How many stages of this session were over when they began. */
extern uint64 return_stages_over;

#endif							/* RETURNS_MOVE_H */
