/*-------------------------------------------------------------------------
 *
 * json.c
 *		Build a jsonb object key by key.
 *
 * src/base/json.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/json.h"

static void
push_string(Json *json, JsonbIteratorToken token, const char *string)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, string);
	value.val.string.len = strlen(string);
	pushJsonbValue(&json->state, token, &value);
}

static void
push_key(Json *json, const char *key)
{
	Assert(json->state != NULL);
	Assert((key == NULL) == (json->state->contVal.type == jbvArray));
	if (key != NULL)
		push_string(json, WJB_KEY, key);
}

static JsonbIteratorToken
value_token(const Json *json)
{
	return json->state->contVal.type == jbvArray ? WJB_ELEM : WJB_VALUE;
}

void
json_begin(Json *json)
{
	json->state = NULL;
	pushJsonbValue(&json->state, WJB_BEGIN_OBJECT, NULL);
}

Jsonb *
json_end(Json *json)
{
	Assert(json->state != NULL && json->state->next == NULL);
	return JsonbValueToJsonb(pushJsonbValue(&json->state, WJB_END_OBJECT, NULL));
}

void
json_open_object(Json *json, const char *key)
{
	push_key(json, key);
	pushJsonbValue(&json->state, WJB_BEGIN_OBJECT, NULL);
}

void
json_open_array(Json *json, const char *key)
{
	push_key(json, key);
	pushJsonbValue(&json->state, WJB_BEGIN_ARRAY, NULL);
}

void
json_close(Json *json)
{
	/* json_end() closes the outermost object */
	Assert(json->state != NULL && json->state->next != NULL);
	pushJsonbValue(&json->state,
				   json->state->contVal.type == jbvArray ? WJB_END_ARRAY : WJB_END_OBJECT,
				   NULL);
}

void
json_text(Json *json, const char *key, const char *value)
{
	if (value == NULL)
		return;
	push_key(json, key);
	push_string(json, value_token(json), value);
}

void
json_number(Json *json, const char *key, Numeric value)
{
	JsonbValue	item = {.type = jbvNumeric};

	push_key(json, key);
	item.val.numeric = value;
	pushJsonbValue(&json->state, value_token(json), &item);
}

void
json_int(Json *json, const char *key, int64 value)
{
	json_number(json, key, int64_to_numeric(value));
}
