/*-------------------------------------------------------------------------
 *
 * actor.c
 *		Who acts: the session's actor and whether its role may be it.
 *
 * src/rules/workflow/actor.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/plan.h"
#include "miscadmin.h"
#include "rules/cache/cache.h"
#include "rules/workflow/actor.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

char	   *setting_actor = NULL;

/*
 * The last answer.  It stands while the setting, the role, the rules and the
 * memberships are what they were.
 */
static Actor session_actor;
static Oid	session_role = InvalidOid;	/* InvalidOid: nothing remembered */
static uint64 session_generation = 0;
static MemoryContext session_context = NULL;

static Actor system_actor;
static bool is_system = false;

/* The setting changed, or who is a member of whom: look again. */
static void
actor_forget(void)
{
	session_role = InvalidOid;
}

static void
membership_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	actor_forget();
}

/*
 * The form is checked when the actor is set, the grant when it acts: a
 * setting may come from a configuration file, long before any catalog.
 */
static bool
check_actor(char **newval, void **extra, GucSource source)
{
	const char *colon = strchr(*newval, ':');
	char		kind[16];
	size_t		len;

	if (**newval == '\0')
		return true;
	len = colon ? (size_t) (colon - *newval) : strlen(*newval);
	strlcpy(kind, *newval, Min(len + 1, sizeof(kind)));
	if (len < sizeof(kind) && actor_kind_parse(kind) == ACTOR_SYSTEM)
	{
		GUC_check_errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED);
		GUC_check_errmsg("nobody can act as \"system\"");
		GUC_check_errdetail("The system is the extension itself: its timers and automatic decisions.");
		return false;
	}
	if (len >= sizeof(kind) || actor_kind_parse(kind) == ACTOR_NONE ||
		colon == NULL || colon[1] == '\0')
	{
		GUC_check_errcode(ERRCODE_RT_UNKNOWN_CODE);
		GUC_check_errmsg("invalid actor \"%s\"", *newval);
		GUC_check_errdetail("An actor is buyer, seller, carrier, provider or operator, a colon and a reference.");
		GUC_check_errhint("For example: SET returns.actor = 'seller:acme'.");
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
							   "Who acts in this session: kind:reference, for example seller:acme.",
							   NULL, &setting_actor, "", PGC_USERSET, 0,
							   check_actor, assign_actor, NULL);
	session_context = AllocSetContextCreate(TopMemoryContext, "returns actor",
											ALLOCSET_SMALL_SIZES);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, membership_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, membership_callback, (Datum) 0);
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

/* The extension itself, acting in a session of the given role. */
static const Actor *
actor_system(void)
{
	if (system_actor.kind == ACTOR_NONE)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		system_actor.kind_text = cstring_to_text("system");
		MemoryContextSwitchTo(old);
		system_actor.kind = ACTOR_SYSTEM;
	}
	namestrcpy(&system_actor.db_role, GetUserNameFromId(caller_role(), false));
	return &system_actor;
}

/* Split the setting, whose form was checked when it was set; NULL: unset. */
static const char *
actor_setting(ActorKind *kind)
{
	char		name[16];
	const char *colon;

	if (setting_actor == NULL || setting_actor[0] == '\0')
		return NULL;
	colon = strchr(setting_actor, ':');
	strlcpy(name, setting_actor, Min(colon - setting_actor + 1, (int) sizeof(name)));
	*kind = actor_kind_parse(name);
	return colon + 1;
}

const Actor *
actor_if_any(void)
{
	const Rules *rules;
	Oid			role;
	ActorKind	kind;
	const char *ref;

	if (is_system)
		return actor_system();
	role = caller_role();
	rules = rules_current();
	if (session_role == role && session_generation == rules_generation())
		return &session_actor;
	ref = actor_setting(&kind);
	if (ref == NULL || !actor_granted(rules, role, kind, ref))
		return NULL;
	actor_forget();
	actor_fill(&session_actor, kind, ref, role);
	session_generation = rules_generation();
	session_role = role;
	return &session_actor;
}

const Actor *
actor_current(void)
{
	const Actor *actor = actor_if_any();

	if (actor != NULL)
		return actor;
	if (setting_actor == NULL || setting_actor[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("no actor is set"),
				 errdetail("Every move of a return is made by somebody."),
				 errhint("Say who acts, for example SET returns.actor = 'buyer:b-17'.")));
	ereport(ERROR,
			(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
			 errmsg("role \"%s\" may not act as \"%s\"",
					GetUserNameFromId(caller_role(), false), setting_actor),
			 errdetail("Neither it nor a role it is a member of has a matching row in returns.actor_grant."),
			 errhint("Ask the owner of the tables for a grant, or set another returns.actor.")));
}

const Actor *
actor_as_system(void)
{
	return actor_system();
}

bool
actor_become_system(void)
{
	bool		previous = is_system;

	is_system = true;
	return previous;
}

void
actor_restore(bool previous)
{
	is_system = previous;
}

/* acting_as(kind): for the policies of row-level security. */
PG_FUNCTION_INFO_V1(returns_acting_as);

Datum
returns_acting_as(PG_FUNCTION_ARGS)
{
	const Actor *actor = actor_if_any();

	if (actor == NULL || PG_ARGISNULL(0) || actor->ref == NULL ||
		strcmp(actor_kind_name(actor->kind), text_to_cstring(PG_GETARG_TEXT_PP(0))) != 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(actor->ref));
}
