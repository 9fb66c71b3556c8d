/*-------------------------------------------------------------------------
 *
 * price.c
 *		The price of a return, before anything is written.
 *
 * src/records/decision/price.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "records/decision/price.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy.h"
#include "rules/policy/policy_load.h"
#include "utils/timestamp.h"

/* o: units and money of the other decided returns of the same sale line. */
static Statement select_lines = {
	"SELECT l.line_no, COALESCE(l.accepted, l.quantity), l.deduction, l.policy_id,"
	" l.refund_goods, l.refund_fee, l.refund_shipping,"
	" s.quantity, s.amount_paid, s.shipping_paid, s.commission_rate, s.refunded,"
	" s.currency, s.market, s.category, s.seller_ref, s.purchased_at,"
	" o.units, o.goods, o.deduction, o.shipping, o.shipping_units"
	" FROM returns.return_line AS l"
	" JOIN returns.sale_line AS s ON s.order_ref" EQ "l.order_ref"
	" AND s.line_no" EQ "l.line_no"
	" CROSS JOIN LATERAL (SELECT pg_catalog.sum(d.accepted) AS units,"
	" pg_catalog.sum(d.refund_goods) AS goods, pg_catalog.sum(d.deduction) AS deduction,"
	" pg_catalog.sum(d.refund_shipping) AS shipping,"
	" pg_catalog.sum(d.accepted) FILTER (WHERE p.refund_shipping) AS shipping_units"
	" FROM returns.return_line AS d"
	" LEFT JOIN returns.policy AS p ON p.id" EQ "d.policy_id"
	" WHERE d.order_ref" EQ "s.order_ref"
	" AND d.line_no" EQ "s.line_no"
	" AND d.return_id OPERATOR(pg_catalog.<>) l.return_id"
	" AND d.refund_goods IS NOT NULL) AS o"
	" WHERE l.order_ref" EQ "$1 AND l.return_id" EQ "$2"
	" AND ($3 IS NULL OR l.line_no" EQ "$3)"
	" ORDER BY l.line_no",
	3, {TEXTOID, INT8OID, INT4OID}
};

enum
{
	L_LINE_NO = 1, L_UNITS, L_DEDUCTION, L_POLICY_ID, L_GOODS, L_FEE, L_SHIPPING,
	L_QUANTITY, L_PAID, L_SHIPPING_PAID, L_COMMISSION_RATE, L_REFUNDED,
	L_CURRENCY, L_MARKET, L_CATEGORY, L_SELLER_REF, L_PURCHASED_AT,
	L_UNITS_BEFORE, L_GOODS_BEFORE, L_DEDUCTION_BEFORE, L_SHIPPING_BEFORE,
	L_SHIPPING_UNITS_BEFORE
};

/*
 * The inner query locks the payments in the order of their keys, which never
 * change.  The outer query sorts them by ranks that the locks keep from changing.
 */
#define SELECT_PAYMENTS(lock) \
	"SELECT p.payment_no, p.amount, p.refunded, p.currency, p.captured_at, p.chargeback, p.provider" \
	" FROM (SELECT * FROM returns.payment WHERE order_ref" EQ "$1" \
	" ORDER BY payment_no" lock ") AS p ORDER BY p.refund_rank, p.payment_no"

static Statement select_payments = {SELECT_PAYMENTS(""), 1, {TEXTOID}};
static Statement lock_payments = {SELECT_PAYMENTS(" FOR NO KEY UPDATE"), 1, {TEXTOID}};

enum
{
	P_PAYMENT_NO = 1, P_AMOUNT, P_REFUNDED, P_CURRENCY, P_CAPTURED_AT, P_CHARGEBACK, P_PROVIDER
};

/* An amount that the tables have checked: it is exact; NULL counts as 0. */
static int64
stored_amount(ResultSet rows, uint64 row, int col, const Currency *currency,
			  const char *what)
{
	bool		isnull;
	Datum		value = result_value(rows, row, col, &isnull);

	return isnull ? 0 : stored_to_minor(value, currency, what);
}

/* The policy that applied when the line was requested; in a draft, the current one. */
static const Policy *
line_policy(ResultSet lines, uint64 row, const Reason *reason)
{
	TimestampTz purchased_at;

	if (!result_is_null(lines, row, L_POLICY_ID))
		return policy_by_id(result_int64(lines, row, L_POLICY_ID));
	(void) result_time(lines, row, L_PURCHASED_AT, &purchased_at);
	return policy_find(market_get(result_cstring(lines, row, L_MARKET)),
					   category_get(result_cstring(lines, row, L_CATEGORY)), reason,
					   result_cstring(lines, row, L_SELLER_REF), purchased_at);
}

