/*-------------------------------------------------------------------------
 *
 * permission.h
 *		The permissions of actors, for all that is not a move of the workflow.
 *
 * The table returns.transition says which actors make which move.  Any other
 * action of an actor (begin a draft, choose its lines, count the goods, report
 * on a refund) needs a permission.  permission.c has the one table that says
 * which actors have which permission.
 *
 * src/rules/actor/permission.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_PERMISSION_H
#define RETURNS_PERMISSION_H

#include "base/compat.h"
#include "rules/actor/actor.h"

typedef enum Permission
{
	MAY_BEGIN,					/* insert a draft */
	MAY_CHOOSE_LINES,			/* insert, update and delete lines of a draft */
	MAY_COUNT_GOODS,			/* write received, accepted, deduction */
	MAY_EDIT,					/* write note, details, ... without a move */
	MAY_CARRY,					/* become the carrier of a return by a move */
	MAY_REPORT,					/* write provider_ref and failure of a refund */
	MAY_SETTLE_LOST,			/* settle a refund after a lost chargeback */
	MAY_CLAIM,					/* call claim_refunds() */
	MAY_CLAIM_ANY,				/* claim the refunds of every provider */
	MAY_GRANT,					/* call grant_refund() */
	MAY_RESCHEDULE,				/* call reschedule() */
	MAY_SEE_ALL,				/* see the rows of every party */
	MAY_SEE_REFUNDS,			/* see the refunds of its own returns */
	MAY_ACT_LATE,				/* make a move after the deadline of the stage */
	MAY_MOVE_RETURNS,			/* be an actor of moves of a return */
	MAY_MOVE_REFUNDS,			/* be an actor of moves of a refund */
	MAY_COUNT
} Permission;

/* The parties to a return or a refund; NULL: it has no party of this kind. */
typedef struct Parties
{
	const text *buyer_ref;
	const text *seller_ref;
	const text *carrier;
	const text *provider;
} Parties;

/* Is the actor one of the parties?  The platform is a party to everything. */
extern bool actor_is_party(const Actor *actor, const Parties *parties);

/* The kinds of actors that have the permission, as ACTOR_ bits. */
extern int	permitted_actors(Permission permission);

/* Is the actor of such a kind?  False when it is NULL: there is no actor. */
extern bool actor_may(const Actor *actor, Permission permission);

/* Is the actor of such a kind, and one of the parties? */
extern bool party_may(const Actor *actor, Permission permission, const Parties *parties);

/*
 * Raise RT002: the actor does not have the permission, or is no party.  object
 * goes into the message, "return 7"; table (in the schema returns) and column
 * (NULL: none) go into the fields of the error.
 */
pg_noreturn extern void refuse_permission(const Actor *actor, Permission permission,
										  const char *object, const char *table,
										  const char *column);

#endif							/* RETURNS_PERMISSION_H */
