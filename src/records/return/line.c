/*-------------------------------------------------------------------------
 *
 * line.c
 *		The row trigger of returns.return_line.
 *
 * Lines are chosen while the return is a draft.  received, accepted and deduction
 * are written while it is in transit or received.  Locks keep a move of the return
 * from coming in between: an INSERT and a receipt lock the return, which every
 * move locks; an UPDATE or DELETE of a line of the draft has locked the line,
 * and the move that ends the draft locks all lines.
 *
 * src/records/return/line.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/json.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "base/trigger_row.h"
#include "catalog/pg_type.h"
#include "records/decision/issue.h"
#include "records/history/journal.h"
#include "records/return/column_checks.h"
#include "records/update_with.h"
#include "rules/actor/permission.h"
#include "rules/cache/cache.h"
#include "rules/money.h"
#include "utils/builtins.h"

typedef enum LineColumn
{
	LN_ORDER_REF, LN_RETURN_ID, LN_LINE_NO, LN_QUANTITY, LN_RECEIVED, LN_ACCEPTED,
	LN_DEDUCTION, LN_DEDUCTION_NOTE, LN_POLICY_ID, LN_WINDOW_ENDS_AT, LN_REFUND_GOODS,
	LN_REFUND_FEE, LN_REFUND_SHIPPING, LN_NCOLUMNS
} LineColumn;

static const char *const column_names[] = {
	"order_ref", "return_id", "line_no", "quantity", "received", "accepted",
	"deduction", "deduction_note", "policy_id", "window_ends_at", "refund_goods",
	"refund_fee", "refund_shipping"
};

StaticAssertDecl(lengthof(column_names) == LN_NCOLUMNS, "a column has no name");

static AttrNumber attno[LN_NCOLUMNS];
static ColumnSet columns = {"return_line", LN_NCOLUMNS, column_names, attno, InvalidOid, NULL};

/* The values that the checks need of the return that the line belongs to. */
typedef struct ParentReturn
{
	const State *state;
	Parties		parties;
	const char *currency;
	const Reason *reason;
} ParentReturn;

/* The return of the line, which no statement may change: that of the old row, if any. */
static int64
return_id(const TriggerRow *row)
{
	bool		isnull;

	return DatumGetInt64(row->old == NULL ? trigger_value(row, LN_RETURN_ID) :
						 trigger_old_value(row, LN_RETURN_ID, &isnull));
}

pg_noreturn static void
refuse_change(const TriggerRow *row, LineColumn col, const char *detail, const char *hint)
{
	trigger_refuse_change(row, col, psprintf("a line of return " INT64_FORMAT, return_id(row)),
						  detail, hint);
}

/* The order of the return, for a client that names only the return. */
static void
fill_order(TriggerRow *row)
{
	static Statement find_order = {
		"SELECT order_ref FROM returns.return_request WHERE id" EQ "$1", 1, {INT8OID}
	};
	Datum		id = trigger_value(row, LN_RETURN_ID);
	ResultSet	request;

	if (!trigger_is_null(row, LN_ORDER_REF))
		return;
	request = statement_run(&find_order, &id, NULL);
	if (request.nrows > 0)
		trigger_set(row, LN_ORDER_REF, PointerGetDatum(result_text(request, 0, 1)));
}

#define PARENT_RETURN \
	"SELECT " RETURN_PARTIES ", status, currency, reason" \
	" FROM returns.return_request WHERE order_ref" EQ "$1 AND id" EQ "$2"

static ResultSet
request_lock(Datum *args)
{
	static Statement lock = {PARENT_RETURN " FOR NO KEY UPDATE", 2, {TEXTOID, INT8OID}};

	return statement_run(&lock, args, NULL);
}

/*
 * An UPDATE or DELETE has locked the row of the line before its triggers run.
 * If that lock is enough and the return is locked by another transaction, the
 * return is read without a lock.  Waiting here could deadlock, because a move
 * locks the return first and then its lines.  A return that is free is locked
 * for the rest of the transaction.
 */
