/*-------------------------------------------------------------------------
 *
 * preview.c
 *		preview_refund(): what a return pays, by the code that pays.
 *
 * src/api/preview.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/plan.h"
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

static KeptPlan find_return = {
	"SELECT order_ref, reason, status, refund_total FROM returns.return_request"
	" WHERE id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}
};

/* A decided return shows what was decided, and the refunds that pay it. */
static KeptPlan decided = {
	"SELECT 'line', l.line_no, NULL::pg_catalog.int4, l.refund_goods, l.refund_fee,"
	" COALESCE(l.deduction, 0), l.refund_shipping,"
	" l.refund_goods OPERATOR(pg_catalog.-) l.refund_fee OPERATOR(pg_catalog.-)"
	" COALESCE(l.deduction, 0) OPERATOR(pg_catalog.+) l.refund_shipping,"
	" q.currency, 0::pg_catalog.int8 AS id"
	" FROM returns.return_line AS l JOIN returns.return_request AS q"
	" ON q.order_ref OPERATOR(pg_catalog.=) l.order_ref"
	" AND q.id OPERATOR(pg_catalog.=) l.return_id"
	" WHERE l.order_ref OPERATOR(pg_catalog.=) $1 AND l.return_id OPERATOR(pg_catalog.=) $2"
	" UNION ALL"
	" SELECT 'tender', NULL, payment_no, NULL, NULL, NULL, NULL, amount, currency, id"
	" FROM returns.refund"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND return_id OPERATOR(pg_catalog.=) $2"
	" ORDER BY id, line_no",
	2, {TEXTOID, INT8OID}
};

typedef struct ReturnFacts
{
	Datum		order_ref;
	const Reason *reason;
	const State *state;
	bool		decided;
} ReturnFacts;

/* As the caller: who may not see the return may not see its money. */
static void
find_facts(int64 return_id, ReturnFacts *facts)
{
	MemoryContext caller_context = CurrentMemoryContext;
	Datum		arg = Int64GetDatum(return_id);
	bool		isnull;

	rules_current();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	if (plan_run_as_caller(&find_return, &arg, NULL) == 0)
		error_unknown_return(return_id);
	facts->order_ref = PointerGetDatum(DatumGetTextPCopy(plan_value(0, 1, &isnull)));
	facts->reason = reason_get(TextDatumGetCString(plan_value(0, 2, &isnull)));
	facts->state = state_get(MACHINE_RETURN, TextDatumGetCString(plan_value(0, 3, &isnull)));
	(void) plan_value(0, 4, &isnull);
	facts->decided = !isnull;
	SPI_finish();
}

static void
put_decided(ReturnSetInfo *result, const ReturnFacts *facts, int64 return_id)
{
	Datum		args[2] = {facts->order_ref, Int64GetDatum(return_id)};
	uint64		rows = plan_run(&decided, args, NULL);

	for (uint64 i = 0; i < rows; i++)
	{
		Datum		values[PV_NCOLUMNS];
		bool		isnull[PV_NCOLUMNS];

		for (int c = 0; c < PV_NCOLUMNS; c++)
			values[c] = plan_value(i, c + 1, &isnull[c]);
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
put_planned(ReturnSetInfo *result, const ReturnFacts *facts, int64 return_id)
{
	Pricing    *pricing = price_lines(facts->order_ref, return_id, facts->reason, NULL);

	price_tenders(pricing, facts->order_ref, return_id, false);
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
	ReturnFacts facts;
	OwnState	own;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("return_id must not be null"),
				 errdetail("A preview is of one return."),
				 errhint("Give its id.")));
	InitMaterializedSRF(fcinfo, 0);
	find_facts(PG_GETARG_INT64(0), &facts);
	own_begin(&own);
	if (facts.decided)
		put_decided(result, &facts, PG_GETARG_INT64(0));
	else if (facts.state->kind != STATE_FINAL)
		put_planned(result, &facts, PG_GETARG_INT64(0));
	own_end(&own);
	return (Datum) 0;
}
