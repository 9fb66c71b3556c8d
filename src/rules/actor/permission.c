/*-------------------------------------------------------------------------
 *
 * permission.c
 *		The permissions of actors, for all that is not a move of the workflow.
 *
 * src/rules/actor/permission.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "rules/actor/permission.h"

/* All actors that take part in a return, and in a refund. */
#define ACTORS_OF_RETURN (ACTOR_BUYER | ACTOR_SELLER | ACTOR_CARRIER | ACTORS_OF_PLATFORM)
#define ACTORS_OF_REFUND (ACTOR_PROVIDER | ACTORS_OF_PLATFORM)

static const struct
{
	int			actors;			/* ACTOR_ bits */
	const char *verb;			/* "may not <verb> return 7"; NULL where
								 * refuse_permission() is not used */
}			permissions[] = {
	[MAY_BEGIN] = {ACTOR_BUYER | ACTORS_OF_PLATFORM, "begin a return of"},
	[MAY_CHOOSE_LINES] = {ACTOR_BUYER | ACTOR_OPERATOR, "change the lines of"},
	[MAY_COUNT_GOODS] = {ACTOR_SELLER | ACTOR_OPERATOR, "write the receipt of"},
	[MAY_EDIT] = {ACTORS_OF_RETURN, "edit"},
	[MAY_CARRY] = {ACTOR_CARRIER, NULL},
	[MAY_REPORT] = {ACTORS_OF_REFUND, "report on"},
	[MAY_SETTLE_LOST] = {ACTOR_OPERATOR, NULL},
	[MAY_CLAIM] = {ACTOR_PROVIDER | ACTOR_OPERATOR, "claim"},
	[MAY_CLAIM_ANY] = {ACTOR_OPERATOR, NULL},
	[MAY_GRANT] = {ACTOR_OPERATOR, "grant a refund for"},
	[MAY_RESCHEDULE] = {ACTOR_OPERATOR, NULL},
	[MAY_SEE_ALL] = {ACTORS_OF_PLATFORM, NULL},
	[MAY_SEE_REFUNDS] = {ACTOR_BUYER | ACTOR_SELLER, NULL},
	[MAY_ACT_LATE] = {ACTORS_OF_PLATFORM, NULL},
	[MAY_MOVE_RETURNS] = {ACTORS_OF_RETURN, NULL},
	[MAY_MOVE_REFUNDS] = {ACTORS_OF_REFUND, NULL},
};

StaticAssertDecl(lengthof(permissions) == MAY_COUNT, "a permission has no entry");

static bool
is_ref(const text *party, const text *ref)
{
	return party != NULL &&
		VARSIZE_ANY_EXHDR(party) == VARSIZE_ANY_EXHDR(ref) &&
		memcmp(VARDATA_ANY(party), VARDATA_ANY(ref), VARSIZE_ANY_EXHDR(ref)) == 0;
}

bool
actor_is_party(const Actor *actor, const Parties *parties)
{
	switch (actor->kind)
	{
		case ACTOR_OPERATOR:
		case ACTOR_SYSTEM:
			return true;
		case ACTOR_BUYER:
			return is_ref(parties->buyer_ref, actor->ref_text);
		case ACTOR_SELLER:
			return is_ref(parties->seller_ref, actor->ref_text);
		case ACTOR_CARRIER:
			return is_ref(parties->carrier, actor->ref_text);
		case ACTOR_PROVIDER:
			return is_ref(parties->provider, actor->ref_text);
		case ACTOR_NONE:
			break;
	}
	return false;
}

int
permitted_actors(Permission permission)
{
	Assert(permission < MAY_COUNT);
	return permissions[permission].actors;
}

bool
actor_may(const Actor *actor, Permission permission)
{
	return actor != NULL && (permitted_actors(permission) & actor->kind) != 0;
}

bool
party_may(const Actor *actor, Permission permission, const Parties *parties)
{
	return actor_may(actor, permission) && actor_is_party(actor, parties);
}

void
refuse_permission(const Actor *actor, Permission permission, const char *object,
				  const char *table, const char *column)
{
	int			permitted = permitted_actors(permission) & ACTORS_OF_SESSIONS;
	char	   *who = actor_describe(actor);

	Assert(permissions[permission].verb != NULL);
	ereport(ERROR,
			(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
			 errmsg("%s may not %s %s", who, permissions[permission].verb, object),
			 actor_may(actor, permission) ?
			 errdetail("The %s is not a party to %s.", who, object) :
			 errdetail("These actors may do this: %s.", actors_describe(permitted)),
			 errhint("Set returns.actor to an actor that may do this, for example SET returns.actor = 'operator:ann'."),
			 err_our_column(table, column)));
}
