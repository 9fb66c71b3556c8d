/*-------------------------------------------------------------------------
 *
 * hash.c
 *		The hash that chains the events of a return, and the hash of a transfer.
 *
 * Every field goes in with its length, so that no two different events have
 * the same bytes; integers big-endian, instants as microseconds since 2000 in
 * UTC, jsonb as its text: nothing depends on the session or the machine.
 *
 * src/records/history/hash.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "records/history/hash.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

static pg_cryptohash_ctx *hash_context = NULL;
static StringInfoData hash_buffer;

/*
 * One context for the life of the backend: making one costs more than hashing
 * an event.  It gets a resource owner of its own, or the end of the statement
 * would free it with a warning.
 */
static void
hash_prepare(void)
{
	ResourceOwner saved_owner = CurrentResourceOwner;
	MemoryContext saved_context;

	if (hash_context != NULL)
		return;
	saved_context = MemoryContextSwitchTo(TopMemoryContext);
	initStringInfo(&hash_buffer);
	CurrentResourceOwner = ResourceOwnerCreate(NULL, "returns hash");
	hash_context = pg_cryptohash_create(PG_SHA256);
	CurrentResourceOwner = saved_owner;
	MemoryContextSwitchTo(saved_context);
}

static void
add_bytes(const void *bytes, int length)
{
	pq_sendint32(&hash_buffer, length);
	appendBinaryStringInfo(&hash_buffer, bytes, length);
}

static void
add_missing(void)
{
	pq_sendint32(&hash_buffer, 0xFFFFFFFF);
}

