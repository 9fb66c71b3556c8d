/*-------------------------------------------------------------------------
 *
 * deadline.h
 *		When a term ends.
 *
 * src/rules/term/deadline.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_DEADLINE_H
#define RETURNS_DEADLINE_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "rules/rules.h"
#include "utils/date.h"

/* "2 business days" */
extern char *term_text(int term, TermUnit unit);

/* Does the end of such a term depend on which days are working days? */
extern bool term_needs_calendar(TermUnit unit, bool roll);

/*
 * The last day of a term in days, months or years after an event on day start;
 * with roll a day off is replaced by the next working day.  The calendar may be
 * NULL when term_needs_calendar() is false.  A term of 0 ends on the day of the
 * event.  Raises RT009 outside the range of the calendar, 22008 for overflow.
 */
extern DateADT term_last_day(DateADT start, int term, TermUnit unit,
							 const Calendar *calendar, bool roll);

/*
 * The end of a term: an act is in time if and only if it comes before.  Raises
 * RT009 outside the range of the calendar, 22008 for an infinite start or
 * overflow, 22023 for a negative term.
 */
extern TimestampTz deadline_compute(TimestampTz start, int term, TermUnit unit,
									pg_tz *zone, const Calendar *calendar, bool roll);

/*
 * When remind units are left of a term from start to end, 0 < remind < term.
 * Hours are counted back from the end.  For the other units it is the instant
 * in which the first of the last remind days, business days, months or years
 * begins.
 */
extern TimestampTz reminder_compute(TimestampTz start, int term, TermUnit unit, TimestampTz end,
									int remind, pg_tz *zone, const Calendar *calendar);

/* deadline_compute() with the zone and the calendar of a market. */
extern TimestampTz deadline_in_market(TimestampTz start, int term, TermUnit unit,
									  const Market *market, bool roll);

#endif							/* RETURNS_DEADLINE_H */
