/*-------------------------------------------------------------------------
 *
 * postings.c
 *		Which accounts each transfer of a return debits and credits.
 *
 * Debit +, credit -.  Of all lines of a return, G is the goods share, F the
 * restocking fee, D the deduction, S the shipping, C the commission on G - D at
 * the rate of the sale, and T = G - F - D + S.  A is the amount of one refund.
 * "provider" is the payment's method where the payment has no provider.
 *
 *		kind			account				party		amount
 *		refund_due		seller_receivable	seller		G - D - C, + S if the seller's fault
 *						commission_income	-			C
 *						carrier_receivable	carrier		S if the carrier's fault
 *						shipping_expense	-			S otherwise
 *						restocking_income	-			-F
 *						buyer_payable		buyer		-T
 *		override		goodwill_expense	-			A
 *						buyer_payable		buyer		-A
 *		refund_sent		buyer_payable		buyer		A
 *						provider_clearing	provider	-A
 *		refund_settled	provider_clearing	provider	A
 *						cash				provider	-A
 *
 * When a sending or a settlement fails, its transfer is reversed: it is posted
 * again with opposite signs.  The kind of the reversal is the state that the
 * refund moved to: refund_failed, refund_pending or refund_sent.  Its column
 * reverses has the number of the reversed transfer; each is reversed at most once.
 *
 * src/records/ledger/postings.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/statement.h"
#include "catalog/pg_type.h"
#include "records/ledger/ledger.h"
#include "records/ledger/postings.h"
#include "utils/builtins.h"

/* Transfers of a refund that are not reversed, the newest first. */
static Statement find_transfers = {
	"SELECT t.transfer_no FROM returns.ledger_transfer AS t"
	" WHERE t.order_ref" EQ "$1 AND t.return_id" EQ "$2 AND t.refund_id" EQ "$3"
	" AND t.reverses IS NULL AND (t.kind" EQ "'refund_settled' OR NOT $4)"
	" AND NOT EXISTS (SELECT FROM returns.ledger_transfer AS u"
	" WHERE u.order_ref" EQ "$1 AND u.return_id" EQ "$2 AND u.reverses" EQ "t.transfer_no)"
	" ORDER BY t.transfer_no DESC",
	4, {TEXTOID, INT8OID, INT8OID, BOOLOID}
};

static char *
row_buyer(ReturnRow *row)
{
	return TextDatumGetCString(ROW_VALUE(row, REQ_BUYER_REF));
}

void
ledger_post_due(ReturnRow *row, const LinePrice *sum, Fault fault)
{
	LedgerEntry entries[] = {
		{"seller_receivable", TextDatumGetCString(ROW_VALUE(row, REQ_SELLER_REF)),
		sum->goods - sum->deduction - sum->commission},
		{"commission_income", NULL, sum->commission},
		{"shipping_expense", NULL, sum->shipping},
		{"restocking_income", NULL, -sum->fee},
		{"buyer_payable", row_buyer(row), -sum->total},
	};
	LedgerEntry *seller = &entries[0];
	LedgerEntry *shipping = &entries[2];

	Assert(sum->total == sum->goods - sum->fee - sum->deduction + sum->shipping);
	Assert(fault < FAULT_COUNT);
	if (fault == FAULT_SELLER)
	{
		seller->amount = money_add(seller->amount, sum->shipping);
		shipping->amount = 0;
	}
	if (fault == FAULT_CARRIER)
	{
		shipping->account = "carrier_receivable";
		if (!ROW_NULL(row, REQ_CARRIER))
			shipping->party_ref = TextDatumGetCString(ROW_VALUE(row, REQ_CARRIER));
	}
	ledger_post(row, "refund_due", 0, 0, entries, lengthof(entries));
}

void
ledger_post_grant(ReturnRow *row, int64 amount)
{
	LedgerEntry entries[] = {
		{"goodwill_expense", NULL, amount},
		{"buyer_payable", row_buyer(row), -amount},
	};

	ledger_post(row, "override", 0, 0, entries, lengthof(entries));
}

void
ledger_post_sent(ReturnRow *row, int64 refund_id, const char *tender, int64 amount)
{
	LedgerEntry entries[] = {
		{"buyer_payable", row_buyer(row), amount},
		{"provider_clearing", tender, -amount},
	};

	ledger_post(row, "refund_sent", refund_id, 0, entries, lengthof(entries));
}

void
ledger_post_settled(ReturnRow *row, int64 refund_id, const char *tender, int64 amount)
{
	LedgerEntry entries[] = {
		{"provider_clearing", tender, amount},
		{"cash", tender, -amount},
	};

	ledger_post(row, "refund_settled", refund_id, 0, entries, lengthof(entries));
}

void
ledger_post_back(ReturnRow *row, int64 refund_id, const State *to, bool is_sent)
{
	Datum		args[4] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
	Int64GetDatum(refund_id), BoolGetDatum(is_sent)};
	char	   *kind = psprintf("refund_%s", to->code);
	ResultSet	transfers;
	AsOwner		owner;

	as_owner_begin(&owner);
	transfers = statement_run(&find_transfers, args, NULL);
	for (uint64 i = 0; i < transfers.nrows; i++)
		ledger_reverse(row, kind, refund_id, result_int(transfers, i, 1));
	as_owner_end(&owner);
}
