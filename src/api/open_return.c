/*-------------------------------------------------------------------------
 *
 * open_return.c
 *		open_return(): insert a draft and its lines, and request the return.
 *
 * It runs the statements that a client could send itself, with the caller's
 * rights.  The triggers of the tables hold the rules.
 *
 * src/api/open_return.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/argument.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "records/return/begin.h"
#include "rules/actor/actor.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

typedef struct OpenLine
{
	int			line_no;
	int			quantity;
} OpenLine;

/* The arguments; NULL: not given. */
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
	bytea	   *content_hash;	/* SHA-256 of all other members but key */
} OpenCall;

pg_noreturn static void
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
		refuse_lines(psprintf("Every line must have a number \"%s\".", key));
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
		refuse_lines("The argument is not an array.");
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
	/* calls whose lines are in another order are the same call */
	qsort(call->lines, n, sizeof(OpenLine), line_order);
	for (uint32 i = 1; i < n; i++)
		if (call->lines[i].line_no == call->lines[i - 1].line_no)
			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("line %d is named twice", call->lines[i].line_no),
					 errdetail("A return has at most one line for each line of the order."),
					 errhint("Name each line once, with the sum of its units.")));
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

/* Two calls with the same hash are the same call: it covers everything but the key. */
static bytea *
hash_content(const OpenCall *call)
{
	StringInfoData content;

	initStringInfo(&content);
	append_text(&content, call->order_ref);
	append_text(&content, call->reason);
	append_text(&content, call->resolution);
	append_text(&content, call->note);
	append_text(&content, call->details ?
				cstring_to_text(JsonbToCString(NULL, &call->details->root, VARSIZE(call->details))) :
				NULL);
	append_field(&content, call->lines, sizeof(OpenLine) * call->nlines);
	return DatumGetByteaPP(DirectFunctionCall1(sha256_bytea,
											   PointerGetDatum(cstring_to_text_with_len(content.data, content.len))));
}

/*
 * The return that an earlier call with this key has opened; 0: none.  Each buyer
 * has keys of its own: two buyers may use the same key, and neither can find out
 * about the return of the other.
 */
static int64
find_by_key(const OpenCall *call)
{
	static Statement find = {
		"SELECT r.id, r.content_hash" EQ "$3 FROM returns.return_request r"
		" WHERE r.idempotency_key" EQ "$2 AND r.buyer_ref" EQ
		"(SELECT s.buyer_ref FROM returns.sale_line s"
		" WHERE s.order_ref" EQ "$1 ORDER BY s.line_no LIMIT 1)"
		" AND ($4 IS NULL OR r.buyer_ref" EQ "$4)",
		4, {TEXTOID, TEXTOID, BYTEAOID, TEXTOID}
	};
	const Actor *actor = actor_current();
	Datum		args[4];
	AsOwner		owner;
	ResultSet	found;
	int64		id = 0;
	bool		same = false;

	args[0] = PointerGetDatum(call->order_ref);
	args[1] = PointerGetDatum(call->key);
	args[2] = PointerGetDatum(call->content_hash);
	args[3] = PointerGetDatum(actor->ref_text);
	as_owner_begin(&owner);
	found = statement_run(&find, args, actor->kind == ACTOR_BUYER ? "    " : "   n");
	if (found.nrows > 0)
	{
		id = result_int64(found, 0, 1);
		same = result_bool(found, 0, 2);
	}
	as_owner_end(&owner);
	if (id != 0 && !same)
		ereport(ERROR,
				(errcode(ERRCODE_RT_KEY_REUSED),
				 errmsg("idempotency key \"%s\" was used for another return",
						text_to_cstring(call->key)),
				 errdetail("Return " INT64_FORMAT " was opened with this key and other arguments.", id),
				 errhint("Use a new key for a new return. To repeat a call, pass the same arguments.")));
	return id;
}

