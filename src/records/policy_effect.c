/*-------------------------------------------------------------------------
 *
 * policy_effect.c
 *		Triggers of returns.policy after a statement: what it does to the whole.
 *
 * A statement is judged by what it leaves behind, whatever the order of its
 * rows: no two policies may tie, none may give the buyer less than the law,
 * and no sale already made may change its rule.  A sale that no policy
 * governed has no rule to change; it may get one.
 *
 * All is asked of indexes over the table as it is now, which the session's
 * lock on definitions keeps still.
 *
 * src/records/policy_effect.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "records/policy_guard.h"
#include "server/cache_policy.h"
#include "server/compat.h"
#include "server/errors.h"
#include "server/plan.h"
#include "server/settings.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* All that a statement did. */
typedef struct Effect
{
	Relation	rel;
	TimestampTz now;
	int			n;
	PolicyChange *changes;
	bool		law;			/* a statutory policy was among them */
	bool		past;			/* sales were made in the time that they cover: */
	TimestampTz past_from;		/* from here */
	TimestampTz past_to;		/* until here */
	PolicyIndex *after;			/* the policies that matter, as they are now */
} Effect;

/* ---- what the statement did ---- */

/* The rows of a transition table; NULL has none. */
static int
read_rows(Relation rel, Tuplestorestate *rows, Policy **policies)
{
	const AttrNumber *attno = policy_columns(rel);
	TupleTableSlot *slot;
	int			pointer;
	int			n = 0;
	int			capacity = 64;

	*policies = palloc(sizeof(Policy) * capacity);
	if (rows == NULL)
		return 0;
	slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsMinimalTuple);
	pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(rows, pointer);
	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, true, slot))
	{
		HeapTuple	tuple = ExecCopySlotHeapTuple(slot);

		CHECK_FOR_INTERRUPTS();
		if (n == capacity)
			*policies = repalloc_huge(*policies, sizeof(Policy) * (capacity *= 2));
		if (!policy_from_tuple(tuple, RelationGetDescr(rel), attno, &(*policies)[n]))
			policy_malformed(&(*policies)[n]);
		n++;
	}
	ExecDropSingleTupleTableSlot(slot);
	return n;
}

/* Of an UPDATE, the old and the new rows come in the same order. */
static void
read_changes(Effect *effect, TriggerData *trigdata)
{
	Policy	   *old;
	Policy	   *new;
	int			nold = read_rows(effect->rel, trigdata->tg_oldtable, &old);
	int			nnew = read_rows(effect->rel, trigdata->tg_newtable, &new);
	int			n = Max(nold, nnew);

	effect->changes = palloc(sizeof(PolicyChange) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		PolicyChange change = {i < nold ? &old[i] : NULL, i < nnew ? &new[i] : NULL};

		if (change.old == NULL || change.new == NULL ||
			!policy_is_renamed(change.old, change.new))
			effect->changes[effect->n++] = change;
	}
}

/*
 * The time in which sales already made could have another policy by a change.
 * What begins in the past speaks of them; a policy in force that is ended
 * earlier or later than before does so only where its end was in the past.
 */
static bool
past_of(const PolicyChange *change, TimestampTz now, TimestampTz *from, TimestampTz *to)
{
	const Policy *old = change->old;
	const Policy *new = change->new;

	if (new == NULL)
	{
		*from = old->valid_from;
		*to = old->valid_to;
		return policy_has_begun(old, now);
	}
	if (old != NULL && policy_has_begun(old, now))
	{
		*from = Min(old->valid_to, new->valid_to);
		*to = Max(old->valid_to, new->valid_to);
		return *from < Min(*to, now);
	}
	*from = new->valid_from;
	*to = new->valid_to;
	return *from < now;
}

static bool
any_sale_line_between(TimestampTz from, TimestampTz to)
{
	static KeptPlan plan = {
		"SELECT 1 FROM returns.sale_line WHERE purchased_at OPERATOR(pg_catalog.>=) $1"
		" AND purchased_at OPERATOR(pg_catalog.<) $2", 2, {TIMESTAMPTZOID, TIMESTAMPTZOID}
	};
	Datum		args[2] = {TimestampTzGetDatum(from), TimestampTzGetDatum(to)};

	return plan_run_limit(&plan, args, NULL, 1) > 0;
}

