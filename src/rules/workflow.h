/*-------------------------------------------------------------------------
 *
 * workflow.h
 *		May this actor make this move now, and until when may the next wait?
 *
 * src/rules/workflow.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_WORKFLOW_H
#define RETURNS_WORKFLOW_H

#include "rules/actor.h"

/* What is known of a record when a move of it is judged. */
typedef struct MoveQuestion
{
	Machine		machine;
	int64		id;				/* of the return, or of the refund */
	int64		return_id;		/* what a guard is asked about */
	const State *from;
	const State *to;
	const Actor *actor;
	/* the parties, as text values; NULL: none yet */
	const text *buyer_ref;
	const text *seller_ref;
	const text *carrier;
	const text *provider;
	Resolution	resolution;
	bool		has_note;
	bool		has_tracking;
	bool		has_evidence;
	bool		has_due;		/* due_at is set and something follows it */
	TimestampTz due_at;
	TimestampTz now;
} MoveQuestion;

/* Why not. */
typedef struct Refusal
{
	int			sqlstate;
	const char *column;			/* that the refusal is about */
	char	   *message;
	char	   *detail;
	char	   *hint;
} Refusal;

/*
 * True when the move may be made; else the refusal is filled: RT001 no such
 * edge, or a guard said no; RT002 the actor is not a party or not among the
 * edge's actors; RT003 the stage's deadline has passed; RT008 a requirement is
 * missing.
 */
extern bool move_judge(const MoveQuestion *question, Refusal *refusal);

/* Is the actor a party to it?  Operators and the system always are. */
extern bool actor_is_party(const Actor *actor, const text *buyer_ref, const text *seller_ref,
						   const text *carrier, const text *provider);

/*
 * The stage rule that governs a state for a return of these categories: among
 * several the one that ends first.  NULL: the state has no timer.  Sets when
 * it ends and when to remind (0: never).
 */
extern const StageRule *stage_rule_find(const State *state, const Market *market,
										Resolution resolution, const Category *const *categories,
										int ncategories, TimestampTz start,
										TimestampTz *due_at, TimestampTz *remind_at);

/* 'buyer, seller' */
extern char *actors_describe(int actors);

#endif							/* RETURNS_WORKFLOW_H */
