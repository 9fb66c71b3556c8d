/*-------------------------------------------------------------------------
 *
 * json.h
 *		Build a jsonb object key by key.
 *
 *		Json		json;
 *
 *		json_begin(&json);
 *		json_int(&json, "refund_id", 7);
 *		json_open_array(&json, "parcels");
 *		json_text(&json, NULL, "TR-1");
 *		json_close(&json);
 *		details = json_end(&json);		-- {"parcels": ["TR-1"], "refund_id": 7}
 *
 * A key is a C string inside an object and NULL inside an array.  Keys and
 * values must live until json_end(), which copies them.
 *
 * src/base/json.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_JSON_H
#define RETURNS_JSON_H

#include "utils/jsonb.h"
#include "utils/numeric.h"

typedef struct Json
{
	JsonbParseState *state;		/* of the innermost open object or array */
} Json;

/* Open the outermost object; close it and return it. */
extern void json_begin(Json *json);
extern Jsonb *json_end(Json *json);

/* Open an object or an array in the innermost open one; close the innermost one. */
extern void json_open_object(Json *json, const char *key);
extern void json_open_array(Json *json, const char *key);
extern void json_close(Json *json);

/* A value that is NULL is left out, and so is its key. */
extern void json_text(Json *json, const char *key, const char *value);

extern void json_number(Json *json, const char *key, Numeric value);
extern void json_int(Json *json, const char *key, int64 value);

#endif							/* RETURNS_JSON_H */
