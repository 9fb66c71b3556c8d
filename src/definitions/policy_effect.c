/*-------------------------------------------------------------------------
 *
 * policy_effect.c
 *		Triggers of returns.policy after a statement: its effect on all policies.
 *
 * A statement is judged by its result, whatever the order of its rows: no two
 * policies may tie, none may give the buyer less than the law, and no existing
 * sale may get another policy (policy_past.c).
 *
 * All questions go to indexes over the table as it is now.  The lock that
 * policy_guard.c takes keeps other transactions from changing it.
 *
 * src/definitions/policy_effect.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
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

/* ---- the changes of the statement ---- */

/* The rows of a transition table (NULL: none), as Policy. */
static List *
read_rows(Relation rel, Tuplestorestate *rows)
{
	const AttrNumber *attno = policy_columns(rel);
	TupleTableSlot *slot;
	List	   *policies = NIL;

	if (rows == NULL)
		return NIL;
	slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsMinimalTuple);
	tuplestore_select_read_pointer(rows, tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND));
	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, true, slot))
	{
		Policy	   *policy = palloc(sizeof(Policy));

		CHECK_FOR_INTERRUPTS();
		if (!policy_from_tuple(ExecCopySlotHeapTuple(slot), RelationGetDescr(rel), attno, policy))
			policy_malformed(policy);
		policies = lappend(policies, policy);
	}
	ExecDropSingleTupleTableSlot(slot);
	return policies;
}

/* Of an UPDATE, the old and the new rows are in the same order. */
static void
read_changes(PolicyEffect *effect, TriggerData *trigdata)
{
	List	   *old = read_rows(effect->rel, trigdata->tg_oldtable);
	List	   *new = read_rows(effect->rel, trigdata->tg_newtable);
	int			n = Max(list_length(old), list_length(new));

	Assert(old == NIL || new == NIL || list_length(old) == list_length(new));
	effect->changes = palloc(sizeof(PolicyChange) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		PolicyChange change = {
			old == NIL ? NULL : list_nth(old, i), new == NIL ? NULL : list_nth(new, i)
		};

		if (change.old == NULL || change.new == NULL ||
			!policy_is_renamed(change.old, change.new))
			effect->changes[effect->n++] = change;
	}
}

/*
 * A policy that is or was in force may be ended, not deleted: the policy of each
 * sale must stay readable.  Before the first sale it may be deleted, so that a
 * shop can replace the policies of a preset.
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
				 errdetail("It began at %s, and there are sales.",
						   timestamptz_to_str(old->valid_from)),
				 errhint("End it instead: UPDATE returns.policy SET valid_to = returns.now() WHERE id = " INT64_FORMAT ".",
						 old->id),
				 errtable(effect->rel)));
	}
}

/*
 * The time in which existing sales could get another policy by a change.  A
 * policy that begins in the past or now concerns sales from its beginning on;
 * "now" includes sales of this instant and those made since the transaction
 * began.  A policy in force whose end is moved concerns sales from the earlier
 * of the two ends on.
 */
