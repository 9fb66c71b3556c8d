/*-------------------------------------------------------------------------
 *
 * units.c
 *		Units of the sale lines that a return holds, takes back or frees.
 *
 * sale_line.reserved counts the units that returns in open states hold, and
 * sale_line.returned those of returns that ended as refunded or exchanged.  A
 * line of a return holds its quantity until the return is decided, which sets
 * refund_goods; then it holds the units that were accepted.
 *
 * src/records/decision/units.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/statement.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "records/decision/units.h"

#define PLUS " OPERATOR(pg_catalog.+) "
#define MINUS " OPERATOR(pg_catalog.-) "

/* The lines of the return, and the sale lines of each. */
#define LINE_OF_RETURN "l.order_ref" EQ "$1 AND l.return_id" EQ "$2"
#define SALE_OF_LINE "s.order_ref" EQ "$1 AND s.line_no" EQ "l.line_no"
#define FROM_LINES " FROM returns.return_line l WHERE " LINE_OF_RETURN " AND " SALE_OF_LINE

/* The units that a line holds. */
#define HELD "(CASE WHEN l.refund_goods IS NULL THEN l.quantity ELSE l.accepted END)"

/* The units of a sale line that no return holds or has returned. */
#define FREE "(s.quantity" MINUS "s.reserved" MINUS "s.returned)"

static ResultSet
run_on_return(ReturnRow *row, Statement *statement)
{
	Datum		args[2];

	row_key(row, args);
	return statement_run(statement, args, NULL);
}

uint64
units_lock(ReturnRow *row)
{
	static Statement lock = {
		"SELECT s.line_no FROM returns.sale_line s WHERE s.order_ref" EQ "$1"
		" AND s.line_no" EQ "ANY (ARRAY(SELECT l.line_no FROM returns.return_line l"
		" WHERE " LINE_OF_RETURN ")) ORDER BY s.line_no FOR NO KEY UPDATE OF s",
		2, {TEXTOID, INT8OID}
	};

	return run_on_return(row, &lock).nrows;
}

/* Run an UPDATE of the sale lines of the return, which are locked. */
static void
update_sale_lines(ReturnRow *row, Statement *update, uint64 nlines)
{
	trigger_check_wrote("sale_line", run_on_return(row, update).nrows, nlines);
}

void
units_release(ReturnRow *row)
{
	static Statement release = {
		"UPDATE returns.sale_line s SET reserved = s.reserved" MINUS HELD FROM_LINES,
		2, {TEXTOID, INT8OID}
	};

	/* a decided exchange that is called off gives its share of the line back */
	static Statement undecide = {
		"UPDATE returns.return_line l SET refund_goods = NULL, refund_fee = NULL,"
		" refund_shipping = NULL WHERE " LINE_OF_RETURN " AND l.refund_goods IS NOT NULL",
		2, {TEXTOID, INT8OID}
	};
	AsOwner		owner;

	as_owner_begin(&owner);
	update_sale_lines(row, &release, units_lock(row));
	run_on_return(row, &undecide);
	as_owner_end(&owner);
}

/* RT005 when a line needs more units than its sale line has free. */
static void
check_free(ReturnRow *row)
{
	static Statement find_short = {
		"SELECT s.line_no, l.quantity, " FREE
		" FROM returns.sale_line s, returns.return_line l"
		" WHERE " LINE_OF_RETURN " AND " SALE_OF_LINE " AND l.quantity OPERATOR(pg_catalog.>) " FREE
		" ORDER BY s.line_no LIMIT 1",
		2, {TEXTOID, INT8OID}
	};
	ResultSet	found = run_on_return(row, &find_short);

	if (found.nrows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MANY_UNITS),
				 errmsg("return " INT64_FORMAT " cannot be reopened",
						DatumGetInt64(ROW_VALUE(row, REQ_ID))),
				 errdetail("Line %d needs %d units, but only %d are available.",
						   result_int(found, 0, 1), result_int(found, 0, 2),
						   result_int(found, 0, 3)),
				 errhint("Cancel another return that holds units of the line, or leave this one closed."),
				 errtable(row->trigger.rel)));
}

void
units_hold_again(ReturnRow *row)
{
	static Statement hold = {
		"UPDATE returns.sale_line s SET reserved = s.reserved" PLUS "l.quantity" FROM_LINES,
		2, {TEXTOID, INT8OID}
	};
	AsOwner		owner;
	uint64		nlines;

	as_owner_begin(&owner);
	nlines = units_lock(row);
	check_free(row);
	update_sale_lines(row, &hold, nlines);
	as_owner_end(&owner);
}

void
units_decide(ReturnRow *row)
{
	static Statement decide = {
		"WITH d AS (UPDATE returns.return_line l"
		" SET accepted = coalesce(l.accepted, l.received, l.quantity), refund_goods = 0"
		" WHERE " LINE_OF_RETURN " AND l.refund_goods IS NULL"
		" RETURNING l.line_no, l.quantity" MINUS "l.accepted AS rest)"
		" UPDATE returns.sale_line s SET reserved = s.reserved" MINUS "l.rest"
		" FROM d AS l WHERE " SALE_OF_LINE " AND l.rest OPERATOR(pg_catalog.>) 0",
		2, {TEXTOID, INT8OID}
	};
	AsOwner		owner;

	as_owner_begin(&owner);
	(void) units_lock(row);
	run_on_return(row, &decide);
	as_owner_end(&owner);
}

/* Lock the sale lines of the return and move units of each by an UPDATE. */
static void
move_units(ReturnRow *row, Statement *update)
{
	AsOwner		owner;

	as_owner_begin(&owner);
	update_sale_lines(row, update, units_lock(row));
	as_owner_end(&owner);
}

void
units_take_back(ReturnRow *row)
{
	static Statement take = {
		"UPDATE returns.sale_line s SET reserved = s.reserved" MINUS "l.accepted,"
		" returned = s.returned" PLUS "l.accepted" FROM_LINES,
		2, {TEXTOID, INT8OID}
	};

	move_units(row, &take);
}

void
units_give_back(ReturnRow *row)
{
	static Statement give = {
		"UPDATE returns.sale_line s SET reserved = s.reserved" PLUS "l.accepted,"
		" returned = s.returned" MINUS "l.accepted" FROM_LINES,
		2, {TEXTOID, INT8OID}
	};

	move_units(row, &give);
}
