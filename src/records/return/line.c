/*-------------------------------------------------------------------------
 *
 * line.c
 *		The row trigger of returns.return_line.
 *
 * Lines are chosen while the return is a draft; what came back of them is
 * written while it is in transit or received.  No move slips between: a new
 * line and what came back lock the request, which every move locks; a line of
 * the draft is locked itself, and the move that submits it locks them all.
 *
 * src/records/return/line.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/columns.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "records/decision/issue.h"
#include "records/history/journal.h"
#include "records/update_with.h"
#include "rules/actor/permission.h"
#include "rules/cache/cache.h"
#include "rules/workflow/workflow.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

typedef enum LineColumn
{
	LN_ORDER_REF, LN_RETURN_ID, LN_LINE_NO, LN_QUANTITY, LN_RECEIVED, LN_ACCEPTED,
	LN_DEDUCTION, LN_DEDUCTION_NOTE, LN_POLICY_ID, LN_WINDOW_ENDS_AT, LN_REFUND_GOODS,
	LN_REFUND_FEE, LN_REFUND_SHIPPING, LN_NCOLUMNS
} LineColumn;

static const char *const column_names[LN_NCOLUMNS] = {
	"order_ref", "return_id", "line_no", "quantity", "received", "accepted",
	"deduction", "deduction_note", "policy_id", "window_ends_at", "refund_goods",
	"refund_fee", "refund_shipping"
};

static AttrNumber attno[LN_NCOLUMNS];
static ColumnSet columns = {"return_line", LN_NCOLUMNS, column_names, attno, InvalidOid, NULL};

/* A row of return_line in the trigger. */
typedef struct LineRow
{
	Relation	rel;
	Datum	   *values;			/* of the new row (of the old one in a DELETE) */
	bool	   *isnull;
	TupleTableSlot *old;		/* NULL in an INSERT */
} LineRow;

#define LINE_VALUE(row, col) ((row)->values[attno[col] - 1])
#define LINE_NULL(row, col) ((row)->isnull[attno[col] - 1])

/* What the checks need of the request. */
typedef struct RequestFacts
{
	const State *state;
	Parties		parties;
	const char *currency;
	const Reason *reason;
} RequestFacts;

static void
line_of_slot(LineRow *row, Relation rel, TupleTableSlot *slot)
{
	TupleDesc	tupdesc = RelationGetDescr(rel);

	slot_getallattrs(slot);
	row->rel = rel;
	row->values = palloc(sizeof(Datum) * tupdesc->natts);
	row->isnull = palloc(sizeof(bool) * tupdesc->natts);
	memcpy(row->values, slot->tts_values, sizeof(Datum) * tupdesc->natts);
	memcpy(row->isnull, slot->tts_isnull, sizeof(bool) * tupdesc->natts);
	columns_find(&columns, rel);
}

static bool
is_changed(const LineRow *row, LineColumn col)
{
	bool		isnull;
	Datum		old = slot_getattr(row->old, attno[col], &isnull);

	return column_changed(row->rel, attno[col], old, isnull,
						  LINE_VALUE(row, col), LINE_NULL(row, col));
}

static int64
return_id(const LineRow *row)
{
	return DatumGetInt64(LINE_VALUE(row, LN_RETURN_ID));
}

static void
refuse_column(const LineRow *row, LineColumn col, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_PROTECTED),
			 errmsg("column \"%s\" of a line of return " INT64_FORMAT " cannot be changed",
					column_names[col], return_id(row)),
			 errdetail("%s", detail),
			 errhint("%s", hint),
			 err_column(row->rel, column_names[col])));
}

static void
refuse_null(const LineRow *row, LineColumn col)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("a line of a return must have a value in column \"%s\"", column_names[col]),
			 err_column(row->rel, column_names[col])));
}

/* The order of the return, for a client that names the return alone. */
static void
fill_order(LineRow *row)
{
	static KeptPlan find_order = {
		"SELECT order_ref FROM returns.return_request WHERE id OPERATOR(pg_catalog.=) $1",
		1, {INT8OID}
	};
	Datum		id = LINE_VALUE(row, LN_RETURN_ID);
	bool		isnull;

	if (!LINE_NULL(row, LN_ORDER_REF) || plan_run(&find_order, &id, NULL) == 0)
		return;
	LINE_VALUE(row, LN_ORDER_REF) = PointerGetDatum(DatumGetTextPCopy(plan_value(0, 1, &isnull)));
	LINE_NULL(row, LN_ORDER_REF) = false;
}

