/*-------------------------------------------------------------------------
 *
 * post.c
 *		What a report on a refund means for its ledger, payment and return.
 *
 * Runs inside the trigger of the return (return_update_with), so under its row
 * lock: of two refunds of one return that settle at once, the second to come
 * sees the first.
 *
 * src/records/refund/post.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "records/history/journal.h"
#include "records/ledger/ledger.h"
#include "records/refund/post.h"
#include "records/return/move.h"
#include "records/update_with.h"
#include "rules/cache/cache.h"
#include "rules/money.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

/* Posted and not taken back, the newest first. */
static KeptPlan open_transfers = {
	"SELECT t.transfer_no, t.kind FROM returns.ledger_transfer AS t"
	" WHERE t.order_ref OPERATOR(pg_catalog.=) $1 AND t.return_id OPERATOR(pg_catalog.=) $2"
	" AND t.refund_id OPERATOR(pg_catalog.=) $3 AND t.reverses IS NULL"
	" AND NOT EXISTS (SELECT FROM returns.ledger_transfer AS u"
	" WHERE u.order_ref OPERATOR(pg_catalog.=) $1 AND u.return_id OPERATOR(pg_catalog.=) $2"
	" AND u.reverses OPERATOR(pg_catalog.=) t.transfer_no)"
	" ORDER BY t.transfer_no DESC",
	3, {TEXTOID, INT8OID, INT8OID}
};

static KeptPlan read_method = {
	"SELECT method FROM returns.payment"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND payment_no OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, INT4OID}
};

static KeptPlan release_payment = {
	"UPDATE returns.payment SET refunded = refunded OPERATOR(pg_catalog.-) $3"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND payment_no OPERATOR(pg_catalog.=) $2",
	3, {TEXTOID, INT4OID, NUMERICOID}
};

static KeptPlan take_payment = {
	"UPDATE returns.payment SET refunded = refunded OPERATOR(pg_catalog.+) $3"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND payment_no OPERATOR(pg_catalog.=) $2"
	" AND refunded OPERATOR(pg_catalog.+) $3 OPERATOR(pg_catalog.<=) amount",
	3, {TEXTOID, INT4OID, NUMERICOID}
};

/*
 * A refund of the return that has not settled.  The ledger is asked, not the
 * status alone: of several refunds that settle in one statement, each is
 * posted in its turn, and the last one moves the return.
 */
static KeptPlan unsettled = {
	"SELECT FROM returns.refund AS r"
	" WHERE r.order_ref OPERATOR(pg_catalog.=) $1 AND r.return_id OPERATOR(pg_catalog.=) $2"
	" AND r.id OPERATOR(pg_catalog.<>) $3"
	" AND (r.status OPERATOR(pg_catalog.<>) 'settled' OR NOT EXISTS"
	" (SELECT FROM returns.ledger_transfer AS t"
	" WHERE t.order_ref OPERATOR(pg_catalog.=) $1 AND t.return_id OPERATOR(pg_catalog.=) $2"
	" AND t.refund_id OPERATOR(pg_catalog.=) r.id AND t.kind OPERATOR(pg_catalog.=) 'refund_settled'"
	" AND NOT EXISTS (SELECT FROM returns.ledger_transfer AS u"
	" WHERE u.order_ref OPERATOR(pg_catalog.=) $1 AND u.return_id OPERATOR(pg_catalog.=) $2"
	" AND u.reverses OPERATOR(pg_catalog.=) t.transfer_no)))",
	3, {TEXTOID, INT8OID, INT8OID}
};

/* How far the money is on its way: what is posted in a state. */
static int
money_level(const State *state)
{
	return state->role == ROLE_SETTLED ? 2 : state->role == ROLE_SENT ? 1 : 0;
}

static int
kind_level(const char *kind)
{
	return strcmp(kind, "refund_settled") == 0 ? 2 : 1;
}

/* Who the money passes through: the provider, else the kind of tender. */
static char *
move_tender(const RefundMove *move)
{
	Datum		args[2] = {move->order_ref, Int32GetDatum(move->payment_no)};
	OwnState	own;
	bool		isnull;
	char	   *method;

	if (move->provider != NULL)
		return move->provider;
	own_begin(&own);
	if (plan_run(&read_method, args, NULL) != 1)
		elog(ERROR, "payment of refund " INT64_FORMAT " not found", move->refund_id);
	method = TextDatumGetCString(plan_value(0, 1, &isnull));
	own_end(&own);
	return method;
}

static void
post_forward(ReturnRow *row, const RefundMove *move)
{
	LedgerEntry entries[2];
	char	   *tender = move_tender(move);

	if (money_level(move->from) < 1 && money_level(move->to) >= 1)
	{
		entries[0] = (LedgerEntry) {"buyer_payable",
		TextDatumGetCString(ROW_VALUE(row, REQ_BUYER_REF)), move->amount};
		entries[1] = (LedgerEntry) {"provider_clearing", tender, -move->amount};
		ledger_post(row, "refund_sent", move->refund_id, 0, entries, 2);
	}
	if (money_level(move->from) < 2 && money_level(move->to) >= 2)
	{
		entries[0] = (LedgerEntry) {"provider_clearing", tender, move->amount};
		entries[1] = (LedgerEntry) {"cash", tender, -move->amount};
		ledger_post(row, "refund_settled", move->refund_id, 0, entries, 2);
	}
}

