/*-------------------------------------------------------------------------
 *
 * rules.h
 *		What the rules are made of: the codes and the records that hold them.
 *
 * src/rules/rules.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RULES_H
#define RETURNS_RULES_H

#include "datatype/timestamp.h"
#include "pgtime.h"

typedef enum Fault
{
	FAULT_NONE, FAULT_SELLER, FAULT_CARRIER, FAULT_PLATFORM
} Fault;

typedef enum Machine
{
	MACHINE_RETURN, MACHINE_REFUND
} Machine;

typedef enum StateKind
{
	STATE_INITIAL, STATE_OPEN, STATE_FINAL
} StateKind;

/* Actors, as bits of Transition.actors too. */
typedef enum ActorKind
{
	ACTOR_NONE = 0,
	ACTOR_BUYER = 1,
	ACTOR_SELLER = 2,
	ACTOR_CARRIER = 4,
	ACTOR_PROVIDER = 8,
	ACTOR_OPERATOR = 16,
	ACTOR_SYSTEM = 32
} ActorKind;

#define REQUIRES_NOTE		1
#define REQUIRES_TRACKING	2
#define REQUIRES_EVIDENCE	4

typedef enum Resolution
{
	RESOLUTION_ANY, RESOLUTION_REFUND, RESOLUTION_EXCHANGE
} Resolution;

typedef enum TermUnit
{
	UNIT_HOUR,
	UNIT_DAY,
	UNIT_BUSINESS_DAY,
	UNIT_MONTH,
	UNIT_YEAR
} TermUnit;

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

/* The states that the extension itself knows by name, beside the shop's own. */
typedef enum StateRole
{
	ROLE_NONE, ROLE_REQUESTED, ROLE_APPROVED, ROLE_IN_TRANSIT, ROLE_RECEIVED,
	ROLE_REFUND_DUE, ROLE_REFUNDED, ROLE_EXCHANGE_DUE, ROLE_EXCHANGED,
	ROLE_PENDING, ROLE_SENT, ROLE_SETTLED, ROLE_FAILED,
	ROLE_COUNT
} StateRole;

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

extern const char *actor_kind_name(ActorKind kind);
extern ActorKind actor_kind_parse(const char *name);	/* ACTOR_NONE: unknown */

extern const char *term_unit_name(TermUnit unit);

/* 'hour', 'day', 'business_day', 'month', 'year'; anything else: RT010. */
extern TermUnit term_unit_parse(const char *unit);

#endif							/* RETURNS_RULES_H */