static ResultSet
request_lock_if_free(Datum *args)
{
	static Statement lock = {
		PARENT_RETURN " FOR NO KEY UPDATE SKIP LOCKED", 2, {TEXTOID, INT8OID}
	};
	static Statement look = {PARENT_RETURN, 2, {TEXTOID, INT8OID}};
	ResultSet	request = statement_run(&lock, args, NULL);

	return request.nrows > 0 ? request : statement_run(&look, args, NULL);
}

/* Read the return with one of these two. */
static void
parent_read(const TriggerRow *row, ParentReturn *parent, ResultSet (*read) (Datum *))
{
	Datum		args[2];
	ResultSet	request;

	if (trigger_is_null(row, LN_ORDER_REF))
		error_unknown_return(return_id(row));
	args[0] = trigger_value(row, LN_ORDER_REF);
	args[1] = trigger_value(row, LN_RETURN_ID);
	request = read(args);
	if (request.nrows == 0)
		error_unknown_return(return_id(row));
	parent->state = state_get_text(MACHINE_RETURN,
								   result_text(request, 0, AFTER_RETURN_PARTIES));
	parent->parties = return_parties_read(request, 0);
	parent->currency = result_cstring(request, 0, AFTER_RETURN_PARTIES + 1);
	parent->reason = reason_get(result_cstring(request, 0, AFTER_RETURN_PARTIES + 2));
}

static void
check_draft(const TriggerRow *row, const ParentReturn *parent)
{
	if (parent->state->kind != STATE_INITIAL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("the lines of return " INT64_FORMAT " cannot be changed", return_id(row)),
				 errdetail("The return is in state \"%s\"; lines can be changed only while it is a draft.",
						   parent->state->code),
				 errhint("Cancel the return and request another."),
				 errtable(row->rel)));
}

static void
check_party(const TriggerRow *row, const ParentReturn *parent, Permission permission)
{
	const Actor *actor = actor_current();

	if (!party_may(actor, permission, &parent->parties))
		refuse_permission(actor, permission, psprintf("return " INT64_FORMAT, return_id(row)),
						  "return_line", NULL);
}

/* The quantity of the sale line. */
static int
units_bought(const TriggerRow *row)
{
	static Statement read_quantity = {
		"SELECT quantity FROM returns.sale_line WHERE order_ref" EQ "$1 AND line_no" EQ "$2",
		2, {TEXTOID, INT4OID}
	};
	Datum		args[2];
	ResultSet	sale;

	args[0] = trigger_value(row, LN_ORDER_REF);
	args[1] = trigger_value(row, LN_LINE_NO);
	sale = statement_run(&read_quantity, args, NULL);
	if (sale.nrows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("order \"%s\" has no line %d", TextDatumGetCString(args[0]),
						DatumGetInt32(args[1])),
				 errdetail("No row of returns.sale_line has this order_ref and line_no."),
				 errhint("SELECT line_no, sku FROM returns.sale_line WHERE order_ref = %s shows the lines of the order.",
						 quote_literal_cstr(TextDatumGetCString(args[0]))),
				 err_column(row->rel, "line_no")));
	return result_int(sale, 0, 1);
}

/* The units asked for: at least one, at most the units bought. */
static void
check_quantity(const TriggerRow *row)
{
	int			bought;
	int			quantity;

	check_not_null(row, LN_LINE_NO, "a line of a return");
	check_not_null(row, LN_QUANTITY, "a line of a return");
	quantity = DatumGetInt32(trigger_value(row, LN_QUANTITY));
	bought = units_bought(row);
	if (quantity <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("quantity of a line of a return must be positive"),
				 errdetail("The quantity is %d.", quantity),
				 errhint("Leave out the lines that are not returned."),
				 err_column(row->rel, "quantity")));
	if (quantity > bought)
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MANY_UNITS),
				 errmsg("line %d of order \"%s\" has fewer than %d units",
						DatumGetInt32(trigger_value(row, LN_LINE_NO)),
						trigger_cstring(row, LN_ORDER_REF), quantity),
				 errdetail("The quantity is %d; the quantity of the sale line is %d.", quantity, bought),
				 errhint("SELECT line_no, units_left FROM returns.eligibility(%s) shows how many units can be returned.",
						 quote_literal_cstr(trigger_cstring(row, LN_ORDER_REF))),
				 err_column(row->rel, "quantity")));
}

