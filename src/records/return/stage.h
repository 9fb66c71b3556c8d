/*-------------------------------------------------------------------------
 *
 * stage.h
 *		When the present stage of a return began, from its history.
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
	TimestampTz entered;		/* the move into the state */
	TimestampTz since;			/* what its term was counted from: may be earlier */
} StageStart;

/*
 * Between own_begin() and own_end().  False when the history tells of no move
 * into this state.
 */
extern bool stage_start(Datum order_ref, int64 return_id, const State *state,
						StageStart *start);

#endif							/* RETURNS_STAGE_H */
