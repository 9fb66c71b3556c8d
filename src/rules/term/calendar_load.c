/*-------------------------------------------------------------------------
 *
 * calendar_load.c
 *		The calendar of a market, read when it is first used.
 *
 * A calendar can be long, and many sessions never need it.  So the market of the
 * cache is filled with the other rules, and its calendar when it is asked for.
 *
 * src/rules/term/calendar_load.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/statement.h"
#include "catalog/pg_type.h"
#include "rules/cache/rule_cell.h"
#include "rules/term/calendar.h"
#include "rules/term/calendar_load.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Read a column that must have a value: its table's owner may have dropped NOT NULL. */
static Datum
required_value(ResultSet rows, uint64 row, int col, RuleCell *cell)
{
	bool		isnull;
	Datum		value = result_value(rows, row, col, &isnull);

	cell->column = NameStr(TupleDescAttr(rows.table->tupdesc, col - 1)->attname);
	if (isnull)
		rule_cell_refuse_null(cell);
	return value;
}

/* The ISO weekdays of an int[], as bits; others mean nothing. */
static uint8
weekend_bits(Datum array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	uint8		bits = 0;

	deconstruct_array(DatumGetArrayTypeP(array), INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		int			weekday = DatumGetInt32(elements[i]);

		if (!nulls[i] && weekday >= 1 && weekday <= 7)
			bits |= 1 << weekday;
	}
	return bits;
}

/* The exceptions of a calendar, in ascending order of days. */
static CalendarDay *
read_exceptions(Datum code, int *nexceptions)
{
	static Statement select_days = {
		"SELECT day, working, name FROM returns.calendar_day"
		" WHERE calendar" EQ "$1 ORDER BY day USING OPERATOR(pg_catalog.<)",
		1, {TEXTOID}
	};
	ResultSet	rows = statement_read(&select_days, &code, NULL);
	CalendarDay *exceptions = palloc((rows.nrows + 1) * sizeof(CalendarDay));
	RuleCell	cell;

	rule_cell_begin(&cell, "calendar_day");
	for (uint64 i = 0; i < rows.nrows; i++)
	{
		exceptions[i].day = DatumGetDateADT(required_value(rows, i, 1, &cell));
		exceptions[i].working = DatumGetBool(required_value(rows, i, 2, &cell));
		exceptions[i].name = result_cstring(rows, i, 3);
	}
	rule_cell_end(&cell);
	*nexceptions = (int) rows.nrows;
	return exceptions;
}

/* The row of a calendar, without its exceptions. */
typedef struct CalendarRow
{
	uint8		weekend;
	DateADT		first_day;
	DateADT		last_day;
} CalendarRow;

static CalendarRow
read_calendar(const char *code)
{
	static Statement select_calendar = {
		"SELECT weekend, first_day, last_day FROM returns.calendar"
		" WHERE code" EQ "$1",
		1, {TEXTOID}
	};
	Datum		key = CStringGetTextDatum(code);
	ResultSet	rows = statement_read(&select_calendar, &key, NULL);
	CalendarRow row;
	RuleCell	cell;

	if (rows.nrows != 1)
		ereport(ERROR,
				(errcode(ERRCODE_RT_UNKNOWN_CODE),
				 errmsg("unknown calendar \"%s\"", code),
				 errdetail("No row of returns.calendar has this code."),
				 errhint("Update returns.market.calendar, or insert the calendar.")));
	rule_cell_begin(&cell, "calendar");
	row.weekend = weekend_bits(required_value(rows, 0, 1, &cell));
	row.first_day = DatumGetDateADT(required_value(rows, 0, 2, &cell));
	row.last_day = DatumGetDateADT(required_value(rows, 0, 3, &cell));
	rule_cell_end(&cell);
	return row;
}

/* Read a calendar into the current memory context. */
static Calendar *
calendar_load(const char *code)
{
	AsOwner		owner;
	CalendarRow row;
	CalendarDay *exceptions;
	int			nexceptions;
	Calendar   *calendar;

	as_owner_begin(&owner);
	row = read_calendar(code);
	exceptions = read_exceptions(CStringGetTextDatum(code), &nexceptions);
	calendar = calendar_build(code, row.weekend, row.first_day, row.last_day, exceptions,
							  nexceptions);
	as_owner_end(&owner);
	return calendar;
}

const Calendar *
market_calendar(const Market *market)
{
	/* const for the callers: only this look-up fills it */
	if (market->calendar == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext((void *) market));

		((Market *) market)->calendar = calendar_load(market->calendar_code);
		MemoryContextSwitchTo(old);
	}
	return market->calendar;
}
