/*-------------------------------------------------------------------------
 *
 * act.c
 *		act() and allowed_actions(): moves as functions.
 *
 * act() is the UPDATE that a client could send itself, with its own rights.
 * allowed_actions() asks the rules the question that the trigger will ask.
 *
 * src/api/act.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "rules/cache/cache.h"
#include "rules/session.h"
#include "rules/workflow/workflow.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/*
 * details may carry the parcel too: its keys carrier and tracking_ref go to
 * the columns of the same names.  tracking_ref is set only if it is given: the
 * trigger takes a column of the SET list for what is said with the move.
 */
#define SET_NOTE ", note = $3"
#define SET_DETAILS \
	", details = coalesce(r.details, '{}') OPERATOR(pg_catalog.||) $4," \
	" carrier = coalesce($4 OPERATOR(pg_catalog.->>) 'carrier', r.carrier)"
#define SET_PARCEL \
	SET_DETAILS ", tracking_ref = $4 OPERATOR(pg_catalog.->>) 'tracking_ref'"
#define ACT(sets) \
	{ \
		"UPDATE returns.return_request r SET status = $2" sets \
		" WHERE r.id OPERATOR(pg_catalog.=) $1 RETURNING r.status", \
		4, {INT8OID, TEXTOID, TEXTOID, JSONBOID} \
	}

static KeptPlan act_plans[2][3] = { /* by note given; details, parcel given */
	{ACT(""), ACT(SET_DETAILS), ACT(SET_PARCEL)},
	{ACT(SET_NOTE), ACT(SET_NOTE SET_DETAILS), ACT(SET_NOTE SET_PARCEL)}
};

static bool
names_parcel(Jsonb *details)
{
	JsonbValue	buffer;
	JsonbValue *number = getKeyJsonValueFromContainer(&details->root, "tracking_ref",
													  strlen("tracking_ref"), &buffer);

	return number != NULL && number->type != jbvNull;
}

PG_FUNCTION_INFO_V1(returns_act);

Datum
returns_act(PG_FUNCTION_ARGS)
{
	Datum		args[4];
	char		nulls[] = "    ";
	MemoryContext caller_context = CurrentMemoryContext;
	bool		isnull;
	int			given = 0;		/* of the details */
	Datum		status;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("arguments \"return_id\" and \"to_state\" of returns.act() must not be null")));
	for (int i = 0; i < 4; i++)
	{
		args[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	if (!PG_ARGISNULL(3) && !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(3)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("details of a move must be a JSON object"),
				 errhint("For example {\"evidence\": [\"photo-1\"]}.")));
	if (!PG_ARGISNULL(3))
		given = names_parcel(PG_GETARG_JSONB_P(3)) ? 2 : 1;
	rules_current();
	trigger_check_is_there();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	if (plan_run_as_caller(&act_plans[!PG_ARGISNULL(2)][given], args, nulls) == 0)
		error_unknown_return(PG_GETARG_INT64(0));
	status = PointerGetDatum(DatumGetTextPCopy(plan_value(0, 1, &isnull)));
	SPI_finish();
	PG_RETURN_DATUM(status);
}

/* The row of a return, as the caller sees it. */
static void
read_return(int64 id, MoveQuestion *question, bool *due_null)
{
	static KeptPlan read = {
		"SELECT status, buyer_ref, seller_ref, carrier, resolution, due_at, on_timeout"
		" FROM returns.return_request WHERE id OPERATOR(pg_catalog.=) $1",
		1, {INT8OID}
	};
	Datum		arg = Int64GetDatum(id);
	Datum		values[7];
	bool		isnull[7];

	if (plan_run_as_caller(&read, &arg, NULL) == 0)
		error_unknown_return(id);
	for (int i = 0; i < 7; i++)
	{
		values[i] = plan_value(0, i + 1, &isnull[i]);
		if (i != 5 && !isnull[i])
			values[i] = PointerGetDatum(DatumGetTextPCopy(values[i]));
	}
	*question = (MoveQuestion) {
		.machine = MACHINE_RETURN,
		.id = id,
		.return_id = id,
		.from = state_get(MACHINE_RETURN, TextDatumGetCString(values[0])),
		.parties = {
			.buyer_ref = isnull[1] ? NULL : DatumGetTextPP(values[1]),
			.seller_ref = isnull[2] ? NULL : DatumGetTextPP(values[2]),
			.carrier = isnull[3] ? NULL : DatumGetTextPP(values[3]),
		},
		.resolution = resolution_parse_text(DatumGetTextPP(values[4])),
		/* what a move must bring along is told, not held against it */
		.has_note = true,
		.has_tracking = true,
		.has_evidence = true,
		.has_due = !isnull[5] && !isnull[6],
		.due_at = isnull[5] ? 0 : DatumGetTimestampTz(values[5]),
		.now = clock_now(),
	};
	*due_null = isnull[5];
}

/* One row: an edge and whether the current actor may take it now. */
static void
put_action(ReturnSetInfo *rsinfo, MoveQuestion *question, const Transition *edge, bool due_null)
{
	Datum		values[6];
	bool		isnull[6] = {false};
	Refusal		refusal = {0};
	bool		allowed;

	question->to = edge->to;
	allowed = question->actor != NULL && move_judge(question, &refusal);
	values[0] = PointerGetDatum(edge->to->code_text);
	values[1] = actors_to_array(edge->actors);
	values[2] = requirements_to_array(edge->requires);
	values[3] = BoolGetDatum(allowed);
	isnull[4] = allowed;
	if (!allowed)
		values[4] = CStringGetTextDatum(question->actor == NULL ?
										"no actor is set, or the role may not act as it" :
										psprintf("%s: %s", refusal.message, refusal.detail));
	isnull[5] = due_null;
	values[5] = TimestampTzGetDatum(question->due_at);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
}

PG_FUNCTION_INFO_V1(returns_allowed_actions);

Datum
returns_allowed_actions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller_context = CurrentMemoryContext;
	MoveQuestion question;
	bool		due_null;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"return_id\" of returns.allowed_actions() must not be null")));
	InitMaterializedSRF(fcinfo, 0);
	rules_current();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	read_return(PG_GETARG_INT64(0), &question, &due_null);
	question.actor = actor_if_any();
	/* it names itself with the move, as it must where nobody has named one yet */
	if (question.parties.carrier == NULL && actor_may(question.actor, MAY_CARRY))
		question.parties.carrier = question.actor->ref_text;
	for (int i = 0; i < question.from->ntransitions; i++)
		put_action(rsinfo, &question, &question.from->transitions[i], due_null);
	SPI_finish();
	return (Datum) 0;
}
