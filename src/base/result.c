/*-------------------------------------------------------------------------
 *
 * result.c
 *		The rows that a statement has returned.
 *
 * src/base/result.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/result.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"

Datum
result_value(ResultSet result, uint64 row, int col, bool *isnull)
{
	Assert(result.table != NULL && row < result.nrows && row < result.table->numvals);
	Assert(col >= 1 && col <= result.table->tupdesc->natts);
	return SPI_getbinval(result.table->vals[row], result.table->tupdesc, col, isnull);
}

/*
 * As result_value(), of a column that must have the type, or one that is stored
 * alike: the owner of the tables may have made a text a varchar or a domain.
 */
static Datum
typed_value(ResultSet result, uint64 row, int col, Oid type, bool *isnull)
{
	Assert(result.table != NULL &&
		   IsBinaryCoercible(SPI_gettypeid(result.table->tupdesc, col), type));
	return result_value(result, row, col, isnull);
}

bool
result_is_null(ResultSet result, uint64 row, int col)
{
	bool		isnull;

	(void) result_value(result, row, col, &isnull);
	return isnull;
}

text *
result_text(ResultSet result, uint64 row, int col)
{
	bool		isnull;
	Datum		value = typed_value(result, row, col, TEXTOID, &isnull);

	return isnull ? NULL : DatumGetTextPCopy(value);
}

char *
result_cstring(ResultSet result, uint64 row, int col)
{
	bool		isnull;
	Datum		value = typed_value(result, row, col, TEXTOID, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

int32
result_int(ResultSet result, uint64 row, int col)
{
	bool		isnull;
	Datum		value = typed_value(result, row, col, INT4OID, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

int64
result_int64(ResultSet result, uint64 row, int col)
{
	bool		isnull;
	Datum		value = typed_value(result, row, col, INT8OID, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

bool
result_bool(ResultSet result, uint64 row, int col)
{
	bool		isnull;
	Datum		value = typed_value(result, row, col, BOOLOID, &isnull);

	return !isnull && DatumGetBool(value);
}

Numeric
result_numeric(ResultSet result, uint64 row, int col)
{
	bool		isnull;
	Datum		value = typed_value(result, row, col, NUMERICOID, &isnull);

	return isnull ? NULL : DatumGetNumericCopy(value);
}

bool
result_time(ResultSet result, uint64 row, int col, TimestampTz *at)
{
	bool		isnull;
	Datum		value = typed_value(result, row, col, TIMESTAMPTZOID, &isnull);

	*at = isnull ? 0 : DatumGetTimestampTz(value);
	return !isnull;
}

int
result_cstrings(ResultSet result, uint64 row, int col, char ***strings)
{
	bool		isnull;
	Datum		value = typed_value(result, row, col, TEXTARRAYOID, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	*strings = NULL;
	if (isnull)
		return 0;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	*strings = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		(*strings)[i] = nulls[i] ? pstrdup("") : TextDatumGetCString(elements[i]);
	return n;
}
