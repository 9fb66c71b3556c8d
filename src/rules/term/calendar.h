/*-------------------------------------------------------------------------
 *
 * calendar.h
 *		Which days are working days.
 *
 * A Calendar is built from its exceptions and never reads a table.
 *
 * src/rules/term/calendar.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CALENDAR_H
#define RETURNS_CALENDAR_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "rules/rules.h"
#include "utils/date.h"

/* An exception to the weekend rule. */
typedef struct CalendarDay
{
	DateADT		day;
	bool		working;
	const char *name;			/* NULL: none */
} CalendarDay;

/*
 * Build a calendar in the current memory context.  Bit i of weekend is set when
 * ISO weekday i (1 Monday .. 7 Sunday) is off.  The exceptions are in ascending
 * order of days and must live as long as the calendar; those outside the range
 * are ignored.
 */
extern Calendar *calendar_build(const char *code, uint8 weekend, DateADT first_day,
								DateADT last_day, const CalendarDay *exceptions,
								int nexceptions);

/* These three raise RT009 for a day outside [first_day, last_day]. */
extern bool calendar_is_working(const Calendar *calendar, DateADT day);

/* The first working day that is not before day. */
extern DateADT calendar_working_from(const Calendar *calendar, DateADT day);

/* The nth working day after day, n >= 1; day itself need not be in the range. */
extern DateADT calendar_nth_working(const Calendar *calendar, DateADT day, int n);

/* The exception of a day; NULL: the weekend rule decides. */
extern const CalendarDay *calendar_exception(const Calendar *calendar, DateADT day);

/* 1 Monday .. 7 Sunday */
extern int	iso_weekday(DateADT day);

/* Easter Sunday of the western churches, for years from 1583 on. */
extern DateADT easter_sunday(int year);

#endif							/* RETURNS_CALENDAR_H */
