/*-------------------------------------------------------------------------
 *
 * hash.c
 *		The hash that chains the events of a return, and the hash of a transfer.
 *
 * A field is hashed with its length, so that two different records never have
 * the same bytes.  Integers are big-endian, times are microseconds since 2000
 * in UTC, jsonb is its text: the hash does not depend on the settings of the
 * session or on the machine.
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
 * The backend keeps one hash context: creating one costs more than hashing an
 * event.  The context has a resource owner of its own; otherwise the end of the
 * statement would free it with a warning.
 */
static void
hash_begin(void)
{
	ResourceOwner saved_owner = CurrentResourceOwner;
	MemoryContext saved_context;

	if (likely(hash_context != NULL))
	{
		resetStringInfo(&hash_buffer);
		return;
	}
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
hash_end(uint8 *hash)
{
	if (pg_cryptohash_init(hash_context) < 0 ||
		pg_cryptohash_update(hash_context, (uint8 *) hash_buffer.data, hash_buffer.len) < 0 ||
		pg_cryptohash_final(hash_context, hash, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not hash a record: %s", pg_cryptohash_error(hash_context));
}

bytea *
hash_to_bytea(const uint8 *hash)
{
	bytea	   *value = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	SET_VARSIZE(value, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	memcpy(VARDATA(value), hash, PG_SHA256_DIGEST_LENGTH);
	return value;
}

void
event_hash(const Event *event, const bytea *previous, uint8 *hash)
{
	hash_begin();
	if (previous == NULL)
		add_bytes("", 0);
	else
		add_bytes(VARDATA_ANY(previous), VARSIZE_ANY_EXHDR(previous));
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
	hash_end(hash);
}

/* The arguments of event_hash() in SQL. */
enum
{
	EH_PREVIOUS, EH_ORDER_REF, EH_RETURN_ID, EH_SEQ, EH_EPOCH, EH_XID, EH_AT, EH_ACTOR,
	EH_ACTOR_REF, EH_DB_ROLE, EH_FROM_STATE, EH_TO_STATE, EH_KIND, EH_NOTE, EH_DETAILS,
	EH_DUE_AT, EH_NARGS
};

static const text *
arg_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_TEXT_PP(n);
}

/* A state with the code of an argument, in *state; NULL when it is null. */
static const State *
arg_state(FunctionCallInfo fcinfo, int n, State *state)
{
	if (PG_ARGISNULL(n))
		return NULL;
	state->code = text_to_cstring(PG_GETARG_TEXT_PP(n));
	return state;
}

/*
 * The event that the arguments describe, with its states in from and to.  False
 * when such an event cannot exist: a field is missing, the actor or the kind is
 * unknown.
 */
static bool
event_from_args(FunctionCallInfo fcinfo, Event *event, State *from, State *to)
{
	static const int required[] = {
		EH_ORDER_REF, EH_RETURN_ID, EH_SEQ, EH_EPOCH, EH_XID, EH_AT, EH_DB_ROLE, EH_KIND
	};
	const text *actor = arg_text(fcinfo, EH_ACTOR);
	const text *kind = arg_text(fcinfo, EH_KIND);

	Assert(PG_NARGS() == EH_NARGS);
	for (int i = 0; i < lengthof(required); i++)
		if (PG_ARGISNULL(required[i]))
			return false;

	event->order_ref = arg_text(fcinfo, EH_ORDER_REF);
	event->return_id = PG_GETARG_INT64(EH_RETURN_ID);
	event->seq = PG_GETARG_INT32(EH_SEQ);
	event->epoch = PG_GETARG_INT32(EH_EPOCH);
	event->xid = U64FromFullTransactionId(PG_GETARG_FULLTRANSACTIONID(EH_XID));
	event->at = PG_GETARG_TIMESTAMPTZ(EH_AT);
	event->actor = actor == NULL ? ACTOR_NONE :
		actor_kind_find(VARDATA_ANY(actor), VARSIZE_ANY_EXHDR(actor));
	event->actor_ref = arg_text(fcinfo, EH_ACTOR_REF);
	namestrcpy(&event->db_role, NameStr(*PG_GETARG_NAME(EH_DB_ROLE)));
	event->from = arg_state(fcinfo, EH_FROM_STATE, from);
	event->to = arg_state(fcinfo, EH_TO_STATE, to);
	event->kind = event_kind_find(VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));
	event->note = arg_text(fcinfo, EH_NOTE);
	event->details = PG_ARGISNULL(EH_DETAILS) ? NULL : PG_GETARG_JSONB_P(EH_DETAILS);
	event->has_due = !PG_ARGISNULL(EH_DUE_AT);
	event->due_at = event->has_due ? PG_GETARG_TIMESTAMPTZ(EH_DUE_AT) : 0;
	return event->kind != EVENT_NONE && (actor == NULL || event->actor != ACTOR_NONE);
}

PG_FUNCTION_INFO_V1(returns_event_hash);

/*
 * event_hash(previous bytea, order_ref, return_id, seq, epoch, xid, at, actor,
 * actor_ref, db_role, from_state, to_state, kind, note, details, due_at): the
 * hash that such an event must have; NULL when it cannot exist.  For
 * returns.verify() and auditors.
 */
Datum
returns_event_hash(PG_FUNCTION_ARGS)
{
	Event		event = {0};
	State		from = {0};
	State		to = {0};
	uint8		hash[PG_SHA256_DIGEST_LENGTH];

	if (!event_from_args(fcinfo, &event, &from, &to))
		PG_RETURN_NULL();
	event_hash(&event, PG_ARGISNULL(EH_PREVIOUS) ? NULL : PG_GETARG_BYTEA_PP(EH_PREVIOUS),
			   hash);
	PG_RETURN_BYTEA_P(hash_to_bytea(hash));
}

void
transfer_hash(const TransferContent *transfer, uint8 *hash)
{
	hash_begin();
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
	hash_end(hash);
}

/* The arguments of transfer_hash() in SQL. */
enum
{
	TH_ORDER_REF, TH_RETURN_ID, TH_TRANSFER_NO, TH_REFUND_ID, TH_KIND, TH_AT, TH_REVERSES,
	TH_CURRENCY, TH_ACCOUNTS, TH_PARTIES, TH_AMOUNTS, TH_NARGS
};

/* The elements of an argument that is an array of a varlena type; their number. */
static int
arg_elements(FunctionCallInfo fcinfo, int n, Oid type, const Datum **values,
			 const bool **isnull)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), type, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &count);
	*values = elements;
	*isnull = nulls;
	return count;
}

