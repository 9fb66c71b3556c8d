/*-------------------------------------------------------------------------
 *
 * stage.c
 *		When the current stage of a return began, by its history.
 *
 * src/records/return/stage.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/statement.h"
#include "catalog/pg_type.h"
#include "records/return/stage.h"
#include "rules/workflow/stage_rule.h"
#include "utils/timestamp.h"

bool
stage_start(Datum order_ref, int64 return_id, const State *state, StageStart *start)
{
	/*
	 * The last move: its time, whether the system made it, whether it entered
	 * the state, and the deadline of the stage before it.
	 */
	static Statement last_move = {
		"SELECT e.at, e.actor" EQ "'system', e.to_state" EQ "$3,"
		" (SELECT p.due_at FROM returns.return_event p WHERE p.order_ref" EQ "e.order_ref"
		" AND p.return_id" EQ "e.return_id"
		" AND p.seq" EQ "(e.seq OPERATOR(pg_catalog.-) 1))"
		" FROM returns.return_event e"
		" WHERE e.order_ref" EQ "$1 AND e.return_id" EQ "$2 AND e.kind" EQ "'transition'"
		" ORDER BY e.seq DESC LIMIT 1",
		3, {TEXTOID, INT8OID, TEXTOID}
	};
	Datum		args[3] = {
		order_ref, Int64GetDatum(return_id), PointerGetDatum(state->code_text)
	};
	ResultSet	move = statement_run(&last_move, args, NULL);
	TimestampTz due_at;

	if (move.nrows == 0 || !result_bool(move, 0, 3))
		return false;
	result_time(move, 0, 1, &start->entered);
	start->since = start->entered;
	/* the move of a timer: its term is counted as trigger.c counts it */
	if (result_bool(move, 0, 2) && result_time(move, 0, 4, &due_at) &&
		due_at <= start->entered)
		start->since = timeout_term_start(state, due_at, start->entered);
	return true;
}