static void
check_computed(const TriggerRow *row)
{
	for (int col = LN_POLICY_ID; col <= LN_REFUND_SHIPPING; col++)
		if (row->old == NULL ? !trigger_is_null(row, col) : trigger_changed(row, col))
			refuse_change(row, col, "It is computed by the extension.",
						  "Leave the column out of the statement, or send it back unchanged.");
}

/* A new line is one of a draft: nothing can have been received yet. */
static void
check_no_receipt(const TriggerRow *row)
{
	for (int col = LN_RECEIVED; col <= LN_DEDUCTION_NOTE; col++)
		if (!trigger_is_null(row, col))
			refuse_change(row, col, "Nothing has been received yet.",
						  "Write it while the return is in transit or received.");
}

static bool
receipt_changes(const TriggerRow *row)
{
	for (int col = LN_RECEIVED; col <= LN_DEDUCTION_NOTE; col++)
		if (trigger_changed(row, col))
			return true;
	return false;
}

pg_noreturn static void
refuse_units(const TriggerRow *row, LineColumn col, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_TOO_MANY_UNITS),
			 errmsg("column \"%s\" of line %d of return " INT64_FORMAT " is out of range",
					trigger_column_name(row, col), DatumGetInt32(trigger_value(row, LN_LINE_NO)),
					return_id(row)),
			 errdetail("%s", detail),
			 errhint("The values must satisfy 0 <= accepted <= received <= quantity."),
			 err_column(row->rel, trigger_column_name(row, col))));
}

pg_noreturn static void
refuse_negative(const TriggerRow *row, LineColumn col)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("%s of a line of a return must not be negative", trigger_column_name(row, col)),
			 err_column(row->rel, trigger_column_name(row, col))));
}

/* The deduction: an exact amount that the accepted units can bear. */
static void
check_deduction(const TriggerRow *row, const ParentReturn *parent, int accepted)
{
	Datum		deduction;

	if (trigger_is_null(row, LN_DEDUCTION))
		return;
	deduction = trigger_value(row, LN_DEDUCTION);
	if (numeric_to_minor(deduction, currency_get(parent->currency), "deduction") < 0)
		refuse_negative(row, LN_DEDUCTION);
	refund_check_deduction(trigger_value(row, LN_ORDER_REF), return_id(row),
						   DatumGetInt32(trigger_value(row, LN_LINE_NO)), parent->reason,
						   accepted, deduction);
}

/* An integer column, or fallback where it is null. */
static int
int_or(const TriggerRow *row, LineColumn col, int fallback)
{
	return trigger_is_null(row, col) ? fallback : DatumGetInt32(trigger_value(row, col));
}

static void
check_receipt(const TriggerRow *row, const ParentReturn *parent)
{
	int			quantity = DatumGetInt32(trigger_value(row, LN_QUANTITY));
	int			received = int_or(row, LN_RECEIVED, quantity);
	int			accepted = int_or(row, LN_ACCEPTED, received);

	if (parent->state->role != ROLE_IN_TRANSIT && parent->state->role != ROLE_RECEIVED)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("received, accepted and deduction of return " INT64_FORMAT " cannot be written now",
						return_id(row)),
				 errdetail("The return is in state \"%s\".", parent->state->code),
				 errhint("Write them while the return is in transit or received."),
				 errtable(row->rel)));
	if (received < 0)
		refuse_negative(row, LN_RECEIVED);
	if (accepted < 0)
		refuse_negative(row, LN_ACCEPTED);
	if (received > quantity)
		refuse_units(row, LN_RECEIVED,
					 psprintf("The line has received = %d and quantity = %d.", received, quantity));
	if (accepted > received)
		refuse_units(row, LN_ACCEPTED,
					 psprintf("The line has accepted = %d and received = %d.", accepted, received));
	check_deduction(row, parent, accepted);
}

