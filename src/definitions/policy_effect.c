/*-------------------------------------------------------------------------
 *
 * policy_effect.c
 *		Triggers of returns.policy after a statement: what it does to the whole.
 *
 * A statement is judged by what it leaves behind, whatever the order of its
 * rows: no two policies may tie, none may give the buyer less than the law,
 * and no sale already made may change its rule (policy_past.c).
 *
 * All is asked of indexes over the table as it is now, which the session's
 * lock on definitions keeps still.
 *
 * src/definitions/policy_effect.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "definitions/policy_guard.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "rules/policy/policy.h"
#include "rules/policy/policy_floor.h"
#include "rules/policy/policy_load.h"
#include "rules/session.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* ---- what the statement did ---- */

/* The rows of a transition table; without one (NULL) none. */
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
read_changes(PolicyEffect *effect, TriggerData *trigdata)
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
 * A policy that is or was in force is ended, not deleted: what it said of a
 * sale must stay to be read.  Only before the first sale it may go, so that a
 * shop can make its rules out of a preset's.
 */
static void
check_deletions(const PolicyEffect *effect)
{
	for (int i = 0; i < effect->n; i++)
	{
		const Policy *old = effect->changes[i].old;

		if (effect->changes[i].new != NULL || !policy_has_begun(old, effect->now))
			continue;
		if (!policy_any_sale())
			return;
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " is in force and cannot be deleted", old->id),
				 errdetail("It began at %s, and sales have been made.",
						   timestamptz_to_str(old->valid_from)),
				 errhint("End it: set its valid_to to an instant not in the past."),
				 errtable(effect->rel)));
	}
}

/*
 * The time in which sales already made could have another policy by a change.
 * What begins in the past speaks of them, or now, of those of this instant and
 * of those made since the transaction began; a policy in force that is ended
 * earlier or later than before does so from the earlier end on.
 */
static bool
past_of(const PolicyChange *change, TimestampTz now, TimestampTz *from, TimestampTz *to)
{
	const Policy *old = change->old;
	const Policy *new = change->new;

	if (new == NULL)
		return false;			/* it has not begun, or nothing was sold */
	if (old != NULL && policy_has_begun(old, now))
	{
		*from = Min(old->valid_to, new->valid_to);
		*to = Max(old->valid_to, new->valid_to);
	}
	else
	{
		*from = new->valid_from;
		*to = new->valid_to;
	}
	return *from < *to && *from <= now;
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
survey_changes(PolicyEffect *effect)
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
	if (effect->past_from >= effect->past_to)
		return;
	/* sales that have yet to commit count too */
	LockRelationOid(table_oid("sale_line"), ShareLock);
	effect->past = any_sale_line_between(effect->past_from, effect->past_to);
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
read_policies(PolicyEffect *effect)
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
only_ends(const PolicyEffect *effect, const PolicyChange *change)
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
check_ties(const PolicyEffect *effect)
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
check_against_law(const PolicyEffect *effect, const PolicyIndex *law, const Policy *policy,
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

/* One in force that is prolonged answers for what is yet to come only. */
static TimestampTz
held_from(const PolicyEffect *effect, const PolicyChange *change)
{
	return change->old != NULL && policy_has_begun(change->old, effect->now) ?
		effect->now : change->new->valid_from;
}

/*
 * The statutory policies themselves may differ as the law wills.  When one of
 * them changes, all others are held against the law as it is from now on; the
 * hint is for the one that gives less.
 */
static void
check_law(const PolicyEffect *effect, const char *hint)
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
			check_against_law(effect, law, policy, held_from(effect, &effect->changes[i]),
							  "Give at least as much, or leave these sales to the statutory policy.");
		MemoryContextReset(scratch);
	}
	for (int i = 0; effect->law && (policy = policy_index_nth(effect->after, i)) != NULL; i++)
	{
		if (!policy->statutory && policy->valid_to > effect->now)
			check_against_law(effect, law, policy, effect->now, hint);
		MemoryContextReset(scratch);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}

void
policy_check_law(Relation rel, const char *hint)
{
	PolicyEffect effect = {
		.rel = rel, .now = clock_now(), .law = true, .after = policy_index_create()
	};

	policies_read_all(effect.after);
	check_law(&effect, hint);
}

/* Without them we would not see what was written. */
static void
check_transition_tables(TriggerData *trigdata)
{
	if ((trigdata->tg_newtable == NULL && !TRIGGER_FIRED_BY_DELETE(trigdata->tg_event)) ||
		(trigdata->tg_oldtable == NULL && !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" of returns.policy lacks its transition tables",
						trigdata->tg_trigger->tgname),
				 errhint("CALL returns.setup() makes it anew.")));
}

PG_FUNCTION_INFO_V1(returns_policy_changed);

/* AFTER INSERT, UPDATE or DELETE FOR EACH STATEMENT, with transition tables */
Datum
returns_policy_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	PolicyEffect effect = {0};
	OwnState	own;

	policy_trigger_check(fcinfo, "returns_policy_changed", TRIGGER_EVENT_AFTER, false);
	check_transition_tables(trigdata);
	effect.rel = trigdata->tg_relation;
	effect.now = clock_now();

	/* what the statement wrote is to be seen from here on, in the caches too */
	CommandCounterIncrement();
	own_begin(&own);
	read_changes(&effect, trigdata);
	if (effect.n > 0)
	{
		check_deletions(&effect);
		survey_changes(&effect);
		read_policies(&effect);
		check_ties(&effect);
		check_law(&effect,
				  "End this policy (valid_to) where the law changes; a better one may follow it.");
		if (effect.past)
			policy_check_past(&effect);
	}
	own_end(&own);
	return PointerGetDatum(NULL);
}
