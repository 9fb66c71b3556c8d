/*-------------------------------------------------------------------------
 *
 * actor.h
 *		Who acts: the session's actor and whether its role may be it.
 *
 * src/rules/workflow/actor.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ACTOR_H
#define RETURNS_ACTOR_H

#include "rules/rules.h"

typedef struct Actor
{
	ActorKind	kind;
	const char *ref;			/* NULL for system */
	text	   *kind_text;		/* ready to be stored */
	text	   *ref_text;
	NameData	db_role;		/* the role it acted through */
} Actor;

/*
 * The actor of this statement.  RT002 when none is set or the current role
 * has no matching grant.
 */
extern const Actor *actor_current(void);

/* The same, but NULL instead of an error. */
extern const Actor *actor_if_any(void);

/* The extension itself, whoever the session is. */
extern const Actor *actor_as_system(void);

/* Be the extension itself until actor_restore(); use with PG_TRY/PG_FINALLY. */
extern bool actor_become_system(void);
extern void actor_restore(bool previous);

extern char *setting_actor;		/* returns.actor: 'kind:ref', '' when unset */

/* Defines the setting. */
extern void actor_init(void);

#endif							/* RETURNS_ACTOR_H */
