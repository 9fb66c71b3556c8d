/*-------------------------------------------------------------------------
 *
 * issue.c
 *		Decide a return: price its lines and create its refunds.
 *
 * src/records/decision/issue.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "records/decision/issue.h"
#include "records/history/attested.h"
#include "records/history/journal.h"
#include "records/ledger/postings.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#define PRICE_LINE \
	"UPDATE returns.return_line SET refund_goods = $4, refund_fee = $5, refund_shipping = $6" \
	OF_RETURN " AND line_no" EQ "$3"

static Statement price_line = {
	PRICE_LINE,
	6, {TEXTOID, INT8OID, INT4OID, NUMERICOID, NUMERICOID, NUMERICOID}
};

static Statement price_line_and_sale = {
	"WITH s AS (UPDATE returns.sale_line SET refunded = refunded OPERATOR(pg_catalog.+) $7"
	" WHERE order_ref" EQ "$1 AND line_no" EQ "$3 RETURNING 1) "
	PRICE_LINE " RETURNING (SELECT pg_catalog.count(*) FROM s)",
	7, {TEXTOID, INT8OID, INT4OID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID}
};

static Statement reduce_deduction = {
	"UPDATE returns.return_line SET deduction = $4" OF_RETURN " AND line_no" EQ "$3"
	" RETURNING pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('line_no', line_no,"
	" 'received', received, 'accepted', accepted, 'deduction', deduction))",
	4, {TEXTOID, INT8OID, INT4OID, NUMERICOID}
};

static Statement issue_refund = {
	"WITH p AS (UPDATE returns.payment SET refunded = refunded OPERATOR(pg_catalog.+) $4"
	" WHERE order_ref" EQ "$1 AND payment_no" EQ "$3 RETURNING 1)"
	" INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency,"
	" status, idempotency_key, provider, created_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING (SELECT pg_catalog.count(*) FROM p), id",
	9, {TEXTOID, INT8OID, INT4OID, NUMERICOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	TIMESTAMPTZOID}
};

#define NO_PROVIDER "       n " /* nulls of issue_refund */

static Statement any_unsettled = {
	"SELECT FROM returns.refund" OF_RETURN " AND status OPERATOR(pg_catalog.<>) 'settled'",
	2, {TEXTOID, INT8OID}
};

/* An amount of minor units as a value of type numeric. */
static Datum
amount_datum(int64 amount, const Pricing *pricing)
{
	return NumericGetDatum(minor_to_numeric(amount, pricing->currency));
}

static Pricing *
pricing_of_row(ReturnRow *row)
{
	const Reason *reason = reason_get(TextDatumGetCString(ROW_VALUE(row, REQ_REASON)));
	Pricing    *pricing = price_lines(ROW_VALUE(row, REQ_ORDER_REF),
									  DatumGetInt64(ROW_VALUE(row, REQ_ID)), reason, NULL);

	if (pricing->nlines == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_NOT_RETURNABLE),
				 errmsg("return " INT64_FORMAT " has no lines",
						DatumGetInt64(ROW_VALUE(row, REQ_ID))),
				 errdetail("A return is decided for the lines and quantities in returns.return_line."),
				 errhint("Insert the lines that are returned into returns.return_line first."),
				 err_our_column("return_line", NULL)));
	return pricing;
}

static void
check_cap(const Pricing *pricing, const PricedLine *line)
{
	if (money_add(line->refunded, line->price.total) > line->cap)
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
				 errmsg("line %d would be refunded more than was paid for it", line->line_no),
				 errdetail("The buyer paid %s; %s was refunded before, and %s is due now.",
						   money_text(line->cap, pricing->currency),
						   money_text(line->refunded, pricing->currency),
						   money_text(line->price.total, pricing->currency)),
				 errhint("Run SELECT * FROM returns.verify(): the refunded amount of the sale line does not match its returns."),
				 err_our_column("sale_line", "refunded")));
}

/*
 * Run a statement that writes one row of a table and, in its WITH clause, one
 * row of another, and returns the number of rows of the latter first.
 */
static ResultSet
write_both(Statement *statement, Datum *args, const char *nulls, const char *table,
		   const char *with_table)
{
	ResultSet	written = statement_run(statement, args, nulls);

	trigger_check_wrote(table, written.nrows, 1);
	trigger_check_wrote(with_table, result_int64(written, 0, 1), 1);
	return written;
}

/* Store the deduction that the price has reduced, and record it in an event. */
static void
write_deduction(ReturnRow *row, const Pricing *pricing, const PricedLine *line)
{
	Datum		args[4] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
	Int32GetDatum(line->line_no), amount_datum(line->price.deduction, pricing)};
	ResultSet	written = statement_run(&reduce_deduction, args, NULL);
	bool		isnull;

	trigger_check_wrote("return_line", written.nrows, 1);
	journal_append(row, EVENT_RECEIPT, row->state, row->state, actor_as_system(), NULL,
				   DatumGetJsonbP(result_value(written, 0, 1, &isnull)));
}

/* Write the prices to the lines; owed: count the totals on the sale lines. */
static void
write_lines(ReturnRow *row, const Pricing *pricing, bool owed)
{
	for (int i = 0; i < pricing->nlines; i++)
	{
		const PricedLine *line = &pricing->lines[i];
		const LinePrice *price = &line->price;
		Datum		args[7] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
			Int32GetDatum(line->line_no), amount_datum(price->goods, pricing),
			amount_datum(price->fee, pricing), amount_datum(price->shipping, pricing),
		amount_datum(price->total, pricing)};

		Assert(price->total ==
			   price->goods - price->fee - price->deduction + price->shipping);
		if (owed)
			check_cap(pricing, line);
		if (line->cut)
			write_deduction(row, pricing, line);
		if (owed && price->total != 0)
			write_both(&price_line_and_sale, args, NULL, "return_line", "sale_line");
		else
			trigger_check_wrote("return_line",
								statement_run(&price_line, args, NULL).nrows, 1);
	}
}

