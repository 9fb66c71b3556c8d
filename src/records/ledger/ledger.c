/*-------------------------------------------------------------------------
 *
 * ledger.c
 *		Double entry: transfers of a return, each balanced in one currency.
 *
 * postings.c says which transfers there are.  Their rows are inserted into heap
 * and indexes directly (direct_insert.h): the row lock on the return proves that
 * it exists, and the extension computes every value.
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

/* A transfer that is being posted. */
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

StaticAssertDecl(lengthof(transfer_columns) == 7, "fill_transfer() fills all columns");

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

StaticAssertDecl(lengthof(entry_columns) == 9, "fill_entry() fills all columns");

static DirectTable entry_table = {
	.name = "ledger_entry",
	.ncolumns = lengthof(entry_columns),
	.columns = entry_columns,
	.guard = "zz_returns_ledger_entry",
	.check = "CHECK ((amount <> (0)::numeric))",
	.foreign_key = "ledger_entry_order_ref_return_id_transfer_no_fkey",
	.partial_index = "ledger_entry_seller",
};

static Statement select_entries = {
	"SELECT account, party_ref, amount FROM returns.ledger_entry"
	" WHERE order_ref" EQ "$1 AND return_id" EQ "$2 AND transfer_no" EQ "$3 ORDER BY entry_no",
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

/* Fill in the entries, without those of an amount of 0. */
static void
posting_fill(Posting *posting, const LedgerEntry *entries, int nentries,
			 const Currency *currency)
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
		elog(ERROR, "ledger transfer does not balance: " INT64_FORMAT " minor units of %s remain",
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

/* The next event of the return contains a hash of the transfer. */
static void
posting_attest(ReturnRow *row, const Posting *posting)
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
posting_insert(Posting *posting)
{
	AsOwner		owner;

	as_owner_begin(&owner);
	direct_insert(&transfer_table, 1, fill_transfer, posting);
	direct_insert(&entry_table, posting->nentries, fill_entry, posting);
	as_owner_end(&owner);
}

void
ledger_post(ReturnRow *row, const char *kind, int64 refund_id, int reverses,
			const LedgerEntry *entries, int nentries)
{
	Posting		posting;

	posting_fill(&posting, entries, nentries, row_currency(row));
	if (posting.nentries == 0)
		return;
	posting.order_ref = ROW_VALUE(row, REQ_ORDER_REF);
	posting.return_id = ROW_VALUE(row, REQ_ID);
	posting.transfer_no = DatumGetInt32(ROW_VALUE(row, REQ_LAST_TRANSFER)) + 1;
	posting.written = ledger_time(U64FromFullTransactionId(GetTopFullTransactionId()));
	posting.refund_id = refund_id;
	posting.kind = CStringGetTextDatum(kind);
	posting.at = row->now;
	posting.reverses = reverses;
	posting.currency = ROW_VALUE(row, REQ_CURRENCY);
	Assert(reverses >= 0 && reverses < posting.transfer_no);
	posting_insert(&posting);
	posting_attest(row, &posting);
	row_set(row, REQ_LAST_TRANSFER, Int32GetDatum(posting.transfer_no));
}

void
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
	ledger_post(row, kind, refund_id, transfer_no, entries, posted.nrows);
}
