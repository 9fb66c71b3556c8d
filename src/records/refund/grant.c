/*-------------------------------------------------------------------------
 *
 * grant.c
 *		grant_refund(): an operator grants a refund that no rule gives.
 *
 * It is goodwill, or a part of the price while the buyer keeps the goods.  The
 * amount counts against the order's payments like any refund, but not against a
 * line, and the platform bears it.  A return that was refunded goes back to
 * refund_due until the amount is paid, because the status of a return is never
 * ahead of the money.
 *
 * src/records/refund/grant.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/json.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "records/decision/issue.h"
#include "records/decision/units.h"
#include "records/history/journal.h"
#include "records/ledger/postings.h"
#include "records/return/move.h"
#include "records/update_with.h"
#include "rules/actor/permission.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"

typedef struct RefundGrant
{
	Datum		amount;			/* numeric */
	const text *note;
	const Actor *actor;
} RefundGrant;

static Statement find_order = {
	"SELECT order_ref FROM returns.return_request WHERE id" EQ "$1",
	1, {INT8OID}
};

static Jsonb *
grant_details(const Pricing *pricing)
{
	Json		json;

	json_begin(&json);
	json_number(&json, "amount", minor_to_numeric(pricing->total, pricing->currency));
	return json_end(&json);
}

static void
issue_grant(ReturnRow *row, void *arg)
{
	const RefundGrant *grant = arg;
	int64		return_id = DatumGetInt64(ROW_VALUE(row, REQ_ID));
	Pricing		pricing = {0};
	AsOwner		owner;

	if (row->state->kind == STATE_INITIAL || ROW_NULL(row, REQ_CURRENCY))
		ereport(ERROR,
				(errcode(ERRCODE_RT_ILLEGAL_TRANSITION),
				 errmsg("return " INT64_FORMAT " is a draft", return_id),
				 errdetail("A refund is granted for a return that has been requested."),
				 errhint("Request it first, for example SELECT returns.act(" INT64_FORMAT ", 'requested').",
						 return_id),
				 err_our_column("return_request", "status")));
	pricing.currency = currency_get(TextDatumGetCString(ROW_VALUE(row, REQ_CURRENCY)));
	pricing.total = numeric_to_minor(grant->amount, pricing.currency, "amount");
	if (pricing.total <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount must be positive, not %s",
						money_text(pricing.total, pricing.currency)),
				 errdetail("grant_refund() gives the buyer an amount and cannot take one back."),
				 errhint("Pass the amount that the buyer gets in addition.")));

	as_owner_begin(&owner);
	/* the move back locks sale lines, and these are locked before payments */
	if (row->state->role == ROLE_REFUNDED)
		(void) units_lock(row);
	price_tenders(&pricing, ROW_VALUE(row, REQ_ORDER_REF), return_id, true);
	refund_issue(row, &pricing);
	as_owner_end(&owner);
	ledger_post_grant(row, pricing.total);
	journal_append(row, EVENT_OVERRIDE, row->state, row->state, grant->actor,
				   grant->note, grant_details(&pricing));
	if (row->state->role == ROLE_REFUNDED)
		return_move(row, state_of_role(ROLE_REFUND_DUE), actor_as_system(), NULL, NULL);
}

static void
check_grant(int64 return_id, const RefundGrant *grant)
{
	const char *const blanks = " \t\r\n";
	char	   *note = text_to_cstring(grant->note);

	if (!actor_may(grant->actor, MAY_GRANT))
		refuse_permission(grant->actor, MAY_GRANT,
						  psprintf("return " INT64_FORMAT, return_id), "refund", NULL);
	if (note[strspn(note, blanks)] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_RT_REQUIREMENT_MISSING),
				 errmsg("granting a refund requires a note"),
				 errdetail("The note is empty or blank."),
				 errhint("Pass the reason for the grant as note.")));
}

PG_FUNCTION_INFO_V1(returns_grant_refund);

/* grant_refund(return_id bigint, amount numeric, note text) → numeric */
Datum
returns_grant_refund(PG_FUNCTION_ARGS)
{
	RefundGrant grant;
	Datum		return_id;
	ResultSet	order;
	AsOwner		owner;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("return_id, amount and note must not be null"),
				 errdetail("A grant needs a return, an amount and the reason for it."),
				 errhint("Pass all three to returns.grant_refund().")));
	return_id = PG_GETARG_DATUM(0);
	grant.amount = PG_GETARG_DATUM(1);
	grant.note = PG_GETARG_TEXT_PP(2);
	grant.actor = actor_current();
	check_grant(DatumGetInt64(return_id), &grant);

	as_owner_begin(&owner);
	order = statement_run(&find_order, &return_id, NULL);
	if (order.nrows == 0)
		error_unknown_return(DatumGetInt64(return_id));
	return_update_with(PointerGetDatum(result_text(order, 0, 1)), DatumGetInt64(return_id),
					   issue_grant, &grant);
	as_owner_end(&owner);
	PG_RETURN_DATUM(grant.amount);
}
