/*-------------------------------------------------------------------------
 *
 * act.c
 *		act() and allowed_actions(): moves as functions.
 *
 * act() runs the UPDATE that a client could send itself, with the client's
 * rights.  allowed_actions() asks the rules the question that the trigger asks
 * when a move is made.
 *
 * src/api/act.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/argument.h"
#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "records/row.h"
#include "rules/cache/cache.h"
#include "rules/session.h"
#include "rules/workflow/workflow.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/*
 * details can name a parcel: these two keys are the columns of return_request
 * that they go into.
 */
#define CARRIER "carrier"
#define TRACKING_REF "tracking_ref"

/*
 * A null carrier keeps the old one.  tracking_ref is in the SET list only when
 * it is given: the trigger takes each column of the SET list as given with the
 * move.
 */
#define SET_NOTE ", note = $3"
#define SET_DETAILS \
	", details = coalesce(r.details, '{}') OPERATOR(pg_catalog.||) $4," \
	" " CARRIER " = coalesce($4 OPERATOR(pg_catalog.->>) '" CARRIER "', r." CARRIER ")"
#define SET_PARCEL \
	SET_DETAILS ", " TRACKING_REF " = $4 OPERATOR(pg_catalog.->>) '" TRACKING_REF "'"
#define ACT(sets) \
	{ \
		"UPDATE returns.return_request r SET status = $2" sets \
		" WHERE r.id" EQ "$1 RETURNING r.status", \
		4, {INT8OID, TEXTOID, TEXTOID, JSONBOID} \
	}

typedef enum GivenDetails
{
	NO_DETAILS, DETAILS, DETAILS_WITH_PARCEL, GIVEN_DETAILS_COUNT
} GivenDetails;

static Statement act_statements[2][GIVEN_DETAILS_COUNT] = { /* [0]: without a note */
	{ACT(""), ACT(SET_DETAILS), ACT(SET_PARCEL)},
	{ACT(SET_NOTE), ACT(SET_NOTE SET_DETAILS), ACT(SET_NOTE SET_PARCEL)}
};

static GivenDetails
given_details(FunctionCallInfo fcinfo, int arg)
{
	JsonbValue	buffer;
	JsonbValue *number;
	Jsonb	   *details;

	if (PG_ARGISNULL(arg))
		return NO_DETAILS;
	details = PG_GETARG_JSONB_P(arg);
	if (!JB_ROOT_IS_OBJECT(details))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("details of a move must be a JSON object"),
				 errhint("Pass an object, for example {\"evidence\": [\"photo-1\"]}.")));
	number = getKeyJsonValueFromContainer(&details->root, TRACKING_REF, strlen(TRACKING_REF),
										  &buffer);
	return number != NULL && number->type != jbvNull ? DETAILS_WITH_PARCEL : DETAILS;
}

PG_FUNCTION_INFO_V1(returns_act);

/* act(return_id bigint, to_state text, note text, details jsonb) → text */
Datum
returns_act(PG_FUNCTION_ARGS)
{
	Datum		args[4];
	char		nulls[] = "    ";
	MemoryContext caller_context = CurrentMemoryContext;
	GivenDetails given;
	ResultSet	moved;
	text	   *status;

	argument_check_not_null(fcinfo, 0, "act", "return_id");
	argument_check_not_null(fcinfo, 1, "act", "to_state");
	given = given_details(fcinfo, 3);
	for (int i = 0; i < 4; i++)
	{
		args[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	rules_current();
	trigger_check_is_there();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	moved = statement_run_as_caller(&act_statements[!PG_ARGISNULL(2)][given], args, nulls);
	if (moved.nrows == 0)
		error_unknown_return(PG_GETARG_INT64(0));
	status = result_text(moved, 0, 1);
	SPI_finish();
	PG_RETURN_TEXT_P(status);
}

/* Fill in the values of the return, as the caller sees it. */
static void
read_return(int64 id, MoveQuestion *question, bool *due_null)
{
	static Statement read = {
		"SELECT " RETURN_PARTIES ", status, resolution, due_at, on_timeout"
		" FROM returns.return_request WHERE id" EQ "$1",
		1, {INT8OID}
	};
	Datum		arg = Int64GetDatum(id);
	ResultSet	found = statement_run_as_caller(&read, &arg, NULL);

	if (found.nrows == 0)
		error_unknown_return(id);
	*question = (MoveQuestion) {
		.machine = MACHINE_RETURN,
		.id = id,
		.return_id = id,
		.from = state_get(MACHINE_RETURN, result_cstring(found, 0, AFTER_RETURN_PARTIES)),
		.parties = return_parties_read(found, 0),
		.resolution = resolution_parse(result_cstring(found, 0, AFTER_RETURN_PARTIES + 1)),
		/* requirements are shown, and do not forbid the move */
		.has_note = true,
		.has_tracking = true,
		.has_evidence = true,
		.now = clock_now(),
	};
	*due_null = !result_time(found, 0, AFTER_RETURN_PARTIES + 2, &question->due_at);
	question->has_due = !*due_null && !result_is_null(found, 0, AFTER_RETURN_PARTIES + 3);
}

/* One row: a transition and whether the current actor may make it now. */
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
										"no actor is set, or the role has no grant for it" :
										psprintf("%s: %s", refusal.message, refusal.detail));
	isnull[5] = due_null;
	values[5] = TimestampTzGetDatum(question->due_at);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
}

PG_FUNCTION_INFO_V1(returns_allowed_actions);

/* allowed_actions(return_id bigint) → setof record */
Datum
returns_allowed_actions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller_context = CurrentMemoryContext;
	MoveQuestion question;
	bool		due_null;

	argument_check_not_null(fcinfo, 0, "allowed_actions", "return_id");
	InitMaterializedSRF(fcinfo, 0);
	rules_current();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	read_return(PG_GETARG_INT64(0), &question, &due_null);
	question.actor = actor_if_any();
	/* a move by a carrier names it, if the return has none */
	if (question.parties.carrier == NULL && actor_may(question.actor, MAY_CARRY))
		question.parties.carrier = question.actor->ref_text;
	for (int i = 0; i < question.from->ntransitions; i++)
		put_action(rsinfo, &question, &question.from->transitions[i], due_null);
	SPI_finish();
	return (Datum) 0;
}
