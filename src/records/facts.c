/*-------------------------------------------------------------------------
 *
 * facts.c
 *		The triggers of the facts that the shop supplies: sale_line, payment.
 *
 * Codes and amounts are checked when they are written.  Once a return rests on
 * a fact it stands: what was bought and paid cannot change under a decision.
 * That all lines of an order name one buyer is not checked here: it would cost
 * a look-up for every line that is loaded, and a return checks its own lines.
 *
 * src/records/facts.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/columns.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "rules/cache/cache.h"
#include "rules/money.h"
#include "utils/builtins.h"

typedef enum SaleColumn
{
	SL_ORDER_REF, SL_LINE_NO, SL_BUYER_REF, SL_SELLER_REF, SL_SKU, SL_CATEGORY, SL_MARKET,
	SL_QUANTITY, SL_AMOUNT_PAID, SL_SHIPPING_PAID, SL_COMMISSION_RATE, SL_CURRENCY,
	SL_PURCHASED_AT, SL_DELIVERED_AT, SL_RESERVED, SL_RETURNED, SL_REFUNDED, SL_NCOLUMNS
} SaleColumn;

static const char *const sale_names[SL_NCOLUMNS] = {
	"order_ref", "line_no", "buyer_ref", "seller_ref", "sku", "category", "market",
	"quantity", "amount_paid", "shipping_paid", "commission_rate", "currency",
	"purchased_at", "delivered_at", "reserved", "returned", "refunded"
};

typedef enum PaymentColumn
{
	PM_ORDER_REF, PM_PAYMENT_NO, PM_METHOD, PM_AMOUNT, PM_CURRENCY, PM_PROVIDER,
	PM_PROVIDER_REF, PM_CAPTURED_AT, PM_REFUND_RANK, PM_CHARGEBACK, PM_REFUNDED, PM_NCOLUMNS
} PaymentColumn;

static const char *const payment_names[PM_NCOLUMNS] = {
	"order_ref", "payment_no", "method", "amount", "currency", "provider",
	"provider_ref", "captured_at", "refund_rank", "chargeback", "refunded"
};

static AttrNumber sale_attnos[SL_NCOLUMNS];
static AttrNumber payment_attnos[PM_NCOLUMNS];

static ColumnSet sale_columns = {"sale_line", SL_NCOLUMNS, sale_names, sale_attnos, InvalidOid, NULL};
static ColumnSet payment_columns = {"payment", PM_NCOLUMNS, payment_names, payment_attnos, InvalidOid, NULL};

static KeptPlan line_in_use = {
	"SELECT FROM returns.return_line"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND line_no OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, INT4OID}
};

static KeptPlan payment_in_use = {
	"SELECT FROM returns.refund"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND payment_no OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, INT4OID}
};

/* What differs between the two tables. */
typedef struct FactTable
{
	ColumnSet  *columns;
	int			number;			/* column of the key beside order_ref */
	int			first_computed; /* to the end */
	int			last_fact;		/* that stands once it is in use */
	KeptPlan   *in_use;
	const char *user;			/* what rests on it */
} FactTable;

static const FactTable sale_table = {
	&sale_columns, SL_LINE_NO, SL_RESERVED, SL_DELIVERED_AT, &line_in_use, "return"
};

static const FactTable payment_table = {
	&payment_columns, PM_PAYMENT_NO, PM_REFUNDED, PM_CAPTURED_AT, &payment_in_use, "refund"
};

typedef struct FactRow
{
	const FactTable *table;
	TriggerData *trigger;
	TupleDesc	tupdesc;
	HeapTuple	old;			/* NULL in an INSERT */
	HeapTuple	new;			/* NULL in a DELETE */
} FactRow;

static Datum
row_value(const FactRow *row, HeapTuple tuple, int col, bool *isnull)
{
	return heap_getattr(tuple, row->table->columns->attno[col], row->tupdesc, isnull);
}

