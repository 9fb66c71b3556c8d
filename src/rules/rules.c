/*-------------------------------------------------------------------------
 *
 * rules.c
 *		The codes that the rules are written in.
 *
 * src/rules/rules.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "rules/rules.h"

static const struct
{
	const char *name;
	ActorKind	kind;
}			actor_kinds[] =
{
	{"buyer", ACTOR_BUYER},
	{"seller", ACTOR_SELLER},
	{"carrier", ACTOR_CARRIER},
	{"provider", ACTOR_PROVIDER},
	{"operator", ACTOR_OPERATOR},
	{"system", ACTOR_SYSTEM},
};

static const char *const unit_names[] = {"hour", "day", "business_day", "month", "year"};

const char *
actor_kind_name(ActorKind kind)
{
	for (int i = 0; i < lengthof(actor_kinds); i++)
		if (actor_kinds[i].kind == kind)
			return actor_kinds[i].name;
	return "nobody";
}

ActorKind
actor_kind_parse(const char *name)
{
	for (int i = 0; i < lengthof(actor_kinds); i++)
		if (strcmp(actor_kinds[i].name, name) == 0)
			return actor_kinds[i].kind;
	return ACTOR_NONE;
}

const char *
term_unit_name(TermUnit unit)
{
	return unit_names[unit];
}

TermUnit
term_unit_parse(const char *unit)
{
	for (int i = 0; i < lengthof(unit_names); i++)
		if (strcmp(unit, unit_names[i]) == 0)
			return (TermUnit) i;
	ereport(ERROR,
			(errcode(ERRCODE_RT_UNKNOWN_CODE),
			 errmsg("unknown unit \"%s\" of a term", unit),
			 errhint("The units are hour, day, business_day, month and year.")));
}
