/*-------------------------------------------------------------------------
 *
 * facts.c
 *		The row triggers of the tables that the shop fills: sale_line, payment.
 *
 * Codes and amounts are checked when they are written.  A row that a return or a
 * refund refers to can no longer change: decisions are based on it.  It is not
 * checked here that all lines of an order have the same buyer: that would cost a
 * look-up for every line that is loaded, and a return checks its own lines.
 *
 * src/records/facts.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "base/trigger_row.h"
#include "catalog/pg_type.h"
#include "rules/cache/cache.h"
#include "rules/money.h"
#include "utils/builtins.h"

#define ORDER_REF 0				/* column of both tables */

typedef enum SaleColumn
{
	SL_ORDER_REF, SL_LINE_NO, SL_BUYER_REF, SL_SELLER_REF, SL_SKU, SL_CATEGORY, SL_MARKET,
	SL_QUANTITY, SL_AMOUNT_PAID, SL_SHIPPING_PAID, SL_COMMISSION_RATE, SL_CURRENCY,
	SL_PURCHASED_AT, SL_DELIVERED_AT, SL_RESERVED, SL_RETURNED, SL_REFUNDED, SL_NCOLUMNS
} SaleColumn;

static const char *const sale_names[] = {
	"order_ref", "line_no", "buyer_ref", "seller_ref", "sku", "category", "market",
	"quantity", "amount_paid", "shipping_paid", "commission_rate", "currency",
	"purchased_at", "delivered_at", "reserved", "returned", "refunded"
};

typedef enum PaymentColumn
{
	PM_ORDER_REF, PM_PAYMENT_NO, PM_METHOD, PM_AMOUNT, PM_CURRENCY, PM_PROVIDER,
	PM_PROVIDER_REF, PM_CAPTURED_AT, PM_REFUND_RANK, PM_CHARGEBACK, PM_REFUNDED, PM_NCOLUMNS
} PaymentColumn;

static const char *const payment_names[] = {
	"order_ref", "payment_no", "method", "amount", "currency", "provider",
	"provider_ref", "captured_at", "refund_rank", "chargeback", "refunded"
};

StaticAssertDecl(lengthof(sale_names) == SL_NCOLUMNS, "a column has no name");
StaticAssertDecl(lengthof(payment_names) == PM_NCOLUMNS, "a column has no name");
StaticAssertDecl((int) SL_ORDER_REF == ORDER_REF && (int) PM_ORDER_REF == ORDER_REF,
				 "order_ref is not the same column of both tables");

static AttrNumber sale_attnos[SL_NCOLUMNS];
static AttrNumber payment_attnos[PM_NCOLUMNS];

static ColumnSet sale_columns = {"sale_line", SL_NCOLUMNS, sale_names, sale_attnos, InvalidOid, NULL};
static ColumnSet payment_columns = {"payment", PM_NCOLUMNS, payment_names, payment_attnos, InvalidOid, NULL};

static Statement line_in_use = {
	"SELECT FROM returns.return_line"
	" WHERE order_ref" EQ "$1 AND line_no" EQ "$2",
	2, {TEXTOID, INT4OID}
};

static Statement payment_in_use = {
	"SELECT FROM returns.refund"
	" WHERE order_ref" EQ "$1 AND payment_no" EQ "$2",
	2, {TEXTOID, INT4OID}
};

/* The differences between the two tables. */
typedef struct FactTable
{
	ColumnSet  *columns;
	int			number;			/* column of the key beside order_ref */
	int			first_computed; /* to the end */
	int			last_fact;		/* the columns up to it are fixed once in use */
	Statement  *in_use;
	const char *user;			/* the record that refers to its rows */
	void		(*check) (const TriggerRow *row);	/* codes and amounts */
} FactTable;

/* NULL is left to the column's own NOT NULL. */
static void
check_amount(const TriggerRow *row, int col, const char *currency)
{
	CodeColumn	place;

	if (trigger_is_null(row, col) || currency == NULL)
		return;
	code_column_begin(&place, row->rel, "currency");
	numeric_to_minor(trigger_value(row, col), currency_get(currency), trigger_column_name(row, col));
	code_column_end(&place);
}

static void
check_sale(const TriggerRow *row)
{
	CodeColumn	place;
	char	   *category = trigger_cstring(row, SL_CATEGORY);
	char	   *market = trigger_cstring(row, SL_MARKET);
	char	   *currency = trigger_cstring(row, SL_CURRENCY);

	if (category != NULL)
	{
		code_column_begin(&place, row->rel, "category");
		category_get(category);
		code_column_end(&place);
	}
	if (market != NULL)
	{
		code_column_begin(&place, row->rel, "market");
		market_get(market);
		code_column_end(&place);
	}
	check_amount(row, SL_AMOUNT_PAID, currency);
	check_amount(row, SL_SHIPPING_PAID, currency);
}

static void
check_payment(const TriggerRow *row)
{
	check_amount(row, PM_AMOUNT, trigger_cstring(row, PM_CURRENCY));
}

static const FactTable sale_table = {
	&sale_columns, SL_LINE_NO, SL_RESERVED, SL_DELIVERED_AT, &line_in_use, "return", check_sale
};

static const FactTable payment_table = {
	&payment_columns, PM_PAYMENT_NO, PM_REFUNDED, PM_CAPTURED_AT, &payment_in_use, "refund",
	check_payment
};

/* A row of one of the two tables. */
typedef struct Fact
{
	const FactTable *table;
	TriggerRow	row;
} Fact;

