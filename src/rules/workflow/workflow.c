/*-------------------------------------------------------------------------
 *
 * workflow.c
 *		May this actor make this move now?
 *
 * The table returns.transition answers, with the party that the actor must be,
 * the deadline of the stage, what the move requires and a guard of the shop.
 *
 * src/rules/workflow/workflow.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/as_owner.h"
#include "base/errors.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "rules/cache/cache.h"
#include "rules/workflow/workflow.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

/* For messages: return 7 from "requested" to "approved". */
static char *
move_text(const MoveQuestion *q)
{
	return psprintf("%s " INT64_FORMAT " from \"%s\" to \"%s\"",
					machine_name(q->machine), q->id, q->from->code, q->to->code);
}

static bool
refuse_move(Refusal *refusal, int sqlstate, const char *column, const char *message,
			const char *detail, const char *hint)
{
	refusal->sqlstate = sqlstate;
	refusal->column = column;
	refusal->message = message;
	refusal->detail = detail;
	refusal->hint = hint;
	return false;
}

static bool
refuse_party(const MoveQuestion *q, Refusal *refusal)
{
	return refuse_move(refusal, ERRCODE_RT_ACTOR_NOT_PERMITTED, "status",
					   psprintf("%s is not a party to %s " INT64_FORMAT,
								actor_describe(q->actor), machine_name(q->machine), q->id),
					   psprintf("A %s can act on its own %ss only.",
								actor_kind_name(q->actor->kind), machine_name(q->machine)),
					   psprintf("Set returns.actor to a party to this %s or to an operator, for example SET returns.actor = 'operator:ann'.",
								machine_name(q->machine)));
}

/* The message when no transition is for this move of this return. */
static char *
no_edge_text(const MoveQuestion *q)
{
	return psprintf("%s " INT64_FORMAT " cannot move from \"%s\" to \"%s\"",
					machine_name(q->machine), q->id, q->from->code, q->to->code);
}

static bool
refuse_edge(const MoveQuestion *q, Refusal *refusal)
{
	StringInfoData targets;

	initStringInfo(&targets);
	for (int i = 0; i < q->from->ntransitions; i++)
		appendStringInfo(&targets, "%s\"%s\" (%s)", i > 0 ? ", " : "",
						 q->from->transitions[i].to->code,
						 actors_describe(q->from->transitions[i].actors));
	return refuse_move(refusal, ERRCODE_RT_ILLEGAL_TRANSITION, "status", no_edge_text(q),
					   psprintf("The workflow has no transition from \"%s\" to \"%s\".",
								q->from->code, q->to->code),
					   targets.len > 0 ?
					   psprintf("From \"%s\" it can move to %s.", q->from->code, targets.data) :
					   psprintf("State \"%s\" is final.", q->from->code));
}

static bool
refuse_resolution(const MoveQuestion *q, const Transition *edge, Refusal *refusal)
{
	return refuse_move(refusal, ERRCODE_RT_ILLEGAL_TRANSITION, "resolution", no_edge_text(q),
					   psprintf("This transition is only for returns with resolution \"%s\".",
								resolution_name(edge->resolution)),
					   psprintf("SELECT * FROM returns.allowed_actions(" INT64_FORMAT ") shows the moves that are allowed.",
								q->return_id));
}

static bool
refuse_actor(const MoveQuestion *q, const Transition *edge, Refusal *refusal)
{
	return refuse_move(refusal, ERRCODE_RT_ACTOR_NOT_PERMITTED, "status",
					   psprintf("%s may not move %s",
								q->actor->kind == ACTOR_SYSTEM ? "the system" :
								actor_kind_name(q->actor->kind), move_text(q)),
					   psprintf("These actors may make this move: %s.",
								actors_describe(edge->actors)),
					   edge->actors == ACTOR_SYSTEM ?
					   "The extension makes this move by itself when its condition is met." :
					   "Set returns.actor to one of these actors.");
}

static bool
refuse_late(const MoveQuestion *q, Refusal *refusal)
{
	return refuse_move(refusal, ERRCODE_RT_TOO_LATE, "due_at",
					   psprintf("too late to move %s", move_text(q)),
					   psprintf("The deadline of state \"%s\" was %s.", q->from->code,
								timestamptz_to_str(q->due_at)),
					   "An operator can still make the move, until the next sweep applies the timeout of the state.");
}

static bool
refuse_requirement(const MoveQuestion *q, const char *column, const char *what,
				   const char *detail, const char *hint, Refusal *refusal)
{
	return refuse_move(refusal, ERRCODE_RT_REQUIREMENT_MISSING, column,
					   psprintf("moving %s requires %s", move_text(q), what), detail, hint);
}

