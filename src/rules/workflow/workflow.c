/*-------------------------------------------------------------------------
 *
 * workflow.c
 *		May this actor make this move now, and until when may the next wait?
 *
 * src/rules/workflow/workflow.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "rules/cache/cache.h"
#include "rules/term/calendar_load.h"
#include "rules/term/deadline.h"
#include "rules/workflow/workflow.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

static bool
text_is(const text *value, const text *wanted)
{
	return value != NULL &&
		VARSIZE_ANY_EXHDR(value) == VARSIZE_ANY_EXHDR(wanted) &&
		memcmp(VARDATA_ANY(value), VARDATA_ANY(wanted), VARSIZE_ANY_EXHDR(wanted)) == 0;
}

bool
actor_is_party(const Actor *actor, const text *buyer_ref, const text *seller_ref,
			   const text *carrier, const text *provider)
{
	switch (actor->kind)
	{
		case ACTOR_OPERATOR:
		case ACTOR_SYSTEM:
			return true;
		case ACTOR_BUYER:
			return text_is(buyer_ref, actor->ref_text);
		case ACTOR_SELLER:
			return text_is(seller_ref, actor->ref_text);
		case ACTOR_CARRIER:
			return text_is(carrier, actor->ref_text);
		case ACTOR_PROVIDER:
			return text_is(provider, actor->ref_text);
		case ACTOR_NONE:
			break;
	}
	return false;
}

char *
actors_describe(int actors)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int bit = ACTOR_BUYER; bit <= ACTOR_SYSTEM; bit <<= 1)
		if (actors & bit)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", actor_kind_name(bit));
	return names.data;
}

const char *
machine_name(Machine machine)
{
	return machine == MACHINE_REFUND ? "refund" : "return";
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
	refusal->sqlstate = ERRCODE_RT_ILLEGAL_TRANSITION;
	refusal->column = "status";
	refusal->message = psprintf("%s " INT64_FORMAT " cannot move from \"%s\" to \"%s\"",
								machine_name(q->machine), q->id, q->from->code, q->to->code);
	refusal->detail = psprintf("The workflow has no transition from \"%s\" to \"%s\".",
							   q->from->code, q->to->code);
	refusal->hint = targets.len > 0 ?
		psprintf("From \"%s\" it can move to %s.", q->from->code, targets.data) :
		psprintf("\"%s\" is where it ends.", q->from->code);
	return false;
}

static bool
refuse_party(const MoveQuestion *q, Refusal *refusal)
{
	refusal->sqlstate = ERRCODE_RT_ACTOR_NOT_PERMITTED;
	refusal->column = "status";
	refusal->message = psprintf("%s \"%s\" is not a party to %s " INT64_FORMAT,
								actor_kind_name(q->actor->kind), q->actor->ref,
								machine_name(q->machine), q->id);
	refusal->detail = psprintf("A buyer, a seller, a carrier or a provider acts on its own %ss only.",
							   machine_name(q->machine));
	refusal->hint = pstrdup("Check returns.actor, or act as an operator.");
	return false;
}

static bool
refuse_actor(const MoveQuestion *q, const Transition *edge, Refusal *refusal)
{
	refusal->sqlstate = ERRCODE_RT_ACTOR_NOT_PERMITTED;
	refusal->column = "status";
	refusal->message = psprintf("%s may not move %s " INT64_FORMAT " from \"%s\" to \"%s\"",
								q->actor->kind == ACTOR_SYSTEM ? "the system" :
								actor_kind_name(q->actor->kind),
								machine_name(q->machine), q->id, q->from->code, q->to->code);
	refusal->detail = psprintf("This move is made by: %s.", actors_describe(edge->actors));
	refusal->hint = edge->actors == ACTOR_SYSTEM ?
		pstrdup("It follows by itself when its condition is met.") :
		pstrdup("Leave it to them, or set returns.actor accordingly.");
	return false;
}

static bool
refuse_resolution(const MoveQuestion *q, const Transition *edge, Refusal *refusal)
{
	const char *wanted = edge->resolution == RESOLUTION_EXCHANGE ? "exchange" : "refund";

	refusal->sqlstate = ERRCODE_RT_ILLEGAL_TRANSITION;
	refusal->column = "resolution";
	refusal->message = psprintf("%s " INT64_FORMAT " cannot move from \"%s\" to \"%s\"",
								machine_name(q->machine), q->id, q->from->code, q->to->code);
	refusal->detail = psprintf("That transition is for resolution \"%s\".", wanted);
	refusal->hint = psprintf("Take the transition of its own resolution.");
	return false;
}

static bool
refuse_late(const MoveQuestion *q, Refusal *refusal)
{
	refusal->sqlstate = ERRCODE_RT_TOO_LATE;
	refusal->column = "due_at";
	refusal->message = psprintf("too late to move %s " INT64_FORMAT " from \"%s\" to \"%s\"",
								machine_name(q->machine), q->id, q->from->code, q->to->code);
	refusal->detail = psprintf("The deadline of \"%s\" was %s.", q->from->code,
							   timestamptz_to_str(q->due_at));
	refusal->hint = pstrdup("Its timeout takes effect at the next sweep; an operator may still act.");
	return false;
}

static bool
refuse_requirement(const MoveQuestion *q, const char *column, const char *what,
				   const char *how, Refusal *refusal)
{
	refusal->sqlstate = ERRCODE_RT_REQUIREMENT_MISSING;
	refusal->column = column;
	refusal->message = psprintf("moving %s " INT64_FORMAT " from \"%s\" to \"%s\" requires %s",
								machine_name(q->machine), q->id, q->from->code, q->to->code, what);
	refusal->detail = pstrdup("It was not given.");
	refusal->hint = pstrdup(how);
	return false;
}

static bool
requirements_met(const MoveQuestion *q, const Transition *edge, Refusal *refusal)
{
	if ((edge->requires & REQUIRES_NOTE) && !q->has_note)
		return refuse_requirement(q, "note", "a note",
								  "Set note in the same UPDATE, or pass it to returns.act().", refusal);
	if ((edge->requires & REQUIRES_TRACKING) && !q->has_tracking)
		return refuse_requirement(q, "tracking_ref", "tracking",
								  "Set carrier and tracking_ref of the parcel.", refusal);
	if ((edge->requires & REQUIRES_EVIDENCE) && !q->has_evidence)
		return refuse_requirement(q, "details", "evidence",
								  "Set details to an object whose \"evidence\" is a non-empty array.", refusal);
	return true;
}

/*
 * Its name must be qualified: it runs as the owner of the tables, and a search
 * path is what any session may set.
 */
