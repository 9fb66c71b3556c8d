/*-------------------------------------------------------------------------
 *
 * codes.h
 *		The fixed words of the tables: one table and one parser each.
 *
 * A code is a word that has a meaning in the C code: an actor, a resolution, a
 * fault.  Each set of codes has its words in codes.c and nowhere else.  The
 * *_parse() functions raise RT010 for a word that the set does not have: an
 * unknown word is never treated as a known one.  The names of states, reasons,
 * categories and the like are data of the shop; cache.h looks them up.
 *
 * src/rules/codes.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CODES_H
#define RETURNS_CODES_H

typedef enum Fault
{
	FAULT_NONE, FAULT_SELLER, FAULT_CARRIER, FAULT_PLATFORM,
	FAULT_COUNT
} Fault;

typedef enum Machine
{
	MACHINE_RETURN, MACHINE_REFUND,
	MACHINE_COUNT
} Machine;

typedef enum StateKind
{
	STATE_INITIAL, STATE_OPEN, STATE_FINAL
} StateKind;

/* Bits, because Transition.actors holds several. */
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

/* Every actor that a session can set: all but the system. */
#define ACTORS_OF_SESSIONS \
	(ACTOR_BUYER | ACTOR_SELLER | ACTOR_CARRIER | ACTOR_PROVIDER | ACTOR_OPERATOR)

/* Every actor. */
#define ALL_ACTORS (ACTORS_OF_SESSIONS | ACTOR_SYSTEM)

/* The platform and its extension: all actors but the parties to a return. */
#define ACTORS_OF_PLATFORM (ACTOR_OPERATOR | ACTOR_SYSTEM)

/* Bits, because Transition.requires holds several. */
typedef enum Requirement
{
	REQUIRES_NOTE = 1,
	REQUIRES_TRACKING = 2,
	REQUIRES_EVIDENCE = 4
} Requirement;

/* RESOLUTION_ANY stands for NULL in a rule; the others are codes. */
typedef enum Resolution
{
	RESOLUTION_ANY, RESOLUTION_REFUND, RESOLUTION_EXCHANGE,
	RESOLUTION_COUNT
} Resolution;

#define FIRST_RESOLUTION RESOLUTION_REFUND	/* for loops up to
											 * RESOLUTION_COUNT */

typedef enum TermUnit
{
	UNIT_HOUR, UNIT_DAY, UNIT_BUSINESS_DAY, UNIT_MONTH, UNIT_YEAR
} TermUnit;

/* The event that starts a window; policy_floor.c relies on the order of the events. */
typedef enum WindowStart
{
	WINDOW_FROM_PURCHASED, WINDOW_FROM_DELIVERED
} WindowStart;

/* The outcome of the buyer's complaint at the bank about a payment. */
typedef enum Chargeback
{
	CHARGEBACK_NONE, CHARGEBACK_OPEN, CHARGEBACK_WON, CHARGEBACK_LOST
} Chargeback;

/* The states with a meaning in the C code; a shop may have more (ROLE_NONE). */
typedef enum StateRole
{
	ROLE_NONE, ROLE_REQUESTED, ROLE_APPROVED, ROLE_IN_TRANSIT, ROLE_RECEIVED,
	ROLE_REFUND_DUE, ROLE_REFUNDED, ROLE_EXCHANGE_DUE, ROLE_EXCHANGED,
	ROLE_PENDING, ROLE_SENT, ROLE_SETTLED, ROLE_FAILED,
	ROLE_COUNT
} StateRole;

/* The kinds of events in the history of a return. */
typedef enum EventKind
{
	EVENT_NONE, EVENT_TRANSITION, EVENT_REMINDER, EVENT_OVERDUE, EVENT_RECEIPT,
	EVENT_REFUND, EVENT_OVERRIDE,
	EVENT_COUNT
} EventKind;

/*
 * The word of a value, and the value of a word.  The parsers raise RT010 with
 * the known words in the DETAIL; the word must not be NULL.
 */
extern const char *fault_name(Fault fault);
extern Fault fault_parse(const char *word);

extern const char *machine_name(Machine machine);
extern Machine machine_parse(const char *word);

extern const char *state_kind_name(StateKind kind);
extern StateKind state_kind_parse(const char *word);

extern const char *actor_kind_name(ActorKind kind);
extern ActorKind actor_kind_parse(const char *word);

/* The same without an error: ACTOR_NONE when the word of len bytes is no actor. */
extern ActorKind actor_kind_find(const char *word, int len);

extern Requirement requirement_parse(const char *word);

extern const char *resolution_name(Resolution resolution);
extern Resolution resolution_parse(const char *word);
extern Resolution resolution_parse_text(const text *word);	/* not toasted */

extern const char *term_unit_name(TermUnit unit);
extern TermUnit term_unit_parse(const char *word);

extern WindowStart window_start_parse(const char *word);

extern const char *chargeback_name(Chargeback chargeback);
extern Chargeback chargeback_parse(const char *word);

/* ROLE_NONE when the state has no meaning in the C code. */
extern StateRole state_role_find(Machine machine, const char *word);
extern const char *state_role_name(StateRole role);
extern Machine state_role_machine(StateRole role);

/* EVENT_NONE: the first len bytes are no kind; the audit reports it. */
extern EventKind event_kind_find(const char *word, int len);
extern const char *event_kind_name(EventKind kind);

/* The words of several bits: "buyer, seller". */
extern char *actors_describe(int actors);
extern char *requirements_describe(int requirements, const char *separator);

/* The words of the resolutions whose bit, 1 << resolution, is set. */
extern char *resolutions_describe(int resolutions, const char *separator);

/* The words of several bits as text[]. */
extern Datum actors_to_array(int actors);
extern Datum requirements_to_array(int requirements);

#endif							/* RETURNS_CODES_H */
