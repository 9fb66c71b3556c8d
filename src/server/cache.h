/*-------------------------------------------------------------------------
 *
 * cache.h
 *		The rules as the backend keeps them in memory.
 *
 * rules_current() gives the generation in force; pointers into it stay valid
 * until the end of the transaction, also when the rules change meanwhile.
 * Look-ups that take a code raise RT010 for an unknown one unless they say
 * otherwise.
 *
 * src/server/cache.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CACHE_H
#define RETURNS_CACHE_H

#include "nodes/pg_list.h"
#include "pgtime.h"
#include "rules/calendar.h"
#include "rules/codes.h"
#include "utils/hsearch.h"

typedef struct Currency
{
	char		code[4];
	int			minor_units;
	int64		scale;			/* 10 ^ minor_units */
} Currency;

typedef struct Market
{
	const char *code;
	const char *calendar_code;
	pg_tz	   *zone;
	const Currency *currency;
	const Calendar *calendar;	/* NULL until asked for: use market_calendar() */
} Market;

typedef struct Category
{
	const char *code;
	struct Category *parent;	/* NULL at the root */
} Category;

typedef struct Reason
{
	const char *code;
	Fault		fault;
	bool		evidence_required;
} Reason;

struct Transition;
struct StageRule;

typedef struct State
{
	Machine		machine;
	StateRole	role;
	const char *code;
	text	   *code_text;		/* the same, ready to be stored */
	StateKind	kind;
	int			ntransitions;
	struct Transition *transitions; /* that leave it */
	int			nrules;
	struct StageRule *rules;	/* most specific first */
	bool		names_category; /* does any of them? */
} State;

typedef struct Transition
{
	const State *from;
	const State *to;
	int			actors;			/* ACTOR_ bits */
	int			requires;		/* REQUIRES_ bits */
	Resolution	resolution;
	bool		reversal;
	const char *guard;			/* qualified function name or NULL */
} Transition;

typedef struct StageRule
{
	const char *market;			/* NULL: any */
	const char *category;		/* NULL: any */
	Resolution	resolution;
	int			term;
	TermUnit	unit;
	const State *on_timeout;	/* NULL: stays, marked overdue */
	int			remind;			/* 0: none */
	/* the last answer, because a bulk move asks the same again and again */
	TimestampTz memo_start;
	const Market *memo_market;
	TimestampTz memo_due;
	TimestampTz memo_remind;
} StageRule;

typedef struct Rules
{
	int			epoch;
	uint64		system_identifier;
	int			ngrants;
	struct ActorGrant *grants;
	const State *roles[ROLE_COUNT]; /* NULL where the workflow has no such state */
	const State *initial;		/* of the return machine */
} Rules;

typedef struct ActorGrant
{
	NameData	db_role;
	ActorKind	actor;
	const char *ref;			/* NULL: any */
} ActorGrant;

/* Raises RT012 when the tables are missing or of another version. */
extern const Rules *rules_current(void);

/*
 * The same, and it stays the current one until rules_unpin(), whatever changes
 * meanwhile: around the decision on one row.  Nests; an error unpins.
 */
extern const Rules *rules_pin(void);
extern void rules_unpin(void);

/* Counts every reload: a memo made under another number is stale. */
extern uint64 rules_generation(void);

extern const State *state_find(Machine machine, const char *code, int len); /* NULL: unknown */
extern const State *state_get(Machine machine, const char *code);
extern const State *state_of_role(StateRole role);
extern const State *state_nth(Machine machine, int i);	/* from 0; NULL behind the last */
extern const Transition *transition_find(const State *from, const State *to);	/* NULL: none */
extern const Market *market_get(const char *code);
extern const Calendar *market_calendar(const Market *market);
extern const Currency *currency_get(const char *code);
extern const Category *category_get(const char *code);
extern const Reason *reason_get(const char *code);

/* a is b or stands above it in the tree: how many steps; -1: it does not. */
extern int	category_distance(const char *ancestor, const Category *category);

/*
 * Memory for what outlives the statement but not the rules: hand a context to
 * rules_retire() instead of deleting it, and it goes at the end of the
 * transaction, when nobody holds a pointer into it any more.
 */
extern void rules_retire(MemoryContext context);

/* Registered once, at load. */
extern void cache_init(void);

/* Loaders of the parts that are big and lazy; called by cache.c only. */
extern Calendar *calendar_load(const char *code);

#endif							/* RETURNS_CACHE_H */
