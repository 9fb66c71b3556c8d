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
book_has_evidence(ReturnBook *book)
{
	Jsonb	   *details;
	JsonbValue *evidence;

	if (BOOK_NULL(book, REQ_DETAILS))
		return false;
	details = DatumGetJsonbP(BOOK_VALUE(book, REQ_DETAILS));
	if (!JB_ROOT_IS_OBJECT(details))
		return false;
	evidence = getKeyJsonValueFromContainer(&details->root, "evidence", 8, NULL);
	return evidence != NULL && evidence->type == jbvBinary &&
		JsonContainerIsArray(evidence->val.binary.data) &&
		!JsonContainerIsScalar(evidence->val.binary.data) &&
		JsonContainerSize(evidence->val.binary.data) > 0;
}

void
check_resolution(ReturnBook *book)
{
	char	   *code = text_to_cstring(book_text(book, REQ_RESOLUTION));

	if (strcmp(code, "refund") != 0 && strcmp(code, "exchange") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown resolution \"%s\"", code),
				 errdetail("A return is resolved by a refund or by an exchange."),
				 errhint("Set resolution to refund or exchange."),
				 err_column(book->rel, "resolution")));
}

void
check_reason(ReturnBook *book)
{
	CodeColumn	place;

	code_column_begin(&place, book->rel, "reason");
	reason_get(text_to_cstring(book_text(book, REQ_REASON)));
	code_column_end(&place);
}

void
check_details(ReturnBook *book)
{
	Jsonb	   *details = book_details(book);

	if (details != NULL && !JB_ROOT_IS_OBJECT(details))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("details of a return must be a JSON object"),
				 errhint("For example {\"evidence\": [\"photo-1\"]}."),
				 err_column(book->rel, "details")));
}
