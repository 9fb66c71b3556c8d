/*-------------------------------------------------------------------------
 *
 * calendar_load.c
 *		Reads a calendar for the rules that the backend keeps in memory.
 *
 * A calendar can be long and many sessions never ask for it, so it is read
 * when first used.  Only the exceptions are read; the days are laid out from
 * them.
 *
 * src/rules/term/calendar_load.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "rules/term/calendar.h"
#include "rules/term/calendar_load.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* The ISO weekdays of an int[], as bits. */
static uint8
weekend_bits(Datum array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	uint8		bits = 0;

	deconstruct_array(DatumGetArrayTypeP(array), INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
		bits |= 1 << DatumGetInt32(elements[i]);
	return bits;
}

/* The exceptions of a calendar by day, in the given memory. */
static CalendarDay *
read_days(Datum code, MemoryContext context, int *ndays)
{
	static KeptPlan plan = {
		"SELECT day, working, name FROM returns.calendar_day"
		" WHERE calendar OPERATOR(pg_catalog.=) $1 ORDER BY day USING OPERATOR(pg_catalog.<)",
		1, {TEXTOID}
	};
	uint64		n = plan_read(&plan, &code, NULL);
	CalendarDay *days = MemoryContextAlloc(context, (n + 1) * sizeof(CalendarDay));

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		name = plan_value(i, 3, &isnull);

		days[i].name = isnull ? NULL :
			MemoryContextStrdup(context, TextDatumGetCString(name));
		days[i].day = DatumGetDateADT(plan_value(i, 1, &isnull));
		days[i].working = DatumGetBool(plan_value(i, 2, &isnull));
	}
	*ndays = (int) n;
	return days;
}

static Calendar *
calendar_load(const char *code)
{
	static KeptPlan plan = {
		"SELECT weekend, first_day, last_day FROM returns.calendar"
		" WHERE code OPERATOR(pg_catalog.=) $1",
		1, {TEXTOID}
	};
	MemoryContext context = CurrentMemoryContext;
	OwnState	own;
	Datum		key;
	bool		isnull;
	uint8		weekend;
	DateADT		first_day,
				last_day;
	CalendarDay *days;
	int			ndays;
	Calendar   *calendar;

	own_begin(&own);
	key = CStringGetTextDatum(code);
	if (plan_read(&plan, &key, NULL) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown calendar \"%s\"", code)));
	weekend = weekend_bits(plan_value(0, 1, &isnull));
	first_day = DatumGetDateADT(plan_value(0, 2, &isnull));
	last_day = DatumGetDateADT(plan_value(0, 3, &isnull));
	days = read_days(key, context, &ndays);
	MemoryContextSwitchTo(context);
	calendar = calendar_build(code, weekend, first_day, last_day, days, ndays);
	own_end(&own);
	return calendar;
}

const Calendar *
market_calendar(const Market *market)
{
	if (market->calendar == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext((void *) market));

		((Market *) market)->calendar = calendar_load(market->calendar_code);
		MemoryContextSwitchTo(old);
	}
	return market->calendar;
}