static void
add_int(Json *json, const TriggerRow *row, LineColumn col)
{
	if (!trigger_is_null(row, col))
		json_int(json, trigger_column_name(row, col), DatumGetInt32(trigger_value(row, col)));
}

/* The receipt event: the line's columns about the receipt, as they are now. */
static void
receipt_work(ReturnRow *row, void *arg)
{
	const TriggerRow *line = arg;
	Json		json;

	json_begin(&json);
	add_int(&json, line, LN_LINE_NO);
	add_int(&json, line, LN_RECEIVED);
	add_int(&json, line, LN_ACCEPTED);
	if (!trigger_is_null(line, LN_DEDUCTION))
		json_number(&json, "deduction", DatumGetNumeric(trigger_value(line, LN_DEDUCTION)));
	journal_append(row, EVENT_RECEIPT, row->state, row->state, actor_current(),
				   trigger_text(line, LN_DEDUCTION_NOTE), json_end(&json));
	row_set(row, REQ_UPDATED_AT, TimestampTzGetDatum(row->now));
}

static void
line_update(TriggerRow *row)
{
	ParentReturn parent;
	bool		receipt;

	for (int col = LN_ORDER_REF; col <= LN_LINE_NO; col++)
		if (trigger_changed(row, col))
			refuse_change(row, col, "It is part of the key of the line.",
						  "Delete the line while the return is a draft, and insert another.");
	check_computed(row);
	receipt = receipt_changes(row);
	if (!trigger_changed(row, LN_QUANTITY) && !receipt)
		return;
	parent_read(row, &parent, receipt ? request_lock : request_lock_if_free);
	if (trigger_changed(row, LN_QUANTITY))
	{
		check_draft(row, &parent);
		check_party(row, &parent, MAY_CHOOSE_LINES);
		check_quantity(row);
	}
	if (receipt)
	{
		check_receipt(row, &parent);
		check_party(row, &parent, MAY_COUNT_GOODS);
		return_update_with(trigger_value(row, LN_ORDER_REF), return_id(row), receipt_work, row);
	}
}

static void
line_insert(TriggerRow *row)
{
	ParentReturn parent;

	check_not_null(row, LN_RETURN_ID, "a line of a return");
	fill_order(row);
	parent_read(row, &parent, request_lock);
	check_draft(row, &parent);
	check_party(row, &parent, MAY_CHOOSE_LINES);
	check_computed(row);
	check_no_receipt(row);
	check_quantity(row);
}

static void
line_delete(TriggerRow *row)
{
	ParentReturn parent;

	parent_read(row, &parent, request_lock_if_free);
	check_draft(row, &parent);
	check_party(row, &parent, MAY_CHOOSE_LINES);
}

PG_FUNCTION_INFO_V1(returns_line_row);

/* BEFORE INSERT OR UPDATE OR DELETE ON returns.return_line FOR EACH ROW */
Datum
returns_line_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_check(fcinfo, "returns_line_row", NULL,
										  FIRES_BEFORE | FIRES_FOR_ROW);
	TriggerRow	row;
	AsOwner		owner;

	trigger_check_row(trigdata);
	if (writing_as_owner())
		return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
							   trigdata->tg_newtuple : trigdata->tg_trigtuple);
	trigger_row_load(&row, trigdata, &columns);
	rules_pin();
	as_owner_begin(&owner);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		line_insert(&row);
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		line_delete(&row);
	else
		line_update(&row);
	as_owner_end(&owner);
	rules_unpin();
	return PointerGetDatum(trigger_tuple(&row));
}
