/*-------------------------------------------------------------------------
 *
 * calendar_load.c
 *		The calendar of a market, read when it is first used.
 *
 * A calendar can be long, and many sessions never need it.  So the market of the
 * cache is filled with the other rules, and its calendar when it is asked for.
 *
 * src/rules/term/calendar_load.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/statement.h"
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
	{
		int			weekday = DatumGetInt32(elements[i]);

		Assert(!nulls[i] && weekday >= 1 && weekday <= 7);
		bits |= 1 << weekday;
	}
	return bits;
}

static DateADT
result_date(ResultSet result, uint64 row, int col)
{
	bool		isnull;
	Datum		value = result_value(result, row, col, &isnull);

	Assert(!isnull);
	return DatumGetDateADT(value);
}

/* The exceptions of a calendar, in ascending order of days. */
static CalendarDay *
read_exceptions(Datum code, int *nexceptions)
{
	static Statement select_days = {
		"SELECT day, working, name FROM returns.calendar_day"
		" WHERE calendar" EQ "$1 ORDER BY day USING OPERATOR(pg_catalog.<)",
		1, {TEXTOID}
	};
	ResultSet	rows = statement_read(&select_days, &code, NULL);
	CalendarDay *exceptions = palloc((rows.nrows + 1) * sizeof(CalendarDay));

	for (uint64 i = 0; i < rows.nrows; i++)
	{
		exceptions[i].day = result_date(rows, i, 1);
		exceptions[i].working = result_bool(rows, i, 2);
		exceptions[i].name = result_cstring(rows, i, 3);
	}
	*nexceptions = (int) rows.nrows;
	return exceptions;
}

/* Read a calendar into the current memory context. */
static Calendar *
calendar_load(const char *code)
{
	static Statement select_calendar = {
		"SELECT weekend, first_day, last_day FROM returns.calendar"
		" WHERE code" EQ "$1",
		1, {TEXTOID}
	};
	AsOwner		owner;
	Datum		key = CStringGetTextDatum(code);
	ResultSet	rows;
	bool		isnull;
	CalendarDay *exceptions;
	int			nexceptions;
	Calendar   *calendar;

	as_owner_begin(&owner);
	rows = statement_read(&select_calendar, &key, NULL);
	if (rows.nrows != 1)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown calendar \"%s\"", code),
				 errdetail("No row of returns.calendar has this code."),
				 errhint("Update returns.market.calendar, or insert the calendar.")));
	exceptions = read_exceptions(key, &nexceptions);
	calendar = calendar_build(code, weekend_bits(result_value(rows, 0, 1, &isnull)),
							  result_date(rows, 0, 2), result_date(rows, 0, 3),
							  exceptions, nexceptions);
	as_owner_end(&owner);
	return calendar;
}

const Calendar *
market_calendar(const Market *market)
{
	/* const for the callers: only this look-up fills it */
	if (market->calendar == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext((void *) market));

		((Market *) market)->calendar = calendar_load(market->calendar_code);
		MemoryContextSwitchTo(old);
	}
	return market->calendar;
}
