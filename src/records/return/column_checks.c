/*-------------------------------------------------------------------------
 *
 * column_checks.c
 *		Checks of a return that is begun, edited or requested.
 *
 * src/records/return/column_checks.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "records/return/column_checks.h"
#include "rules/cache/cache.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

bool
row_has_evidence(const ReturnRow *row)
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
check_not_null(const TriggerRow *row, int col, const char *of)
{
	if (trigger_is_null(row, col))
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s must have a value in column \"%s\"", of, trigger_column_name(row, col)),
				 row->old == NULL ? 0 :
				 errhint("Leave the column out of the statement to keep its value."),
				 err_column(row->rel, trigger_column_name(row, col))));
}

void
check_resolution(const ReturnRow *row)
{
	CodeColumn	place;

	code_column_begin(&place, row->trigger.rel, "resolution");
	resolution_parse_text(row_text(row, REQ_RESOLUTION));
	code_column_end(&place);
}

void
check_reason(const ReturnRow *row)
{
	CodeColumn	place;

	code_column_begin(&place, row->trigger.rel, "reason");
	reason_get(text_to_cstring(row_text(row, REQ_REASON)));
	code_column_end(&place);
}

void
check_details(const ReturnRow *row)
{
	Jsonb	   *details = row_details(row);

	if (details != NULL && !JB_ROOT_IS_OBJECT(details))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("details of a return must be a JSON object"),
				 errdetail("The value of the column has another JSON type."),
				 errhint("Write an object, for example {\"evidence\": [\"photo-1\"]}."),
				 err_column(row->trigger.rel, "details")));
}