/* The entries that the arguments describe; false when such entries cannot exist. */
static bool
entries_from_args(FunctionCallInfo fcinfo, TransferContent *transfer)
{
	const bool *no_account;
	const bool *no_amount;

	transfer->nentries = arg_elements(fcinfo, TH_ACCOUNTS, TEXTOID, &transfer->accounts,
									  &no_account);
	if (arg_elements(fcinfo, TH_PARTIES, TEXTOID, &transfer->parties,
					 &transfer->no_party) != transfer->nentries ||
		arg_elements(fcinfo, TH_AMOUNTS, NUMERICOID, &transfer->amounts,
					 &no_amount) != transfer->nentries)
		return false;
	for (int i = 0; i < transfer->nentries; i++)
		if (no_account[i] || no_amount[i])
			return false;
	return true;
}

PG_FUNCTION_INFO_V1(returns_transfer_hash);

/*
 * transfer_hash(order_ref, return_id, transfer_no, refund_id, kind, at,
 * reverses, currency, accounts text[], parties text[], amounts numeric[]): the
 * hash that the next event must attest for such a transfer; NULL when the
 * transfer cannot exist.
 */
Datum
returns_transfer_hash(PG_FUNCTION_ARGS)
{
	TransferContent transfer = {0};
	uint8		hash[PG_SHA256_DIGEST_LENGTH];

	Assert(PG_NARGS() == TH_NARGS);
	for (int i = 0; i < TH_NARGS; i++)
		if (PG_ARGISNULL(i) && i != TH_REFUND_ID && i != TH_REVERSES)
			PG_RETURN_NULL();
	if (!entries_from_args(fcinfo, &transfer))
		PG_RETURN_NULL();

	transfer.order_ref = arg_text(fcinfo, TH_ORDER_REF);
	transfer.return_id = PG_GETARG_INT64(TH_RETURN_ID);
	transfer.transfer_no = PG_GETARG_INT32(TH_TRANSFER_NO);
	transfer.refund_id = PG_ARGISNULL(TH_REFUND_ID) ? 0 : PG_GETARG_INT64(TH_REFUND_ID);
	transfer.kind = arg_text(fcinfo, TH_KIND);
	transfer.at = PG_GETARG_TIMESTAMPTZ(TH_AT);
	transfer.reverses = PG_ARGISNULL(TH_REVERSES) ? 0 : PG_GETARG_INT32(TH_REVERSES);
	transfer.currency = arg_text(fcinfo, TH_CURRENCY);
	transfer_hash(&transfer, hash);
	PG_RETURN_BYTEA_P(hash_to_bytea(hash));
}
