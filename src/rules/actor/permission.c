/*-------------------------------------------------------------------------
 *
 * permission.c
 *		Who may do what beside the moves of the workflow.
 *
 * src/rules/actor/permission.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "rules/actor/permission.h"

static const struct
{
	int			actors;			/* ACTOR_ bits */
	const char *verb;			/* "may not <verb> return 7"; NULL: never refused here */
}			permissions[] = {
	[MAY_BEGIN] = {ACTOR_BUYER | ACTOR_OPERATOR | ACTOR_SYSTEM, "begin a return of"},
	[MAY_CHOOSE_LINES] = {ACTOR_BUYER | ACTOR_OPERATOR, "change the lines of"},
	[MAY_COUNT_GOODS] = {ACTOR_SELLER | ACTOR_OPERATOR, "write what was received of"},
	[MAY_EDIT] = {ACTORS_OF_SESSIONS | ACTOR_SYSTEM, "edit"},
	[MAY_REPORT] = {ACTOR_PROVIDER | ACTOR_OPERATOR | ACTOR_SYSTEM, "report on"},
	[MAY_SETTLE_LOST] = {ACTOR_OPERATOR, NULL},
	[MAY_CLAIM] = {ACTOR_PROVIDER | ACTOR_OPERATOR, "claim"},
	[MAY_CLAIM_ANY] = {ACTOR_OPERATOR, NULL},
	[MAY_GRANT] = {ACTOR_OPERATOR, "grant a refund for"},
	[MAY_RESCHEDULE] = {ACTOR_OPERATOR, NULL},
	[MAY_SEE_ALL] = {ACTOR_OPERATOR | ACTOR_SYSTEM, NULL},
	[MAY_ACT_LATE] = {ACTOR_OPERATOR | ACTOR_SYSTEM, NULL},
	[MAY_MOVE_RETURNS] = {ACTOR_BUYER | ACTOR_SELLER | ACTOR_CARRIER | ACTOR_OPERATOR |
	ACTOR_SYSTEM, NULL},
	[MAY_MOVE_REFUNDS] = {ACTOR_PROVIDER | ACTOR_OPERATOR | ACTOR_SYSTEM, NULL},
};

StaticAssertDecl(lengthof(permissions) == MAY_COUNT, "a permission has no entry");

static bool
text_is(const text *value, const text *wanted)
{
	return value != NULL &&
		VARSIZE_ANY_EXHDR(value) == VARSIZE_ANY_EXHDR(wanted) &&
		memcmp(VARDATA_ANY(value), VARDATA_ANY(wanted), VARSIZE_ANY_EXHDR(wanted)) == 0;
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
			return text_is(parties->buyer_ref, actor->ref_text);
		case ACTOR_SELLER:
			return text_is(parties->seller_ref, actor->ref_text);
		case ACTOR_CARRIER:
			return text_is(parties->carrier, actor->ref_text);
		case ACTOR_PROVIDER:
			return text_is(parties->provider, actor->ref_text);
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
	int			others = permitted_actors(permission) & ACTORS_OF_SESSIONS;

	Assert(permissions[permission].verb != NULL);
	ereport(ERROR,
			(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
			 errmsg("%s may not %s %s", actor_describe(actor), permissions[permission].verb, object),
			 actor_may(actor, permission) ?
			 errdetail("The actor is not a party to it.") :
			 errdetail("These actors may do this: %s.", actors_describe(others)),
			 errhint("Set returns.actor to a party that may do this, for example SET returns.actor = 'operator:ann'."),
			 err_our_column(table, column)));
}
