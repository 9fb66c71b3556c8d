/*-------------------------------------------------------------------------
 *
 * actor.c
 *		The actor that the session has set, if its role has a grant for it.
 *
 * Every statement of a client asks for its actor several times, and row-level
 * security asks once more for each policy.  So the answer is remembered until
 * the setting, the role, the grants or the memberships of roles change.
 *
 * src/rules/actor/actor.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/as_owner.h"
#include "base/compat.h"
#include "base/errors.h"
#include "miscadmin.h"
#include "rules/actor/actor.h"
#include "rules/cache/cache.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

static char *setting_actor = NULL;	/* 'kind:ref'; '' when unset */

/*
 * The answer that is remembered: the actor of the current setting, for this role
 * and by the grants of this generation of the rules.
 */
static Actor session_actor;
static Oid	session_role = InvalidOid;	/* InvalidOid: nothing is remembered */
static uint64 session_generation = 0;
static MemoryContext session_context = NULL;	/* of its strings */

static Actor system_actor;
static bool acts_as_system = false;

char *
actor_describe(const Actor *actor)
{
	return actor->kind == ACTOR_SYSTEM ? pstrdup("the system") :
		psprintf("%s \"%s\"", actor_kind_name(actor->kind), actor->ref);
}

static void
actor_forget(void)
{
	session_role = InvalidOid;
}

/* A role or a membership changed: which grants the role has may have changed. */
static void
role_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	actor_forget();
}

/*
 * Check the form of the setting.  The grant is checked when the actor acts,
 * because a value from a configuration file is set before the server can read
 * tables.
 */
static bool
check_actor(char **newval, void **extra, GucSource source)
{
	const char *colon = strchr(*newval, ':');
	ActorKind	kind;

	if (**newval == '\0')
		return true;
	kind = actor_kind_find(*newval, colon ? colon - *newval : strlen(*newval));
	if (kind == ACTOR_SYSTEM)
	{
		GUC_check_errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED);
		GUC_check_errmsg("a session cannot act as \"system\"");
		GUC_check_errdetail("Only timers and automatic decisions of the extension act as the system.");
		GUC_check_errhint("To act for the platform, set an operator: SET returns.actor = 'operator:ann'.");
		return false;
	}
	if (kind == ACTOR_NONE || colon == NULL || colon[1] == '\0')
	{
		GUC_check_errcode(ERRCODE_RT_UNKNOWN_CODE);
		GUC_check_errmsg("invalid actor \"%s\"", *newval);
		GUC_check_errdetail("An actor consists of a kind (%s), a colon and a reference.",
							actors_describe(ACTORS_OF_SESSIONS));
		GUC_check_errhint("Set it like this: SET returns.actor = 'seller:acme'.");
		return false;
	}
	return true;
}

static void
assign_actor(const char *newval, void *extra)
{
	actor_forget();
}

void
actor_init(void)
{
	DefineCustomStringVariable("returns.actor",
							   "The actor of this session: kind:reference, for example seller:acme.",
							   NULL, &setting_actor, "", PGC_USERSET, 0,
							   check_actor, assign_actor, NULL);
	session_context = AllocSetContextCreate(TopMemoryContext, "returns actor",
											ALLOCSET_SMALL_SIZES);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, role_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, role_callback, (Datum) 0);
}

static bool
actor_granted(const Rules *rules, Oid role, ActorKind kind, const char *ref)
{
	for (int i = 0; i < rules->ngrants; i++)
	{
		const ActorGrant *grant = &rules->grants[i];
		Oid			granted;

		if (grant->actor != kind ||
			(grant->ref != NULL && strcmp(grant->ref, ref) != 0))
			continue;
		granted = get_role_oid(NameStr(grant->db_role), true);
		if (OidIsValid(granted) && is_member_of_role(role, granted))
			return true;
	}
	return false;
}

static void
actor_fill(Actor *actor, ActorKind kind, const char *ref, Oid role)
{
	char	   *role_name = GetUserNameFromId(role, false);
	MemoryContext old;

	MemoryContextReset(session_context);
	old = MemoryContextSwitchTo(session_context);
	actor->kind = kind;
	actor->ref = pstrdup(ref);
	actor->kind_text = cstring_to_text(actor_kind_name(kind));
	actor->ref_text = cstring_to_text(ref);
	namestrcpy(&actor->db_role, role_name);
	MemoryContextSwitchTo(old);
}

const Actor *
actor_as_system(void)
{
	if (system_actor.kind == ACTOR_NONE)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		system_actor.kind_text = cstring_to_text(actor_kind_name(ACTOR_SYSTEM));
		MemoryContextSwitchTo(old);
		system_actor.kind = ACTOR_SYSTEM;
	}
	namestrcpy(&system_actor.db_role, GetUserNameFromId(caller_role(), false));
	return &system_actor;
}

static bool
actor_is_set(void)
{
	return setting_actor != NULL && setting_actor[0] != '\0';
}

/* Split the setting into kind and reference. */
static const char *
parse_setting(ActorKind *kind)
{
	const char *colon = strchr(setting_actor, ':');

	Assert(colon != NULL);		/* by check_actor() */
	*kind = actor_kind_find(setting_actor, colon - setting_actor);
	return colon + 1;
}

const Actor *
actor_if_any(void)
{
	const Rules *rules;
	Oid			role;
	ActorKind	kind;
	const char *ref;

	if (acts_as_system)
		return actor_as_system();
	role = caller_role();
	rules = rules_current();
	if (session_role == role && session_generation == rules_generation())
		return &session_actor;
	if (!actor_is_set())
		return NULL;
	ref = parse_setting(&kind);
	if (!actor_granted(rules, role, kind, ref))
		return NULL;
	actor_forget();
	actor_fill(&session_actor, kind, ref, role);
	session_generation = rules_generation();
	session_role = role;
	return &session_actor;
}

pg_noreturn static void
refuse_no_actor(void)
{
	const char *role;

	if (!actor_is_set())
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("no actor is set"),
				 errdetail("Every change of a return is recorded with the actor that made it."),
				 errhint("Set returns.actor, for example SET returns.actor = 'buyer:b-17'.")));
	role = GetUserNameFromId(caller_role(), false);
	ereport(ERROR,
			(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
			 errmsg("role \"%s\" may not act as \"%s\"", role, setting_actor),
			 errdetail("The table returns.actor_grant has no row for this actor and for \"%s\" or a role that \"%s\" is a member of.",
					   role, role),
			 errhint("Set returns.actor to an actor that the role may act as, or ask the owner of the tables to insert a row into returns.actor_grant.")));
}

const Actor *
actor_current(void)
{
	const Actor *actor = actor_if_any();

	if (actor == NULL)
		refuse_no_actor();
	return actor;
}

bool
actor_become_system(void)
{
	bool		previous = acts_as_system;

	acts_as_system = true;
	return previous;
}

void
actor_restore(bool previous)
{
	acts_as_system = previous;
}

/*
 * acting_as(kind text) returns text: for the policies of row-level security, the
 * reference of the actor if it is of this kind.
 */
PG_FUNCTION_INFO_V1(returns_acting_as);

Datum
returns_acting_as(PG_FUNCTION_ARGS)
{
	const Actor *actor;
	ActorKind	kind;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	kind = actor_kind_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	actor = actor_if_any();
	if (actor == NULL || actor->kind != kind || actor->ref == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(actor->ref));
}
