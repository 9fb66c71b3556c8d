/*-------------------------------------------------------------------------
 *
 * price.c
 *		What a return is worth, before anything is written.
 *
 * src/records/decision/price.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "records/decision/price.h"
#include "rules/cache/cache.h"
#include "rules/policy/policy.h"
#include "rules/policy/policy_load.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* "o": what other returns of the same sale line were decided to be worth. */
static KeptPlan select_lines = {
	"SELECT l.line_no, COALESCE(l.accepted, l.quantity), l.deduction, l.policy_id,"
	" l.refund_goods, l.refund_fee, l.refund_shipping,"
	" s.quantity, s.amount_paid, s.shipping_paid, s.commission_rate, s.refunded,"
	" s.currency, s.market, s.category, s.seller_ref, s.purchased_at,"
	" o.units, o.goods, o.deduction, o.shipping, o.shipping_units"
	" FROM returns.return_line AS l"
	" JOIN returns.sale_line AS s ON s.order_ref OPERATOR(pg_catalog.=) l.order_ref"
	" AND s.line_no OPERATOR(pg_catalog.=) l.line_no"
	" CROSS JOIN LATERAL (SELECT pg_catalog.sum(d.accepted) AS units,"
	" pg_catalog.sum(d.refund_goods) AS goods, pg_catalog.sum(d.deduction) AS deduction,"
	" pg_catalog.sum(d.refund_shipping) AS shipping,"
	" pg_catalog.sum(d.accepted) FILTER (WHERE p.refund_shipping) AS shipping_units"
	" FROM returns.return_line AS d"
	" LEFT JOIN returns.policy AS p ON p.id OPERATOR(pg_catalog.=) d.policy_id"
	" WHERE d.order_ref OPERATOR(pg_catalog.=) s.order_ref"
	" AND d.line_no OPERATOR(pg_catalog.=) s.line_no"
	" AND d.return_id OPERATOR(pg_catalog.<>) l.return_id"
	" AND d.refund_goods IS NOT NULL) AS o"
	" WHERE l.order_ref OPERATOR(pg_catalog.=) $1 AND l.return_id OPERATOR(pg_catalog.=) $2"
	" AND ($3 IS NULL OR l.line_no OPERATOR(pg_catalog.=) $3)"
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
 * Locked in the order of their keys, which never changes, then sorted by ranks
 * that nobody can change any more.
 */
#define SELECT_PAYMENTS(lock) \
	"SELECT p.payment_no, p.amount, p.refunded, p.currency, p.captured_at, p.chargeback, p.provider" \
	" FROM (SELECT * FROM returns.payment WHERE order_ref OPERATOR(pg_catalog.=) $1" \
	" ORDER BY payment_no" lock ") AS p ORDER BY p.refund_rank, p.payment_no"

static KeptPlan select_payments = {SELECT_PAYMENTS(""), 1, {TEXTOID}};
static KeptPlan lock_payments = {SELECT_PAYMENTS(" FOR NO KEY UPDATE"), 1, {TEXTOID}};

enum
{
	P_PAYMENT_NO = 1, P_AMOUNT, P_REFUNDED, P_CURRENCY, P_CAPTURED_AT, P_CHARGEBACK, P_PROVIDER
};

static char *
column_text(uint64 row, int col)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Amounts that we stored or checked: exact, NULL counts as 0. */
static int64
column_money(uint64 row, int col, const Currency *currency, const char *what)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);

	return isnull ? 0 : stored_to_minor(value, currency, what);
}

static int64
column_int(uint64 row, int col, bool wide)
{
	bool		isnull;
	Datum		value = plan_value(row, col, &isnull);

	if (isnull)
		return 0;
	return wide ? DatumGetInt64(value) : DatumGetInt32(value);
}

/* The policy the line was requested under, or would be. */
static const Policy *
line_policy(uint64 row, const Reason *reason)
{
	bool		isnull;
	Datum		id = plan_value(row, L_POLICY_ID, &isnull);

	if (!isnull)
		return policy_by_id(DatumGetInt64(id));
	return policy_find(market_get(column_text(row, L_MARKET)),
					   category_get(column_text(row, L_CATEGORY)), reason,
					   column_text(row, L_SELLER_REF),
					   DatumGetTimestampTz(plan_value(row, L_PURCHASED_AT, &isnull)));
}

