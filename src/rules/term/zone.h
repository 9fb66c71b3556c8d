/*-------------------------------------------------------------------------
 *
 * zone.h
 *		Local days: which one an instant is in, and when one begins.
 *
 * src/rules/term/zone.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ZONE_H
#define RETURNS_ZONE_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"

/* The local day of an instant. */
extern DateADT zone_day(TimestampTz at, pg_tz *zone);

/* Seconds east of Greenwich at an instant. */
extern int	zone_offset(TimestampTz at, pg_tz *zone);

/*
 * The instant a local day begins: from it on, the day before never comes
 * again.  22008 when it is no timestamp.
 */
extern TimestampTz zone_day_begin(DateADT day, pg_tz *zone);

#endif							/* RETURNS_ZONE_H */
