/*-------------------------------------------------------------------------
 *
 * calendar.c
 *		Which days are working days.
 *
 * When a calendar is built, it computes for each day how many working days come
 * before it, and a list of the working days in order.  So "the first working day
 * from here" and "the nth working day after this one" take two look-ups each,
 * however many days lie between.
 *
 * src/rules/term/calendar.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "rules/term/calendar.h"
#include "utils/datetime.h"

struct Calendar
{
	const char *code;
	DateADT		first_day;
	DateADT		last_day;
	int32	   *before;			/* by day: working days in [first_day, day) */
	int32		nworking;
	DateADT    *working;		/* the working days, ascending */
	const CalendarDay *exceptions;	/* ascending */
	int			nexceptions;
};

int
iso_weekday(DateADT day)
{
	int			weekday = j2day(day + POSTGRES_EPOCH_JDATE);

	return weekday == 0 ? 7 : weekday;
}

/* By day: is it off?  The caller frees it. */
static bool *
mark_days_off(uint8 weekend, DateADT first_day, int ndays,
			  const CalendarDay *exceptions, int nexceptions)
{
	bool	   *off = palloc(ndays * sizeof(bool));
	int			weekday = iso_weekday(first_day);

	for (int i = 0; i < ndays; i++)
	{
		off[i] = (weekend & (1 << weekday)) != 0;
		weekday = weekday == 7 ? 1 : weekday + 1;
	}
	for (int i = 0; i < nexceptions; i++)
	{
		int64		at = (int64) exceptions[i].day - first_day;

		if (at >= 0 && at < ndays)
			off[at] = !exceptions[i].working;
	}
	return off;
}

Calendar *
calendar_build(const char *code, uint8 weekend, DateADT first_day,
			   DateADT last_day, const CalendarDay *exceptions, int nexceptions)
{
	Calendar   *calendar = palloc(sizeof(Calendar));
	int			length = last_day - first_day + 1;
	bool	   *off = mark_days_off(weekend, first_day, length, exceptions, nexceptions);
	int32		count = 0;

	Assert(first_day <= last_day);
	calendar->code = pstrdup(code);
	calendar->first_day = first_day;
	calendar->last_day = last_day;
	calendar->exceptions = exceptions;
	calendar->nexceptions = nexceptions;
	calendar->before = palloc((length + 1) * sizeof(int32));
	calendar->working = palloc(length * sizeof(DateADT));
	for (int i = 0; i < length; i++)
	{
		calendar->before[i] = count;
		calendar->working[count] = first_day + i;
		count += !off[i];
	}
	calendar->before[length] = count;
	calendar->nworking = count;
	pfree(off);
	return calendar;
}

/* Nothing is known about the days outside, so an answer would be a guess. */
pg_noreturn static void
refuse_beyond(const Calendar *calendar, bool too_early)
{
	char		first[MAXDATELEN + 1];
	char		last[MAXDATELEN + 1];
	int			y,
				m,
				d;

	j2date(calendar->first_day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	snprintf(first, sizeof(first), "%04d-%02d-%02d", y, m, d);
	j2date(calendar->last_day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	snprintf(last, sizeof(last), "%04d-%02d-%02d", y, m, d);
	ereport(ERROR,
			(errcode(ERRCODE_RT_RULE_REFUSED),
			 errmsg("the term leaves calendar \"%s\"", calendar->code),
			 errdetail("The calendar has the days from %s to %s, but the term needs %s days.",
					   first, last, too_early ? "earlier" : "later"),
			 errhint("Insert the holidays of the missing days into returns.calendar_day, then update returns.calendar.%s.",
					 too_early ? "first_day" : "last_day")));
}

/* The number of working days before a day of [first_day, last_day + 1]. */
static inline int32
working_before(const Calendar *calendar, int64 day)
{
	if (unlikely(day < calendar->first_day))
		refuse_beyond(calendar, true);
	if (unlikely(day > (int64) calendar->last_day + 1))
		refuse_beyond(calendar, false);
	return calendar->before[day - calendar->first_day];
}

/* The nth working day, from 0. */
static inline DateADT
working_at(const Calendar *calendar, int64 n)
{
	Assert(n >= 0);
	if (unlikely(n >= calendar->nworking))
		refuse_beyond(calendar, false);
	return calendar->working[n];
}

bool
calendar_is_working(const Calendar *calendar, DateADT day)
{
	return working_before(calendar, (int64) day + 1) > working_before(calendar, day);
}

DateADT
calendar_working_from(const Calendar *calendar, DateADT day)
{
	return working_at(calendar, working_before(calendar, day));
}

DateADT
calendar_nth_working(const Calendar *calendar, DateADT day, int n)
{
	Assert(n >= 1);
	return working_at(calendar, (int64) working_before(calendar, (int64) day + 1) + n - 1);
}

static int
compare_day(const void *key, const void *exception)
{
	DateADT		day = *(const DateADT *) key;
	DateADT		other = ((const CalendarDay *) exception)->day;

	return day < other ? -1 : day > other;
}

const CalendarDay *
calendar_exception(const Calendar *calendar, DateADT day)
{
	return bsearch(&day, calendar->exceptions, calendar->nexceptions, sizeof(CalendarDay),
				   compare_day);
}

/*
 * The date of Easter in the Gregorian calendar, by the method published
 * anonymously in Nature on 20 April 1876 (J. Meeus, Astronomical Algorithms,
 * chapter 8).
 */
DateADT
easter_sunday(int year)
{
	int			golden = year % 19;
	int			century = year / 100;
	int			leap_skips = century / 4;
	int			moon_skips = (century - (century + 8) / 25 + 1) / 3;
	int			epact = (19 * golden + century - leap_skips - moon_skips + 15) % 30;
	int			weekday = (32 + 2 * (century % 4) + 2 * (year % 100 / 4) - epact - year % 100 % 4) % 7;
	int			late = (golden + 11 * epact + 22 * weekday) / 451;
	int			month_day = epact + weekday - 7 * late + 114;

	return date2j(year, month_day / 31, month_day % 31 + 1) - POSTGRES_EPOCH_JDATE;
}
