/*-------------------------------------------------------------------------
 *
 * attested.c
 *		The key "booked" of an event, which attests refunds and transfers.
 *
 * src/records/history/attested.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/json.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "records/history/attested.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define ATTESTED_KEY "booked"	/* of the details of an event */

typedef struct AttestedTransfer
{
	int			transfer_no;
	uint8		hash[PG_SHA256_DIGEST_LENGTH];
} AttestedTransfer;

void
attested_transfer(ReturnRow *row, const TransferContent *transfer)
{
	AttestedTransfer *attested = palloc(sizeof(AttestedTransfer));

	attested->transfer_no = transfer->transfer_no;
	transfer_hash(transfer, attested->hash);
	row->transfers = lappend(row->transfers, attested);
}

void
attested_refund(ReturnRow *row, const AttestedRefund *refund)
{
	AttestedRefund *attested = palloc(sizeof(AttestedRefund));

	*attested = *refund;
	row->refunds = lappend(row->refunds, attested);
}

static char *
hash_to_hex(const uint8 *hash)
{
	char	   *hex = palloc(2 * PG_SHA256_DIGEST_LENGTH + 1);

	hex_encode((const char *) hash, PG_SHA256_DIGEST_LENGTH, hex);
	hex[2 * PG_SHA256_DIGEST_LENGTH] = '\0';
	return hex;
}

static Jsonb *
attested_jsonb(ReturnRow *row)
{
	Json		json;
	ListCell   *cell;

	json_begin(&json);
	json_open_object(&json, ATTESTED_KEY);
	if (row->refunds != NIL)
	{
		json_open_array(&json, "refunds");
		foreach(cell, row->refunds)
		{
			AttestedRefund *refund = lfirst(cell);

			json_open_object(&json, NULL);
			json_int(&json, "refund_id", refund->refund_id);
			json_int(&json, "payment_no", refund->payment_no);
			json_number(&json, "amount", refund->amount);
			json_text(&json, "currency", refund->currency);
			json_text(&json, "provider", refund->provider);
			json_text(&json, "idempotency_key", refund->idempotency_key);
			json_close(&json);
		}
		json_close(&json);
	}
	if (row->transfers != NIL)
	{
		json_open_object(&json, "transfers");
		foreach(cell, row->transfers)
		{
			AttestedTransfer *transfer = lfirst(cell);

			json_text(&json, psprintf("%d", transfer->transfer_no), hash_to_hex(transfer->hash));
		}
		json_close(&json);
	}
	json_close(&json);
	return json_end(&json);
}

/* A client must not be able to attest anything: drop the key from its details. */
static Jsonb *
details_without_key(Jsonb *details)
{
	JsonbValue	value;

	if (details == NULL || !JB_ROOT_IS_OBJECT(details) ||
		getKeyJsonValueFromContainer(&details->root, ATTESTED_KEY, strlen(ATTESTED_KEY),
									 &value) == NULL)
		return details;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(details),
											  CStringGetTextDatum(ATTESTED_KEY)));
}

Jsonb *
attested_details(ReturnRow *row, Jsonb *details)
{
	Jsonb	   *attested;

	details = details_without_key(details);
	if (row->transfers == NIL && row->refunds == NIL)
		return details;
	attested = attested_jsonb(row);
	row->transfers = NIL;
	row->refunds = NIL;
	return details == NULL ? attested :
		DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(details),
										   JsonbPGetDatum(attested)));
}
