/*-------------------------------------------------------------------------
 *
 * ledger.c
 *		Double entry: transfers of a return, each balanced in one currency.
 *
 * Postings, debit +, credit -.  G goods share, F restocking fee, D deduction,
 * S shipping, C commission on G - D at the frozen rate, T = G - F - D + S:
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
 * A is the amount of one refund; "provider" is the payment's method where the
 * payment has no provider.  What did not come true is posted again with the
 * signs turned, under the kind refund_failed or refund_pending, and names in
 * reverses what it takes back: at most once for each transfer.
 *
 * Transfers go straight into heap and indexes (direct_insert.h): the row lock on
 * the return proves that it exists, and every value is ours.
 *
 * src/records/ledger/ledger.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "base/direct_insert.h"
#include "catalog/pg_type.h"
#include "records/history/attested.h"
#include "records/history/journal.h"
#include "records/ledger/ledger.h"
#include "rules/cache/cache.h"
#include "rules/money.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* A transfer on its way into the tables. */
typedef struct Posting
{
	Datum		order_ref;
	Datum		return_id;
	int			transfer_no;
	int64		written;
	int64		refund_id;		/* 0: none */
	Datum		kind;
	TimestampTz at;
	int			reverses;		/* 0: none */
	Datum		currency;
	int			nentries;
	Datum	   *accounts;
	Datum	   *parties;
	bool	   *no_party;
	Datum	   *amounts;
} Posting;

static const DirectColumn transfer_columns[] = {
	{"order_ref", TEXTOID, true},
	{"return_id", INT8OID, true},
	{"transfer_no", INT4OID, true},
	{"refund_id", INT8OID, false},
	{"kind", TEXTOID, true},
	{"at", TIMESTAMPTZOID, true},
	{"reverses", INT4OID, false},
};

static DirectTable transfer_table = {
	.name = "ledger_transfer",
	.ncolumns = lengthof(transfer_columns),
	.columns = transfer_columns,
	.guard = "zz_returns_ledger_transfer",
	.foreign_key = "ledger_transfer_order_ref_return_id_fkey",
	.partial_index = "ledger_transfer_reverses",
};

static const DirectColumn entry_columns[] = {
	{"order_ref", TEXTOID, true},
	{"return_id", INT8OID, true},
	{"written", INT8OID, false},
	{"transfer_no", INT4OID, true},
	{"entry_no", INT4OID, true},
	{"account", TEXTOID, true},
	{"party_ref", TEXTOID, false},
	{"amount", NUMERICOID, true},
	{"currency", TEXTOID, true},
};

static DirectTable entry_table = {
	.name = "ledger_entry",
	.ncolumns = lengthof(entry_columns),
	.columns = entry_columns,
	.guard = "zz_returns_ledger_entry",
	.check = "ledger_entry_amount_check",
	.foreign_key = "ledger_entry_order_ref_return_id_transfer_no_fkey",
	.partial_index = "ledger_entry_seller",
};

static Statement select_entries = {
	"SELECT account, party_ref, amount FROM returns.ledger_entry"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND return_id OPERATOR(pg_catalog.=) $2"
	" AND transfer_no OPERATOR(pg_catalog.=) $3 ORDER BY entry_no",
	3, {TEXTOID, INT8OID, INT4OID}
};

int64
ledger_time(uint64 xid)
{
	return ((int64) journal_epoch() << 48) + (int64) xid;
}

static const Currency *
row_currency(ReturnRow *row)
{
	return currency_get(TextDatumGetCString(ROW_VALUE(row, REQ_CURRENCY)));
}

/* The entries that say something. */
static void
lay_out(Posting *posting, const LedgerEntry *entries, int nentries, const Currency *currency)
{
	int64		sum = 0;
	int			n = 0;

	posting->accounts = palloc(sizeof(Datum) * nentries);
	posting->parties = palloc(sizeof(Datum) * nentries);
	posting->amounts = palloc(sizeof(Datum) * nentries);
	posting->no_party = palloc(sizeof(bool) * nentries);
	for (int i = 0; i < nentries; i++)
	{
		const LedgerEntry *entry = &entries[i];

		sum = money_add(sum, entry->amount);
		if (entry->amount == 0)
			continue;
		posting->accounts[n] = CStringGetTextDatum(entry->account);
		posting->no_party[n] = entry->party_ref == NULL;
		posting->parties[n] = posting->no_party[n] ? (Datum) 0 :
			CStringGetTextDatum(entry->party_ref);
		posting->amounts[n] = NumericGetDatum(minor_to_numeric(entry->amount, currency));
		n++;
	}
	if (sum != 0)
		elog(ERROR, "ledger transfer does not balance: " INT64_FORMAT " minor units of %s left over",
			 sum, currency->code);
	posting->nentries = n;
}

