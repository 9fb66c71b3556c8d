/*-------------------------------------------------------------------------
 *
 * issue.c
 *		A return is decided for money: its lines, refunds and first posting.
 *
 * src/records/decision/issue.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "records/decision/issue.h"
#include "records/history/attested.h"
#include "records/history/journal.h"
#include "records/ledger/postings.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define PRICE_LINE \
	"UPDATE returns.return_line SET refund_goods = $4, refund_fee = $5, refund_shipping = $6" \
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND return_id OPERATOR(pg_catalog.=) $2" \
	" AND line_no OPERATOR(pg_catalog.=) $3"

static KeptPlan price_line = {
	PRICE_LINE,
	6, {TEXTOID, INT8OID, INT4OID, NUMERICOID, NUMERICOID, NUMERICOID}
};

static KeptPlan owe_line = {
	"WITH s AS (UPDATE returns.sale_line SET refunded = refunded OPERATOR(pg_catalog.+) $7"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND line_no OPERATOR(pg_catalog.=) $3 RETURNING 1) "
	PRICE_LINE " RETURNING (SELECT pg_catalog.count(*) FROM s)",
	7, {TEXTOID, INT8OID, INT4OID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID}
};

static KeptPlan cut_deduction = {
	"UPDATE returns.return_line SET deduction = $4"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND return_id OPERATOR(pg_catalog.=) $2"
	" AND line_no OPERATOR(pg_catalog.=) $3"
	" RETURNING pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('line_no', line_no,"
	" 'received', received, 'accepted', accepted, 'deduction', deduction))",
	4, {TEXTOID, INT8OID, INT4OID, NUMERICOID}
};

static KeptPlan issue_refund = {
	"WITH p AS (UPDATE returns.payment SET refunded = refunded OPERATOR(pg_catalog.+) $4"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND payment_no OPERATOR(pg_catalog.=) $3 RETURNING 1)"
	" INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency,"
	" status, idempotency_key, provider, created_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING (SELECT pg_catalog.count(*) FROM p), id",
	9, {TEXTOID, INT8OID, INT4OID, NUMERICOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	TIMESTAMPTZOID}
};

static KeptPlan any_unsettled = {
	"SELECT FROM returns.refund"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND return_id OPERATOR(pg_catalog.=) $2"
	" AND status OPERATOR(pg_catalog.<>) 'settled'",
	2, {TEXTOID, INT8OID}
};

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
				 errdetail("Nothing was said of what is returned."),
				 errhint("Add it to returns.return_line first."),
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
				 errdetail("Paid %s, refunded %s, now due %s.",
						   money_text(line->cap, pricing->currency),
						   money_text(line->refunded, pricing->currency),
						   money_text(line->price.total, pricing->currency)),
				 errhint("Look at returns.verify(): its counters do not match its returns."),
				 err_our_column("sale_line", "refunded")));
}

/* Run a statement that writes a row of one table and, in its WITH, of another. */
static void
write_both(KeptPlan *plan, Datum *args, const char *nulls, const char *table,
		   const char *other_table)
{
	bool		isnull;

	trigger_check_wrote(table, plan_run(plan, args, nulls), 1);
	trigger_check_wrote(other_table, DatumGetInt64(plan_value(0, 1, &isnull)), 1);
}

/* The deduction is corrected to what is taken, and the history says so. */
static void
write_cut(ReturnRow *row, const Pricing *pricing, const PricedLine *line)
{
	Datum		args[4] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
		Int32GetDatum(line->line_no),
		NumericGetDatum(minor_to_numeric(line->price.deduction, pricing->currency))};
	bool		isnull;

	trigger_check_wrote("return_line", plan_run(&cut_deduction, args, NULL), 1);
	journal_append(row, EVENT_RECEIPT, row->state, row->state, actor_as_system(), NULL,
				   DatumGetJsonbP(plan_value(0, 1, &isnull)));
}

/* Write the prices to the lines, and the totals to the sale lines if owed. */
static void
write_lines(ReturnRow *row, const Pricing *pricing, bool owed)
{
	for (int i = 0; i < pricing->nlines; i++)
	{
		const PricedLine *line = &pricing->lines[i];
		const LinePrice *price = &line->price;
		Datum		args[7] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
			Int32GetDatum(line->line_no),
			NumericGetDatum(minor_to_numeric(price->goods, pricing->currency)),
			NumericGetDatum(minor_to_numeric(price->fee, pricing->currency)),
			NumericGetDatum(minor_to_numeric(price->shipping, pricing->currency)),
			NumericGetDatum(minor_to_numeric(price->total, pricing->currency))};

		if (owed)
			check_cap(pricing, line);
		if (line->cut)
			write_cut(row, pricing, line);
		if (owed && price->total != 0)
			write_both(&owe_line, args, NULL, "return_line", "sale_line");
		else
			trigger_check_wrote("return_line", plan_run(&price_line, args, NULL), 1);
	}
}

