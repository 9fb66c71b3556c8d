/*-------------------------------------------------------------------------
 *
 * row.c
 *		The row of a return while it changes.
 *
 * src/records/row.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/columns.h"
#include "base/errors.h"
#include "records/row.h"
#include "rules/session.h"

static const char *const column_names[] = {
	[REQ_LAST_XID] = "last_xid",
	[REQ_LAST_SEQ] = "last_seq",
	[REQ_LAST_TRANSFER] = "last_transfer",
	[REQ_FAILURES] = "failures",
	[REQ_OVERDUE] = "overdue",
	[REQ_LAST_HASH] = "last_hash",
	[REQ_CREATED_AT] = "created_at",
	[REQ_UPDATED_AT] = "updated_at",
	[REQ_REQUESTED_AT] = "requested_at",
	[REQ_CLOSED_AT] = "closed_at",
	[REQ_DUE_AT] = "due_at",
	[REQ_WAKE_AT] = "wake_at",
	[REQ_ON_TIMEOUT] = "on_timeout",
	[REQ_BUYER_REF] = "buyer_ref",
	[REQ_SELLER_REF] = "seller_ref",
	[REQ_MARKET] = "market",
	[REQ_CURRENCY] = "currency",
	[REQ_CATEGORIES] = "categories",
	[REQ_REFUND_TOTAL] = "refund_total",
	[REQ_CONTENT_HASH] = "content_hash",
	[REQ_ID] = "id",
	[REQ_ORDER_REF] = "order_ref",
	[REQ_STATUS] = "status",
	[REQ_RESOLUTION] = "resolution",
	[REQ_REASON] = "reason",
	[REQ_NOTE] = "note",
	[REQ_DETAILS] = "details",
	[REQ_CARRIER] = "carrier",
	[REQ_TRACKING_REF] = "tracking_ref",
	[REQ_IDEMPOTENCY_KEY] = "idempotency_key",
};

StaticAssertDecl(lengthof(column_names) == REQ_NCOLUMNS, "a column has no name");

static AttrNumber attno[REQ_NCOLUMNS];
static ColumnSet columns = {
	"return_request", REQ_NCOLUMNS, column_names, attno, InvalidOid, NULL
};

const char *
request_column_name(RequestColumn col)
{
	Assert(col < REQ_NCOLUMNS);
	return column_names[col];
}

const AttrNumber *
request_columns(Relation rel)
{
	columns_find(&columns, rel);
	return attno;
}

void
return_row_load(ReturnRow *row, TriggerData *trigdata)
{
	trigger_row_load(&row->trigger, trigdata, &columns);
	row->now = row->since = clock_now();
	row->state = NULL;
	row->transfers = row->refunds = NIL;
}

text *
row_text(const ReturnRow *row, RequestColumn col)
{
	return trigger_text(&row->trigger, col);
}

Jsonb *
row_details(const ReturnRow *row)
{
	return ROW_NULL(row, REQ_DETAILS) ? NULL : DatumGetJsonbP(ROW_VALUE(row, REQ_DETAILS));
}

Resolution
row_resolution(const ReturnRow *row)
{
	const text *word = row_text(row, REQ_RESOLUTION);

	/* the column is NOT NULL, but a trigger of the user fires before the check */
	if (word == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("return " INT64_FORMAT " must have a resolution", row_id(row)),
				 errdetail("The column has no value, or a trigger of the table has cleared it."),
				 errhint("Set resolution to one of these: %s.", resolutions_describe(~0, ", ")),
				 err_column(row->trigger.rel, "resolution")));
	return resolution_parse_text(word);
}

Parties
row_parties(const ReturnRow *row)
{
	return (Parties) {
		.buyer_ref = row_text(row, REQ_BUYER_REF),
		.seller_ref = row_text(row, REQ_SELLER_REF),
		.carrier = trigger_old_text(&row->trigger, REQ_CARRIER),
	};
}

Parties
return_parties_read(ResultSet returns, uint64 row)
{
	return (Parties) {
		.buyer_ref = result_text(returns, row, 1),
		.seller_ref = result_text(returns, row, 2),
		.carrier = result_text(returns, row, 3),
	};
}
