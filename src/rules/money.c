/*-------------------------------------------------------------------------
 *
 * money.c
 *		Exact money: minor units, shares of a line, the split over tenders.
 *
 * src/rules/money.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"
#include "rules/money.h"
#include "utils/fmgrprotos.h"

static bool
numeric_less(Numeric a, Numeric b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_lt, NumericGetDatum(a),
											NumericGetDatum(b)));
}

static char *
numeric_text(Numeric value)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value)));
}

static int64
to_minor(Datum value, const Currency *currency, int64 limit, const char *what)
{
	Numeric		amount = DatumGetNumeric(value);
	Datum		scaled;
	int64		result;

	if (numeric_is_nan(amount) || numeric_is_inf(amount))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be an amount of money, not %s", what, numeric_text(amount)),
				 errdetail("Neither NaN nor an infinity is an amount in %s.", currency->code),
				 errhint("Use a finite number.")));
	if (!numeric_less(amount, int64_to_numeric(limit)) ||
		!numeric_less(int64_to_numeric(-limit), amount))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s is out of range", what),
				 errdetail("The amount must be less than " INT64_FORMAT " %s.", limit,
						   currency->code),
				 errhint("Use an amount in %s, not in its minor units.", currency->code)));

	scaled = DirectFunctionCall2(numeric_mul, NumericGetDatum(amount),
								 NumericGetDatum(int64_to_numeric(currency->scale)));
	result = DatumGetInt64(DirectFunctionCall1(numeric_int8, scaled));

	/*
	 * numeric_int8() rounds: refuse an amount whose decimals it has rounded
	 * away
	 */
	if (DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(amount))) >
		currency->minor_units &&
		!DatumGetBool(DirectFunctionCall2(numeric_eq, scaled,
										  NumericGetDatum(int64_to_numeric(result)))))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s has more decimals than %s has: %s", what, currency->code,
						numeric_text(amount)),
				 errdetail("Amounts in %s have %d decimals and are never rounded silently.",
						   currency->code, currency->minor_units),
				 errhint("Round the amount to %d decimals before storing it.",
						 currency->minor_units)));
	return result;
}

int64
numeric_to_minor(Datum value, const Currency *currency, const char *what)
{
	return to_minor(value, currency, MONEY_LIMIT, what);
}

int64
stored_to_minor(Datum value, const Currency *currency, const char *what)
{
	return to_minor(value, currency, PG_INT64_MAX / currency->scale, what);
}

Numeric
minor_to_numeric(int64 amount, const Currency *currency)
{
	return int64_div_fast_to_numeric(amount, currency->minor_units);
}

char *
money_text(int64 amount, const Currency *currency)
{
	return psprintf("%s %s", numeric_text(minor_to_numeric(amount, currency)), currency->code);
}

int64
money_add(int64 a, int64 b)
{
	int64		sum;

	if (unlikely(pg_add_s64_overflow(a, b, &sum)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of amounts out of range"),
				 errdetail("The sum in minor units does not fit into a 64-bit integer."),
				 errhint("Return the lines in several returns.")));
	return sum;
}

int64
money_share(int64 amount, int64 part, int64 whole)
{
	int128		product = (int128) amount * part;
	int128		quotient;
	int128		rest;

	Assert(whole > 0);
	quotient = product / whole;
	rest = product % whole;
	if (rest < 0)
		rest = -rest;
	if (2 * rest >= whole)
		quotient += product < 0 ? -1 : 1;
	if (unlikely(quotient > PG_INT64_MAX || quotient < PG_INT64_MIN))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("share of an amount out of range"),
				 errdetail("The share in minor units does not fit into a 64-bit integer."),
				 errhint("Check the amounts and quantities of the order.")));
	return (int64) quotient;
}

/* round(amount * rate), half away from zero; rate is from 0 to 1. */
static int64
rate_share(int64 amount, Numeric rate)
{
	Datum		product = DirectFunctionCall2(numeric_mul, NumericGetDatum(rate),
											  NumericGetDatum(int64_to_numeric(amount)));

	return DatumGetInt64(DirectFunctionCall1(numeric_int8, product));
}

/* The difference of the commissions of the running sums, after and before. */
static int64
commission_share(const LineFacts *facts, const LinePrice *price)
{
	int64		before = facts->goods_before - facts->deduction_before;
	int64		after = before + price->goods - price->deduction;

	if (after == before)
		return 0;
	return rate_share(after, facts->commission_rate) -
		rate_share(before, facts->commission_rate);
}

void
money_complete(const LineFacts *facts, LinePrice *price)
{
	price->commission = commission_share(facts, price);
	price->total = price->goods - price->fee - price->deduction + price->shipping;
}

static int64
shipping_share(const LineFacts *facts)
{
	int64		k = facts->units_before;
	int64		before = facts->shipping_units_before == k ? facts->shipping_before :
	money_share(facts->shipping_paid, k, facts->quantity);
	int64		share = money_share(facts->shipping_paid, k + facts->units, facts->quantity) - before;

	return Max(Min(share, facts->shipping_paid - facts->shipping_before), 0);
}

bool
money_price_line(const LineFacts *facts, LinePrice *price)
{
	int64		k = facts->units_before;
	int64		n = facts->units;

	memset(price, 0, sizeof(*price));
	if (n > 0)
	{
		price->goods = Max(money_share(facts->paid, k + n, facts->quantity) -
						   facts->goods_before, 0);
		if (facts->refund_shipping)
			price->shipping = shipping_share(facts);
	}
	if (facts->fault == FAULT_NONE)
		price->fee = money_share(price->goods, facts->restocking, RESTOCKING_WHOLE);
	price->deduction = facts->deduction;
	if (price->deduction < 0 ||
		price->deduction > (facts->fault == FAULT_NONE ? price->goods - price->fee : 0))
		return false;
	money_complete(facts, price);
	return true;
}

int64
money_waterfall(int64 total, Tender *tenders, int ntenders)
{
	Assert(total >= 0);
	for (int i = 0; i < ntenders; i++)
	{
		tenders[i].taken = Min(total, Max(tenders[i].left, 0));
		total -= tenders[i].taken;
	}
	return total;
}
