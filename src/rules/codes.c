/*-------------------------------------------------------------------------
 *
 * codes.c
 *		The fixed words of the tables: one table and one parser each.
 *
 * src/rules/codes.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "rules/codes.h"
#include "utils/array.h"
#include "utils/builtins.h"

typedef struct Code
{
	int			value;
	const char *word;
	int			len;
} Code;

typedef struct CodeSet
{
	const char *what;			/* for messages: "resolution" */
	int			n;
	const Code *codes;
} CodeSet;

#define MAX_CODES 16			/* in a set: room for arrays */

#define CODE(value, word) {value, word, sizeof(word) - 1}

/* NAME, a set, and NAME_words, whose number the assertions below compare. */
#define CODE_SET(name, what, ...) \
	static const Code name##_words[] = {__VA_ARGS__}; \
	StaticAssertDecl(lengthof(name##_words) <= MAX_CODES, "raise MAX_CODES"); \
	static const CodeSet name = {what, lengthof(name##_words), name##_words}

CODE_SET(faults, "fault",
		 CODE(FAULT_NONE, "none"),
		 CODE(FAULT_SELLER, "seller"),
		 CODE(FAULT_CARRIER, "carrier"),
		 CODE(FAULT_PLATFORM, "platform"));

CODE_SET(machines, "machine",
		 CODE(MACHINE_RETURN, "return"),
		 CODE(MACHINE_REFUND, "refund"));

CODE_SET(state_kinds, "kind of state",
		 CODE(STATE_INITIAL, "initial"),
		 CODE(STATE_OPEN, "open"),
		 CODE(STATE_FINAL, "final"));

CODE_SET(actor_kinds, "actor",
		 CODE(ACTOR_BUYER, "buyer"),
		 CODE(ACTOR_SELLER, "seller"),
		 CODE(ACTOR_CARRIER, "carrier"),
		 CODE(ACTOR_PROVIDER, "provider"),
		 CODE(ACTOR_OPERATOR, "operator"),
		 CODE(ACTOR_SYSTEM, "system"));

CODE_SET(requirements, "requirement",
		 CODE(REQUIRES_NOTE, "note"),
		 CODE(REQUIRES_TRACKING, "tracking"),
		 CODE(REQUIRES_EVIDENCE, "evidence"));

CODE_SET(resolutions, "resolution",
		 CODE(RESOLUTION_REFUND, "refund"),
		 CODE(RESOLUTION_EXCHANGE, "exchange"));

CODE_SET(term_units, "unit of a term",
		 CODE(UNIT_HOUR, "hour"),
		 CODE(UNIT_DAY, "day"),
		 CODE(UNIT_BUSINESS_DAY, "business_day"),
		 CODE(UNIT_MONTH, "month"),
		 CODE(UNIT_YEAR, "year"));

CODE_SET(window_starts, "start of a window",
		 CODE(WINDOW_FROM_PURCHASED, "purchased"),
		 CODE(WINDOW_FROM_DELIVERED, "delivered"));

CODE_SET(chargebacks, "chargeback",
		 CODE(CHARGEBACK_NONE, "none"),
		 CODE(CHARGEBACK_OPEN, "open"),
		 CODE(CHARGEBACK_WON, "won"),
		 CODE(CHARGEBACK_LOST, "lost"));

/* The roles before this one are of the machine "return", the others of "refund". */
#define FIRST_REFUND_ROLE ROLE_PENDING

CODE_SET(state_roles, "state",
		 CODE(ROLE_REQUESTED, "requested"),
		 CODE(ROLE_APPROVED, "approved"),
		 CODE(ROLE_IN_TRANSIT, "in_transit"),
		 CODE(ROLE_RECEIVED, "received"),
		 CODE(ROLE_REFUND_DUE, "refund_due"),
		 CODE(ROLE_REFUNDED, "refunded"),
		 CODE(ROLE_EXCHANGE_DUE, "exchange_due"),
		 CODE(ROLE_EXCHANGED, "exchanged"),
		 CODE(ROLE_PENDING, "pending"),
		 CODE(ROLE_SENT, "sent"),
		 CODE(ROLE_SETTLED, "settled"),
		 CODE(ROLE_FAILED, "failed"));

CODE_SET(event_kinds, "kind of event",
		 CODE(EVENT_TRANSITION, "transition"),
		 CODE(EVENT_REMINDER, "reminder"),
		 CODE(EVENT_OVERDUE, "overdue"),
		 CODE(EVENT_RECEIPT, "receipt"),
		 CODE(EVENT_REFUND, "refund"),
		 CODE(EVENT_OVERRIDE, "override"));

/* An enum whose values count from 0 ends with its _COUNT or its last value. */
StaticAssertDecl(lengthof(faults_words) == FAULT_COUNT, "a fault has no word");
StaticAssertDecl(lengthof(machines_words) == MACHINE_COUNT, "a machine has no word");
StaticAssertDecl(lengthof(state_kinds_words) == STATE_FINAL + 1, "a kind of state has no word");
StaticAssertDecl(lengthof(resolutions_words) == RESOLUTION_COUNT - FIRST_RESOLUTION,
				 "a resolution has no word");
StaticAssertDecl(lengthof(term_units_words) == UNIT_YEAR + 1, "a unit has no word");
StaticAssertDecl(lengthof(window_starts_words) == WINDOW_FROM_DELIVERED + 1,
				 "a start of a window has no word");
StaticAssertDecl(lengthof(chargebacks_words) == CHARGEBACK_LOST + 1, "a chargeback has no word");
StaticAssertDecl(lengthof(state_roles_words) == ROLE_COUNT - 1, "a state role has no word");
StaticAssertDecl(lengthof(event_kinds_words) == EVENT_COUNT - 1, "a kind of event has no word");

/* Of the sets of bits every bit up to the highest has a word. */
StaticAssertDecl(1 << lengthof(actor_kinds_words) == ALL_ACTORS + 1,
				 "an actor has no word");
StaticAssertDecl(1 << lengthof(requirements_words) == REQUIRES_EVIDENCE << 1,
				 "a requirement has no word");

static const Code *
code_find(const CodeSet *set, const char *word, int len)
{
	for (int i = 0; i < set->n; i++)
		if (set->codes[i].len == len && memcmp(set->codes[i].word, word, len) == 0)
			return &set->codes[i];
	return NULL;
}

static const char *
code_name(const CodeSet *set, int value)
{
	for (int i = 0; i < set->n; i++)
		if (set->codes[i].value == value)
			return set->codes[i].word;
	elog(ERROR, "%s %d has no word", set->what, value);
}

static void
append_word(StringInfo list, const Code *code, const char *separator)
{
	appendStringInfo(list, "%s%s", list->len > 0 ? separator : "", code->word);
}

/* The words of a set of bits that the mask has. */
static char *
code_bits_describe(const CodeSet *set, int mask, const char *separator)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < set->n; i++)
		if (mask & set->codes[i].value)
			append_word(&list, &set->codes[i], separator);
	return list.data;
}

/* The same as text[]. */
static Datum
code_bits_array(const CodeSet *set, int mask)
{
	Datum		elements[MAX_CODES];
	int			n = 0;

	for (int i = 0; i < set->n; i++)
		if (mask & set->codes[i].value)
			elements[n++] = CStringGetTextDatum(set->codes[i].word);
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

pg_noreturn static void
refuse_unknown_code(const CodeSet *set, const char *word, int len)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < set->n; i++)
		append_word(&known, &set->codes[i], ", ");
	ereport(ERROR,
			(errcode(ERRCODE_RT_UNKNOWN_CODE),
			 errmsg("unknown %s \"%.*s\"", set->what, len, word),
			 errdetail("The known words are: %s.", known.data),
			 errhint("Use one of the known words.")));
}

static int
code_parse_bytes(const CodeSet *set, const char *word, int len)
{
	const Code *code = code_find(set, word, len);

	if (unlikely(code == NULL))
		refuse_unknown_code(set, word, len);
	return code->value;
}

static int
code_parse(const CodeSet *set, const char *word)
{
	Assert(word != NULL);
	return code_parse_bytes(set, word, strlen(word));
}

const char *
fault_name(Fault fault)
{
	return code_name(&faults, fault);
}

Fault
fault_parse(const char *word)
{
	return code_parse(&faults, word);
}

const char *
machine_name(Machine machine)
{
	return code_name(&machines, machine);
}

Machine
machine_parse(const char *word)
{
	return code_parse(&machines, word);
}

const char *
state_kind_name(StateKind kind)
{
	return code_name(&state_kinds, kind);
}

StateKind
state_kind_parse(const char *word)
{
	return code_parse(&state_kinds, word);
}

const char *
actor_kind_name(ActorKind kind)
{
	return code_name(&actor_kinds, kind);
}

ActorKind
actor_kind_parse(const char *word)
{
	return code_parse(&actor_kinds, word);
}

ActorKind
actor_kind_find(const char *word, int len)
{
	const Code *code = code_find(&actor_kinds, word, len);

	return code == NULL ? ACTOR_NONE : code->value;
}

Requirement
requirement_parse(const char *word)
{
	return code_parse(&requirements, word);
}

const char *
resolution_name(Resolution resolution)
{
	return code_name(&resolutions, resolution);
}

Resolution
resolution_parse(const char *word)
{
	return code_parse(&resolutions, word);
}

Resolution
resolution_parse_text(const text *word)
{
	return code_parse_bytes(&resolutions, VARDATA_ANY(word), VARSIZE_ANY_EXHDR(word));
}

const char *
term_unit_name(TermUnit unit)
{
	return code_name(&term_units, unit);
}

TermUnit
term_unit_parse(const char *word)
{
	return code_parse(&term_units, word);
}

WindowStart
window_start_parse(const char *word)
{
	return code_parse(&window_starts, word);
}

const char *
chargeback_name(Chargeback chargeback)
{
	return code_name(&chargebacks, chargeback);
}

Chargeback
chargeback_parse(const char *word)
{
	return code_parse(&chargebacks, word);
}

/* The roles of the two machines do not share words, so the word alone finds the role. */
StateRole
state_role_find(Machine machine, const char *word)
{
	const Code *code = code_find(&state_roles, word, strlen(word));

	return code != NULL && state_role_machine(code->value) == machine ?
		code->value : ROLE_NONE;
}

const char *
state_role_name(StateRole role)
{
	return code_name(&state_roles, role);
}

Machine
state_role_machine(StateRole role)
{
	return role >= FIRST_REFUND_ROLE ? MACHINE_REFUND : MACHINE_RETURN;
}

EventKind
event_kind_find(const char *word, int len)
{
	const Code *code = code_find(&event_kinds, word, len);

	return code == NULL ? EVENT_NONE : code->value;
}

const char *
event_kind_name(EventKind kind)
{
	return code_name(&event_kinds, kind);
}

char *
actors_describe(int actors)
{
	return code_bits_describe(&actor_kinds, actors, ", ");
}

char *
requirements_describe(int bits, const char *separator)
{
	return code_bits_describe(&requirements, bits, separator);
}

char *
resolutions_describe(int bits, const char *separator)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < resolutions.n; i++)
		if (bits & (1 << resolutions.codes[i].value))
			append_word(&list, &resolutions.codes[i], separator);
	return list.data;
}

Datum
actors_to_array(int actors)
{
	return code_bits_array(&actor_kinds, actors);
}

Datum
requirements_to_array(int bits)
{
	return code_bits_array(&requirements, bits);
}
