/*-------------------------------------------------------------------------
 *
 * zone.h
 *		Local days of a time zone: which day an instant is on, when a day begins.
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

/* The local day on which an instant is. */
extern DateADT zone_day(TimestampTz at, pg_tz *zone);

/* Seconds east of Greenwich at an instant. */
extern int	zone_offset(TimestampTz at, pg_tz *zone);

/*
 * The instant in which a local day begins: at it and later, no local time is on
 * an earlier day.  Raises 22008 when it is outside the range of timestamps.
 */
extern TimestampTz zone_day_begin(DateADT day, pg_tz *zone);

#endif							/* RETURNS_ZONE_H */