static void
add_text(const text *value)
{
	if (value == NULL)
		add_missing();
	else
		add_bytes(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static void
add_string(const char *value)
{
	if (value == NULL)
		add_missing();
	else
		add_bytes(value, strlen(value));
}

static void
add_int64(int64 value)
{
	pq_sendint32(&hash_buffer, 8);
	pq_sendint64(&hash_buffer, value);
}

static void
hash_finish(uint8 *hash)
{
	if (pg_cryptohash_init(hash_context) < 0 ||
		pg_cryptohash_update(hash_context, (uint8 *) hash_buffer.data, hash_buffer.len) < 0 ||
		pg_cryptohash_final(hash_context, hash, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not hash a record: %s", pg_cryptohash_error(hash_context));
}

void
event_hash(const Event *event, const uint8 *previous, int previous_length, uint8 *hash)
{
	hash_prepare();
	resetStringInfo(&hash_buffer);
	add_bytes(previous, previous_length);
	add_text(event->order_ref);
	add_int64(event->return_id);
	add_int64(event->seq);
	add_int64(event->epoch);
	add_int64((int64) event->xid);
	add_int64(event->at);
	add_string(event->actor == ACTOR_NONE ? NULL : actor_kind_name(event->actor));
	add_text(event->actor_ref);
	add_string(NameStr(event->db_role));
	add_string(event->from ? event->from->code : NULL);
	add_string(event->to ? event->to->code : NULL);
	add_string(event_kind_name(event->kind));
	add_text(event->note);
	if (event->details == NULL)
		add_missing();
	else
		add_string(JsonbToCString(NULL, &event->details->root, VARSIZE(event->details)));
	if (event->has_due)
		add_int64(event->due_at);
	else
		add_missing();
	hash_finish(hash);
}

/*
 * event_hash(previous bytea, order_ref, return_id, seq, epoch, xid, at, actor,
 * actor_ref, db_role, from_state, to_state, kind, note, details, due_at): what
 * the hash of such an event must be.  For returns.verify() and auditors.
 */
PG_FUNCTION_INFO_V1(returns_event_hash);

static const text *
arg_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_TEXT_PP(n);
}

Datum
returns_event_hash(PG_FUNCTION_ARGS)
{
	bytea	   *previous = PG_ARGISNULL(0) ? NULL : PG_GETARG_BYTEA_PP(0);
	const text *from = arg_text(fcinfo, 10);
	const text *to = arg_text(fcinfo, 11);
	State		from_state = {.code = from ? text_to_cstring(from) : NULL};
	State		to_state = {.code = to ? text_to_cstring(to) : NULL};
	Event		event = {0};
	char	   *kind;
	bytea	   *result;

	for (int i = 1; i <= 6; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	if (PG_ARGISNULL(9) || PG_ARGISNULL(12))
		PG_RETURN_NULL();

	event.order_ref = arg_text(fcinfo, 1);
	event.return_id = PG_GETARG_INT64(2);
	event.seq = PG_GETARG_INT32(3);
	event.epoch = PG_GETARG_INT32(4);
	event.xid = U64FromFullTransactionId(PG_GETARG_FULLTRANSACTIONID(5));
	event.at = PG_GETARG_TIMESTAMPTZ(6);
	event.actor = PG_ARGISNULL(7) ? ACTOR_NONE :
		actor_kind_parse(text_to_cstring(arg_text(fcinfo, 7)));
	event.actor_ref = arg_text(fcinfo, 8);
	namestrcpy(&event.db_role, NameStr(*PG_GETARG_NAME(9)));
	event.from = from ? &from_state : NULL;
	event.to = to ? &to_state : NULL;
	kind = text_to_cstring(arg_text(fcinfo, 12));
	for (event.kind = EVENT_TRANSITION; event.kind < EVENT_OVERRIDE; event.kind++)
		if (strcmp(event_kind_name(event.kind), kind) == 0)
			break;
	/* an actor or a kind that does not exist cannot have the right hash */
	if (strcmp(event_kind_name(event.kind), kind) != 0 ||
		(event.actor == ACTOR_NONE && !PG_ARGISNULL(7)))
		PG_RETURN_NULL();
	event.note = arg_text(fcinfo, 13);
	event.details = PG_ARGISNULL(14) ? NULL : PG_GETARG_JSONB_P(14);
	event.has_due = !PG_ARGISNULL(15);
	event.due_at = event.has_due ? PG_GETARG_TIMESTAMPTZ(15) : 0;

	result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	event_hash(&event, previous ? (uint8 *) VARDATA_ANY(previous) : (const uint8 *) "",
			   previous ? VARSIZE_ANY_EXHDR(previous) : 0, (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

void
transfer_hash(const TransferContent *transfer, uint8 *hash)
{
	hash_prepare();
	resetStringInfo(&hash_buffer);
	add_text(transfer->order_ref);
	add_int64(transfer->return_id);
	add_int64(transfer->transfer_no);
	add_int64(transfer->refund_id);
	add_text(transfer->kind);
	add_int64(transfer->at);
	add_int64(transfer->reverses);
	add_text(transfer->currency);
	for (int i = 0; i < transfer->nentries; i++)
	{
		add_text(DatumGetTextPP(transfer->accounts[i]));
		add_text(transfer->no_party[i] ? NULL : DatumGetTextPP(transfer->parties[i]));
		add_string(DatumGetCString(DirectFunctionCall1(numeric_out, transfer->amounts[i])));
	}
	hash_finish(hash);
}

/* An array of entries, as the transfer has them; NULL elements only for parties. */
static int
arg_array(FunctionCallInfo fcinfo, int n, Oid type, Datum **values, bool **isnull)
{
	int			count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), type, -1, false, TYPALIGN_INT, values, isnull,
					  &count);
	return count;
}

/*
 * transfer_hash(order_ref, return_id, transfer_no, refund_id, kind, at,
 * reverses, currency, accounts text[], parties text[], amounts numeric[]): what
 * the event that booked such a transfer must say.  NULL where none can say it.
 */
PG_FUNCTION_INFO_V1(returns_transfer_hash);

Datum
returns_transfer_hash(PG_FUNCTION_ARGS)
{
	TransferContent transfer = {0};
	Datum	   *columns[3];
	bool	   *nulls[3];
	int			counts[3];
	bytea	   *result;

	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i) && i != 3 && i != 6)
			PG_RETURN_NULL();
	for (int i = 0; i < 3; i++)
		counts[i] = arg_array(fcinfo, 8 + i, i == 2 ? NUMERICOID : TEXTOID, &columns[i], &nulls[i]);
	if (counts[0] != counts[1] || counts[0] != counts[2])
		PG_RETURN_NULL();
	for (int i = 0; i < counts[0]; i++)
		if (nulls[0][i] || nulls[2][i])
			PG_RETURN_NULL();

	transfer.order_ref = arg_text(fcinfo, 0);
	transfer.return_id = PG_GETARG_INT64(1);
	transfer.transfer_no = PG_GETARG_INT32(2);
	transfer.refund_id = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT64(3);
	transfer.kind = arg_text(fcinfo, 4);
	transfer.at = PG_GETARG_TIMESTAMPTZ(5);
	transfer.reverses = PG_ARGISNULL(6) ? 0 : PG_GETARG_INT32(6);
	transfer.currency = arg_text(fcinfo, 7);
	transfer.nentries = counts[0];
	transfer.accounts = columns[0];
	transfer.parties = columns[1];
	transfer.no_party = nulls[1];
	transfer.amounts = columns[2];

	result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	transfer_hash(&transfer, (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}
