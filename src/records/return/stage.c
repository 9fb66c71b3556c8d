/*-------------------------------------------------------------------------
 *
 * stage.c
 *		When the present stage of a return began, from its history.
 *
 * src/records/return/stage.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "records/return/stage.h"
#include "rules/workflow/stage_rule.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

bool
stage_start(Datum order_ref, int64 return_id, const State *state, StageStart *start)
{
	/* the last move, and the deadline that stood before it */
	static KeptPlan read = {
		"SELECT e.at, e.actor OPERATOR(pg_catalog.=) 'system', e.to_state,"
		" (SELECT p.due_at FROM returns.return_event p"
		" WHERE p.order_ref OPERATOR(pg_catalog.=) e.order_ref"
		" AND p.return_id OPERATOR(pg_catalog.=) e.return_id"
		" AND p.seq OPERATOR(pg_catalog.=) (e.seq OPERATOR(pg_catalog.-) 1))"
		" FROM returns.return_event e"
		" WHERE e.order_ref OPERATOR(pg_catalog.=) $1 AND e.return_id OPERATOR(pg_catalog.=) $2"
		" AND e.kind OPERATOR(pg_catalog.=) 'transition' ORDER BY e.seq DESC LIMIT 1",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2] = {order_ref, Int64GetDatum(return_id)};
	bool		by_system;
	bool		isnull;
	Datum		value;
	TimestampTz due_at;

	if (plan_run(&read, args, NULL) == 0)
		return false;
	value = plan_value(0, 3, &isnull);
	if (isnull || strcmp(TextDatumGetCString(value), state->code) != 0)
		return false;
	start->entered = start->since = DatumGetTimestampTz(plan_value(0, 1, &isnull));
	value = plan_value(0, 2, &isnull);
	by_system = !isnull && DatumGetBool(value);
	value = plan_value(0, 4, &isnull);
	due_at = isnull ? DT_NOEND : DatumGetTimestampTz(value);
	/* a timer's move, as trigger.c counts it */
	if (by_system && due_at <= start->entered)
		start->since = timeout_term_start(state, due_at, start->entered);
	return true;
}
