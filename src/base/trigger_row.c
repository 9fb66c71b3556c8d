/*-------------------------------------------------------------------------
 *
 * trigger_row.c
 *		Read and write the row of a row trigger by our column numbers.
 *
 * src/base/trigger_row.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/errors.h"
#include "base/trigger_row.h"
#include "utils/builtins.h"

void
trigger_row_load(TriggerRow *row, TriggerData *trigdata, ColumnSet *columns)
{
	TriggerEvent event = trigdata->tg_event;
	bool		update = TRIGGER_FIRED_BY_UPDATE(event);
	TupleTableSlot *slot = update ? trigdata->tg_newslot : trigdata->tg_trigslot;

	Assert(TRIGGER_FIRED_FOR_ROW(event));
	columns_find(columns, trigdata->tg_relation);
	slot_getallattrs(slot);
	*row = (TriggerRow) {
		.rel = trigdata->tg_relation,
		.columns = columns,
		.attno = columns->attno,
		.values = slot->tts_values,
		.isnull = slot->tts_isnull,
		.tuple = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
		.old = TRIGGER_FIRED_BY_INSERT(event) ? NULL : trigdata->tg_trigslot,
		.assigned = trigdata->tg_updatedcols,
	};
}

text *
trigger_text(const TriggerRow *row, int col)
{
	return trigger_is_null(row, col) ? NULL : DatumGetTextPP(trigger_value(row, col));
}

char *
trigger_cstring(const TriggerRow *row, int col)
{
	return trigger_is_null(row, col) ? NULL : TextDatumGetCString(trigger_value(row, col));
}

text *
trigger_old_text(const TriggerRow *row, int col)
{
	bool		isnull;
	Datum		value = trigger_old_value(row, col, &isnull);

	return isnull ? NULL : DatumGetTextPP(value);
}

char *
trigger_old_cstring(const TriggerRow *row, int col)
{
	bool		isnull;
	Datum		value = trigger_old_value(row, col, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

bool
trigger_changed(const TriggerRow *row, int col)
{
	bool		isnull;
	Datum		old = trigger_old_value(row, col, &isnull);

	return column_changed(row->rel, row->attno[col], old, isnull,
						  row->values[row->attno[col] - 1], trigger_is_null(row, col));
}

/* The arrays of the slot belong to the executor and must not be written. */
static void
copy_values(TriggerRow *row)
{
	int			natts = RelationGetNumberOfAttributes(row->rel);
	Datum	   *values = palloc(sizeof(Datum) * natts);
	bool	   *isnull = palloc(sizeof(bool) * natts);

	memcpy(values, row->values, sizeof(Datum) * natts);
	memcpy(isnull, row->isnull, sizeof(bool) * natts);
	row->values = values;
	row->isnull = isnull;
	row->copied = true;
}

void
trigger_set(TriggerRow *row, int col, Datum value)
{
	if (!row->copied)
		copy_values(row);
	row->values[row->attno[col] - 1] = value;
	row->isnull[row->attno[col] - 1] = false;
}

void
trigger_clear(TriggerRow *row, int col)
{
	if (!row->copied)
		copy_values(row);
	row->values[row->attno[col] - 1] = (Datum) 0;
	row->isnull[row->attno[col] - 1] = true;
}

HeapTuple
trigger_tuple(const TriggerRow *row)
{
	HeapTuple	tuple;

	if (!row->copied)
		return row->tuple;
	tuple = heap_form_tuple(RelationGetDescr(row->rel), row->values, row->isnull);
	tuple->t_data->t_ctid = row->tuple->t_data->t_ctid;
	tuple->t_self = row->tuple->t_self;
	tuple->t_tableOid = row->tuple->t_tableOid;
	return tuple;
}

void
trigger_refuse_change(const TriggerRow *row, int col, const char *of, const char *detail,
					  const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_RT_PROTECTED),
			 errmsg("column \"%s\" of %s cannot be changed", trigger_column_name(row, col), of),
			 errdetail("%s", detail),
			 errhint("%s", hint),
			 err_column(row->rel, trigger_column_name(row, col))));
}
