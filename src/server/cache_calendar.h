/*-------------------------------------------------------------------------
 *
 * cache_calendar.h
 *		The calendar of a market, read when first used.
 *
 * src/server/cache_calendar.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CACHE_CALENDAR_H
#define RETURNS_CACHE_CALENDAR_H

#include "rules/rules.h"

/* RT010 when there is no such calendar; it lives as long as the market. */
extern const Calendar *market_calendar(const Market *market);

#endif							/* RETURNS_CACHE_CALENDAR_H */
