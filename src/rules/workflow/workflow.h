/*-------------------------------------------------------------------------
 *
 * workflow.h
 *		May this actor make this move now, and until when may the next wait?
 *
 * src/rules/workflow/workflow.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_WORKFLOW_H
#define RETURNS_WORKFLOW_H

#include "rules/workflow/actor.h"

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

/*
 * What the term of a state is counted from when a timer that ended at due_at
 * brings a return there at now, perhaps much later because nothing swept
 * meanwhile.  Where a buyer, a seller or a carrier can act, from now: nobody
 * gets less than the term from when he could know and act.  Where the return
 * waits for the platform only, from due_at: its outage costs nobody time.
 */
extern TimestampTz timeout_term_start(const State *to, TimestampTz due_at, TimestampTz now);

/*
 * The rule for one category; NULL stands for a market or a category that no
 * rule names.  NULL: none.
 */
extern StageRule *stage_rule_of_category(const State *state, const Market *market,
										 Resolution resolution, const Category *category);

/* What a rule is for: "market kz, category phones, resolution refund"; "": all. */
extern char *stage_rule_scope(const StageRule *rule);

/*
 * The function that a guard names, to be asked as the owner of the tables.
 * InvalidOid: there is none, and why says so in a sentence.
 */
extern Oid	guard_function(const char *guard, const char **why);

/* 'return' or 'refund' */
extern const char *machine_name(Machine machine);

/* 'buyer, seller' */
extern char *actors_describe(int actors);

#endif							/* RETURNS_WORKFLOW_H */