static text *
column_copy(int col)
{
	bool		isnull;
	Datum		value = plan_value(0, col, &isnull);

	return isnull ? NULL : DatumGetTextPCopy(value);
}

#define REQUEST_FACTS \
	"SELECT status, buyer_ref, seller_ref, carrier, currency, reason" \
	" FROM returns.return_request" \
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2"

static bool
request_hold(Datum *args)
{
	static KeptPlan hold = {REQUEST_FACTS " FOR NO KEY UPDATE", 2, {TEXTOID, INT8OID}};

	return plan_run(&hold, args, NULL) > 0;
}

/*
 * The row of a line is locked by its UPDATE or DELETE before any trigger runs,
 * and a move locks the request first and then the lines.  So where the lock of
 * the line is enough, the request is held when it is free, for what follows in
 * the transaction, and else only looked at: who waited for it here would wait
 * for a move that waits for the line.
 */
static bool
request_hold_or_look(Datum *args)
{
	static KeptPlan hold_if_free = {
		REQUEST_FACTS " FOR NO KEY UPDATE SKIP LOCKED", 2, {TEXTOID, INT8OID}
	};
	static KeptPlan look = {REQUEST_FACTS, 2, {TEXTOID, INT8OID}};

	return plan_run(&hold_if_free, args, NULL) > 0 || plan_run(&look, args, NULL) > 0;
}

/* Read the request by one of these two. */
static void
request_read(LineRow *row, RequestFacts *facts, bool (*read) (Datum *))
{
	Datum		args[2];
	text	   *status;

	args[0] = LINE_VALUE(row, LN_ORDER_REF);
	args[1] = LINE_VALUE(row, LN_RETURN_ID);
	if (LINE_NULL(row, LN_ORDER_REF) || !read(args))
		error_unknown_return(return_id(row));
	status = column_copy(1);
	facts->state = state_find(MACHINE_RETURN, VARDATA_ANY(status), VARSIZE_ANY_EXHDR(status));
	if (facts->state == NULL)
		state_get(MACHINE_RETURN, text_to_cstring(status));
	facts->parties.buyer_ref = column_copy(2);
	facts->parties.seller_ref = column_copy(3);
	facts->parties.carrier = column_copy(4);
	facts->currency = text_to_cstring(column_copy(5));
	facts->reason = reason_get(text_to_cstring(column_copy(6)));
}

static void
check_draft(const LineRow *row, const RequestFacts *facts)
{
	if (facts->state->kind != STATE_INITIAL)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("the lines of return " INT64_FORMAT " cannot be changed", return_id(row)),
				 errdetail("It is in state \"%s\"; lines are chosen while it is a draft.",
						   facts->state->code),
				 errhint("Cancel it and request another."),
				 errtable(row->rel)));
}

static void
check_party(const LineRow *row, const RequestFacts *facts, Permission permission)
{
	const Actor *actor = actor_current();

	if (!party_may(actor, permission, &facts->parties))
		refuse_permission(actor, permission, psprintf("return " INT64_FORMAT, return_id(row)),
						  "return_line", NULL);
}

/* The units asked for: at least one, at most what was bought. */
static void
check_quantity(const LineRow *row)
{
	static KeptPlan bought_units = {
		"SELECT quantity FROM returns.sale_line WHERE order_ref OPERATOR(pg_catalog.=) $1"
		" AND line_no OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, INT4OID}
	};
	Datum		args[2];
	bool		isnull;
	int			bought;
	int			quantity;

	if (LINE_NULL(row, LN_LINE_NO))
		refuse_null(row, LN_LINE_NO);
	if (LINE_NULL(row, LN_QUANTITY))
		refuse_null(row, LN_QUANTITY);
	quantity = DatumGetInt32(LINE_VALUE(row, LN_QUANTITY));
	args[0] = LINE_VALUE(row, LN_ORDER_REF);
	args[1] = LINE_VALUE(row, LN_LINE_NO);
	if (plan_run(&bought_units, args, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("order \"%s\" has no line %d", TextDatumGetCString(args[0]),
						DatumGetInt32(args[1])),
				 errdetail("returns.sale_line does not know it."),
				 err_column(row->rel, "line_no")));
	bought = DatumGetInt32(plan_value(0, 1, &isnull));
	if (quantity <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("quantity of a line of a return must be positive"),
				 errdetail("It is %d.", quantity),
				 errhint("Leave out the lines that are not returned."),
				 err_column(row->rel, "quantity")));
	if (quantity > bought)
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MANY_UNITS),
				 errmsg("more units than were bought of line %d of order \"%s\"",
						DatumGetInt32(args[1]), TextDatumGetCString(args[0])),
				 errdetail("%d asked for, %d bought.", quantity, bought),
				 errhint("Return at most what is left; see returns.eligibility()."),
				 err_column(row->rel, "quantity")));
}