Oid
guard_function(const char *guard, const char **why)
{
	Oid			argtypes[] = {INT8OID, TEXTOID};
	List	   *names;
	Oid			schema;
	Oid			function;

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
		*why = "There is no such schema that the owner of the tables may use.";
		return InvalidOid;
	}
	function = LookupFuncName(list_make2(makeString(linitial(names)), makeString(lsecond(names))),
							  2, argtypes, true);
	if (!OidIsValid(function) || get_func_prokind(function) != PROKIND_FUNCTION ||
		get_func_rettype(function) != TEXTOID || get_func_retset(function))
	{
		*why = "There is no such function (bigint, text) that returns text.";
		return InvalidOid;
	}
	if (!DatumGetBool(DirectFunctionCall2(has_function_privilege_id, ObjectIdGetDatum(function),
										  CStringGetTextDatum("EXECUTE"))))
	{
		*why = "The owner of the tables may not execute that function.";
		return InvalidOid;
	}
	return function;
}

/*
 * Ask a guard, as the table owner.  It is found by name at every call, since
 * functions may be replaced at any time.
 */
static bool
guard_passes(const MoveQuestion *q, const char *guard, Refusal *refusal)
{
	OwnState	own;
	Oid			function;
	const char *why;
	FmgrInfo	flinfo;
	LOCAL_FCINFO(fcinfo, 2);
	Datum		answer;
	bool		passes;

	own_begin_foreign(&own);
	function = guard_function(guard, &why);
	if (!OidIsValid(function))
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("guard \"%s\" is not a function (bigint, text) returning text", guard),
				 errdetail("%s It guards the transition from \"%s\" to \"%s\".", why,
						   q->from->code, q->to->code),
				 errhint("Create it, or correct returns.transition.guard.")));
	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, 2, DEFAULT_COLLATION_OID, NULL, NULL);
	fcinfo->args[0].value = Int64GetDatum(q->return_id);
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = PointerGetDatum(q->to->code_text);
	fcinfo->args[1].isnull = false;
	answer = FunctionCallInvoke(fcinfo);
	passes = fcinfo->isnull;
	if (!passes)
	{
		refusal->sqlstate = ERRCODE_RT_ILLEGAL_TRANSITION;
		refusal->column = "status";
		refusal->message = psprintf("guard \"%s\" refuses to move %s " INT64_FORMAT " from \"%s\" to \"%s\"",
									guard, machine_name(q->machine), q->id, q->from->code, q->to->code);
		refusal->detail = TextDatumGetCString(answer);
		refusal->hint = pstrdup("Remove the cause, then try again.");
	}
	own_end(&own);
	return passes;
}