static bool
row_changed(const FactRow *row, int col)
{
	bool		old_null;
	bool		new_null;
	Datum		old = row_value(row, row->old, col, &old_null);
	Datum		new = row_value(row, row->new, col, &new_null);

	return column_changed(row->trigger->tg_relation, row->table->columns->attno[col],
						  old, old_null, new, new_null);
}

static char *
row_key(const FactRow *row, HeapTuple tuple)
{
	bool		isnull;
	char	   *order_ref = TextDatumGetCString(row_value(row, tuple, 0, &isnull));

	return psprintf("%s %d of order \"%s\"",
					row->table == &sale_table ? "line" : "payment",
					DatumGetInt32(row_value(row, tuple, row->table->number, &isnull)), order_ref);
}

static bool
row_in_use(const FactRow *row)
{
	Datum		args[2];
	OwnState	own;
	bool		isnull;
	bool		found;

	args[0] = row_value(row, row->old, 0, &isnull);
	args[1] = row_value(row, row->old, row->table->number, &isnull);
	own_begin(&own);
	found = plan_run_limit(row->table->in_use, args, NULL, 1) > 0;
	own_end(&own);
	return found;
}

static void
refuse_computed(const FactRow *row, int col)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_PROTECTED),
			 errmsg("column \"%s\" of %s is computed", row->table->columns->names[col],
					row->table->columns->table),
			 errdetail("It follows from the returns and refunds of the order."),
			 errhint("Leave the column out, or send it back unchanged."),
			 err_column(row->trigger->tg_relation, row->table->columns->names[col])));
}

/* A new row starts with zeros. */
static void
check_inserted_computed(const FactRow *row)
{
	for (int col = row->table->first_computed; col < row->table->columns->ncolumns; col++)
	{
		bool		isnull;
		Datum		value = row_value(row, row->new, col, &isnull);
		Oid			type = TupleDescAttr(row->tupdesc, row->table->columns->attno[col] - 1)->atttypid;

		if (isnull)
			continue;
		if (type == NUMERICOID ?
			!DatumGetBool(DirectFunctionCall2(numeric_eq, value,
											  NumericGetDatum(int64_to_numeric(0)))) :
			DatumGetInt32(value) != 0)
			refuse_computed(row, col);
	}
}

/* NULL is left to the column's own NOT NULL. */
static char *
row_code(const FactRow *row, int col)
{
	bool		isnull;
	Datum		value = row_value(row, row->new, col, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static void
check_amount(const FactRow *row, int col, const char *currency)
{
	bool		isnull;
	Datum		value = row_value(row, row->new, col, &isnull);

	CodeColumn	place;

	if (isnull || currency == NULL)
		return;
	code_column_begin(&place, row->trigger->tg_relation, "currency");
	numeric_to_minor(value, currency_get(currency), row->table->columns->names[col]);
	code_column_end(&place);
}

static void
check_sale(const FactRow *row)
{
	CodeColumn	place;
	char	   *category = row_code(row, SL_CATEGORY);
	char	   *market = row_code(row, SL_MARKET);
	char	   *currency = row_code(row, SL_CURRENCY);

	if (category != NULL)
	{
		code_column_begin(&place, row->trigger->tg_relation, "category");
		category_get(category);
		code_column_end(&place);
	}
	if (market != NULL)
	{
		code_column_begin(&place, row->trigger->tg_relation, "market");
		market_get(market);
		code_column_end(&place);
	}
	check_amount(row, SL_AMOUNT_PAID, currency);
	check_amount(row, SL_SHIPPING_PAID, currency);
}

static void
check_payment(const FactRow *row)
{
	check_amount(row, PM_AMOUNT, row_code(row, PM_CURRENCY));
}

/* A fact that is still open may be filled in at any time. */
static bool
may_fill_in(const FactRow *row, int col)
{
	bool		isnull;

	if (row->table == &sale_table ? col != SL_DELIVERED_AT :
		col != PM_CAPTURED_AT && col != PM_PROVIDER_REF)
		return false;
	(void) row_value(row, row->old, col, &isnull);
	return isnull;
}

static void
refuse_fact(const FactRow *row, int col)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_PROTECTED),
			 errmsg("column \"%s\" of %s cannot change any more",
					row->table->columns->names[col], row_key(row, row->old)),
			 errdetail("A %s rests on it.", row->table->user),
			 errhint(row->table == &sale_table ?
					 "Only delivered_at may still be filled in." :
					 "refund_rank and chargeback may change; captured_at and provider_ref may still be filled in."),
			 err_column(row->trigger->tg_relation, row->table->columns->names[col])));
}

