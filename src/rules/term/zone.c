/*-------------------------------------------------------------------------
 *
 * zone.c
 *		Local days of a time zone: which day an instant is on, when a day begins.
 *
 * A day may not begin at 00:00 (when clocks go forward at midnight), may begin
 * twice (when they go back to midnight), and may not exist at all (when a country
 * changes sides of the date line).  One rule covers all of this: a day begins when
 * the day before has ended for the last time.
 *
 * src/rules/term/zone.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "rules/term/zone.h"
#include "utils/timestamp.h"

#define EPOCH_DAYS	(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_SECS	((int64) EPOCH_DAYS * SECS_PER_DAY)

/* Greater than the offset of any zone from UTC, and than any change of it. */
#define MAX_OFFSET	(26 * SECS_PER_HOUR)

/* A span of time with one offset from UTC, in seconds since 1970: [from, until). */
typedef struct ZoneSpan
{
	pg_tz	   *zone;
	int64		from;			/* the offset may have begun earlier */
	int64		until;
	int64		offset;
} ZoneSpan;

/*
 * The last spans, because most calls ask for the same span as the call before:
 * one for events and one for the ends of terms, which may lie beyond a change of
 * the clocks.
 */
static ZoneSpan event_span;
static ZoneSpan end_span;

pg_noreturn static void
refuse_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("the end of the term is out of range")));
}

/* The span that holds t, from t on. */
static ZoneSpan
span_at(int64 t, pg_tz *zone)
{
	ZoneSpan	span = {zone, t, PG_INT64_MAX, 0};
	pg_time_t	at = t;
	pg_time_t	boundary;
	long		offset,
				next_offset;
	int			isdst,
				next_isdst;
	int			found = pg_next_dst_boundary(&at, &offset, &isdst, &boundary,
											 &next_offset, &next_isdst, zone);

	if (found < 0)
		refuse_overflow();
	if (found > 0)
		span.until = boundary;
	span.offset = offset;
	return span;
}

/* Keep a span.  If it is known already, it now begins at the earlier instant. */
static void
span_keep(ZoneSpan *memo, const ZoneSpan *span)
{
	int64		from = memo->zone == span->zone && memo->until == span->until ?
		Min(memo->from, span->from) : span->from;

	*memo = *span;
	memo->from = from;
}

/* Whole seconds since 1970, rounded down. */
static inline int64
unix_seconds(TimestampTz at)
{
	int64		seconds = at / USECS_PER_SEC;

	if (at % USECS_PER_SEC < 0)
		seconds--;
	return seconds + EPOCH_SECS;
}

int
zone_offset(TimestampTz at, pg_tz *zone)
{
	int64		t = unix_seconds(at);

	if (unlikely(event_span.zone != zone || t < event_span.from || t >= event_span.until))
	{
		ZoneSpan	span = span_at(t, zone);

		span_keep(&event_span, &span);
	}
	return event_span.offset;
}

DateADT
zone_day(TimestampTz at, pg_tz *zone)
{
	int64		local = unix_seconds(at) + zone_offset(at, zone);
	int64		day = local / SECS_PER_DAY;

	if (local % SECS_PER_DAY < 0)
		day--;
	return (DateADT) (day - EPOCH_DAYS);
}

/*
 * The end of all instants whose local time is before the given one, which is
 * written as if it were UTC.  Of the spans around it, the last one that has such
 * an instant decides.
 */
static int64
local_time_begin(int64 local, pg_tz *zone)
{
	int64		begin = 0;
	int64		t = local - MAX_OFFSET;
	ZoneSpan	best;

	for (;;)
	{
		ZoneSpan	span = span_at(t, zone);
		int64		reached = local - span.offset;

		if (reached > t)
		{
			begin = Min(reached, span.until);
			best = span;
		}
		if (span.until > local + MAX_OFFSET)
			break;
		t = span.until;
	}
	span_keep(&end_span, &best);
	return begin;
}

TimestampTz
zone_day_begin(DateADT day, pg_tz *zone)
{
	int64		local = ((int64) day + EPOCH_DAYS) * SECS_PER_DAY;
	int64		begin = local - end_span.offset;
	TimestampTz result;

	if (day <= -POSTGRES_EPOCH_JDATE || day >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		refuse_overflow();

	/* far from a change of the clocks there is one midnight */
	if (unlikely(end_span.zone != zone || begin <= end_span.from ||
				 begin >= end_span.until - MAX_OFFSET))
		begin = local_time_begin(local, zone);
	result = (begin - EPOCH_SECS) * USECS_PER_SEC;
	if (!IS_VALID_TIMESTAMP(result))
		refuse_overflow();
	return result;
}