static void
survey_changes(Effect *effect)
{
	effect->past_from = DT_NOEND;
	effect->past_to = DT_NOBEGIN;
	for (int i = 0; i < effect->n; i++)
	{
		const PolicyChange *change = &effect->changes[i];
		TimestampTz from;
		TimestampTz to;

		effect->law |= (change->old != NULL && change->old->statutory) ||
			(change->new != NULL && change->new->statutory);
		if (past_of(change, effect->now, &from, &to))
		{
			effect->past_from = Min(effect->past_from, from);
			effect->past_to = Max(effect->past_to, to);
		}
	}
	effect->past = effect->past_from < effect->past_to &&
		any_sale_line_between(effect->past_from, effect->past_to);
}

static void
read_seller(PolicyIndex *index, const Policy *policy)
{
	if (policy != NULL && policy->seller_ref != NULL &&
		!policy_index_knows_seller(index, policy->seller_ref))
		policies_read_seller(index, policy->seller_ref);
}

/*
 * The policies that could matter: a seller's own stand against the general
 * ones and each other only; a general one, or the law, against everybody's.
 */
static void
read_policies(Effect *effect)
{
	bool		all = effect->law;

	for (int i = 0; i < effect->n && effect->past; i++)
		all |= (effect->changes[i].old ? effect->changes[i].old :
				effect->changes[i].new)->seller_ref == NULL;
	effect->after = policy_index_create();
	if (all)
	{
		policies_read_all(effect->after);
		return;
	}
	policies_read_general(effect->after);
	for (int i = 0; i < effect->n; i++)
	{
		read_seller(effect->after, effect->changes[i].old);
		read_seller(effect->after, effect->changes[i].new);
	}
}

/* Does the change only take a policy in force out of the way? */
static bool
only_ends(const Effect *effect, const PolicyChange *change)
{
	return change->new == NULL ||
		(change->old != NULL && policy_has_begun(change->old, effect->now) &&
		 change->new->valid_to <= change->old->valid_to);
}

/* ---- no two policies tie ---- */

static const char *
key_text(const char *value)
{
	return value == NULL ? "any" : psprintf("\"%s\"", value);
}

static void
check_ties(const Effect *effect)
{
	static const char *const faults[] = {"any", "\"none\"", "\"seller\"", "\"carrier\"", "\"platform\""};

	for (int i = 0; i < effect->n; i++)
	{
		const Policy *policy = only_ends(effect, &effect->changes[i]) ? NULL :
			policy_index_by_id(effect->after, effect->changes[i].new->id);
		const Policy *other = policy == NULL ? NULL : policy_index_tie(effect->after, policy);

		if (other != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_RT_RULE_REFUSED),
					 errmsg("policy " INT64_FORMAT " ties with policy " INT64_FORMAT,
							policy->id, other->id),
					 errdetail("Both are for market %s, category %s, reason %s, fault %s and seller %s, and both are valid at %s.",
							   key_text(policy->market), key_text(policy->category),
							   key_text(policy->reason), faults[policy->fault + 1],
							   key_text(policy->seller_ref),
							   timestamptz_to_str(Max(policy->valid_from, other->valid_from))),
					 errhint("Let one end (valid_to) where the other begins (valid_from)."),
					 errtable(effect->rel)));
	}
}

/* ---- none gives less than the law ---- */

static void
check_against_law(const Effect *effect, const PolicyIndex *law, const Policy *policy,
				  TimestampTz from, const char *hint)
{
	char	   *lacks;
	const Policy *breached = policy_floor_breach(policy, law, from, &lacks);

	if (breached != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " gives the buyer less than the law", policy->id),
				 errdetail("It would stand before the statutory %s, which %s.",
						   policy_name(breached), lacks),
				 errhint("%s", hint),
				 errtable(effect->rel)));
}

/*
 * The statutory policies themselves may differ as the law wills.  When one of
 * them changes, all others are held against the law as it is from now on.
 */
