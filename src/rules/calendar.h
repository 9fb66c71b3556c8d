/*-------------------------------------------------------------------------
 *
 * calendar.h
 *		Terms: which days are working days, which instant ends a term.
 *
 * Pure: a Calendar is built from its exceptions, never reads a table.
 *
 * src/rules/calendar.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CALENDAR_H
#define RETURNS_CALENDAR_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "rules/codes.h"
#include "utils/date.h"

/* An exception to the weekend rule. */
typedef struct CalendarDay
{
	DateADT		day;
	bool		working;
	const char *name;			/* NULL: none */
} CalendarDay;

typedef struct Calendar Calendar;

/* ---- working days (calendar.c) ---- */

/*
 * Build in the current memory context.  weekend: bit i set when ISO weekday i
 * (1 Monday .. 7 Sunday) is off.  Exceptions ascending by day, kept by
 * reference; those outside the range are ignored.
 */
extern Calendar *calendar_build(const char *code, uint8 weekend, DateADT first_day,
								DateADT last_day, const CalendarDay *days, int ndays);

extern const char *calendar_code(const Calendar *calendar);

/* These three raise RT009 for a day outside [first_day, last_day]. */
extern bool calendar_is_working(const Calendar *calendar, DateADT day);

/* The first working day that is not before day. */
extern DateADT calendar_working_from(const Calendar *calendar, DateADT day);

/* The nth working day after day, n >= 1; day itself need not be in the range. */
extern DateADT calendar_nth_working(const Calendar *calendar, DateADT day, int n);

/* The exception of a day, NULL when the weekend rule decides. */
extern const CalendarDay *calendar_exception(const Calendar *calendar, DateADT day);

/* 1 Monday .. 7 Sunday */
extern int	iso_weekday(DateADT day);

/* Easter Sunday of the western churches, for years from 1583 on. */
extern DateADT easter_sunday(int year);

/* ---- terms (deadline.c) ---- */

/* "2 business days" */
extern char *term_text(int term, TermUnit unit);

/* Does such a term ask which days are working days? */
extern bool term_needs_calendar(TermUnit unit, bool roll);

/*
 * The last day of a term in days, months or years that begins with an event
 * on day start; the calendar is asked only where term_needs_calendar() and may
 * be NULL otherwise.  A term of 0 ends with the day of the event.  Errors:
 * RT009 outside [first_day, last_day], 22008 for overflow.
 */
extern DateADT term_last_day(DateADT start, int term, TermUnit unit,
							 const Calendar *calendar, bool roll);

/*
 * The end of a term: an act is in time iff at < the result.  Errors: RT009
 * outside [first_day, last_day], 22008 for an infinite start or overflow,
 * 22023 for a negative term.
 */
extern TimestampTz deadline_compute(TimestampTz start, int term, TermUnit unit,
									pg_tz *zone, const Calendar *calendar, bool roll);

/*
 * When remind units are left of the term in which start + term ends at end:
 * for hours that many before it, otherwise the instant a day begins, of the
 * last remind days, business days, months or years.  0 < remind < term.
 */
extern TimestampTz reminder_compute(TimestampTz start, int term, TermUnit unit, TimestampTz end,
									int remind, pg_tz *zone, const Calendar *calendar);

/* The same by a market's zone and calendar, which is read only where needed. */
struct Market;
extern TimestampTz deadline_in_market(TimestampTz start, int term, TermUnit unit,
									  const struct Market *market, bool roll);

/* How deadline_in_market() comes to its answer, in words. */
extern char *deadline_explain(TimestampTz start, int term, TermUnit unit,
							  const struct Market *market, bool roll);

/* ---- local days (zone.c) ---- */

/* The local day of an instant. */
extern DateADT zone_day(TimestampTz at, pg_tz *zone);

/* Seconds east of Greenwich at an instant. */
extern int	zone_offset(TimestampTz at, pg_tz *zone);

/*
 * The instant a local day begins: from it on, the day before never comes
 * again.  22008 when it is no timestamp.
 */
extern TimestampTz zone_day_begin(DateADT day, pg_tz *zone);

#endif							/* RETURNS_CALENDAR_H */
