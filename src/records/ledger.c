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
 * src/records/ledger.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "records/ledger.h"
#include "rules/money.h"
#include "server/plan.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static KeptPlan insert_transfer = {
	"WITH t AS (INSERT INTO returns.ledger_transfer"
	" (order_ref, return_id, transfer_no, refund_id, kind, at, reverses)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7))"
	" INSERT INTO returns.ledger_entry"
	" (order_ref, return_id, transfer_no, entry_no, account, party_ref, amount, currency)"
	" SELECT $1, $2, $3, CAST(e.entry_no AS pg_catalog.int4), e.account, e.party_ref,"
	" e.amount, $8"
	" FROM ROWS FROM (pg_catalog.unnest($9), pg_catalog.unnest($10), pg_catalog.unnest($11))"
	" WITH ORDINALITY AS e (account, party_ref, amount, entry_no)",
	11, {TEXTOID, INT8OID, INT4OID, INT8OID, TEXTOID, TIMESTAMPTZOID, INT4OID, TEXTOID,
	TEXTARRAYOID, TEXTARRAYOID, NUMERICARRAYOID}
};

static KeptPlan select_entries = {
	"SELECT account, party_ref, amount FROM returns.ledger_entry"
	" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND return_id OPERATOR(pg_catalog.=) $2"
	" AND transfer_no OPERATOR(pg_catalog.=) $3 ORDER BY entry_no",
	3, {TEXTOID, INT8OID, INT4OID}
};

static const Currency *
book_currency(ReturnBook *book)
{
	return currency_get(TextDatumGetCString(BOOK_VALUE(book, REQ_CURRENCY)));
}

static Datum
array_of(Datum *values, bool *isnull, int n, Oid type)
{
	int			dims[1] = {n};
	int			lower[1] = {1};

	return PointerGetDatum(construct_md_array(values, isnull, 1, dims, lower, type,
											  -1, false, TYPALIGN_INT));
}

/* The entries that say something, as the three arrays of insert_transfer. */
static int
entries_lay_out(const LedgerEntry *entries, int nentries, const Currency *currency,
				Datum *arrays)
{
	Datum	   *accounts = palloc(sizeof(Datum) * nentries);
	Datum	   *parties = palloc(sizeof(Datum) * nentries);
	Datum	   *amounts = palloc(sizeof(Datum) * nentries);
	bool	   *no_party = palloc(sizeof(bool) * nentries);
	int64		sum = 0;
	int			n = 0;

	for (int i = 0; i < nentries; i++)
	{
		const LedgerEntry *entry = &entries[i];

		sum = money_add(sum, entry->amount);
		if (entry->amount == 0)
			continue;
		accounts[n] = CStringGetTextDatum(entry->account);
		no_party[n] = entry->party_ref == NULL;
		parties[n] = no_party[n] ? (Datum) 0 : CStringGetTextDatum(entry->party_ref);
		amounts[n] = NumericGetDatum(minor_to_numeric(entry->amount, currency));
		n++;
	}
	if (sum != 0)
		elog(ERROR, "ledger transfer does not balance: " INT64_FORMAT " minor units of %s left over",
			 sum, currency->code);
	if (n > 0)
	{
		arrays[0] = array_of(accounts, NULL, n, TEXTOID);
		arrays[1] = array_of(parties, no_party, n, TEXTOID);
		arrays[2] = array_of(amounts, NULL, n, NUMERICOID);
	}
	return n;
}

int
ledger_post(ReturnBook *book, const char *kind, int64 refund_id, int reverses,
			const LedgerEntry *entries, int nentries)
{
	int			transfer_no = DatumGetInt32(BOOK_VALUE(book, REQ_LAST_TRANSFER)) + 1;
	OwnState	own;
	Datum		args[11];
	char		nulls[] = "           ";

	if (entries_lay_out(entries, nentries, book_currency(book), &args[8]) == 0)
		return 0;
	args[0] = BOOK_VALUE(book, REQ_ORDER_REF);
	args[1] = BOOK_VALUE(book, REQ_ID);
	args[2] = Int32GetDatum(transfer_no);
	args[3] = Int64GetDatum(refund_id);
	args[4] = CStringGetTextDatum(kind);
	args[5] = TimestampTzGetDatum(book->now);
	args[6] = Int32GetDatum(reverses);
	args[7] = BOOK_VALUE(book, REQ_CURRENCY);
	nulls[3] = refund_id == 0 ? 'n' : ' ';
	nulls[6] = reverses == 0 ? 'n' : ' ';

	own_begin(&own);
	plan_run(&insert_transfer, args, nulls);
	own_end(&own);
	book_set(book, REQ_LAST_TRANSFER, Int32GetDatum(transfer_no));
	return transfer_no;
}

int
ledger_reverse(ReturnBook *book, const char *kind, int64 refund_id, int transfer_no)
{
	const Currency *currency = book_currency(book);
	Datum		args[3] = {BOOK_VALUE(book, REQ_ORDER_REF), BOOK_VALUE(book, REQ_ID),
		Int32GetDatum(transfer_no)};
	LedgerEntry *entries;
	OwnState	own;
	int			n;
	bool		isnull;

	own_begin(&own);
	n = plan_run(&select_entries, args, NULL);
	entries = palloc(sizeof(LedgerEntry) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		entries[i].account = TextDatumGetCString(plan_value(i, 1, &isnull));
		entries[i].party_ref = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		entries[i].amount = -stored_to_minor(plan_value(i, 3, &isnull), currency, "amount");
	}
	own_end(&own);
	return ledger_post(book, kind, refund_id, transfer_no, entries, n);
}