static void
line_facts(ResultSet lines, uint64 row, const Pricing *pricing, const Reason *reason,
		   LineFacts *facts)
{
	const Policy *policy = line_policy(lines, row, reason);
	const Currency *currency = pricing->currency;
	bool		isnull;

	facts->quantity = result_int(lines, row, L_QUANTITY);
	facts->paid = stored_amount(lines, row, L_PAID, currency, "amount_paid");
	facts->shipping_paid = stored_amount(lines, row, L_SHIPPING_PAID, currency, "shipping_paid");
	facts->commission_rate =
		DatumGetNumeric(result_value(lines, row, L_COMMISSION_RATE, &isnull));
	Assert(!isnull);
	facts->units_before = result_int64(lines, row, L_UNITS_BEFORE);
	facts->goods_before = stored_amount(lines, row, L_GOODS_BEFORE, currency, "refund_goods");
	facts->deduction_before =
		stored_amount(lines, row, L_DEDUCTION_BEFORE, currency, "deduction");
	facts->shipping_before =
		stored_amount(lines, row, L_SHIPPING_BEFORE, currency, "refund_shipping");
	facts->shipping_units_before = result_int64(lines, row, L_SHIPPING_UNITS_BEFORE);
	facts->units = result_int(lines, row, L_UNITS);
	facts->deduction = stored_amount(lines, row, L_DEDUCTION, currency, "deduction");
	facts->fault = pricing->fault;
	facts->restocking = policy != NULL ? policy->restocking : 0;
	facts->refund_shipping = policy != NULL && policy->refund_shipping;
}

pg_noreturn static void
refuse_deduction(const Pricing *pricing, const PricedLine *line, const LineFacts *facts)
{
	const Currency *currency = pricing->currency;

	if (facts->deduction < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("deduction from line %d must not be negative", line->line_no),
				 errdetail("The deduction is %s.", money_text(facts->deduction, currency)),
				 errhint("Set deduction to 0, or to the loss in value of the line."),
				 err_our_column("return_line", "deduction")));
	if (pricing->fault != FAULT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
				 errmsg("no deduction can be taken from line %d", line->line_no),
				 errdetail("The reason of the return has the fault \"%s\", so the buyer gets the full share of the line.",
						   fault_name(pricing->fault)),
				 errhint("Set deduction to 0."),
				 err_our_column("return_line", "deduction")));
	ereport(ERROR,
			(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
			 errmsg("deduction from line %d is more than its units are worth", line->line_no),
			 errdetail("The share of the accepted units (%d) is %s, the restocking fee is %s, and the deduction is %s.",
					   facts->units, money_text(line->price.goods, currency),
					   money_text(line->price.fee, currency),
					   money_text(facts->deduction, currency)),
			 errhint("Set deduction to %s or less.",
					 money_text(line->price.goods - line->price.fee, currency)),
			 err_our_column("return_line", "deduction")));
}

static void
price_line(ResultSet lines, uint64 row, const Pricing *pricing, const Reason *reason,
		   const LineTrial *trial, PricedLine *line)
{
	const Currency *currency = pricing->currency;
	LineFacts	facts;

	line_facts(lines, row, pricing, reason, &facts);
	if (trial != NULL)
	{
		facts.units = trial->units;
		facts.deduction = numeric_to_minor(trial->deduction, currency, "deduction");
	}
	line->line_no = result_int(lines, row, L_LINE_NO);
	line->refunded = stored_amount(lines, row, L_REFUNDED, currency, "refunded");
	line->cap = money_add(facts.paid, facts.shipping_paid);

	if (trial == NULL && !result_is_null(lines, row, L_FEE))
	{
		/* refund_price() has set the price, for an exchange: keep it */
		line->price.goods = stored_amount(lines, row, L_GOODS, currency, "refund_goods");
		line->price.fee = stored_amount(lines, row, L_FEE, currency, "refund_fee");
		line->price.shipping = stored_amount(lines, row, L_SHIPPING, currency, "refund_shipping");
		line->price.deduction = facts.deduction;
		money_complete(&facts, &line->price);
		return;
	}
	if (money_price_line(&facts, &line->price))
		return;
	if (trial != NULL || facts.fault != FAULT_NONE || facts.deduction < 0)
		refuse_deduction(pricing, line, &facts);

	/*
	 * The deduction was within the limit when it was entered.  Other units of
	 * the line were decided since then, and rounding left the smaller share
	 * to these: reduce the deduction to their present value.
	 */
	facts.deduction = line->price.goods - line->price.fee;
	line->cut = money_price_line(&facts, &line->price);
	Assert(line->cut);
}

pg_noreturn static void
refuse_currencies(int64 return_id, const Currency *one, const Currency *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_NOT_RETURNABLE),
			 errmsg("lines of return " INT64_FORMAT " were paid in different currencies",
					return_id),
			 errdetail("One line was paid in %s, another in %s.", one->code, other->code),
			 errhint("Open one return for each currency."),
			 err_our_column("sale_line", "currency")));
}