static void
check_law(const Effect *effect)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "returns policy floor",
												  ALLOCSET_DEFAULT_SIZES);
	PolicyIndex *law = policy_index_create();
	MemoryContext old = MemoryContextSwitchTo(scratch);
	const Policy *policy;

	for (int i = 0; (policy = policy_index_nth(effect->after, i)) != NULL; i++)
		if (policy->statutory)
			policy_index_add(law, policy);
	for (int i = 0; i < effect->n; i++)
	{
		policy = effect->changes[i].new;
		if (!only_ends(effect, &effect->changes[i]) && !policy->statutory)
			check_against_law(effect, law, policy, policy->valid_from,
							  "Give at least as much, or leave these sales to the statutory policy.");
		MemoryContextReset(scratch);
	}
	for (int i = 0; effect->law && (policy = policy_index_nth(effect->after, i)) != NULL; i++)
	{
		if (!policy->statutory && policy->valid_to > effect->now)
			check_against_law(effect, law, policy, effect->now,
							  "End this policy (valid_to) where the law changes; a better one may follow it.");
		MemoryContextReset(scratch);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}

/* ---- no sale changes its rule ---- */

/* The policies as they were before the statement. */
static PolicyIndex *
index_before(const Effect *effect)
{
	PolicyIndex *before = policy_index_create();
	PolicyIndex *written = policy_index_create();
	const Policy *policy;

	for (int i = 0; i < effect->n; i++)
		if (effect->changes[i].new != NULL)
			policy_index_add(written, effect->changes[i].new);
	for (int i = 0; (policy = policy_index_nth(effect->after, i)) != NULL; i++)
		if (policy_index_by_id(written, policy->id) == NULL)
			policy_index_add(before, policy);
	for (int i = 0; i < effect->n; i++)
		if (effect->changes[i].old != NULL)
			policy_index_add(before, effect->changes[i].old);
	return before;
}

/* A growing array of datums. */
typedef struct Datums
{
	Datum	   *values;
	int			n;
	int			capacity;
} Datums;

static void
datums_add(Datums *datums, Datum value)
{
	if (datums->n == datums->capacity)
	{
		datums->capacity = Max(64, datums->capacity * 2);
		datums->values = datums->n == 0 ?
			palloc(sizeof(Datum) * datums->capacity) :
			repalloc_huge(datums->values, sizeof(Datum) * datums->capacity);
	}
	datums->values[datums->n++] = value;
}

static int
timestamp_order(const void *a, const void *b)
{
	TimestampTz left = DatumGetTimestampTz(*(const Datum *) a);
	TimestampTz right = DatumGetTimestampTz(*(const Datum *) b);

	return left < right ? -1 : left > right;
}

/*
 * What tells sales apart: the sellers with policies of their own (some may
 * come twice), and the instants at which a policy begins or ends, ascending.
 */