static void
check_computed(const LineRow *row, bool insert)
{
	for (int col = LN_POLICY_ID; col <= LN_REFUND_SHIPPING; col++)
		if (insert ? !LINE_NULL(row, col) : is_changed(row, col))
			refuse_column(row, col, "It is computed by the extension.",
						  "Leave it out of the statement, or send it back unchanged.");
}

/* Only while nothing is chosen yet is there nothing to say of what came back. */
static void
check_no_outcome(const LineRow *row)
{
	for (int col = LN_RECEIVED; col <= LN_DEDUCTION_NOTE; col++)
		if (!LINE_NULL(row, col))
			refuse_column(row, col, "Nothing has come back yet.",
						  "Write it when the return is in transit or received.");
}

static bool
outcome_changes(const LineRow *row)
{
	for (int col = LN_RECEIVED; col <= LN_DEDUCTION_NOTE; col++)
		if (is_changed(row, col))
			return true;
	return false;
}

static void
refuse_units(const LineRow *row, LineColumn col, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_TOO_MANY_UNITS),
			 errmsg("column \"%s\" of line %d of return " INT64_FORMAT " is out of range",
					column_names[col], DatumGetInt32(LINE_VALUE(row, LN_LINE_NO)), return_id(row)),
			 errdetail("%s", detail),
			 errhint("0 <= accepted <= received <= quantity."),
			 err_column(row->rel, column_names[col])));
}

static void
refuse_negative(const LineRow *row, LineColumn col)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("%s of a line of a return must not be negative", column_names[col]),
			 err_column(row->rel, column_names[col])));
}

static void
check_outcome(const LineRow *row, const RequestFacts *facts)
{
	int			quantity = DatumGetInt32(LINE_VALUE(row, LN_QUANTITY));
	int			received = LINE_NULL(row, LN_RECEIVED) ? quantity :
		DatumGetInt32(LINE_VALUE(row, LN_RECEIVED));
	int			accepted = LINE_NULL(row, LN_ACCEPTED) ? received :
		DatumGetInt32(LINE_VALUE(row, LN_ACCEPTED));

	if (facts->state->role != ROLE_IN_TRANSIT && facts->state->role != ROLE_RECEIVED)
		ereport(ERROR,
				(errcode(ERRCODE_RT_PROTECTED),
				 errmsg("what came back of return " INT64_FORMAT " cannot be written now", return_id(row)),
				 errdetail("It is in state \"%s\".", facts->state->code),
				 errhint("Write it while the return is in transit or received."),
				 errtable(row->rel)));
	if (received < 0)
		refuse_negative(row, LN_RECEIVED);
	if (accepted < 0)
		refuse_negative(row, LN_ACCEPTED);
	if (received > quantity)
		refuse_units(row, LN_RECEIVED, psprintf("%d received of %d.", received, quantity));
	if (accepted > received)
		refuse_units(row, LN_ACCEPTED, psprintf("%d accepted of %d received.", accepted, received));
	if (!LINE_NULL(row, LN_DEDUCTION) &&
		numeric_to_minor(LINE_VALUE(row, LN_DEDUCTION), currency_get(facts->currency),
						 "deduction") < 0)
		refuse_negative(row, LN_DEDUCTION);
	if (!LINE_NULL(row, LN_DEDUCTION))
		refund_check_deduction(LINE_VALUE(row, LN_ORDER_REF), return_id(row),
							   DatumGetInt32(LINE_VALUE(row, LN_LINE_NO)), facts->reason,
							   accepted, LINE_VALUE(row, LN_DEDUCTION));
}

