/*-------------------------------------------------------------------------
 *
 * open_return.c
 *		open_return(): a draft, its lines and the request of it in one call.
 *
 * Sugar over the statements a client could send: they run with the caller's
 * own rights, and the rules are in the triggers they fire.
 *
 * src/api/open_return.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "records/return/begin.h"
#include "rules/cache/cache.h"
#include "rules/workflow/actor.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

typedef struct OpenLine
{
	int			line_no;
	int			quantity;
} OpenLine;

/* The arguments, as text values; NULL: not given. */
typedef struct OpenCall
{
	text	   *order_ref;
	text	   *reason;
	text	   *resolution;
	text	   *note;
	text	   *key;
	Jsonb	   *details;
	int			nlines;
	OpenLine   *lines;			/* in order of line_no */
	uint8		content[PG_SHA256_DIGEST_LENGTH];
} OpenCall;

static void
refuse_lines(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid lines of a return"),
			 errdetail("%s", detail),
			 errhint("Pass a non-empty array such as [{\"line_no\": 1, \"quantity\": 1}].")));
}

static int
line_number(JsonbContainer *line, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(line, key, strlen(key), &buffer);
	Datum		number;
	int			result;

	if (value == NULL || value->type != jbvNumeric)
		refuse_lines(psprintf("Every line needs a number \"%s\".", key));
	number = NumericGetDatum(value->val.numeric);
	result = DatumGetInt32(DirectFunctionCall1(numeric_int4, number));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number,
										  NumericGetDatum(int64_to_numeric(result)))))
		refuse_lines(psprintf("\"%s\" must be a whole number.", key));
	return result;
}

static int
line_order(const void *a, const void *b)
{
	int			left = ((const OpenLine *) a)->line_no;
	int			right = ((const OpenLine *) b)->line_no;

	return left < right ? -1 : left > right;
}

static void
parse_lines(OpenCall *call, Jsonb *lines)
{
	uint32		n;

	if (!JB_ROOT_IS_ARRAY(lines) || JB_ROOT_IS_SCALAR(lines))
		refuse_lines("They are not an array.");
	n = JB_ROOT_COUNT(lines);
	if (n == 0)
		refuse_lines("The array is empty.");
	call->nlines = n;
	call->lines = palloc(sizeof(OpenLine) * n);
	for (uint32 i = 0; i < n; i++)
	{
		JsonbValue *line = getIthJsonbValueFromContainer(&lines->root, i);

		if (line->type != jbvBinary || !JsonContainerIsObject(line->val.binary.data))
			refuse_lines("Every line must be an object.");
		CHECK_FOR_INTERRUPTS();
		call->lines[i].line_no = line_number(line->val.binary.data, "line_no");
		call->lines[i].quantity = line_number(line->val.binary.data, "quantity");
	}
	/* in any order, it is the same call */
	qsort(call->lines, n, sizeof(OpenLine), line_order);
	for (uint32 i = 1; i < n; i++)
		if (call->lines[i].line_no == call->lines[i - 1].line_no)
			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("line %d is named twice", call->lines[i].line_no),
					 errdetail("The lines of a return are known by their numbers."),
					 errhint("Name each line once, with all its units.")));
}

static void
append_field(StringInfo content, const void *bytes, int length)
{
	appendBinaryStringInfo(content, (const char *) &length, sizeof(length));
	if (bytes != NULL)
		appendBinaryStringInfo(content, bytes, length);
}

static void
append_text(StringInfo content, const text *value)
{
	append_field(content, value ? VARDATA_ANY(value) : NULL,
				 value ? VARSIZE_ANY_EXHDR(value) : -1);
}

/* What makes two calls the same: everything but the key. */
static void
hash_content(OpenCall *call)
{
	StringInfoData content;
	pg_cryptohash_ctx *hash;

	initStringInfo(&content);
	append_text(&content, call->order_ref);
	append_text(&content, call->reason);
	append_text(&content, call->resolution);
	append_text(&content, call->note);
	append_text(&content, call->details ?
				cstring_to_text(JsonbToCString(NULL, &call->details->root, VARSIZE(call->details))) :
				NULL);
	append_field(&content, call->lines, sizeof(OpenLine) * call->nlines);

	hash = pg_cryptohash_create(PG_SHA256);
	if (pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (uint8 *) content.data, content.len) < 0 ||
		pg_cryptohash_final(hash, call->content, sizeof(call->content)) < 0)
		elog(ERROR, "could not hash the content of a return");
	pg_cryptohash_free(hash);
}

/*
 * The return that an earlier call with this key made; 0: none.  Keys are the
 * buyer's own: two buyers may use the same, and do not hear of each other's.
 */