/* The currency of all lines; NULL when there are none. */
static const Currency *
common_currency(ResultSet lines, int64 return_id)
{
	const Currency *common = NULL;

	for (uint64 i = 0; i < lines.nrows; i++)
	{
		const Currency *currency = currency_get(result_cstring(lines, i, L_CURRENCY));

		if (common != NULL && strcmp(common->code, currency->code) != 0)
			refuse_currencies(return_id, common, currency);
		if (common == NULL)
			common = currency;
	}
	return common;
}

Pricing *
price_lines(Datum order_ref, int64 return_id, const Reason *reason,
			const LineTrial *trial)
{
	Pricing    *pricing = palloc0(sizeof(Pricing));
	Datum		args[3] = {order_ref, Int64GetDatum(return_id),
	Int32GetDatum(trial != NULL ? trial->line_no : 0)};
	ResultSet	lines = statement_run(&select_lines, args, trial != NULL ? NULL : "  n");

	Assert(trial == NULL || lines.nrows <= 1);
	pricing->currency = common_currency(lines, return_id);
	pricing->fault = reason->fault;
	pricing->nlines = lines.nrows;
	pricing->lines = palloc0(sizeof(PricedLine) * Max(pricing->nlines, 1));
	for (int i = 0; i < pricing->nlines; i++)
	{
		price_line(lines, i, pricing, reason, trial, &pricing->lines[i]);
		pricing->total = money_add(pricing->total, pricing->lines[i].price.total);
	}
	return pricing;
}

/* Amounts of the payments of an order: left to refund, and why others are not. */
typedef struct Shortage
{
	int64		available;
	int64		uncaptured;
	int64		disputed;		/* under an open or lost chargeback */
} Shortage;

pg_noreturn static void
refuse_total(const Pricing *pricing, int64 return_id, const Shortage *shortage)
{
	const Currency *currency = pricing->currency;
	char	   *disputed = "";
	char	   *uncaptured = "";

	if (shortage->disputed != 0)
		disputed = psprintf(" Another %s is under an open or lost chargeback.",
							money_text(shortage->disputed, currency));
	if (shortage->uncaptured != 0)
		uncaptured = psprintf(" Another %s is not captured.",
							  money_text(shortage->uncaptured, currency));
	ereport(ERROR,
			(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
			 errmsg("payments cannot cover return " INT64_FORMAT, return_id),
			 errdetail("The amount to refund is %s, but the payments of the order have only %s left to refund.%s%s",
					   money_text(pricing->total, currency),
					   money_text(shortage->available, currency), disputed, uncaptured),
			 errhint("Record a capture or the end of a chargeback in returns.payment, or report refunds that hold the money as failed."),
			 err_our_column("payment", "refunded")));
}

/* The amount that a payment has left to refund; adds it to one sum of the shortage. */
static int64
payment_left(ResultSet payments, uint64 row, const Pricing *pricing, Shortage *shortage)
{
	const Currency *currency = pricing->currency;
	Chargeback	chargeback;
	int64		left;

	if (strcmp(result_cstring(payments, row, P_CURRENCY), currency->code) != 0)
		return 0;
	chargeback = chargeback_parse(result_cstring(payments, row, P_CHARGEBACK));
	left = stored_amount(payments, row, P_AMOUNT, currency, "amount") -
		stored_amount(payments, row, P_REFUNDED, currency, "refunded");
	if (result_is_null(payments, row, P_CAPTURED_AT))
		shortage->uncaptured += left;
	else if (chargeback == CHARGEBACK_OPEN || chargeback == CHARGEBACK_LOST)
		shortage->disputed += left;
	else
	{
		shortage->available += left;
		return left;
	}
	return 0;
}

/* Split the total over the payments; returns the amount that they cannot cover. */
static int64
split_total(Pricing *pricing, Datum order_ref, bool lock, Shortage *shortage)
{
	ResultSet	payments;

	if (pricing->total == 0)
		return 0;
	payments = statement_run(lock ? &lock_payments : &select_payments, &order_ref, NULL);
	pricing->ntenders = payments.nrows;
	pricing->tenders = palloc0(sizeof(Tender) * Max(pricing->ntenders, 1));
	pricing->providers = palloc0(sizeof(char *) * Max(pricing->ntenders, 1));
	for (int i = 0; i < pricing->ntenders; i++)
	{
		pricing->tenders[i].payment_no = result_int(payments, i, P_PAYMENT_NO);
		pricing->tenders[i].left = payment_left(payments, i, pricing, shortage);
		pricing->providers[i] = result_cstring(payments, i, P_PROVIDER);
	}
	return money_waterfall(pricing->total, pricing->tenders, pricing->ntenders);
}

void
price_tenders(Pricing *pricing, Datum order_ref, int64 return_id, bool lock)
{
	Shortage	shortage = {0};

	if (split_total(pricing, order_ref, lock, &shortage) > 0)
		refuse_total(pricing, return_id, &shortage);
}

bool
price_covered(Pricing *pricing, Datum order_ref)
{
	Shortage	shortage = {0};

	return split_total(pricing, order_ref, true, &shortage) == 0;
}