static void
line_facts(uint64 row, const Pricing *pricing, const Reason *reason, LineFacts *facts)
{
	const Policy *policy = line_policy(row, reason);
	const Currency *currency = pricing->currency;
	bool		isnull;

	facts->quantity = column_int(row, L_QUANTITY, false);
	facts->paid = column_money(row, L_PAID, currency, "amount_paid");
	facts->shipping_paid = column_money(row, L_SHIPPING_PAID, currency, "shipping_paid");
	facts->commission_rate = DatumGetNumeric(plan_value(row, L_COMMISSION_RATE, &isnull));
	facts->units_before = column_int(row, L_UNITS_BEFORE, true);
	facts->goods_before = column_money(row, L_GOODS_BEFORE, currency, "refund_goods");
	facts->deduction_before = column_money(row, L_DEDUCTION_BEFORE, currency, "deduction");
	facts->shipping_before = column_money(row, L_SHIPPING_BEFORE, currency, "refund_shipping");
	facts->shipping_units_before = column_int(row, L_SHIPPING_UNITS_BEFORE, true);
	facts->units = column_int(row, L_UNITS, false);
	facts->deduction = column_money(row, L_DEDUCTION, currency, "deduction");
	facts->fault = pricing->fault;
	facts->restocking = policy != NULL ? policy->restocking : 0;
	facts->refund_shipping = policy != NULL && policy->refund_shipping;
}

static void
refuse_deduction(const Pricing *pricing, const PricedLine *line, const LineFacts *facts)
{
	if (facts->deduction < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("deduction from line %d must not be negative", line->line_no),
				 errdetail("It is %s.", money_text(facts->deduction, pricing->currency)),
				 errhint("Set deduction to 0, or to what the line has lost in value."),
				 err_our_column("return_line", "deduction")));
	if (pricing->fault != FAULT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
				 errmsg("no deduction may be taken from line %d", line->line_no),
				 errdetail("The reason of the return is somebody's fault, so the buyer gets the line's full share."),
				 errhint("Set deduction to 0."),
				 err_our_column("return_line", "deduction")));
	ereport(ERROR,
			(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
			 errmsg("deduction from line %d is more than its units are worth", line->line_no),
			 errdetail("Units accepted: %d; their share is %s, the restocking fee %s, the deduction %s.",
					   facts->units, money_text(line->price.goods, pricing->currency),
					   money_text(line->price.fee, pricing->currency),
					   money_text(facts->deduction, pricing->currency)),
			 errhint("Deduct at most what is left of the share after the fee."),
			 err_our_column("return_line", "deduction")));
}

static void
price_line(uint64 row, Pricing *pricing, const Reason *reason, const LineTrial *trial,
		   PricedLine *line)
{
	LineFacts	facts;
	bool		unpriced;

	line_facts(row, pricing, reason, &facts);
	if (trial != NULL)
	{
		facts.units = trial->units;
		facts.deduction = numeric_to_minor(trial->deduction, pricing->currency, "deduction");
	}
	line->line_no = column_int(row, L_LINE_NO, false);
	line->refunded = column_money(row, L_REFUNDED, pricing->currency, "refunded");
	line->cap = money_add(facts.paid, facts.shipping_paid);

	(void) plan_value(row, L_FEE, &unpriced);
	if (unpriced || trial != NULL)
	{
		if (money_price_line(&facts, &line->price))
			return;
		if (trial != NULL || facts.fault != FAULT_NONE || facts.deduction < 0)
			refuse_deduction(pricing, line, &facts);

		/*
		 * Right when it was entered: the line's other units were decided
		 * since, and these got the smaller share of it.
		 */
		facts.deduction = line->price.goods - line->price.fee;
		line->cut = money_price_line(&facts, &line->price);
		return;
	}
	line->price.goods = column_money(row, L_GOODS, pricing->currency, "refund_goods");
	line->price.fee = column_money(row, L_FEE, pricing->currency, "refund_fee");
	line->price.shipping = column_money(row, L_SHIPPING, pricing->currency, "refund_shipping");
	line->price.deduction = facts.deduction;
	money_complete(&facts, &line->price);
}

static void
check_currency(const Pricing *pricing, int64 return_id, const Currency *other)
{
	if (strcmp(pricing->currency->code, other->code) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_NOT_RETURNABLE),
				 errmsg("lines of return " INT64_FORMAT " were paid in different currencies",
						return_id),
				 errdetail("One line was paid in %s, another in %s.", pricing->currency->code,
						   other->code),
				 errhint("Open one return for each currency."),
				 err_our_column("sale_line", "currency")));
}

