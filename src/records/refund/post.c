/*-------------------------------------------------------------------------
 *
 * post.c
 *		Post a report on a refund: ledger, payment, history and return follow.
 *
 * The work is done in the trigger of the return (update_with.h), under the lock
 * of its row: when two refunds of a return settle at the same time, the second
 * transaction sees the postings of the first.
 *
 * src/records/refund/post.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/json.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "records/history/journal.h"
#include "records/ledger/postings.h"
#include "records/refund/post.h"
#include "records/return/move.h"
#include "records/update_with.h"
#include "rules/cache/cache.h"
#include "rules/money.h"

#define OF_PAYMENT " WHERE order_ref" EQ "$1 AND payment_no" EQ "$2"

static Statement read_method = {
	"SELECT method FROM returns.payment" OF_PAYMENT,
	2, {TEXTOID, INT4OID}
};

static Statement release_payment = {
	"UPDATE returns.payment SET refunded = refunded OPERATOR(pg_catalog.-) $3" OF_PAYMENT,
	3, {TEXTOID, INT4OID, NUMERICOID}
};

static Statement take_payment = {
	"UPDATE returns.payment SET refunded = refunded OPERATOR(pg_catalog.+) $3" OF_PAYMENT
	" AND refunded OPERATOR(pg_catalog.+) $3 OPERATOR(pg_catalog.<=) amount",
	3, {TEXTOID, INT4OID, NUMERICOID}
};

/*
 * Another refund of the return that has not settled.  The status alone does
 * not show this: of several refunds that settle in one statement, each is
 * posted in its turn, and the last one moves the return.
 */
static Statement find_unsettled = {
	"SELECT FROM returns.refund AS r"
	" WHERE r.order_ref" EQ "$1 AND r.return_id" EQ "$2"
	" AND r.id OPERATOR(pg_catalog.<>) $3"
	" AND (r.status OPERATOR(pg_catalog.<>) 'settled' OR NOT EXISTS"
	" (SELECT FROM returns.ledger_transfer AS t"
	" WHERE t.order_ref" EQ "$1 AND t.return_id" EQ "$2"
	" AND t.refund_id" EQ "r.id AND t.kind" EQ "'refund_settled'"
	" AND NOT EXISTS (SELECT FROM returns.ledger_transfer AS u"
	" WHERE u.order_ref" EQ "$1 AND u.return_id" EQ "$2 AND u.reverses" EQ "t.transfer_no)))",
	3, {TEXTOID, INT8OID, INT8OID}
};

/* How far the money of a refund in this state has come. */
typedef enum MoneyLevel
{
	MONEY_OWED, MONEY_SENT, MONEY_SETTLED
} MoneyLevel;

static MoneyLevel
money_level(const State *state)
{
	return state->role == ROLE_SETTLED ? MONEY_SETTLED :
		state->role == ROLE_SENT ? MONEY_SENT : MONEY_OWED;
}

/* The provider or, if the payment has none, its method: a party in the ledger. */
static char *
move_tender(const RefundMove *move)
{
	Datum		args[2] = {move->order_ref, Int32GetDatum(move->payment_no)};
	ResultSet	payment;
	AsOwner		owner;
	char	   *method;

	if (move->provider != NULL)
		return move->provider;
	as_owner_begin(&owner);
	payment = statement_run(&read_method, args, NULL);
	if (payment.nrows != 1)
		elog(ERROR, "payment of refund " INT64_FORMAT " not found", move->refund_id);
	method = result_cstring(payment, 0, 1);
	as_owner_end(&owner);
	return method;
}

/* Post the transfers between the two states, or reverse them. */
static void
post_transfers(ReturnRow *row, const RefundMove *move)
{
	MoneyLevel	from = money_level(move->from);
	MoneyLevel	to = money_level(move->to);

	if (to > from)
	{
		char	   *tender = move_tender(move);

		if (from < MONEY_SENT)
			ledger_post_sent(row, move->refund_id, tender, move->amount);
		if (to == MONEY_SETTLED)
			ledger_post_settled(row, move->refund_id, tender, move->amount);
	}
	else if (to < from)
		ledger_post_back(row, move->refund_id, move->to, to == MONEY_SENT);
}

/* A failed refund does not count against its payment; tried again, it counts. */
static void
post_payment(const RefundMove *move)
{
	Datum		args[3] = {move->order_ref, Int32GetDatum(move->payment_no),
	NumericGetDatum(minor_to_numeric(move->amount, move->currency))};
	bool		held = move->from->role != ROLE_FAILED;
	bool		holds = move->to->role != ROLE_FAILED;
	AsOwner		owner;

	if (held == holds)
		return;
	as_owner_begin(&owner);
	if (!holds)
		trigger_check_wrote("payment", statement_run(&release_payment, args, NULL).nrows, 1);
	else if (statement_run(&take_payment, args, NULL).nrows != 1)
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MUCH_MONEY),
				 errmsg("payment %d has not enough left for refund " INT64_FORMAT,
						move->payment_no, move->refund_id),
				 errdetail("The refund needs %s, but other refunds have used the payment since it failed.",
						   money_text(move->amount, move->currency)),
				 errhint("Try it again after one of the other refunds has failed."),
				 err_our_column("payment", "refunded")));
	as_owner_end(&owner);
}

static Jsonb *
move_details(const RefundMove *move)
{
	Json		json;

	json_begin(&json);
	json_int(&json, "refund_id", move->refund_id);
	json_int(&json, "payment_no", move->payment_no);
	json_number(&json, "amount", minor_to_numeric(move->amount, move->currency));
	json_text(&json, "currency", move->currency->code);
	json_text(&json, "from", move->from->code);
	json_text(&json, "status", move->to->code);
	json_int(&json, "attempt", move->attempt);
	json_text(&json, "provider", move->provider);
	json_text(&json, "provider_ref", move->provider_ref);
	json_text(&json, "failure", move->failure);
	return json_end(&json);
}

/* Are all other refunds of the return settled? */
static bool
others_settled(ReturnRow *row, const RefundMove *move)
{
	Datum		args[3] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
	Int64GetDatum(move->refund_id)};
	AsOwner		owner;
	bool		found;

	as_owner_begin(&owner);
	found = statement_run_limit(&find_unsettled, args, NULL, 1).nrows > 0;
	as_owner_end(&owner);
	return !found;
}

/* A return is refunded while all its refunds are settled, and only then. */
static void
move_return(ReturnRow *row, const RefundMove *move)
{
	if (row->state->role == ROLE_REFUND_DUE && move->to->role == ROLE_SETTLED &&
		others_settled(row, move))
		return_move(row, state_of_role(ROLE_REFUNDED), actor_as_system(), NULL, NULL);
	else if (row->state->role == ROLE_REFUNDED && move->to->role != ROLE_SETTLED)
		return_move(row, state_of_role(ROLE_REFUND_DUE), actor_as_system(), NULL, NULL);
}

static void
post_move(ReturnRow *row, void *arg)
{
	const RefundMove *move = arg;

	post_transfers(row, move);
	journal_append(row, EVENT_REFUND, row->state, row->state, move->actor, NULL,
				   move_details(move));
	if (move->from != move->to)
		move_return(row, move);
	/* last, because a decision locks sale lines before payments */
	post_payment(move);
}

void
refund_post(RefundMove *move)
{
	if (!return_update_with(move->order_ref, move->return_id, post_move, move))
		elog(ERROR, "return " INT64_FORMAT " of refund " INT64_FORMAT " not found",
			 move->return_id, move->refund_id);
}