/* The key of the old row, for messages. */
static char *
fact_key(const Fact *fact)
{
	bool		isnull;

	return psprintf("%s %d of order \"%s\"",
					fact->table == &sale_table ? "line" : "payment",
					DatumGetInt32(trigger_old_value(&fact->row, fact->table->number, &isnull)),
					trigger_old_cstring(&fact->row, ORDER_REF));
}

static bool
fact_in_use(const Fact *fact)
{
	Datum		args[2];
	AsOwner		owner;
	bool		isnull;
	bool		found;

	args[0] = trigger_old_value(&fact->row, ORDER_REF, &isnull);
	args[1] = trigger_old_value(&fact->row, fact->table->number, &isnull);
	as_owner_begin(&owner);
	found = statement_run_limit(fact->table->in_use, args, NULL, 1).nrows > 0;
	as_owner_end(&owner);
	return found;
}

pg_noreturn static void
refuse_computed(const Fact *fact, int col)
{
	trigger_refuse_change(&fact->row, col, fact->table->columns->table,
						  "It is computed from the returns and refunds of the order.",
						  "Leave the column out, or send it back unchanged.");
}

/* In a new row the computed columns are 0 or null. */
static void
check_inserted_computed(const Fact *fact)
{
	const TriggerRow *row = &fact->row;

	for (int col = fact->table->first_computed; col < row->columns->ncolumns; col++)
	{
		Oid			type = TupleDescAttr(RelationGetDescr(row->rel), row->attno[col] - 1)->atttypid;

		if (trigger_is_null(row, col))
			continue;
		if (type == NUMERICOID ?
			!DatumGetBool(DirectFunctionCall2(numeric_eq, trigger_value(row, col),
											  NumericGetDatum(int64_to_numeric(0)))) :
			DatumGetInt32(trigger_value(row, col)) != 0)
			refuse_computed(fact, col);
	}
}

/* Some columns are null at first and may be set at any time, once. */
static bool
may_fill_in(const Fact *fact, int col)
{
	bool		isnull;

	if (fact->table == &sale_table ? col != SL_DELIVERED_AT :
		col != PM_CAPTURED_AT && col != PM_PROVIDER_REF)
		return false;
	(void) trigger_old_value(&fact->row, col, &isnull);
	return isnull;
}

pg_noreturn static void
refuse_fact(const Fact *fact, int col)
{
	trigger_refuse_change(&fact->row, col, fact_key(fact),
						  psprintf("A %s refers to it.", fact->table->user),
						  fact->table == &sale_table ?
						  "Only delivered_at can be set, while it is null." :
						  "Only refund_rank and chargeback can be changed, and captured_at and provider_ref can be set while they are null.");
}

static void
check_update(const Fact *fact)
{
	bool		changed = false;
	int			fixed = -1;		/* a changed column that must not change while in use */

	for (int col = fact->table->first_computed; col < fact->row.columns->ncolumns; col++)
		if (trigger_changed(&fact->row, col))
			refuse_computed(fact, col);
	for (int col = 0; col <= fact->table->last_fact; col++)
	{
		if (!trigger_changed(&fact->row, col))
			continue;
		changed = true;
		if (fixed < 0 && !may_fill_in(fact, col))
			fixed = col;
	}
	if (fixed >= 0 && fact_in_use(fact))
		refuse_fact(fact, fixed);
	if (changed)
		fact->table->check(&fact->row);
}

static void
check_delete(const Fact *fact)
{
	if (fact_in_use(fact))
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("%s cannot be deleted", fact_key(fact)),
				 errdetail("A %s refers to it.", fact->table->user),
				 errhint("Keep the row as long as returns and refunds refer to it."),
				 errtable(fact->row.rel)));
}

static HeapTuple
fact_trigger(FunctionCallInfo fcinfo, const FactTable *table, const char *function)
{
	TriggerData *trigdata = trigger_check(fcinfo, function, NULL, FIRES_BEFORE | FIRES_FOR_ROW);
	Fact		fact = {table};

	trigger_check_row(trigdata);
	trigger_row_load(&fact.row, trigdata, table->columns);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
	{
		check_inserted_computed(&fact);
		table->check(&fact.row);
	}
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		check_delete(&fact);
	else if (!writing_as_owner())
		check_update(&fact);
	return trigger_tuple(&fact.row);
}

PG_FUNCTION_INFO_V1(returns_sale_line_row);

/* BEFORE INSERT OR UPDATE OR DELETE ON returns.sale_line FOR EACH ROW */
Datum
returns_sale_line_row(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(fact_trigger(fcinfo, &sale_table, "returns_sale_line_row"));
}

PG_FUNCTION_INFO_V1(returns_payment_row);

/* BEFORE INSERT OR UPDATE OR DELETE ON returns.payment FOR EACH ROW */
Datum
returns_payment_row(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(fact_trigger(fcinfo, &payment_table, "returns_payment_row"));
}

PG_FUNCTION_INFO_V1(returns_protected);

/*
 * BEFORE any event, FOR EACH ROW or STATEMENT, on a table that only the extension
 * writes.  It may insert, and delete the history of a draft; where the trigger
 * has an argument it may also update.  TRUNCATE and the writes of others are
 * refused.
 */
Datum
returns_protected(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_check(fcinfo, "returns_protected", NULL,
										 FIRES_BEFORE | FIRES_FOR_ROW | FIRES_FOR_STATEMENT);

	if (!writing_as_owner() || TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event) ||
		(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && trigger->tg_trigger->tgnargs == 0))
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("table \"%s\" is protected", RelationGetRelationName(trigger->tg_relation)),
				 errdetail("Only the extension writes to this table."),
				 errhint("Update returns.return_request or returns.refund instead; the extension then writes this table."),
				 errtable(trigger->tg_relation)));
	return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
						   trigger->tg_newtuple : trigger->tg_trigtuple);
}