static void
fill_transfer(int row, Datum *values, bool *isnull, void *arg)
{
	const Posting *posting = arg;

	values[0] = posting->order_ref;
	values[1] = posting->return_id;
	values[2] = Int32GetDatum(posting->transfer_no);
	values[3] = Int64GetDatum(posting->refund_id);
	values[4] = posting->kind;
	values[5] = TimestampTzGetDatum(posting->at);
	values[6] = Int32GetDatum(posting->reverses);
	isnull[3] = posting->refund_id == 0;
	isnull[6] = posting->reverses == 0;
}

static void
fill_entry(int row, Datum *values, bool *isnull, void *arg)
{
	const Posting *posting = arg;

	values[0] = posting->order_ref;
	values[1] = posting->return_id;
	values[2] = Int64GetDatum(posting->written);
	values[3] = Int32GetDatum(posting->transfer_no);
	values[4] = Int32GetDatum(row + 1);
	values[5] = posting->accounts[row];
	values[6] = posting->parties[row];
	values[7] = posting->amounts[row];
	values[8] = posting->currency;
	isnull[6] = posting->no_party[row];
}

/* The next event speaks of the transfer. */
static void
tell(ReturnRow *row, const Posting *posting)
{
	TransferContent content = {
		.order_ref = DatumGetTextPP(posting->order_ref),
		.return_id = DatumGetInt64(posting->return_id),
		.transfer_no = posting->transfer_no,
		.refund_id = posting->refund_id,
		.kind = DatumGetTextPP(posting->kind),
		.at = posting->at,
		.reverses = posting->reverses,
		.currency = DatumGetTextPP(posting->currency),
		.nentries = posting->nentries,
		.accounts = posting->accounts,
		.parties = posting->parties,
		.no_party = posting->no_party,
		.amounts = posting->amounts,
	};

	attested_transfer(row, &content);
}

static void
insert(Posting *posting)
{
	AsOwner		owner;

	as_owner_begin(&owner);
	direct_insert(&transfer_table, 1, fill_transfer, posting);
	direct_insert(&entry_table, posting->nentries, fill_entry, posting);
	as_owner_end(&owner);
}

int
ledger_post(ReturnRow *row, const char *kind, int64 refund_id, int reverses,
			const LedgerEntry *entries, int nentries)
{
	Posting		posting;

	lay_out(&posting, entries, nentries, row_currency(row));
	if (posting.nentries == 0)
		return 0;
	posting.order_ref = ROW_VALUE(row, REQ_ORDER_REF);
	posting.return_id = ROW_VALUE(row, REQ_ID);
	posting.transfer_no = DatumGetInt32(ROW_VALUE(row, REQ_LAST_TRANSFER)) + 1;
	posting.written = ledger_time(U64FromFullTransactionId(GetTopFullTransactionId()));
	posting.refund_id = refund_id;
	posting.kind = CStringGetTextDatum(kind);
	posting.at = row->now;
	posting.reverses = reverses;
	posting.currency = ROW_VALUE(row, REQ_CURRENCY);
	insert(&posting);
	tell(row, &posting);
	row_set(row, REQ_LAST_TRANSFER, Int32GetDatum(posting.transfer_no));
	return posting.transfer_no;
}

int
ledger_reverse(ReturnRow *row, const char *kind, int64 refund_id, int transfer_no)
{
	const Currency *currency = row_currency(row);
	Datum		args[3] = {ROW_VALUE(row, REQ_ORDER_REF), ROW_VALUE(row, REQ_ID),
		Int32GetDatum(transfer_no)};
	LedgerEntry *entries;
	AsOwner		owner;
	ResultSet	posted;

	as_owner_begin(&owner);
	posted = statement_run(&select_entries, args, NULL);
	entries = palloc(sizeof(LedgerEntry) * Max(posted.nrows, 1));
	for (uint64 i = 0; i < posted.nrows; i++)
	{
		entries[i].account = result_cstring(posted, i, 1);
		entries[i].party_ref = result_cstring(posted, i, 2);
		entries[i].amount = -stored_to_minor(NumericGetDatum(result_numeric(posted, i, 3)),
											 currency, "amount");
	}
	as_owner_end(&owner);
	return ledger_post(row, kind, refund_id, transfer_no, entries, posted.nrows);
}