/*
 * The key under which the provider is asked, at every attempt.  Follows from
 * what the refund is, and from the cluster: a copy of the database must not
 * ask for its own new returns under keys that this one uses.
 */
static Datum
refund_key(ReturnRow *row, int payment_no)
{
	uint8		hash[PG_SHA256_DIGEST_LENGTH];
	char	   *seed = psprintf(UINT64_FORMAT "/" INT64_FORMAT "/%d/%d/%s",
								GetSystemIdentifier(),
								DatumGetInt64(ROW_VALUE(row, REQ_ID)),
								DatumGetInt32(ROW_VALUE(row, REQ_LAST_SEQ)), payment_no,
								TextDatumGetCString(ROW_VALUE(row, REQ_ORDER_REF)));
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	StringInfoData key;

	if (ctx == NULL || pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, (uint8 *) seed, strlen(seed)) < 0 ||
		pg_cryptohash_final(ctx, hash, sizeof(hash)) < 0)
		elog(ERROR, "could not compute the idempotency key of a refund");
	pg_cryptohash_free(ctx);

	initStringInfo(&key);
	for (int i = 0; i < 16; i++)
		appendStringInfo(&key, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
						 hash[i]);
	return CStringGetTextDatum(key.data);
}

void
refund_issue(ReturnRow *row, const Pricing *pricing)
{
	const State *pending = state_of_role(ROLE_PENDING);

	for (int i = 0; i < pricing->ntenders; i++)
	{
		const Tender *tender = &pricing->tenders[i];
		Datum		amount = NumericGetDatum(minor_to_numeric(tender->taken, pricing->currency));
		Datum		args[9] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
			Int32GetDatum(tender->payment_no), amount,
			CStringGetTextDatum(pricing->currency->code), PointerGetDatum(pending->code_text),
			refund_key(row, tender->payment_no),
			pricing->providers[i] ? CStringGetTextDatum(pricing->providers[i]) : (Datum) 0,
		TimestampTzGetDatum(row->now)};
		bool		isnull;

		if (tender->taken == 0)
			continue;
		write_both(&issue_refund, args, pricing->providers[i] ? NULL : "       n ", "refund",
				   "payment");
		attested_refund(row, &(AttestedRefund) {
			.refund_id = DatumGetInt64(plan_value(0, 2, &isnull)),
			.payment_no = tender->payment_no,
			.amount = amount,
			.currency = pricing->currency->code,
			.provider = pricing->providers[i],
			.idempotency_key = TextDatumGetCString(args[6]),
		});
	}
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
	OwnState	own;
	bool		waits;

	own_begin(&own);
	pricing = pricing_of_row(row);
	price_tenders(pricing, order_ref, return_id, true);
	/* refunds that were granted before, outside the rule, must settle too */
	waits = pricing->total == 0 && plan_run_limit(&any_unsettled, args, NULL, 1) > 0;
	write_lines(row, pricing, true);
	refund_issue(row, pricing);
	own_end(&own);

	post_due(row, pricing);
	row_set(row, REQ_REFUND_TOTAL,
			NumericGetDatum(minor_to_numeric(pricing->total, pricing->currency)));
	return waits ? -1 : pricing->total;
}

void
refund_price(ReturnRow *row)
{
	OwnState	own;

	own_begin(&own);
	write_lines(row, pricing_of_row(row), false);
	own_end(&own);
}

int64
refund_estimate(ReturnRow *row, bool *covered)
{
	OwnState	own;
	Pricing    *pricing;

	own_begin(&own);
	pricing = pricing_of_row(row);
	*covered = price_covered(pricing, ROW_VALUE(row, REQ_ORDER_REF));
	own_end(&own);
	return pricing->total;
}

void
refund_check_deduction(Datum order_ref, int64 return_id, int line_no, const Reason *reason,
					   int units, Datum deduction)
{
	LineTrial	trial = {line_no, units, deduction};
	OwnState	own;

	own_begin(&own);
	price_lines(order_ref, return_id, reason, &trial);
	own_end(&own);
}