static void
divisions_of(const PolicyIndex *before, const PolicyIndex *after,
			 Datum *sellers, Datum *instants)
{
	const PolicyIndex *indexes[] = {before, after};
	Datums		refs = {0};
	Datums		times = {0};
	const Policy *policy;

	for (int which = 0; which < lengthof(indexes); which++)
		for (int i = 0; (policy = policy_index_nth(indexes[which], i)) != NULL; i++)
		{
			if (policy->seller_ref != NULL)
				datums_add(&refs, CStringGetTextDatum(policy->seller_ref));
			datums_add(&times, TimestampTzGetDatum(policy->valid_from));
			datums_add(&times, TimestampTzGetDatum(policy->valid_to));
		}
	qsort(times.values, times.n, sizeof(Datum), timestamp_order);
	*sellers = PointerGetDatum(construct_array(refs.values, refs.n, TEXTOID, -1, false,
											   TYPALIGN_INT));
	*instants = PointerGetDatum(construct_array(times.values, times.n, TIMESTAMPTZOID,
												sizeof(TimestampTz), FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
}

/*
 * The sales of the time in question, one for each group that the policies
 * cannot tell apart: market, category, seller, an instant and an example.
 */
static uint64
read_sales(const Effect *effect, const PolicyIndex *before)
{
	static KeptPlan plan = {
		"SELECT market, category, seller, pg_catalog.min(purchased_at), pg_catalog.min(order_ref)"
		" FROM (SELECT market, category, purchased_at, order_ref,"
		" CASE WHEN seller_ref OPERATOR(pg_catalog.=) ANY (SELECT pg_catalog.unnest($3))"
		" THEN seller_ref END AS seller"
		" FROM returns.sale_line WHERE purchased_at OPERATOR(pg_catalog.>=) $1"
		" AND purchased_at OPERATOR(pg_catalog.<) $2) AS sale"
		" GROUP BY market, category, seller, pg_catalog.width_bucket(purchased_at, $4)"
		" ORDER BY 5, 2, 4",
		4, {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID}
	};
	Datum		args[4];

	args[0] = TimestampTzGetDatum(effect->past_from);
	args[1] = TimestampTzGetDatum(effect->past_to);
	divisions_of(before, effect->after, &args[2], &args[3]);
	return plan_run(&plan, args, NULL);
}

/* All reasons that can be asked with, the unspecified one (NULL) first. */
static const Reason **
read_reasons(int *n)
{
	static KeptPlan plan = {"SELECT code FROM returns.reason ORDER BY code", 0};
	const Reason **reasons;

	*n = plan_run(&plan, NULL, NULL) + 1;
	reasons = palloc0(sizeof(Reason *) * *n);
	for (int i = 1; i < *n; i++)
	{
		bool		isnull;

		reasons[i] = reason_get(TextDatumGetCString(plan_value(i - 1, 1, &isnull)));
	}
	return reasons;
}

static void
refuse_past(const Effect *effect, const PolicyQuestion *question, const char *order_ref,
			const Policy *was, const Policy *is)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg("sales already made would change their rule"),
			 errdetail("Order \"%s\" has a line in category \"%s\", sold at %s, that falls under %s%s; %s would govern it.",
					   order_ref, question->category->code,
					   timestamptz_to_str(question->purchased_at), policy_name(was),
					   question->reason == NULL ? "" : psprintf(" for reason \"%s\"", question->reason),
					   is == NULL ? "none" : policy_name(is)),
			 errhint("Old orders keep the rule they were sold under: let a policy begin now or later (valid_from), and end one by valid_to instead of deleting it."),
			 errtable(effect->rel)));
}

static void
check_sale(const Effect *effect, const PolicyIndex *before, PolicyQuestion *question,
		   const Reason **reasons, int nreasons, const char *order_ref)
{
	for (int i = 0; i < nreasons; i++)
	{
		const Policy *was;
		const Policy *is;

		question->reason = reasons[i] == NULL ? NULL : reasons[i]->code;
		question->fault = reasons[i] == NULL ? FAULT_NONE : reasons[i]->fault;
		was = policy_index_find(before, question);
		is = policy_index_find(effect->after, question);
		if (was != NULL && (is == NULL || is->id != was->id))
			refuse_past(effect, question, order_ref, was, is);
	}
}

static void
check_past(const Effect *effect)
{
	PolicyIndex *before = index_before(effect);
	int			nreasons;
	const Reason **reasons = read_reasons(&nreasons);
	uint64		n = read_sales(effect, before);

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		bool		no_seller;
		Datum		seller = plan_value(i, 3, &no_seller);
		PolicyQuestion question = {
			.market = TextDatumGetCString(plan_value(i, 1, &isnull)),
			.category = category_get(TextDatumGetCString(plan_value(i, 2, &isnull))),
			.seller_ref = no_seller ? NULL : TextDatumGetCString(seller),
			.purchased_at = DatumGetTimestampTz(plan_value(i, 4, &isnull)),
		};

		check_sale(effect, before, &question, reasons, nreasons,
				   TextDatumGetCString(plan_value(i, 5, &isnull)));
		CHECK_FOR_INTERRUPTS();
	}
}

PG_FUNCTION_INFO_V1(returns_policy_changed);

/* AFTER INSERT, UPDATE or DELETE FOR EACH STATEMENT, with transition tables */
Datum
returns_policy_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Effect		effect = {0};
	OwnState	own;

	policy_trigger_check(fcinfo, "returns_policy_changed", TRIGGER_EVENT_AFTER, false);
	effect.rel = trigdata->tg_relation;
	effect.now = clock_now();

	/* what the statement wrote is to be seen from here on, in the caches too */
	CommandCounterIncrement();
	own_begin(&own);
	read_changes(&effect, trigdata);
	if (effect.n > 0)
	{
		survey_changes(&effect);
		read_policies(&effect);
		check_ties(&effect);
		check_law(&effect);
		if (effect.past)
			check_past(&effect);
	}
	own_end(&own);
	return PointerGetDatum(NULL);
}
