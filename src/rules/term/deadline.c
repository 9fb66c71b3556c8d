/*-------------------------------------------------------------------------
 *
 * deadline.c
 *		When a term ends.
 *
 * The rules are those of Regulation (EEC, Euratom) No 1182/71, article 3, and of
 * the Civil Code of Russia, articles 191 to 194, except for terms in hours:
 *
 * - The day of the event is not counted.
 * - A term in months or years ends on the day of the same number, or on the last
 *   day of a month that has no such day.
 * - A term that ends on a day off ends on the next working day instead.
 * - An act is in time until the last local day of the market is over, so the
 *   deadline is the instant in which the next day begins.
 * - Hours are counted from the event itself, and their end is never moved.
 *
 * src/rules/term/deadline.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "common/int.h"
#include "fmgr.h"
#include "rules/cache/cache.h"
#include "rules/term/calendar.h"
#include "rules/term/calendar_load.h"
#include "rules/term/deadline.h"
#include "rules/term/zone.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

char *
term_text(int term, TermUnit unit)
{
	return psprintf("%d %s%s", term,
					unit == UNIT_BUSINESS_DAY ? "business day" : term_unit_name(unit),
					term == 1 ? "" : "s");
}

bool
term_needs_calendar(TermUnit unit, bool roll)
{
	return unit == UNIT_BUSINESS_DAY || (roll && unit != UNIT_HOUR);
}

pg_noreturn static void
refuse_overflow(int term, TermUnit unit)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("the end of the term is out of range"),
			 errdetail("The term is %d of unit %s.", term, term_unit_name(unit))));
}

/*
 * The day of the same number some months later, or the last day of that month.
 * Add all months in one step: 31 January + 2 months is 31 March, not 28.
 */
static DateADT
add_months(DateADT day, int64 nmonths)
{
	int			y,
				m,
				d;
	int64		year;

	j2date(day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	nmonths += (int64) y * MONTHS_PER_YEAR + m - 1;
	year = nmonths / MONTHS_PER_YEAR;
	m = nmonths % MONTHS_PER_YEAR + 1;
	if (m < 1)					/* before the year 0 */
	{
		m += MONTHS_PER_YEAR;
		year--;
	}
	if (year > JULIAN_MAXYEAR)
		return DATEVAL_NOEND;
	d = Min(d, day_tab[isleap(year)][m - 1]);
	return date2j(year, m, d) - POSTGRES_EPOCH_JDATE;
}

DateADT
term_last_day(DateADT start, int term, TermUnit unit, const Calendar *calendar, bool roll)
{
	DateADT		last = DATEVAL_NOEND;

	Assert(term >= 0);
	Assert(calendar != NULL || !term_needs_calendar(unit, roll));
	switch (unit)
	{
		case UNIT_DAY:
			if (pg_add_s32_overflow(start, term, &last))
				last = DATEVAL_NOEND;
			break;
		case UNIT_MONTH:
			last = add_months(start, term);
			break;
		case UNIT_YEAR:
			last = add_months(start, (int64) term * MONTHS_PER_YEAR);
			break;
		case UNIT_BUSINESS_DAY:
			return term == 0 ? calendar_working_from(calendar, start) :
				calendar_nth_working(calendar, start, term);
		case UNIT_HOUR:
			elog(ERROR, "a term in hours has no last day");
	}
	if (last >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		refuse_overflow(term, unit);
	return roll ? calendar_working_from(calendar, last) : last;
}

TimestampTz
deadline_compute(TimestampTz start, int term, TermUnit unit, pg_tz *zone,
				 const Calendar *calendar, bool roll)
{
	TimestampTz result;

	if (TIMESTAMP_NOT_FINITE(start))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("a term cannot start at an infinite instant"),
				 errhint("Pass NULL for an event that has not happened.")));
	if (term < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a term cannot be negative"),
				 errdetail("The term is %d of unit %s.", term, term_unit_name(unit)),
				 errhint("Pass 0 for a term that ends with the day of the event.")));
	if (unit == UNIT_HOUR)
	{
		if (pg_add_s64_overflow(start, term * USECS_PER_HOUR, &result) ||
			!IS_VALID_TIMESTAMP(result))
			refuse_overflow(term, unit);
		return result;
	}
	return zone_day_begin(term_last_day(zone_day(start, zone), term, unit, calendar, roll) + 1,
						  zone);
}

TimestampTz
reminder_compute(TimestampTz start, int term, TermUnit unit, TimestampTz end, int remind,
				 pg_tz *zone, const Calendar *calendar)
{
	DateADT		day = 0;

	Assert(remind > 0 && remind < term);
	switch (unit)
	{
		case UNIT_HOUR:
			return end - remind * USECS_PER_HOUR;
		case UNIT_DAY:
			day = zone_day(end, zone) - remind;
			break;
		case UNIT_BUSINESS_DAY:
			day = calendar_nth_working(calendar, zone_day(start, zone), term - remind + 1);
			break;
		case UNIT_MONTH:
			day = add_months(zone_day(end, zone), -remind);
			break;
		case UNIT_YEAR:
			day = add_months(zone_day(end, zone), -(int64) remind * MONTHS_PER_YEAR);
			break;
	}
	return zone_day_begin(day, zone);
}

TimestampTz
deadline_in_market(TimestampTz start, int term, TermUnit unit,
				   const Market *market, bool roll)
{
	return deadline_compute(start, term, unit, market->zone,
							term_needs_calendar(unit, roll) ? market_calendar(market) : NULL,
							roll);
}

PG_FUNCTION_INFO_V1(returns_deadline);

/* deadline(start timestamptz, term int, unit text, market text, roll boolean) */
Datum
returns_deadline(PG_FUNCTION_ARGS)
{
	TimestampTz start = PG_GETARG_TIMESTAMPTZ(0);
	int			term = PG_GETARG_INT32(1);
	TermUnit	unit = term_unit_parse(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	const Market *market = market_get(text_to_cstring(PG_GETARG_TEXT_PP(3)));
	bool		roll = PG_GETARG_BOOL(4);

	PG_RETURN_TIMESTAMPTZ(deadline_in_market(start, term, unit, market, roll));
}

PG_FUNCTION_INFO_V1(returns_easter);

/* easter(year int) returns date */
Datum
returns_easter(PG_FUNCTION_ARGS)
{
	int			year = PG_GETARG_INT32(0);

	/* the Gregorian calendar begins in 1582; years have 4 digits */
	if (year < 1583 || year > 9999)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("Easter is computed for the years 1583 to 9999 only"),
				 errdetail("The year is %d.", year)));
	PG_RETURN_DATEADT(easter_sunday(year));
}
