/*-------------------------------------------------------------------------
 *
 * preview.c
 *		preview_refund(): the amounts that a return pays or would pay.
 *
 * src/api/preview.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/argument.h"
#include "base/errors.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "records/decision/price.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"

/* The columns of the result. */
enum
{
	PV_KIND, PV_LINE_NO, PV_PAYMENT_NO, PV_GOODS, PV_FEE, PV_DEDUCTION, PV_SHIPPING,
	PV_AMOUNT, PV_CURRENCY, PV_NCOLUMNS
};

static Statement find_return = {
	"SELECT order_ref, reason, status, refund_total FROM returns.return_request"
	" WHERE id" EQ "$1",
	1, {INT8OID}
};

/* The decision on a return, and the refunds that pay it. */
static Statement read_decision = {
	"SELECT 'line', l.line_no, NULL::pg_catalog.int4, l.refund_goods, l.refund_fee,"
	" COALESCE(l.deduction, 0), l.refund_shipping,"
	" l.refund_goods OPERATOR(pg_catalog.-) l.refund_fee OPERATOR(pg_catalog.-)"
	" COALESCE(l.deduction, 0) OPERATOR(pg_catalog.+) l.refund_shipping,"
	" q.currency, 0::pg_catalog.int8 AS id"
	" FROM returns.return_line AS l JOIN returns.return_request AS q"
	" ON q.order_ref" EQ "l.order_ref AND q.id" EQ "l.return_id"
	" WHERE l.order_ref" EQ "$1 AND l.return_id" EQ "$2"
	" UNION ALL"
	" SELECT 'tender', NULL, payment_no, NULL, NULL, NULL, NULL, amount, currency, id"
	" FROM returns.refund"
	" WHERE order_ref" EQ "$1 AND return_id" EQ "$2"
	" ORDER BY id, line_no",
	2, {TEXTOID, INT8OID}
};

typedef struct PreviewedReturn
{
	Datum		order_ref;
	const Reason *reason;
	const State *state;
	bool		decided;
} PreviewedReturn;

/* Reads with the rights of the caller: the money of a return is visible with the return. */
static void
read_return(int64 return_id, PreviewedReturn *previewed)
{
	MemoryContext caller_context = CurrentMemoryContext;
	Datum		arg = Int64GetDatum(return_id);
	ResultSet	found;

	rules_current();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	found = statement_run_as_caller(&find_return, &arg, NULL);
	if (found.nrows == 0)
		error_unknown_return(return_id);
	previewed->order_ref = PointerGetDatum(result_text(found, 0, 1));
	previewed->reason = reason_get(result_cstring(found, 0, 2));
	previewed->state = state_get(MACHINE_RETURN, result_cstring(found, 0, 3));
	previewed->decided = !result_is_null(found, 0, 4);
	SPI_finish();
}

static void
put_decided(ReturnSetInfo *result, const PreviewedReturn *previewed, int64 return_id)
{
	Datum		args[2] = {previewed->order_ref, Int64GetDatum(return_id)};
	ResultSet	rows = statement_run(&read_decision, args, NULL);

	for (uint64 i = 0; i < rows.nrows; i++)
	{
		Datum		values[PV_NCOLUMNS];
		bool		isnull[PV_NCOLUMNS];

		for (int c = 0; c < PV_NCOLUMNS; c++)
			values[c] = result_value(rows, i, c + 1, &isnull[c]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

static void
put_row(ReturnSetInfo *result, const Pricing *pricing, const char *kind, int number_column,
		int number, const LinePrice *price, int64 amount)
{
	Datum		values[PV_NCOLUMNS] = {0};
	bool		isnull[PV_NCOLUMNS];

	memset(isnull, true, sizeof(isnull));
	isnull[PV_KIND] = isnull[number_column] = isnull[PV_AMOUNT] = isnull[PV_CURRENCY] = false;
	values[PV_KIND] = CStringGetTextDatum(kind);
	values[number_column] = Int32GetDatum(number);
	values[PV_AMOUNT] = NumericGetDatum(minor_to_numeric(amount, pricing->currency));
	values[PV_CURRENCY] = CStringGetTextDatum(pricing->currency->code);
	if (price != NULL)
	{
		memset(&isnull[PV_GOODS], false, sizeof(bool) * (PV_SHIPPING - PV_GOODS + 1));
		values[PV_GOODS] = NumericGetDatum(minor_to_numeric(price->goods, pricing->currency));
		values[PV_FEE] = NumericGetDatum(minor_to_numeric(price->fee, pricing->currency));
		values[PV_DEDUCTION] = NumericGetDatum(minor_to_numeric(price->deduction, pricing->currency));
		values[PV_SHIPPING] = NumericGetDatum(minor_to_numeric(price->shipping, pricing->currency));
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

static void
put_planned(ReturnSetInfo *result, const PreviewedReturn *previewed, int64 return_id)
{
	Pricing    *pricing = price_lines(previewed->order_ref, return_id, previewed->reason, NULL);

	price_tenders(pricing, previewed->order_ref, return_id, false);
	for (int i = 0; i < pricing->nlines; i++)
		put_row(result, pricing, "line", PV_LINE_NO, pricing->lines[i].line_no,
				&pricing->lines[i].price, pricing->lines[i].price.total);
	for (int i = 0; i < pricing->ntenders; i++)
		if (pricing->tenders[i].taken > 0)
			put_row(result, pricing, "tender", PV_PAYMENT_NO, pricing->tenders[i].payment_no,
					NULL, pricing->tenders[i].taken);
}

PG_FUNCTION_INFO_V1(returns_preview_refund);

/* preview_refund(return_id bigint) → setof record */
Datum
returns_preview_refund(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PreviewedReturn previewed;
	AsOwner		owner;

	argument_check_not_null(fcinfo, 0, "preview_refund", "return_id");
	InitMaterializedSRF(fcinfo, 0);
	read_return(PG_GETARG_INT64(0), &previewed);
	as_owner_begin(&owner);
	if (previewed.decided)
		put_decided(result, &previewed, PG_GETARG_INT64(0));
	else if (previewed.state->kind != STATE_FINAL)
		put_planned(result, &previewed, PG_GETARG_INT64(0));
	as_owner_end(&owner);
	return (Datum) 0;
}
