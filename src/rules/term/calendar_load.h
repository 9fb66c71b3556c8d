/*-------------------------------------------------------------------------
 *
 * calendar_load.h
 *		The calendar of a market, read when it is first used.
 *
 * src/rules/term/calendar_load.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CALENDAR_LOAD_H
#define RETURNS_CALENDAR_LOAD_H

#include "rules/rules.h"

/* Lives as long as the market.  Raises RT010 when its row does not exist. */
extern const Calendar *market_calendar(const Market *market);

#endif							/* RETURNS_CALENDAR_LOAD_H */
