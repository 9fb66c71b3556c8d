/*-------------------------------------------------------------------------
 *
 * rules.h
 *		The rules as records in memory: markets, states, transitions, timers.
 *
 * src/rules/rules.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RULES_H
#define RETURNS_RULES_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "rules/codes.h"

typedef struct Calendar Calendar;

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
	const Calendar *calendar;	/* NULL until first used: see
								 * market_calendar() */
} Market;

typedef struct Category
{
	const char *code;
	const struct Category *parent;	/* NULL at the root */
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
	bool		names_category; /* one of the rules has a category */
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
	/* the last result, because a bulk move repeats the same question */
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
	const State *roles[ROLE_COUNT]; /* NULL where the workflow has no such
									 * state */
	const State *initial;		/* of the return machine */
} Rules;

typedef struct ActorGrant
{
	NameData	db_role;
	ActorKind	actor;
	const char *ref;			/* NULL: any */
} ActorGrant;

#endif							/* RETURNS_RULES_H */
