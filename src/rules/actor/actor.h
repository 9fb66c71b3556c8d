/*-------------------------------------------------------------------------
 *
 * actor.h
 *		The actor that the session has set, if its role has a grant for it.
 *
 * src/rules/actor/actor.h
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
	text	   *kind_text;		/* kind and ref as values to be stored */
	text	   *ref_text;
	NameData	db_role;		/* the role of the session */
} Actor;

/*
 * The actor of this statement.  Raises RT002 when none is set, and when the
 * current role has no grant for it.  The result is valid until the next call.
 */
extern const Actor *actor_current(void);

/* The same, but NULL instead of an error. */
extern const Actor *actor_if_any(void);

/* The system: the extension itself. */
extern const Actor *actor_as_system(void);

/*
 * From now until actor_restore() the actor is the system.  actor_restore() must
 * be called in PG_FINALLY(), with what actor_become_system() returned.
 */
extern bool actor_become_system(void);
extern void actor_restore(bool previous);

/* For messages: seller "acme", or the system. */
extern char *actor_describe(const Actor *actor);

/* Define the setting; called once, when the library is loaded. */
extern void actor_init(void);

#endif							/* RETURNS_ACTOR_H */