/*
 * The idempotency key of a refund, for all attempts to send it: a UUID from a
 * hash of the content of the refund.  The system identifier of the cluster is
 * hashed too, so that a copy of the database does not send its own new refunds
 * under keys that the original uses.
 */
static char *
refund_key(ReturnRow *row, int payment_no)
{
	char	   *seed = psprintf(UINT64_FORMAT "/" INT64_FORMAT "/%d/%d/%s",
								GetSystemIdentifier(),
								DatumGetInt64(ROW_VALUE(row, REQ_ID)),
								DatumGetInt32(ROW_VALUE(row, REQ_LAST_SEQ)), payment_no,
								TextDatumGetCString(ROW_VALUE(row, REQ_ORDER_REF)));
	bytea	   *hash = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea,
														   CStringGetTextDatum(seed)));
	pg_uuid_t	uuid;

	Assert(VARSIZE_ANY_EXHDR(hash) >= sizeof(uuid.data));
	memcpy(uuid.data, VARDATA_ANY(hash), sizeof(uuid.data));
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&uuid)));
}

static void
issue_tender(ReturnRow *row, const Pricing *pricing, const Tender *tender,
			 const char *provider)
{
	AttestedRefund refund = {
		.payment_no = tender->payment_no,
		.amount = minor_to_numeric(tender->taken, pricing->currency),
		.currency = pricing->currency->code,
		.provider = provider,
		.idempotency_key = refund_key(row, tender->payment_no),
	};
	Datum		args[9] = {
		ROW_VALUE(row, REQ_ORDER_REF),
		ROW_VALUE(row, REQ_ID),
		Int32GetDatum(refund.payment_no),
		NumericGetDatum(refund.amount),
		CStringGetTextDatum(refund.currency),
		PointerGetDatum(state_of_role(ROLE_PENDING)->code_text),
		CStringGetTextDatum(refund.idempotency_key),
		provider == NULL ? (Datum) 0 : CStringGetTextDatum(provider),
		TimestampTzGetDatum(row->now),
	};
	ResultSet	written = write_both(&issue_refund, args, provider == NULL ? NO_PROVIDER : NULL,
									 "refund", "payment");

	refund.refund_id = result_int64(written, 0, 2);
	attested_refund(row, &refund);
}

void
refund_issue(ReturnRow *row, const Pricing *pricing)
{
	for (int i = 0; i < pricing->ntenders; i++)
		if (pricing->tenders[i].taken != 0)
			issue_tender(row, pricing, &pricing->tenders[i], pricing->providers[i]);
}

static void
post_due(ReturnRow *row, const Pricing *pricing)
{
	LinePrice	sum = {0};

	for (int i = 0; i < pricing->nlines; i++)
	{
		sum.goods = money_add(sum.goods, pricing->lines[i].price.goods);
		sum.fee += pricing->lines[i].price.fee;
		sum.deduction += pricing->lines[i].price.deduction;
		sum.shipping = money_add(sum.shipping, pricing->lines[i].price.shipping);
		sum.commission += pricing->lines[i].price.commission;
	}
	sum.total = pricing->total;
	ledger_post_due(row, &sum, pricing->fault);
}

int64
refund_open(ReturnRow *row)
{
	Datum		order_ref = ROW_VALUE(row, REQ_ORDER_REF);
	int64		return_id = DatumGetInt64(ROW_VALUE(row, REQ_ID));
	Datum		args[2] = {order_ref, ROW_VALUE(row, REQ_ID)};
	Pricing    *pricing;
	AsOwner		owner;
	bool		waits;

	as_owner_begin(&owner);
	pricing = pricing_of_row(row);
	price_tenders(pricing, order_ref, return_id, true);
	/* the return also waits for refunds that grant_refund() has made before */
	waits = pricing->total == 0 &&
		statement_run_limit(&any_unsettled, args, NULL, 1).nrows > 0;
	write_lines(row, pricing, true);
	refund_issue(row, pricing);
	as_owner_end(&owner);

	post_due(row, pricing);
	row_set(row, REQ_REFUND_TOTAL, amount_datum(pricing->total, pricing));
	return waits ? -1 : pricing->total;
}

void
refund_price(ReturnRow *row)
{
	AsOwner		owner;

	as_owner_begin(&owner);
	write_lines(row, pricing_of_row(row), false);
	as_owner_end(&owner);
}

int64
refund_estimate(ReturnRow *row, bool *covered)
{
	AsOwner		owner;
	Pricing    *pricing;

	as_owner_begin(&owner);
	pricing = pricing_of_row(row);
	*covered = price_covered(pricing, ROW_VALUE(row, REQ_ORDER_REF));
	as_owner_end(&owner);
	return pricing->total;
}

void
refund_check_deduction(Datum order_ref, int64 return_id, int line_no, const Reason *reason,
					   int units, Datum deduction)
{
	LineTrial	trial = {line_no, units, deduction};
	AsOwner		owner;

	as_owner_begin(&owner);
	price_lines(order_ref, return_id, reason, &trial);
	as_owner_end(&owner);
}
