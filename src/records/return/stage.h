/*-------------------------------------------------------------------------
 *
 * stage.h
 *		When the current stage of a return began, by its history.
 *
 * src/records/return/stage.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_STAGE_H
#define RETURNS_STAGE_H

#include "datatype/timestamp.h"
#include "rules/rules.h"

typedef struct StageStart
{
	TimestampTz entered;		/* time of the move into the state */
	TimestampTz since;			/* the term is counted from it; may be earlier */
} StageStart;

/*
 * In a section of as_owner_begin().  False when the last move in the history of
 * the return is not one into this state.
 */
extern bool stage_start(Datum order_ref, int64 return_id, const State *state,
						StageStart *start);

#endif							/* RETURNS_STAGE_H */
