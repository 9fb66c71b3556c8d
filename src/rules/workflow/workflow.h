/*-------------------------------------------------------------------------
 *
 * workflow.h
 *		May this actor make this move now?
 *
 * src/rules/workflow/workflow.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_WORKFLOW_H
#define RETURNS_WORKFLOW_H

#include "rules/actor/permission.h"

/* The data by which a move of a return or a refund is judged. */
typedef struct MoveQuestion
{
	Machine		machine;
	int64		id;				/* of the return, or of the refund */
	int64		return_id;		/* the argument of a guard */
	const State *from;
	const State *to;
	const Actor *actor;
	Parties		parties;
	Resolution	resolution;
	bool		has_note;
	bool		has_tracking;
	bool		has_evidence;
	bool		has_due;		/* due_at and on_timeout are set */
	TimestampTz due_at;
	TimestampTz now;
} MoveQuestion;

/* Why a move is refused: the fields of the error. */
typedef struct Refusal
{
	int			sqlstate;
	const char *column;
	const char *message;
	const char *detail;
	const char *hint;
} Refusal;

/*
 * True when the move may be made.  Otherwise the refusal is filled in: RT001,
 * there is no such transition, or its guard refuses; RT002, the actor is not a
 * party or not among the actors of the transition; RT003, the deadline of the
 * stage has passed; RT008, a requirement is missing.  Raises RT009 when the
 * transition has a guard that is no function, and whatever the guard raises.
 */
extern bool move_judge(const MoveQuestion *question, Refusal *refusal);

/*
 * The function that a guard names.  InvalidOid: there is none, and *why is a
 * sentence that says so.  Only in a section of as_owner_begin_foreign(), because
 * it is called with the rights of the owner of the tables.
 */
extern Oid	guard_function(const char *guard, const char **why);

#endif							/* RETURNS_WORKFLOW_H */
