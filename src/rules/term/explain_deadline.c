/*-------------------------------------------------------------------------
 *
 * explain_deadline.c
 *		A term in words: every step of the arithmetic, in local dates.
 *
 * Each step is computed by deadline.c, so the text always ends at the
 * deadline.  Dates are written in ISO format and in the zone of the market,
 * whatever the settings of the session are.
 *
 * src/rules/term/explain_deadline.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "rules/cache/cache.h"
#include "rules/term/calendar.h"
#include "rules/term/calendar_load.h"
#include "rules/term/deadline.h"
#include "rules/term/explain_deadline.h"
#include "rules/term/zone.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

static const char *const weekdays[] = {NULL, "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/* Sat 2026-02-07 */
static void
add_day(StringInfo out, DateADT day)
{
	int			y,
				m,
				d;

	j2date(day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	appendStringInfo(out, "%s %04d-%02d-%02d%s", weekdays[iso_weekday(day)],
					 y > 0 ? y : 1 - y, m, d, y > 0 ? "" : " BC");
}

/* Sat 2026-02-07 23:59:59.5+05 */
static void
add_instant(StringInfo out, TimestampTz at, pg_tz *zone)
{
	int			offset = zone_offset(at, zone);
	int			minutes = abs(offset) / SECS_PER_MINUTE;
	DateADT		day = zone_day(at, zone);
	int64		time = at + offset * USECS_PER_SEC - day * USECS_PER_DAY;
	int			fraction = time % USECS_PER_SEC;
	int			digits = 6;

	time /= USECS_PER_SEC;
	add_day(out, day);
	appendStringInfo(out, " %02d:%02d:%02d", (int) (time / SECS_PER_HOUR),
					 (int) (time / SECS_PER_MINUTE % MINS_PER_HOUR),
					 (int) (time % SECS_PER_MINUTE));
	if (fraction != 0)
	{
		for (; fraction % 10 == 0; fraction /= 10)
			digits--;
		appendStringInfo(out, ".%0*d", digits, fraction);
	}
	appendStringInfo(out, "%c%02d", offset < 0 ? '-' : '+', minutes / MINS_PER_HOUR);
	if (minutes % MINS_PER_HOUR != 0)
		appendStringInfo(out, ":%02d", minutes % MINS_PER_HOUR);
}

/* Why a day is off. */
static void
add_off(StringInfo out, const Calendar *calendar, DateADT day)
{
	const CalendarDay *exception = calendar_exception(calendar, day);

	add_day(out, day);
	appendStringInfoString(out, " is off");
	if (exception == NULL)
		appendStringInfoString(out, ": weekend");
	else if (exception->name != NULL)
		appendStringInfo(out, ": %s", exception->name);
	appendStringInfoChar(out, '\n');
}

/* The name of an exception that makes a day a working day. */
static void
add_working_exception(StringInfo out, const Calendar *calendar, DateADT day)
{
	const CalendarDay *exception = calendar_exception(calendar, day);

	if (exception != NULL && exception->name != NULL)
		appendStringInfo(out, " (%s)", exception->name);
}

/* The days off from the day on which a term would end; to is a working day. */
static void
add_rolling(StringInfo out, const Calendar *calendar, DateADT from, DateADT to)
{
	for (DateADT day = from; day < to; day++)
		add_off(out, calendar, day);
	if (from < to)
	{
		add_day(out, to);
		appendStringInfoString(out, " is the next working day");
		add_working_exception(out, calendar, to);
		appendStringInfoChar(out, '\n');
	}
}

/* A run of working days, the last of which is business day n of the term. */
static void
add_counted(StringInfo out, const Calendar *calendar, DateADT first, DateADT last, int n)
{
	int			length = last - first + 1;

	add_day(out, first);
	if (length > 1)
	{
		appendStringInfoString(out, " to ");
		add_day(out, last);
		appendStringInfo(out, ": business days %d to %d\n", n - length + 1, n);
		return;
	}
	appendStringInfo(out, ": business day %d", n);
	add_working_exception(out, calendar, first);
	appendStringInfoChar(out, '\n');
}

static void
add_business_days(StringInfo out, const Calendar *calendar, DateADT start, DateADT last)
{
	DateADT		day = start + 1;
	int			n = 0;

	while (day <= last)
	{
		DateADT		first = day;

		CHECK_FOR_INTERRUPTS();
		if (!calendar_is_working(calendar, day))
		{
			add_off(out, calendar, day++);
			continue;
		}
		/* a line for a run of ordinary days, and one for each exception */
		do
			day++;
		while (day <= last && calendar_is_working(calendar, day) &&
			   calendar_exception(calendar, first) == NULL &&
			   calendar_exception(calendar, day) == NULL);
		n += day - first;
		add_counted(out, calendar, first, day - 1, n);
	}
}

static void
add_days(StringInfo out, DateADT start, int term, TermUnit unit,
		 const Calendar *calendar, bool roll)
{
	DateADT		raw,			/* before the term is moved to a working day */
				last;

	if (unit == UNIT_BUSINESS_DAY && term > 0)
	{
		add_business_days(out, calendar, start,
						  term_last_day(start, term, unit, calendar, roll));
		return;
	}
	raw = unit == UNIT_BUSINESS_DAY ? start :
		term_last_day(start, term, unit, NULL, false);
	appendStringInfoString(out, term_text(term, unit));
	appendStringInfoString(out, " after it: ");
	add_day(out, raw);
	last = calendar == NULL ? raw : term_last_day(start, term, unit, calendar, roll);
	if (calendar != NULL && last == raw)
		add_working_exception(out, calendar, raw);
	appendStringInfoChar(out, '\n');
	add_rolling(out, calendar, raw, last);
}

char *
deadline_explain(TimestampTz start, int term, TermUnit unit,
				 const Market *market, bool roll)
{
	/* first, because it checks the arguments */
	TimestampTz deadline = deadline_in_market(start, term, unit, market, roll);
	const Calendar *calendar = term_needs_calendar(unit, roll) ? market_calendar(market) : NULL;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "event: ");
	add_instant(&out, start, market->zone);
	appendStringInfo(&out, " (%s)", pg_get_timezone_name(market->zone));
	if (unit == UNIT_HOUR)
	{
		appendStringInfoString(&out, "\n");
		appendStringInfoString(&out, term_text(term, unit));
		appendStringInfoString(&out, " after it, to the second: hours are never moved\n");
	}
	else
	{
		appendStringInfoString(&out, "; its day is not counted\n");
		add_days(&out, zone_day(start, market->zone), term, unit, calendar, roll);
	}
	appendStringInfoString(&out, "in time before: ");
	add_instant(&out, deadline, market->zone);
	return out.data;
}

PG_FUNCTION_INFO_V1(returns_explain_deadline);

/* explain_deadline(start timestamptz, term int, unit text, market text, roll boolean) */
Datum
returns_explain_deadline(PG_FUNCTION_ARGS)
{
	TimestampTz start = PG_GETARG_TIMESTAMPTZ(0);
	int			term = PG_GETARG_INT32(1);
	TermUnit	unit = term_unit_parse(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	const Market *market = market_get(text_to_cstring(PG_GETARG_TEXT_PP(3)));
	bool		roll = PG_GETARG_BOOL(4);

	PG_RETURN_TEXT_P(cstring_to_text(deadline_explain(start, term, unit, market, roll)));
}
