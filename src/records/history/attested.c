/*-------------------------------------------------------------------------
 *
 * attested.c
 *		What an event says of the money that was booked with it.
 *
 * src/records/history/attested.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "records/history/attested.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#define KEY "booked"			/* of the details, nobody else's */

typedef struct BookedTransfer
{
	int			transfer_no;
	uint8		hash[PG_SHA256_DIGEST_LENGTH];
} BookedTransfer;

void
booked_transfer(ReturnBook *book, const TransferContent *transfer)
{
	BookedTransfer *booked = palloc(sizeof(BookedTransfer));

	booked->transfer_no = transfer->transfer_no;
	transfer_hash(transfer, booked->hash);
	book->transfers = lappend(book->transfers, booked);
}

void
booked_refund(ReturnBook *book, const BookedRefund *refund)
{
	BookedRefund *booked = palloc(sizeof(BookedRefund));

	*booked = *refund;
	book->refunds = lappend(book->refunds, booked);
}

static void
push_key(JsonbParseState **state, char *name)
{
	JsonbValue	key = {.type = jbvString};

	key.val.string.val = name;
	key.val.string.len = strlen(name);
	pushJsonbValue(state, WJB_KEY, &key);
}

static void
push_text(JsonbParseState **state, char *name, const char *value)
{
	JsonbValue	item = {.type = jbvString};

	if (value == NULL)
		return;
	push_key(state, name);
	item.val.string.val = unconstify(char *, value);
	item.val.string.len = strlen(value);
	pushJsonbValue(state, WJB_VALUE, &item);
}

static void
push_number(JsonbParseState **state, char *name, Numeric value)
{
	JsonbValue	item = {.type = jbvNumeric};

	push_key(state, name);
	item.val.numeric = value;
	pushJsonbValue(state, WJB_VALUE, &item);
}

static char *
hex_of(const uint8 *hash)
{
	char	   *hex = palloc(2 * PG_SHA256_DIGEST_LENGTH + 1);

	hex_encode((const char *) hash, PG_SHA256_DIGEST_LENGTH, hex);
	hex[2 * PG_SHA256_DIGEST_LENGTH] = '\0';
	return hex;
}

static Jsonb *
booked_jsonb(ReturnBook *book)
{
	JsonbParseState *state = NULL;
	ListCell   *cell;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_key(&state, KEY);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (book->refunds != NIL)
	{
		push_key(&state, "refunds");
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		foreach(cell, book->refunds)
		{
			BookedRefund *refund = lfirst(cell);

			pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
			push_number(&state, "refund_id", int64_to_numeric(refund->refund_id));
			push_number(&state, "payment_no", int64_to_numeric(refund->payment_no));
			push_number(&state, "amount", DatumGetNumeric(refund->amount));
			push_text(&state, "currency", refund->currency);
			push_text(&state, "provider", refund->provider);
			push_text(&state, "idempotency_key", refund->idempotency_key);
			pushJsonbValue(&state, WJB_END_OBJECT, NULL);
		}
		pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	if (book->transfers != NIL)
	{
		push_key(&state, "transfers");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		foreach(cell, book->transfers)
		{
			BookedTransfer *transfer = lfirst(cell);

			push_text(&state, psprintf("%d", transfer->transfer_no), hex_of(transfer->hash));
		}
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* The key is ours: what a client has put there does not get into the history. */
static Jsonb *
without_key(Jsonb *details)
{
	JsonbValue	value;

	if (details == NULL || !JB_ROOT_IS_OBJECT(details) ||
		getKeyJsonValueFromContainer(&details->root, KEY, strlen(KEY), &value) == NULL)
		return details;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(details),
											  CStringGetTextDatum(KEY)));
}

Jsonb *
booked_details(ReturnBook *book, Jsonb *details)
{
	Jsonb	   *booked;

	details = without_key(details);
	if (book->transfers == NIL && book->refunds == NIL)
		return details;
	booked = booked_jsonb(book);
	book->transfers = NIL;
	book->refunds = NIL;
	return details == NULL ? booked :
		DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(details),
										   JsonbPGetDatum(booked)));
}