static void
add_key(JsonbParseState **state, const char *key)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = pstrdup(key);
	value.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &value);
}

static void
add_number(JsonbParseState **state, const LineRow *row, LineColumn col)
{
	JsonbValue	value = {.type = jbvNumeric};

	if (LINE_NULL(row, col))
		return;
	add_key(state, column_names[col]);
	value.val.numeric = col == LN_DEDUCTION ? DatumGetNumeric(LINE_VALUE(row, col)) :
		int64_to_numeric(DatumGetInt32(LINE_VALUE(row, col)));
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* The receipt event: what the row now says of what came back. */
static void
receipt_work(ReturnRow *row, void *arg)
{
	const LineRow *line = arg;
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	add_number(&state, line, LN_LINE_NO);
	add_number(&state, line, LN_RECEIVED);
	add_number(&state, line, LN_ACCEPTED);
	add_number(&state, line, LN_DEDUCTION);
	journal_append(row, EVENT_RECEIPT, row->state, row->state, actor_current(),
				   LINE_NULL(line, LN_DEDUCTION_NOTE) ? NULL :
				   DatumGetTextPP(LINE_VALUE(line, LN_DEDUCTION_NOTE)),
				   JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	row_set(row, REQ_UPDATED_AT, TimestampTzGetDatum(row->now));
}

static void
line_update(LineRow *row)
{
	RequestFacts facts;

	for (int col = LN_ORDER_REF; col <= LN_LINE_NO; col++)
		if (is_changed(row, col))
			refuse_column(row, col, "It is what the line is known by.",
						  "Delete the line while the return is a draft, and insert another.");
	check_computed(row, false);
	if (!is_changed(row, LN_QUANTITY) && !outcome_changes(row))
		return;
	request_read(row, &facts, outcome_changes(row) ? request_hold : request_hold_or_look);
	if (is_changed(row, LN_QUANTITY))
	{
		check_draft(row, &facts);
		check_party(row, &facts, MAY_CHOOSE_LINES);
		check_quantity(row);
	}
	if (outcome_changes(row))
	{
		check_outcome(row, &facts);
		check_party(row, &facts, MAY_COUNT_GOODS);
		return_update_with(LINE_VALUE(row, LN_ORDER_REF), return_id(row), receipt_work, row);
	}
}

static void
line_insert(LineRow *row)
{
	RequestFacts facts;

	if (LINE_NULL(row, LN_RETURN_ID))
		refuse_null(row, LN_RETURN_ID);
	fill_order(row);
	request_read(row, &facts, request_hold);
	check_draft(row, &facts);
	check_party(row, &facts, MAY_CHOOSE_LINES);
	check_computed(row, true);
	check_no_outcome(row);
	check_quantity(row);
}

static void
line_delete(LineRow *row)
{
	RequestFacts facts;

	request_read(row, &facts, request_hold_or_look);
	check_draft(row, &facts);
	check_party(row, &facts, MAY_CHOOSE_LINES);
}

PG_FUNCTION_INFO_V1(returns_line_row);

Datum
returns_line_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool		insert;
	bool		delete;
	LineRow		row;
	OwnState	own;
	HeapTuple	tuple;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as a BEFORE ROW trigger", "returns_line_row")));
	insert = TRIGGER_FIRED_BY_INSERT(trigdata->tg_event);
	delete = TRIGGER_FIRED_BY_DELETE(trigdata->tg_event);
	trigger_check_row(trigdata);
	if (own_writing())
		return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
							   trigdata->tg_newtuple : trigdata->tg_trigtuple);
	line_of_slot(&row, trigdata->tg_relation,
				 insert || delete ? trigdata->tg_trigslot : trigdata->tg_newslot);
	row.old = insert ? NULL : trigdata->tg_trigslot;

	rules_pin();
	own_begin(&own);
	if (insert)
		line_insert(&row);
	else if (delete)
		line_delete(&row);
	else
		line_update(&row);
	own_end(&own);
	rules_unpin();
	if (!insert)
		return PointerGetDatum(delete ? trigdata->tg_trigtuple : trigdata->tg_newtuple);
	tuple = heap_form_tuple(RelationGetDescr(row.rel), row.values, row.isnull);
	tuple->t_tableOid = trigdata->tg_trigtuple->t_tableOid;
	return PointerGetDatum(tuple);
}