static void
check_update(const FactRow *row)
{
	bool		changed = false;
	bool		asked = false;

	for (int col = row->table->first_computed; col < row->table->columns->ncolumns; col++)
		if (row_changed(row, col))
			refuse_computed(row, col);
	for (int col = 0; col <= row->table->last_fact; col++)
	{
		if (!row_changed(row, col))
			continue;
		changed = true;
		if (may_fill_in(row, col) || asked)
			continue;
		if (row_in_use(row))
			refuse_fact(row, col);
		asked = true;
	}
	if (changed && row->table == &sale_table)
		check_sale(row);
	else if (changed)
		check_payment(row);
}

static void
check_delete(const FactRow *row)
{
	if (row_in_use(row))
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("%s cannot be deleted", row_key(row, row->old)),
				 errdetail("A %s rests on it.", row->table->user),
				 errhint("What was sold and paid stays as long as what followed from it."),
				 errtable(row->trigger->tg_relation)));
}

static HeapTuple
fact_row(FunctionCallInfo fcinfo, const FactTable *table, const char *function)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	FactRow		row = {table};

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger it is made for", function)));
	guard_row(trigger);
	row.trigger = trigger;
	row.tupdesc = RelationGetDescr(trigger->tg_relation);
	columns_find(table->columns, trigger->tg_relation);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		row.new = trigger->tg_trigtuple;
		check_inserted_computed(&row);
		if (table == &sale_table)
			check_sale(&row);
		else
			check_payment(&row);
		return row.new;
	}
	row.old = trigger->tg_trigtuple;
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		check_delete(&row);
		return row.old;
	}
	row.new = trigger->tg_newtuple;
	if (!own_writing())
		check_update(&row);
	return row.new;
}

PG_FUNCTION_INFO_V1(returns_sale_line_row);

/* BEFORE INSERT OR UPDATE OR DELETE ON returns.sale_line FOR EACH ROW */
Datum
returns_sale_line_row(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(fact_row(fcinfo, &sale_table, "returns_sale_line_row"));
}

PG_FUNCTION_INFO_V1(returns_payment_row);

/* BEFORE INSERT OR UPDATE OR DELETE ON returns.payment FOR EACH ROW */
Datum
returns_payment_row(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(fact_row(fcinfo, &payment_table, "returns_payment_row"));
}

PG_FUNCTION_INFO_V1(returns_protected);

/*
 * BEFORE any event, FOR EACH ROW or STATEMENT: the extension inserts, and takes
 * the history of a draft away with it; with the argument 'kept' it may also
 * update.  Whatever else the trigger is made for is refused.
 */
Datum
returns_protected(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as the trigger it is made for",
						"returns_protected")));
	if (!own_writing() || TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event) ||
		(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && trigger->tg_trigger->tgnargs == 0))
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("table \"%s\" is protected", RelationGetRelationName(trigger->tg_relation)),
				 errdetail("The extension keeps it, and what it says does not change."),
				 errhint("Move the return or the refund instead: the record follows."),
				 errtable(trigger->tg_relation)));
	return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
						   trigger->tg_newtuple : trigger->tg_trigtuple);
}
