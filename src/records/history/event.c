/*-------------------------------------------------------------------------
 *
 * event.c
 *		One event of the history of a return.
 *
 * src/records/history/event.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "records/history/event.h"

static const char *const kind_names[] = {
	[EVENT_TRANSITION] = "transition",
	[EVENT_REMINDER] = "reminder",
	[EVENT_OVERDUE] = "overdue",
	[EVENT_RECEIPT] = "receipt",
	[EVENT_REFUND] = "refund",
	[EVENT_OVERRIDE] = "override",
};

const char *
event_kind_name(EventKind kind)
{
	return kind_names[kind];
}
