/*-------------------------------------------------------------------------
 *
 * deadline.h
 *		The end of a term.
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
extern TimestampTz deadline_in_market(TimestampTz start, int term, TermUnit unit,
									  const Market *market, bool roll);

#endif							/* RETURNS_DEADLINE_H */
