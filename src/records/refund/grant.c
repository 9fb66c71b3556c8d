/*-------------------------------------------------------------------------
 *
 * grant.c
 *		grant_refund(): money beyond the rule, by an operator's word.
 *
 * Goodwill, or a part of the price while the buyer keeps the goods.  It counts
 * against the order's payments like any refund, not against a line, and the
 * platform bears it.  A return that was refunded is in refund_due again until
 * it is paid, because status is never ahead of the money.
 *
 * src/records/refund/grant.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "records/decision/issue.h"
#include "records/decision/units.h"
#include "records/history/journal.h"
#include "records/ledger/ledger.h"
#include "records/return/move.h"
#include "records/update_with.h"
#include "rules/actor/permission.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

typedef struct RefundGrant
{
	Datum		amount;			/* numeric */
	const text *note;
	const Actor *actor;
} RefundGrant;

static KeptPlan find_order = {
	"SELECT order_ref FROM returns.return_request WHERE id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}
};

static Jsonb *
grant_details(const Pricing *pricing)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	value.type = jbvString;
	value.val.string.val = "amount";
	value.val.string.len = strlen("amount");
	pushJsonbValue(&state, WJB_KEY, &value);
	value.type = jbvNumeric;
	value.val.numeric = minor_to_numeric(pricing->total, pricing->currency);
	pushJsonbValue(&state, WJB_VALUE, &value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static void
grant_work(ReturnRow *row, void *arg)
{
	const RefundGrant *grant = arg;
	int64		return_id = DatumGetInt64(ROW_VALUE(row, REQ_ID));
	Pricing		pricing = {0};
	LedgerEntry entries[2];
	OwnState	own;

	if (row->state->kind == STATE_INITIAL || ROW_NULL(row, REQ_CURRENCY))
		ereport(ERROR,
				(errcode(ERRCODE_RT_ILLEGAL_TRANSITION),
				 errmsg("return " INT64_FORMAT " is a draft", return_id),
				 errdetail("Nothing was requested yet that could be made good."),
				 errhint("Request the return first."),
				 err_our_column("return_request", "status")));
	pricing.currency = currency_get(TextDatumGetCString(ROW_VALUE(row, REQ_CURRENCY)));
	pricing.total = numeric_to_minor(grant->amount, pricing.currency, "amount");
	if (pricing.total <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount must be positive, not %s",
						money_text(pricing.total, pricing.currency)),
				 errdetail("A grant of nothing is none, and money is not taken back this way."),
				 errhint("Give what the buyer is to get beyond the rule.")));

	own_begin(&own);
	/* the move back will need them, and they are locked before payments */
	if (row->state->role == ROLE_REFUNDED)
		(void) units_lock(row);
	price_tenders(&pricing, ROW_VALUE(row, REQ_ORDER_REF), return_id, true);
	refund_issue(row, &pricing);
	own_end(&own);
	entries[0] = (LedgerEntry) {"goodwill_expense", NULL, pricing.total};
	entries[1] = (LedgerEntry) {"buyer_payable",
	TextDatumGetCString(ROW_VALUE(row, REQ_BUYER_REF)), -pricing.total};
	ledger_post(row, "override", 0, 0, entries, 2);
	journal_append(row, EVENT_OVERRIDE, row->state, row->state, grant->actor,
				   grant->note, grant_details(&pricing));
	if (row->state->role == ROLE_REFUNDED)
		return_move(row, state_of_role(ROLE_REFUND_DUE), actor_as_system(), NULL, NULL);
}

static void
check_call(FunctionCallInfo fcinfo, const RefundGrant *grant)
{
	const char *const blanks = " \t\r\n";
	char	   *note = text_to_cstring(grant->note);

	if (!actor_may(grant->actor, MAY_GRANT))
		refuse_permission(grant->actor, MAY_GRANT,
						  psprintf("return " INT64_FORMAT, PG_GETARG_INT64(0)), "refund", NULL);
	if (note[strspn(note, blanks)] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_RT_REQUIREMENT_MISSING),
				 errmsg("a refund beyond the rule requires a note"),
				 errdetail("The note was empty."),
				 errhint("Say why it is granted.")));
}

PG_FUNCTION_INFO_V1(returns_grant_refund);

/* grant_refund(return_id bigint, amount numeric, note text) → numeric */
Datum
returns_grant_refund(PG_FUNCTION_ARGS)
{
	RefundGrant grant;
	Datum		return_id;
	Datum		order_ref;
	OwnState	own;
	bool		isnull;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("return_id, amount and note must not be null"),
				 errdetail("NULL never means everything or nothing."),
				 errhint("Say for which return, how much, and why.")));
	return_id = PG_GETARG_DATUM(0);
	grant.amount = PG_GETARG_DATUM(1);
	grant.note = PG_GETARG_TEXT_PP(2);
	grant.actor = actor_current();
	check_call(fcinfo, &grant);

	own_begin(&own);
	if (plan_run(&find_order, &return_id, NULL) == 0)
		error_unknown_return(DatumGetInt64(return_id));
	order_ref = PointerGetDatum(DatumGetTextPCopy(plan_value(0, 1, &isnull)));
	return_update_with(order_ref, DatumGetInt64(return_id), grant_work, &grant);
	own_end(&own);
	PG_RETURN_DATUM(grant.amount);
}
