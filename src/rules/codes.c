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

#define CODE(value, word) {value, word, sizeof(word) - 1}

typedef struct CodeSet
{
	const char *what;			/* for messages: "resolution" */
	int			n;
	const Code *codes;
} CodeSet;

#define MAX_CODES 16			/* in a set: room for arrays */

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

/* Two machines may use one word: the roles of a refund come last. */
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

StaticAssertDecl(lengthof(faults_words) == FAULT_COUNT, "a fault has no word");
StaticAssertDecl(lengthof(machines_words) == MACHINE_COUNT, "a machine has no word");
StaticAssertDecl(lengthof(resolutions_words) == RESOLUTION_COUNT - FIRST_RESOLUTION,
				 "a resolution has no word");
StaticAssertDecl(lengthof(state_roles_words) == ROLE_COUNT - 1, "a state role has no word");
StaticAssertDecl(lengthof(event_kinds_words) == EVENT_COUNT - 1, "a kind of event has no word");

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
	elog(ERROR, "no word for %s %d", set->what, value);
}

/* What a bit mask means: the values themselves, or their places. */
typedef enum MaskOf
{
	MASK_ALL, MASK_OF_VALUES, MASK_OF_PLACES
} MaskOf;

/* The words of the values that the mask has. */
static char *
code_list(const CodeSet *set, MaskOf kind, int mask, const char *separator)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < set->n; i++)
	{
		int			bit = kind == MASK_OF_PLACES ? 1 << set->codes[i].value : set->codes[i].value;

		if (kind == MASK_ALL || (mask & bit) != 0)
			appendStringInfo(&list, "%s%s", list.len > 0 ? separator : "", set->codes[i].word);
	}
	return list.data;
}

static Datum
code_array(const CodeSet *set, int mask)
{
	Datum		elements[MAX_CODES];
	int			n = 0;

	for (int i = 0; i < set->n; i++)
		if (mask & set->codes[i].value)
			elements[n++] = CStringGetTextDatum(set->codes[i].word);
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

pg_noreturn static void
refuse_unknown(const CodeSet *set, const char *word, int len)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_UNKNOWN_CODE),
			 errmsg("unknown %s \"%.*s\"", set->what, len, word),
			 errdetail("The known words are: %s.", code_list(set, MASK_ALL, 0, ", ")),
			 errhint("Use one of the known words.")));
}

static int
code_parse_bytes(const CodeSet *set, const char *word, int len)
{
	const Code *code = code_find(set, word, len);

	if (unlikely(code == NULL))
		refuse_unknown(set, word, len);
	return code->value;
}

static int
code_parse(const CodeSet *set, const char *word)
{
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

const char *
requirement_name(Requirement requirement)
{
	return code_name(&requirements, requirement);
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

const char *
window_start_name(WindowStart start)
{
	return code_name(&window_starts, start);
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
	return code_list(&actor_kinds, MASK_OF_VALUES, actors, ", ");
}

char *
requirements_describe(int bits, const char *separator)
{
	return code_list(&requirements, MASK_OF_VALUES, bits, separator);
}

char *
resolutions_describe(int bits, const char *separator)
{
	return code_list(&resolutions, MASK_OF_PLACES, bits, separator);
}

Datum
actors_to_array(int actors)
{
	return code_array(&actor_kinds, actors);
}

Datum
requirements_to_array(int bits)
{
	return code_array(&requirements, bits);
}