bool
move_judge(const MoveQuestion *q, Refusal *refusal)
{
	const Transition *edge = transition_find(q->from, q->to);

	if (unlikely(!actor_is_party(q->actor, q->buyer_ref, q->seller_ref, q->carrier, q->provider)))
		return refuse_party(q, refusal);
	if (unlikely(edge == NULL))
		return refuse_edge(q, refusal);
	if (unlikely((edge->actors & q->actor->kind) == 0))
		return refuse_actor(q, edge, refusal);
	if (unlikely(edge->resolution != RESOLUTION_ANY && edge->resolution != q->resolution))
		return refuse_resolution(q, edge, refusal);
	if (unlikely(q->has_due && q->now >= q->due_at &&
				 (q->actor->kind & (ACTOR_OPERATOR | ACTOR_SYSTEM)) == 0))
		return refuse_late(q, refusal);
	if (unlikely(edge->requires != 0) && !requirements_met(q, edge, refusal))
		return false;
	if (unlikely(edge->guard != NULL))
		return guard_passes(q, edge->guard, refusal);
	return true;
}

/*
 * How special a rule is for one category: market first, then the nearer
 * category, then the resolution.  -1: it does not apply.
 */
static int
rule_rank(const StageRule *rule, const Market *market, Resolution resolution,
		  const Category *category)
{
	int			rank = 0;
	int			distance;

	if (rule->market != NULL)
	{
		if (market == NULL || strcmp(rule->market, market->code) != 0)
			return -1;
		rank += 1 << 20;
	}
	if (rule->category != NULL)
	{
		distance = category == NULL ? -1 : category_distance(rule->category, category);
		if (distance < 0)
			return -1;
		rank += (1 << 19) - 2 * Min(distance, 1 << 17);
	}
	if (rule->resolution != RESOLUTION_ANY)
	{
		if (rule->resolution != resolution)
			return -1;
		rank += 1;
	}
	return rank;
}

StageRule *
stage_rule_of_category(const State *state, const Market *market, Resolution resolution,
					   const Category *category)
{
	StageRule  *best = NULL;
	int			best_rank = -1;

	for (int i = 0; i < state->nrules; i++)
	{
		int			rank = rule_rank(&state->rules[i], market, resolution, category);

		if (rank > best_rank)
		{
			best = &state->rules[i];
			best_rank = rank;
		}
	}
	return best;
}

char *
stage_rule_scope(const StageRule *rule)
{
	const char *const keys[][2] = {
		{"market", rule->market},
		{"category", rule->category},
		{"resolution", rule->resolution == RESOLUTION_REFUND ? "refund" :
		rule->resolution == RESOLUTION_EXCHANGE ? "exchange" : NULL},
	};
	StringInfoData scope;

	initStringInfo(&scope);
	for (int i = 0; i < lengthof(keys); i++)
		if (keys[i][1] != NULL)
			appendStringInfo(&scope, "%s%s %s", scope.len > 0 ? ", " : "", keys[i][0], keys[i][1]);
	return scope.data;
}

/* When the rule's term ends, counted from start; remembered for the next row. */
static void
rule_end(StageRule *rule, const Market *market, TimestampTz start)
{
	const Calendar *calendar;

	if (rule->memo_market == market && rule->memo_start == start && market != NULL)
		return;
	calendar = rule->unit == UNIT_HOUR ? NULL : market_calendar(market);
	rule->memo_market = NULL;
	rule->memo_due = deadline_compute(start, rule->term, rule->unit, market->zone, calendar, true);
	rule->memo_remind = rule->remind == 0 ? 0 :
		reminder_compute(start, rule->term, rule->unit, rule->memo_due, rule->remind,
						 market->zone, calendar);
	rule->memo_start = start;
	rule->memo_market = market;
}

const StageRule *
stage_rule_find(const State *state, const Market *market, Resolution resolution,
				const Category *const *categories, int ncategories, TimestampTz start,
				TimestampTz *due_at, TimestampTz *remind_at)
{
	StageRule  *first = NULL;

	if (state->nrules == 0 || market == NULL)
		return NULL;
	for (int i = 0; i < Max(ncategories, 1); i++)
	{
		StageRule  *rule = stage_rule_of_category(state, market, resolution,
												  ncategories > 0 ? categories[i] : NULL);

		if (rule == NULL)
			continue;
		rule_end(rule, market, start);
		if (first == NULL || rule->memo_due < first->memo_due)
			first = rule;
	}
	if (first != NULL)
	{
		*due_at = first->memo_due;
		*remind_at = first->memo_remind;
	}
	return first;
}

TimestampTz
timeout_term_start(const State *to, TimestampTz due_at, TimestampTz now)
{
	for (int i = 0; i < to->ntransitions; i++)
		if (to->transitions[i].actors & (ACTOR_BUYER | ACTOR_SELLER | ACTOR_CARRIER))
			return now;
	return due_at;
}
