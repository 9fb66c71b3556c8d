/*-------------------------------------------------------------------------
 *
 * booked.c
 *		What an event says of the money that was booked with it.
 *
 * src/records/booked.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/json.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "records/booked.h"
#include "server/compat.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

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
	Json		json;
	ListCell   *cell;

	json_begin(&json);
	json_open_object(&json, KEY);
	if (book->refunds != NIL)
	{
		json_open_array(&json, "refunds");
		foreach(cell, book->refunds)
		{
			BookedRefund *refund = lfirst(cell);

			json_open_object(&json, NULL);
			json_int(&json, "refund_id", refund->refund_id);
			json_int(&json, "payment_no", refund->payment_no);
			json_number(&json, "amount", DatumGetNumeric(refund->amount));
			json_text(&json, "currency", refund->currency);
			json_text(&json, "provider", refund->provider);
			json_text(&json, "idempotency_key", refund->idempotency_key);
			json_close(&json);
		}
		json_close(&json);
	}
	if (book->transfers != NIL)
	{
		json_open_object(&json, "transfers");
		foreach(cell, book->transfers)
		{
			BookedTransfer *transfer = lfirst(cell);

			json_text(&json, psprintf("%d", transfer->transfer_no), hex_of(transfer->hash));
		}
		json_close(&json);
	}
	json_close(&json);
	return json_end(&json);
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
