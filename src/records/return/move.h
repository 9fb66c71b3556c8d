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
#include "rules/actor/actor.h"
#include "utils/jsonb.h"

/*
 * Move to a state: write counters, money, deadline and the event of the history,
 * then make the moves that the system makes at once.  The caller has decided
 * that the move is allowed, and has pinned the rules.
 */
extern void return_move(ReturnRow *row, const State *to, const Actor *by,
						const text *note, Jsonb *details);

/* Set the deadline of the row's state, counted from row->since. */
extern void return_stage(ReturnRow *row);

/* How often this session began a stage whose deadline had already passed. */
extern uint64 return_stages_over;

#endif							/* RETURNS_MOVE_H */
