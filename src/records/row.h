/*-------------------------------------------------------------------------
 *
 * row.h
 *		The row of a return while it changes.
 *
 * All that belongs to a return (its computed columns, the head of its journal,
 * the number of its last transfer) is written in one place and at most once a
 * statement: the BEFORE ROW trigger of return_request.  The trigger lays the
 * new row out as a ReturnRow, everything that happens is written into it, and
 * the trigger hands the row back.
 *
 * src/records/row.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ROW_H
#define RETURNS_ROW_H

#include "rules/rules.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

/* The columns of return_request, whatever their physical numbers. */
typedef enum RequestColumn
{
	REQ_ID, REQ_LAST_XID, REQ_LAST_SEQ, REQ_LAST_TRANSFER, REQ_FAILURES, REQ_OVERDUE,
	REQ_ORDER_REF, REQ_STATUS, REQ_RESOLUTION, REQ_REASON, REQ_LAST_HASH,
	REQ_CREATED_AT, REQ_UPDATED_AT, REQ_REQUESTED_AT, REQ_CLOSED_AT,
	REQ_DUE_AT, REQ_WAKE_AT, REQ_ON_TIMEOUT, REQ_BUYER_REF, REQ_SELLER_REF,
	REQ_MARKET, REQ_CURRENCY, REQ_CATEGORIES, REQ_REFUND_TOTAL, REQ_NOTE,
	REQ_DETAILS, REQ_CARRIER, REQ_TRACKING_REF, REQ_IDEMPOTENCY_KEY,
	REQ_CONTENT_HASH,
	REQ_NCOLUMNS
} RequestColumn;

typedef struct ReturnRow
{
	Relation	rel;
	const AttrNumber *attno;	/* by RequestColumn */
	Datum	   *values;			/* of the new row, by attno - 1 */
	bool	   *isnull;
	TimestampTz now;
	TimestampTz since;			/* what the term of the next stage is counted from */
	const State *state;			/* current, follows the moves */
	int64		owed;			/* by a refund that this move opened; -1: none */
	List	   *transfers;		/* since the last event: attested.h */
	List	   *refunds;
} ReturnRow;

#define ROW_NULL(b, col)	((b)->isnull[(b)->attno[col] - 1])
#define ROW_VALUE(b, col)	((b)->values[(b)->attno[col] - 1])

static inline void
row_set(ReturnRow *row, RequestColumn col, Datum value)
{
	ROW_VALUE(row, col) = value;
	ROW_NULL(row, col) = false;
}

static inline void
row_clear(ReturnRow *row, RequestColumn col)
{
	ROW_VALUE(row, col) = (Datum) 0;
	ROW_NULL(row, col) = true;
}

/* A text column, NULL when it is null. */
extern text *row_text(ReturnRow *row, RequestColumn col);

/* The details, NULL when there are none. */
extern Jsonb *row_details(ReturnRow *row);

extern Resolution row_resolution(ReturnRow *row);

/* The columns of rel by RequestColumn; rel is returns.return_request. */
extern const AttrNumber *request_columns(Relation rel);
extern const char *request_column_name(RequestColumn col);

#endif							/* RETURNS_ROW_H */