static int64
insert_draft(const OpenCall *call)
{
	static Statement insert = {
		"INSERT INTO returns.return_request (order_ref, reason, resolution, note, details,"
		" idempotency_key) VALUES ($1, $2, $3, $4, $5, $6)"
		" ON CONFLICT (idempotency_key, order_ref) WHERE idempotency_key IS NOT NULL"
		" DO NOTHING RETURNING id",
		6, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID}
	};
	Datum		args[6];
	char		nulls[] = "      ";
	ResultSet	inserted = {0};

	args[0] = PointerGetDatum(call->order_ref);
	args[1] = PointerGetDatum(call->reason);
	args[2] = PointerGetDatum(call->resolution);
	args[3] = PointerGetDatum(call->note);
	args[4] = PointerGetDatum(call->details);
	args[5] = PointerGetDatum(call->key);
	nulls[3] = call->note ? ' ' : 'n';
	nulls[4] = call->details ? ' ' : 'n';
	nulls[5] = call->key ? ' ' : 'n';
	request_announce_content(call->key ? (uint8 *) VARDATA_ANY(call->content_hash) : NULL,
							 PG_SHA256_DIGEST_LENGTH);
	PG_TRY();
	{
		inserted = statement_run_as_caller(&insert, args, nulls);
	}
	PG_FINALLY();
	{
		request_announce_content(NULL, 0);
	}
	PG_END_TRY();
	return inserted.nrows == 0 ? 0 : result_int64(inserted, 0, 1);
}

static void
insert_lines(const OpenCall *call, int64 id)
{
	static Statement insert = {
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
		statement_run_as_caller(&insert, args, NULL);
	}
}

/* Move the draft to "requested". */
static void
request_draft(const OpenCall *call, int64 id)
{
	static Statement request = {
		"UPDATE returns.return_request SET status = 'requested', note = note, details = details"
		" WHERE order_ref" EQ "$1 AND id" EQ "$2",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2];

	args[0] = PointerGetDatum(call->order_ref);
	args[1] = Int64GetDatum(id);
	if (statement_run_as_caller(&request, args, NULL).nrows != 1)
		ereport(ERROR,
				(errcode(ERRCODE_RT_ACTOR_NOT_PERMITTED),
				 errmsg("return " INT64_FORMAT " is not visible to the role that opened it", id),
				 errdetail("The role has inserted the return, and its UPDATE has not found it."),
				 errhint("Check the row-level security policies of returns.return_request.")));
}

static void
parse_call(FunctionCallInfo fcinfo, OpenCall *call)
{
	static const char *const required[] = {"order_ref", "lines", "reason", "resolution"};

	for (int i = 0; i < lengthof(required); i++)
		argument_check_not_null(fcinfo, i, "open_return", required[i]);
	call->order_ref = PG_GETARG_TEXT_PP(0);
	parse_lines(call, PG_GETARG_JSONB_P(1));
	call->reason = PG_GETARG_TEXT_PP(2);
	call->resolution = PG_GETARG_TEXT_PP(3);
	call->note = argument_text(fcinfo, 4);
	call->key = argument_text(fcinfo, 5);
	if (call->key != NULL && VARSIZE_ANY_EXHDR(call->key) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("idempotency key must not be empty"),
				 errdetail("All calls with an empty key would count as the same call."),
				 errhint("Pass a new key for each return, or NULL.")));
	call->details = PG_ARGISNULL(6) ? NULL : PG_GETARG_JSONB_P(6);
	call->content_hash = hash_content(call);
}

PG_FUNCTION_INFO_V1(returns_open_return);

/*
 * open_return(order_ref text, lines jsonb, reason text, resolution text, note text,
 * idempotency_key text, details jsonb) → bigint
 */
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
		/* a concurrent transaction has used the key: return its return */
		if (id == 0)
			id = find_by_key(&call);
		else
		{
			insert_lines(&call, id);
			request_draft(&call, id);
		}
		if (id == 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("a concurrent transaction has used idempotency key \"%s\"",
							text_to_cstring(call.key)),
					 errdetail("The return that it opened does not exist any more."),
					 errhint("Retry the transaction.")));
	}
	SPI_finish();
	PG_RETURN_INT64(id);
}