static int64
find_by_key(const OpenCall *call)
{
	static KeptPlan find = {
		"SELECT r.id, r.content_hash OPERATOR(pg_catalog.=) $3 FROM returns.return_request r"
		" WHERE r.idempotency_key OPERATOR(pg_catalog.=) $2 AND r.buyer_ref OPERATOR(pg_catalog.=)"
		" (SELECT s.buyer_ref FROM returns.sale_line s"
		" WHERE s.order_ref OPERATOR(pg_catalog.=) $1 ORDER BY s.line_no LIMIT 1)"
		" AND ($4 IS NULL OR r.buyer_ref OPERATOR(pg_catalog.=) $4)",
		4, {TEXTOID, TEXTOID, BYTEAOID, TEXTOID}
	};
	const Actor *actor = actor_current();
	bytea	   *content = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	Datum		args[4];
	OwnState	own;
	int64		id = 0;
	bool		same = false;
	bool		isnull;

	SET_VARSIZE(content, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	memcpy(VARDATA(content), call->content, PG_SHA256_DIGEST_LENGTH);
	args[0] = PointerGetDatum(call->order_ref);
	args[1] = PointerGetDatum(call->key);
	args[2] = PointerGetDatum(content);
	args[3] = PointerGetDatum(actor->ref_text);
	own_begin(&own);
	if (plan_run(&find, args, actor->kind == ACTOR_BUYER ? "    " : "   n") > 0)
	{
		id = DatumGetInt64(plan_value(0, 1, &isnull));
		same = DatumGetBool(plan_value(0, 2, &isnull)) && !isnull;
	}
	own_end(&own);
	if (id != 0 && !same)
		ereport(ERROR,
				(errcode(ERRCODE_RT_KEY_REUSED),
				 errmsg("idempotency key \"%s\" was used for another return",
						text_to_cstring(call->key)),
				 errdetail("Return " INT64_FORMAT " was opened with it, with other content.", id),
				 errhint("Use a new key for a new return; repeat a call unchanged.")));
	return id;
}

static int64
insert_draft(const OpenCall *call)
{
	static KeptPlan insert = {
		"INSERT INTO returns.return_request (order_ref, reason, resolution, note, details,"
		" idempotency_key) VALUES ($1, $2, $3, $4, $5, $6)"
		" ON CONFLICT (idempotency_key, order_ref) WHERE idempotency_key IS NOT NULL"
		" DO NOTHING RETURNING id",
		6, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID}
	};
	Datum		args[6];
	char		nulls[] = "      ";
	bool		isnull;
	volatile uint64 inserted = 0;

	args[0] = PointerGetDatum(call->order_ref);
	args[1] = PointerGetDatum(call->reason);
	args[2] = PointerGetDatum(call->resolution);
	args[3] = PointerGetDatum(call->note);
	args[4] = PointerGetDatum(call->details);
	args[5] = PointerGetDatum(call->key);
	nulls[3] = call->note ? ' ' : 'n';
	nulls[4] = call->details ? ' ' : 'n';
	nulls[5] = call->key ? ' ' : 'n';
	request_announce_content(call->key ? call->content : NULL, PG_SHA256_DIGEST_LENGTH);
	PG_TRY();
	{
		inserted = plan_run_as_caller(&insert, args, nulls);
	}
	PG_FINALLY();
	{
		request_announce_content(NULL, 0);
	}
	PG_END_TRY();
	return inserted == 0 ? 0 : DatumGetInt64(plan_value(0, 1, &isnull));
}

static void
insert_lines(const OpenCall *call, int64 id)
{
	static KeptPlan insert = {
		"INSERT INTO returns.return_line (order_ref, return_id, line_no, quantity)"
		" VALUES ($1, $2, $3, $4)",
		4, {TEXTOID, INT8OID, INT4OID, INT4OID}
	};
	Datum		args[4];

	args[0] = PointerGetDatum(call->order_ref);
	args[1] = Int64GetDatum(id);
	for (int i = 0; i < call->nlines; i++)
	{
		CHECK_FOR_INTERRUPTS();
		args[2] = Int32GetDatum(call->lines[i].line_no);
		args[3] = Int32GetDatum(call->lines[i].quantity);
		plan_run_as_caller(&insert, args, NULL);
	}
}

static void
request_it(const OpenCall *call, int64 id)
{
	static KeptPlan request = {
		"UPDATE returns.return_request SET status = 'requested', note = note, details = details"
		" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2];

	args[0] = PointerGetDatum(call->order_ref);
	args[1] = Int64GetDatum(id);
	if (plan_run_as_caller(&request, args, NULL) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("return " INT64_FORMAT " is not visible to who opened it", id),
				 errhint("Check the row-level security policies of returns.return_request.")));
}

static void
require_arg(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" of returns.open_return() must not be null", name)));
}

static void
parse_call(FunctionCallInfo fcinfo, OpenCall *call)
{
	require_arg(fcinfo, 0, "order_ref");
	require_arg(fcinfo, 1, "lines");
	require_arg(fcinfo, 2, "reason");
	require_arg(fcinfo, 3, "resolution");
	call->order_ref = PG_GETARG_TEXT_PP(0);
	parse_lines(call, PG_GETARG_JSONB_P(1));
	call->reason = PG_GETARG_TEXT_PP(2);
	call->resolution = PG_GETARG_TEXT_PP(3);
	call->note = PG_ARGISNULL(4) ? NULL : PG_GETARG_TEXT_PP(4);
	call->key = PG_ARGISNULL(5) ? NULL : PG_GETARG_TEXT_PP(5);
	if (call->key != NULL && VARSIZE_ANY_EXHDR(call->key) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("idempotency key must not be empty"),
				 errdetail("All calls without a key of their own would be the same call."),
				 errhint("Pass a key that is new for every return, or NULL.")));
	call->details = PG_ARGISNULL(6) ? NULL : PG_GETARG_JSONB_P(6);
	hash_content(call);
}

PG_FUNCTION_INFO_V1(returns_open_return);

Datum
returns_open_return(PG_FUNCTION_ARGS)
{
	OpenCall	call;
	int64		id = 0;
	MemoryContext caller_context = CurrentMemoryContext;

	parse_call(fcinfo, &call);
	rules_current();
	trigger_check_is_there();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	if (call.key != NULL)
		id = find_by_key(&call);
	if (id == 0)
	{
		id = insert_draft(&call);
		/* another session was first with this key: its return is ours too */
		if (id == 0)
			id = find_by_key(&call);
		else
		{
			insert_lines(&call, id);
			request_it(&call, id);
		}
		if (id == 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("the return with idempotency key \"%s\" was opened by another session",
							text_to_cstring(call.key)),
					 errhint("Try the transaction again.")));
	}
	SPI_finish();
	PG_RETURN_INT64(id);
}