static bool
past_of(const PolicyChange *change, TimestampTz now, TimestampTz *from, TimestampTz *to)
{
	const Policy *old = change->old;
	const Policy *new = change->new;

	if (new == NULL)
		return false;			/* check_deletions(): not begun, or no sales */
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
any_sale_between(TimestampTz from, TimestampTz to)
{
	static Statement find_sale = {
		"SELECT FROM returns.sale_line WHERE purchased_at OPERATOR(pg_catalog.>=) $1"
		" AND purchased_at OPERATOR(pg_catalog.<) $2 LIMIT 1", 2, {TIMESTAMPTZOID, TIMESTAMPTZOID}
	};
	Datum		args[2] = {TimestampTzGetDatum(from), TimestampTzGetDatum(to)};

	return statement_run(&find_sale, args, NULL).nrows > 0;
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
	/* wait for transactions that write sales: their rows count too */
	LockRelationOid(table_oid("sale_line"), ShareLock);
	effect->past = any_sale_between(effect->past_from, effect->past_to);
}

static void
read_seller(PolicyIndex *index, const Policy *policy)
{
	if (policy != NULL && policy->seller_ref != NULL &&
		!policy_index_knows_seller(index, policy->seller_ref))
		policies_read_seller(index, policy->seller_ref);
}

/*
 * The policies that could matter.  A policy of one seller competes with the
 * general ones and with others of this seller; a general or statutory policy
 * competes with those of every seller.
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

/* Does the change only delete a policy or end it earlier? */
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
							   key_text(policy->reason),
							   key_text(policy->fault == FAULT_ANY ? NULL : fault_name(policy->fault)),
							   key_text(policy->seller_ref),
							   timestamptz_to_str(Max(policy->valid_from, other->valid_from))),
					 errhint("Set valid_to of one policy to valid_from of the other."),
					 errtable(effect->rel)));
	}
}

/* ---- none gives less than the law ---- */

static void
check_against_law(const PolicyEffect *effect, const PolicyIndex *law, const Policy *policy,
				  TimestampTz from, const char *hint)
{
	char	   *more;
	const Policy *breached = policy_floor_breach(policy, law, from, &more);

	if (breached != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_RULE_REFUSED),
				 errmsg("policy " INT64_FORMAT " gives the buyer less than the law", policy->id),
				 errdetail("It would take precedence over the statutory %s, which %s.",
						   policy_name(breached), more),
				 errhint("%s", hint),
				 errtable(effect->rel)));
}

/* If a policy in force is extended, it must satisfy the law for future sales only. */
static TimestampTz
lawful_from(const PolicyEffect *effect, const PolicyChange *change)
{
	return change->old != NULL && policy_has_begun(change->old, effect->now) ?
		effect->now : change->new->valid_from;
}

/*
 * Statutory policies themselves are not compared: the law may give less in one
 * case than in another.  When one of them changes, all other policies are
 * compared with the law as it is from now on; the hint is for one that gives
 * less.
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
			check_against_law(effect, law, policy, lawful_from(effect, &effect->changes[i]),
							  "Give the buyer at least as much, or leave these sales to the statutory policy.");
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

	Assert(as_owner_is_open());
	policies_read_all(effect.after);
	check_law(&effect, hint);
}

/* The changes are read from the transition tables. */
static void
check_transition_tables(TriggerData *trigdata)
{
	if ((trigdata->tg_newtable == NULL && !TRIGGER_FIRED_BY_DELETE(trigdata->tg_event)) ||
		(trigdata->tg_oldtable == NULL && !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" of returns.policy has no transition tables",
						trigdata->tg_trigger->tgname),
				 errdetail("The rows that the statement has written are read from them."),
				 errhint("Run CALL returns.setup(), which creates the trigger again.")));
}

PG_FUNCTION_INFO_V1(returns_policy_changed);

/* AFTER INSERT, UPDATE or DELETE FOR EACH STATEMENT, with transition tables */
Datum
returns_policy_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_check(fcinfo, "returns_policy_changed", "policy",
										  FIRES_AFTER | FIRES_FOR_STATEMENT);
	PolicyEffect effect = {.rel = trigdata->tg_relation,.now = clock_now()};
	AsOwner		owner;

	check_transition_tables(trigdata);

	/* make the rows of the statement visible, and invalidate the caches */
	CommandCounterIncrement();
	as_owner_begin(&owner);
	read_changes(&effect, trigdata);
	if (effect.n > 0)
	{
		check_deletions(&effect);
		survey_changes(&effect);
		read_policies(&effect);
		check_ties(&effect);
		check_law(&effect,
				  "Set valid_to of this policy to the beginning of the new law, and insert a policy that gives at least as much from then on.");
		if (effect.past)
			policy_check_past(&effect);
	}
	as_owner_end(&owner);
	return PointerGetDatum(NULL);
}