static void
post_back(ReturnRow *row, const RefundMove *move)
{
	Datum		args[3] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
		Int64GetDatum(move->refund_id)};
	char	   *kind = psprintf("refund_%s", move->to->code);
	OwnState	own;
	int		   *transfers;
	int			n = 0;
	uint64		rows;
	bool		isnull;

	own_begin(&own);
	rows = plan_run(&open_transfers, args, NULL);
	transfers = palloc(sizeof(int) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
		if (kind_level(TextDatumGetCString(plan_value(i, 2, &isnull))) > money_level(move->to))
			transfers[n++] = DatumGetInt32(plan_value(i, 1, &isnull));
	own_end(&own);
	for (int i = 0; i < n; i++)
		ledger_reverse(row, kind, move->refund_id, transfers[i]);
}

/* A failed refund lets its payment go; tried again, it takes its share anew. */
static void
post_payment(ReturnRow *row, const RefundMove *move)
{
	Datum		args[3] = {move->order_ref, Int32GetDatum(move->payment_no),
		NumericGetDatum(minor_to_numeric(move->amount, move->currency))};
	bool		held = move->from->role != ROLE_FAILED;
	bool		holds = move->to->role != ROLE_FAILED;
	OwnState	own;

	if (held == holds)
		return;
	own_begin(&own);
	if (!holds)
		trigger_check_wrote("payment", plan_run(&release_payment, args, NULL), 1);
	else if (plan_run(&take_payment, args, NULL) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
				 errmsg("payment %d has not enough left for refund " INT64_FORMAT,
						move->payment_no, move->refund_id),
				 errdetail("Since it failed, other refunds have taken what it needs: %s.",
						   money_text(move->amount, move->currency)),
				 errhint("Let one of them fail first."),
				 err_our_column("payment", "refunded")));
	own_end(&own);
}

static void
detail_text(JsonbParseState **state, char *name, const char *value)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue	item = {.type = jbvString};

	if (value == NULL)
		return;
	key.val.string.val = name;
	key.val.string.len = strlen(name);
	item.val.string.val = unconstify(char *, value);
	item.val.string.len = strlen(value);
	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_VALUE, &item);
}

static void
detail_number(JsonbParseState **state, char *name, Numeric value)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue	item = {.type = jbvNumeric};

	key.val.string.val = name;
	key.val.string.len = strlen(name);
	item.val.numeric = value;
	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_VALUE, &item);
}

static Jsonb *
move_details(const RefundMove *move)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	detail_number(&state, "refund_id", int64_to_numeric(move->refund_id));
	detail_number(&state, "payment_no", int64_to_numeric(move->payment_no));
	detail_number(&state, "amount", minor_to_numeric(move->amount, move->currency));
	detail_text(&state, "currency", move->currency->code);
	detail_text(&state, "from", move->from->code);
	detail_text(&state, "status", move->to->code);
	detail_number(&state, "attempt", int64_to_numeric(move->attempt));
	detail_text(&state, "provider", move->provider);
	detail_text(&state, "provider_ref", move->provider_ref);
	detail_text(&state, "failure", move->failure);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static bool
all_settled(ReturnRow *row, const RefundMove *move)
{
	Datum		args[3] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
		Int64GetDatum(move->refund_id)};
	OwnState	own;
	bool		found;

	own_begin(&own);
	found = plan_run_limit(&unsettled, args, NULL, 1) > 0;
	own_end(&own);
	return !found;
}

/* The return follows its money. */
static void
move_return(ReturnRow *row, const RefundMove *move)
{
	if (row->state->role == ROLE_REFUND_DUE && move->to->role == ROLE_SETTLED &&
		all_settled(row, move))
		return_move(row, state_get(MACHINE_RETURN, "refunded"), actor_as_system(), NULL, NULL);
	else if (row->state->role == ROLE_REFUNDED && move->to->role != ROLE_SETTLED)
		return_move(row, state_get(MACHINE_RETURN, "refund_due"), actor_as_system(), NULL, NULL);
}

static void
post_work(ReturnRow *row, void *arg)
{
	const RefundMove *move = arg;

	if (money_level(move->to) > money_level(move->from))
		post_forward(row, move);
	else if (money_level(move->to) < money_level(move->from))
		post_back(row, move);
	journal_append(row, EVENT_REFUND, row->state, row->state, move->actor, NULL,
				   move_details(move));
	if (move->from != move->to)
		move_return(row, move);
	/* the last, because a decision locks sale lines before payments */
	post_payment(row, move);
}

void
refund_post(RefundMove *move)
{
	if (!return_update_with(move->order_ref, move->return_id, post_work, move))
		elog(ERROR, "return " INT64_FORMAT " of refund " INT64_FORMAT " not found",
			 move->return_id, move->refund_id);
}