static bool
requirements_met(const MoveQuestion *q, const Transition *edge, Refusal *refusal)
{
	if ((edge->requires & REQUIRES_NOTE) && !q->has_note)
		return refuse_requirement(q, "note", "a note",
								  "The statement does not set a new note.",
								  "Set note in the same UPDATE, or pass it to returns.act().", refusal);
	if ((edge->requires & REQUIRES_TRACKING) && !q->has_tracking)
		return refuse_requirement(q, "tracking_ref", "tracking",
								  "The return has no tracking_ref, or one that an earlier move has used.",
								  "Set carrier and tracking_ref of the parcel.", refusal);
	if ((edge->requires & REQUIRES_EVIDENCE) && !q->has_evidence)
		return refuse_requirement(q, "details", "evidence",
								  "The details of the return contain no evidence.",
								  "Set details to an object whose \"evidence\" is a non-empty array.", refusal);
	return true;
}

/*
 * The name must be qualified: the function runs as the owner of the tables, and
 * any session can set the search path.
 */
Oid
guard_function(const char *guard, const char **why)
{
	Oid			argtypes[] = {INT8OID, TEXTOID};
	List	   *names;
	Oid			schema;
	Oid			function;

	Assert(as_owner_is_open());
	if (!SplitIdentifierString(pstrdup(guard), '.', &names) || list_length(names) != 2)
	{
		*why = "The name is not of the form schema.function.";
		return InvalidOid;
	}
	schema = get_namespace_oid(linitial(names), true);
	if (!OidIsValid(schema) ||
		!DatumGetBool(DirectFunctionCall2(has_schema_privilege_id, ObjectIdGetDatum(schema),
										  CStringGetTextDatum("USAGE"))))
	{
		*why = "The schema does not exist, or the owner of the tables has no USAGE privilege on it.";
		return InvalidOid;
	}
	function = LookupFuncName(list_make2(makeString(linitial(names)), makeString(lsecond(names))),
							  2, argtypes, true);
	if (!OidIsValid(function) || get_func_prokind(function) != PROKIND_FUNCTION ||
		get_func_rettype(function) != TEXTOID || get_func_retset(function))
	{
		*why = "The schema has no function of this name that takes (bigint, text) and returns text.";
		return InvalidOid;
	}
	if (!DatumGetBool(DirectFunctionCall2(has_function_privilege_id, ObjectIdGetDatum(function),
										  CStringGetTextDatum("EXECUTE"))))
	{
		*why = "The owner of the tables has no EXECUTE privilege on the function.";
		return InvalidOid;
	}
	return function;
}

pg_noreturn static void
refuse_guard(const MoveQuestion *q, const char *guard, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg("guard \"%s\" is not a function (bigint, text) returning text", guard),
			 errdetail("%s It guards the transition from \"%s\" to \"%s\".", why,
					   q->from->code, q->to->code),
			 errhint("Create the function, or update the column guard of returns.transition.")));
}

/*
 * Call a guard as the owner of the tables.  It is found by name at every call,
 * because functions may be replaced at any time.
 */
static bool
guard_passes(const MoveQuestion *q, const char *guard, Refusal *refusal)
{
	AsOwner		owner;
	Oid			function;
	const char *why;
	FmgrInfo	flinfo;
	Datum		answer;
	bool		passes;
	LOCAL_FCINFO(fcinfo, 2);

	as_owner_begin_foreign(&owner);
	function = guard_function(guard, &why);
	if (!OidIsValid(function))
		refuse_guard(q, guard, why);
	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, 2, DEFAULT_COLLATION_OID, NULL, NULL);
	fcinfo->args[0].value = Int64GetDatum(q->return_id);
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = PointerGetDatum(q->to->code_text);
	fcinfo->args[1].isnull = false;
	answer = FunctionCallInvoke(fcinfo);
	passes = fcinfo->isnull;
	if (!passes)
		refuse_move(refusal, ERRCODE_RT_ILLEGAL_TRANSITION, "status",
					psprintf("guard \"%s\" refuses to move %s", guard, move_text(q)),
					TextDatumGetCString(answer),
					"Resolve the cause that the guard reports, then try again.");
	as_owner_end(&owner);
	return passes;
}

bool
move_judge(const MoveQuestion *q, Refusal *refusal)
{
	const Transition *edge = transition_find(q->from, q->to);

	Assert(q->actor != NULL);
	Assert(q->from->machine == q->machine && q->to->machine == q->machine);
	if (unlikely(!actor_is_party(q->actor, &q->parties)))
		return refuse_party(q, refusal);
	if (unlikely(edge == NULL))
		return refuse_edge(q, refusal);
	if (unlikely((edge->actors & q->actor->kind) == 0))
		return refuse_actor(q, edge, refusal);
	if (unlikely(edge->resolution != RESOLUTION_ANY && edge->resolution != q->resolution))
		return refuse_resolution(q, edge, refusal);
	if (unlikely(q->has_due && q->now >= q->due_at &&
				 !actor_may(q->actor, MAY_ACT_LATE)))
		return refuse_late(q, refusal);
	if (unlikely(edge->requires != 0) && !requirements_met(q, edge, refusal))
		return false;
	if (unlikely(edge->guard != NULL))
		return guard_passes(q, edge->guard, refusal);
	return true;
}
