/*-------------------------------------------------------------------------
 *
 * permission.h
 *		Who may do what beside the moves of the workflow.
 *
 * The table transition says who makes which move.  Everything else that an
 * actor does to a return or a refund (begin a draft, choose its lines, count
 * the goods, report on a refund) needs a permission, and permission.c has the
 * one table that says which actors have it.
 *
 * src/rules/actor/permission.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_PERMISSION_H
#define RETURNS_PERMISSION_H

#include "rules/actor/actor.h"
#include "base/compat.h"

typedef enum Permission
{
	MAY_BEGIN,					/* insert a draft */
	MAY_CHOOSE_LINES,			/* insert, change and delete lines of a draft */
	MAY_COUNT_GOODS,			/* write received, accepted, deduction */
	MAY_EDIT,					/* write note, details, carrier, ... without a move */
	MAY_REPORT,					/* report on a refund */
	MAY_SETTLE_LOST,			/* report money sent although a chargeback was lost */
	MAY_CLAIM,					/* call claim_refunds() */
	MAY_CLAIM_ANY,				/* claim the refunds of every provider */
	MAY_GRANT,					/* call grant_refund() */
	MAY_RESCHEDULE,				/* call reschedule() */
	MAY_SEE_ALL,				/* see the rows of every party */
	MAY_ACT_LATE,				/* make a move after the deadline of the stage */
	MAY_MOVE_RETURNS,			/* be an actor of transitions of the machine "return" */
	MAY_MOVE_REFUNDS,			/* be an actor of transitions of the machine "refund" */
	MAY_COUNT
} Permission;

/* The parties to a record, as text values; NULL: it has none of that kind. */
typedef struct Parties
{
	const text *buyer_ref;
	const text *seller_ref;
	const text *carrier;
	const text *provider;
} Parties;

/* Is the actor one of the parties?  Operators and the system always are. */
extern bool actor_is_party(const Actor *actor, const Parties *parties);

/* Does the actor's kind have the permission?  NULL: no actor, false. */
extern bool actor_may(const Actor *actor, Permission permission);

/* The kinds that have it, as ACTOR_ bits. */
extern int	permitted_actors(Permission permission);

/* The same, and the actor is one of the parties. */
extern bool party_may(const Actor *actor, Permission permission, const Parties *parties);

/*
 * RT002: the actor lacks the permission, or is no party.  object: for the
 * message, "return 7".  table (in the schema returns) and column (NULL: none)
 * go into the fields of the error.
 */
pg_noreturn extern void refuse_permission(const Actor *actor, Permission permission,
										  const char *object, const char *table,
										  const char *column);

#endif							/* RETURNS_PERMISSION_H */