Pricing *
price_lines(Datum order_ref, int64 return_id, const Reason *reason,
			const LineTrial *trial)
{
	Pricing    *pricing = palloc0(sizeof(Pricing));
	Datum		args[3] = {order_ref, Int64GetDatum(return_id),
		Int32GetDatum(trial != NULL ? trial->line_no : 0)};

	pricing->fault = reason->fault;
	pricing->nlines = plan_run(&select_lines, args, trial != NULL ? "   " : "  n");
	pricing->lines = palloc0(sizeof(PricedLine) * Max(pricing->nlines, 1));
	for (int i = 0; i < pricing->nlines; i++)
	{
		const Currency *currency = currency_get(column_text(i, L_CURRENCY));

		if (pricing->currency == NULL)
			pricing->currency = currency;
		check_currency(pricing, return_id, currency);
	}

	/* pricing may look rules up, which must not disturb the result */
	if (pricing->nlines > 0)
	{
		SPITupleTable *rows = SPI_tuptable;

		for (int i = 0; i < pricing->nlines; i++)
		{
			SPI_tuptable = rows;
			price_line(i, pricing, reason, trial, &pricing->lines[i]);
			pricing->total = money_add(pricing->total, pricing->lines[i].price.total);
		}
	}
	return pricing;
}

/* What keeps the payments from covering the total, for DETAIL. */
typedef struct Shortage
{
	int64		available;
	int64		uncaptured;
	int64		disputed;
} Shortage;

static void
refuse_total(const Pricing *pricing, int64 return_id, const Shortage *shortage)
{
	char	   *disputed = shortage->disputed == 0 ? "" :
		psprintf(" Another %s is under a chargeback.",
				 money_text(shortage->disputed, pricing->currency));
	char	   *uncaptured = shortage->uncaptured == 0 ? "" :
		psprintf(" Another %s is not captured.",
				 money_text(shortage->uncaptured, pricing->currency));

	ereport(ERROR,
			(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
			 errmsg("payments cannot cover return " INT64_FORMAT, return_id),
			 errdetail("It is owed %s; the order's payments have %s left to refund.%s%s",
					   money_text(pricing->total, pricing->currency),
					   money_text(shortage->available, pricing->currency), disputed, uncaptured),
			 errhint("Record the missing capture or the end of the chargeback in returns.payment, or let the refunds that hold the money fail."),
			 err_our_column("payment", "refunded")));
}

/* What a payment can still give; 0 with the reason counted. */
static int64
payment_left(uint64 row, const Pricing *pricing, Shortage *shortage)
{
	char	   *chargeback = column_text(row, P_CHARGEBACK);
	bool		uncaptured;
	int64		left;

	if (strcmp(column_text(row, P_CURRENCY), pricing->currency->code) != 0)
		return 0;
	left = column_money(row, P_AMOUNT, pricing->currency, "amount") -
		column_money(row, P_REFUNDED, pricing->currency, "refunded");
	(void) plan_value(row, P_CAPTURED_AT, &uncaptured);
	if (uncaptured)
		shortage->uncaptured += left;
	else if (strcmp(chargeback, "open") == 0 || strcmp(chargeback, "lost") == 0)
		shortage->disputed += left;
	else
	{
		shortage->available += left;
		return left;
	}
	return 0;
}

/* Split the total; what remains uncovered. */
static int64
spread_total(Pricing *pricing, Datum order_ref, bool lock, Shortage *shortage)
{
	if (pricing->total == 0)
		return 0;
	pricing->ntenders = plan_run(lock ? &lock_payments : &select_payments, &order_ref, NULL);
	pricing->tenders = palloc0(sizeof(Tender) * Max(pricing->ntenders, 1));
	pricing->providers = palloc0(sizeof(char *) * Max(pricing->ntenders, 1));
	for (int i = 0; i < pricing->ntenders; i++)
	{
		pricing->tenders[i].payment_no = column_int(i, P_PAYMENT_NO, false);
		pricing->tenders[i].left = payment_left(i, pricing, shortage);
		pricing->providers[i] = column_text(i, P_PROVIDER);
	}
	return money_waterfall(pricing->total, pricing->tenders, pricing->ntenders);
}

void
price_tenders(Pricing *pricing, Datum order_ref, int64 return_id, bool lock)
{
	Shortage	shortage = {0};

	if (spread_total(pricing, order_ref, lock, &shortage) > 0)
		refuse_total(pricing, return_id, &shortage);
}

bool
price_covered(Pricing *pricing, Datum order_ref)
{
	Shortage	shortage = {0};

	return spread_total(pricing, order_ref, true, &shortage) == 0;
}
