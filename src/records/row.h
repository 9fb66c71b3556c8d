/*-------------------------------------------------------------------------
 *
 * row.h
 *		The row of a return while it changes.
 *
 * All that belongs to a return (its computed columns, the head of its journal,
 * the number of its last transfer) is written in one place and at most once per
 * statement: in the BEFORE ROW trigger of return_request.  The trigger lays the
 * new row out as a ReturnRow, every rule that writes to the return writes into
 * it, and the trigger returns it to the executor.
 *
 * src/records/row.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ROW_H
#define RETURNS_ROW_H

#include "base/result.h"
#include "base/trigger_row.h"
#include "rules/actor/permission.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

/*
 * The columns of return_request, whatever their physical numbers.  The computed
 * ones, which only the extension writes, come first.
 */
typedef enum RequestColumn
{
	REQ_LAST_XID, REQ_LAST_SEQ, REQ_LAST_TRANSFER, REQ_FAILURES, REQ_OVERDUE, REQ_LAST_HASH,
	REQ_CREATED_AT, REQ_UPDATED_AT, REQ_REQUESTED_AT, REQ_CLOSED_AT, REQ_DUE_AT,
	REQ_WAKE_AT, REQ_ON_TIMEOUT, REQ_BUYER_REF, REQ_SELLER_REF, REQ_MARKET, REQ_CURRENCY,
	REQ_CATEGORIES, REQ_REFUND_TOTAL, REQ_CONTENT_HASH,
	REQ_ID, REQ_ORDER_REF, REQ_STATUS, REQ_RESOLUTION, REQ_REASON, REQ_NOTE, REQ_DETAILS,
	REQ_CARRIER, REQ_TRACKING_REF, REQ_IDEMPOTENCY_KEY,
	REQ_NCOLUMNS
} RequestColumn;

#define REQ_NCOMPUTED (REQ_CONTENT_HASH + 1)

typedef struct ReturnRow
{
	TriggerRow	trigger;		/* the old row, and the new one to write */
	TimestampTz now;
	TimestampTz since;			/* start of the term of the next stage */
	const State *state;			/* current, follows the moves */
	int64		owed;			/* by a refund that this move opened; -1: none */
	List	   *transfers;		/* since the last event: attested.h */
	List	   *refunds;
} ReturnRow;

/*
 * Lay the row of a row trigger of return_request out, at the time clock_now().
 * The caller sets the state.  Errors as of trigger_row_load().
 */
extern void return_row_load(ReturnRow *row, TriggerData *trigdata);

/* ROW_VALUE: the value must not be null. */
#define ROW_NULL(row, col)	trigger_is_null(&(row)->trigger, col)
#define ROW_VALUE(row, col)	trigger_value(&(row)->trigger, col)

static inline void
row_set(ReturnRow *row, RequestColumn col, Datum value)
{
	trigger_set(&row->trigger, col, value);
}

static inline void
row_clear(ReturnRow *row, RequestColumn col)
{
	trigger_clear(&row->trigger, col);
}

/* The return's id, which no statement may change: that of the old row, if any. */
static inline int64
row_id(const ReturnRow *row)
{
	bool		isnull;

	return DatumGetInt64(row->trigger.old == NULL ? ROW_VALUE(row, REQ_ID) :
						 trigger_old_value(&row->trigger, REQ_ID, &isnull));
}

/* Arguments $1 and $2 of a statement about this return: order_ref and id. */
static inline void
row_key(const ReturnRow *row, Datum *args)
{
	args[0] = ROW_VALUE(row, REQ_ORDER_REF);
	args[1] = ROW_VALUE(row, REQ_ID);
}

/* A text column; NULL when the value is null. */
extern text *row_text(const ReturnRow *row, RequestColumn col);

/* The details; NULL when there are none. */
extern Jsonb *row_details(const ReturnRow *row);

/* 23502 when a trigger of the user has cleared it. */
extern Resolution row_resolution(const ReturnRow *row);

/*
 * The parties to the return before the statement, which may change the columns
 * that a client writes.
 */
extern Parties row_parties(const ReturnRow *row);

/*
 * The same of a return that is read: the first columns of the SELECT list, the
 * number of the first column behind them, and their reader.
 */
#define RETURN_PARTIES "buyer_ref, seller_ref, carrier"
#define AFTER_RETURN_PARTIES 4
extern Parties return_parties_read(ResultSet returns, uint64 row);

/* The columns of rel by RequestColumn; rel is returns.return_request. */
extern const AttrNumber *request_columns(Relation rel);
extern const char *request_column_name(RequestColumn col);

/* For texts of statements about one return: $1 is order_ref, $2 is id. */
#define OF_RETURN " WHERE order_ref" EQ "$1 AND return_id" EQ "$2"

#endif							/* RETURNS_ROW_H */
