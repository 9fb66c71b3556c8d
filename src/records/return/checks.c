/*-------------------------------------------------------------------------
 *
 * checks.c
 *		Checks of a return that is begun, edited or requested.
 *
 * src/records/return/checks.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "records/return/checks.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

bool
row_has_evidence(ReturnRow *row)
{
	Jsonb	   *details;
	JsonbValue *evidence;

	if (ROW_NULL(row, REQ_DETAILS))
		return false;
	details = DatumGetJsonbP(ROW_VALUE(row, REQ_DETAILS));
	if (!JB_ROOT_IS_OBJECT(details))
		return false;
	evidence = getKeyJsonValueFromContainer(&details->root, "evidence", 8, NULL);
	return evidence != NULL && evidence->type == jbvBinary &&
		JsonContainerIsArray(evidence->val.binary.data) &&
		!JsonContainerIsScalar(evidence->val.binary.data) &&
		JsonContainerSize(evidence->val.binary.data) > 0;
}

void
check_resolution(ReturnRow *row)
{
	char	   *code = text_to_cstring(row_text(row, REQ_RESOLUTION));

	if (strcmp(code, "refund") != 0 && strcmp(code, "exchange") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown resolution \"%s\"", code),
				 errdetail("A return is resolved by a refund or by an exchange."),
				 errhint("Set resolution to refund or exchange."),
				 err_column(row->rel, "resolution")));
}

void
check_reason(ReturnRow *row)
{
	CodeColumn	place;

	code_column_begin(&place, row->rel, "reason");
	reason_get(text_to_cstring(row_text(row, REQ_REASON)));
	code_column_end(&place);
}

void
check_details(ReturnRow *row)
{
	Jsonb	   *details = row_details(row);

	if (details != NULL && !JB_ROOT_IS_OBJECT(details))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("details of a return must be a JSON object"),
				 errhint("For example {\"evidence\": [\"photo-1\"]}."),
				 err_column(row->rel, "details")));
}
