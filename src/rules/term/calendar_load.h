/*-------------------------------------------------------------------------
 *
 * calendar_load.h
 *		The calendar of a market, read when first used.
 *
 * src/rules/term/calendar_load.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CALENDAR_LOAD_H
#define RETURNS_CALENDAR_LOAD_H

#include "rules/rules.h"

/* RT010 when there is no such calendar; it lives as long as the market. */
extern const Calendar *market_calendar(const Market *market);

#endif							/* RETURNS_CALENDAR_LOAD_H */
