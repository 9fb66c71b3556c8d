/*-------------------------------------------------------------------------
 *
 * units.c
 *		Units of the sale lines that a return holds, takes back or lets go.
 *
 * sale_line.reserved counts the units held by returns in open states, and
 * sale_line.returned those of returns that ended as refunded or exchanged.  A
 * line holds its quantity until it is decided what is accepted (refund_goods
 * is set from then on), and what is accepted from then on.
 *
 * src/records/decision/units.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/plan.h"
#include "base/trigger_check.h"
#include "catalog/pg_type.h"
#include "records/decision/units.h"

#define LINES_OF_RETURN \
	" FROM returns.return_line l WHERE l.order_ref OPERATOR(pg_catalog.=) $1" \
	" AND l.return_id OPERATOR(pg_catalog.=) $2" \
	" AND s.order_ref OPERATOR(pg_catalog.=) $1" \
	" AND s.line_no OPERATOR(pg_catalog.=) l.line_no"

/* What a line holds; l is the return line. */
#define HELD \
	"(CASE WHEN l.refund_goods IS NULL THEN l.quantity ELSE l.accepted END)"

static uint64
run_on_lines(ReturnRow *row, KeptPlan *plan)
{
	Datum		args[2];

	args[0] = ROW_VALUE(row, REQ_ORDER_REF);
	args[1] = ROW_VALUE(row, REQ_ID);
	return plan_run(plan, args, NULL);
}

uint64
units_lock(ReturnRow *row)
{
	static KeptPlan lock = {
		"SELECT s.line_no FROM returns.sale_line s"
		" WHERE s.order_ref OPERATOR(pg_catalog.=) $1 AND s.line_no OPERATOR(pg_catalog.=) ANY"
		" (ARRAY(SELECT l.line_no FROM returns.return_line l"
		" WHERE l.order_ref OPERATOR(pg_catalog.=) $1 AND l.return_id OPERATOR(pg_catalog.=) $2))"
		" ORDER BY s.line_no FOR NO KEY UPDATE OF s",
		2, {TEXTOID, INT8OID}
	};

	return run_on_lines(row, &lock);
}

void
units_release(ReturnRow *row)
{
	static KeptPlan release = {
		"UPDATE returns.sale_line s SET reserved = s.reserved OPERATOR(pg_catalog.-) " HELD
		LINES_OF_RETURN,
		2, {TEXTOID, INT8OID}
	};
	/* a decided exchange that is called off gives its share of the line back */
	static KeptPlan undecide = {
		"UPDATE returns.return_line l SET refund_goods = NULL, refund_fee = NULL,"
		" refund_shipping = NULL"
		" WHERE l.order_ref OPERATOR(pg_catalog.=) $1 AND l.return_id OPERATOR(pg_catalog.=) $2"
		" AND l.refund_goods IS NOT NULL",
		2, {TEXTOID, INT8OID}
	};
	OwnState	own;
	uint64		nlines;

	own_begin(&own);
	nlines = units_lock(row);
	trigger_check_wrote("sale_line", run_on_lines(row, &release), nlines);
	run_on_lines(row, &undecide);
	own_end(&own);
}

void
units_hold_again(ReturnRow *row)
{
	static KeptPlan find_short = {
		"SELECT s.line_no, l.quantity,"
		" s.quantity OPERATOR(pg_catalog.-) s.reserved OPERATOR(pg_catalog.-) s.returned"
		" FROM returns.sale_line s, returns.return_line l"
		" WHERE l.order_ref OPERATOR(pg_catalog.=) $1 AND l.return_id OPERATOR(pg_catalog.=) $2"
		" AND s.order_ref OPERATOR(pg_catalog.=) $1 AND s.line_no OPERATOR(pg_catalog.=) l.line_no"
		" AND l.quantity OPERATOR(pg_catalog.>)"
		" (s.quantity OPERATOR(pg_catalog.-) s.reserved OPERATOR(pg_catalog.-) s.returned)"
		" ORDER BY s.line_no LIMIT 1",
		2, {TEXTOID, INT8OID}
	};
	static KeptPlan hold = {
		"UPDATE returns.sale_line s SET reserved = s.reserved OPERATOR(pg_catalog.+) l.quantity"
		LINES_OF_RETURN,
		2, {TEXTOID, INT8OID}
	};
	OwnState	own;
	bool		isnull;
	uint64		nlines;

	own_begin(&own);
	nlines = units_lock(row);
	if (run_on_lines(row, &find_short) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_RT_TOO_MANY_UNITS),
				 errmsg("return " INT64_FORMAT " cannot be taken up again",
						DatumGetInt64(ROW_VALUE(row, REQ_ID))),
				 errdetail("Of line %d it would hold %d, and %d are left.",
						   DatumGetInt32(plan_value(0, 1, &isnull)),
						   DatumGetInt32(plan_value(0, 2, &isnull)),
						   DatumGetInt32(plan_value(0, 3, &isnull))),
				 errhint("Other returns have its units: cancel one of them, or leave it closed."),
				 errtable(row->trigger.rel)));
	trigger_check_wrote("sale_line", run_on_lines(row, &hold), nlines);
	own_end(&own);
}

void
units_decide(ReturnRow *row)
{
	static KeptPlan decide = {
		"WITH d AS (UPDATE returns.return_line l"
		" SET accepted = coalesce(l.accepted, l.received, l.quantity),"
		" refund_goods = 0"
		" WHERE l.order_ref OPERATOR(pg_catalog.=) $1 AND l.return_id OPERATOR(pg_catalog.=) $2"
		" AND l.refund_goods IS NULL"
		" RETURNING l.line_no, l.quantity OPERATOR(pg_catalog.-) l.accepted AS rest)"
		" UPDATE returns.sale_line s SET reserved = s.reserved OPERATOR(pg_catalog.-) d.rest"
		" FROM d WHERE s.order_ref OPERATOR(pg_catalog.=) $1"
		" AND s.line_no OPERATOR(pg_catalog.=) d.line_no AND d.rest OPERATOR(pg_catalog.>) 0",
		2, {TEXTOID, INT8OID}
	};
	OwnState	own;

	own_begin(&own);
	(void) units_lock(row);
	run_on_lines(row, &decide);
	own_end(&own);
}

void
units_take_back(ReturnRow *row)
{
	static KeptPlan take = {
		"UPDATE returns.sale_line s SET reserved = s.reserved OPERATOR(pg_catalog.-) l.accepted,"
		" returned = s.returned OPERATOR(pg_catalog.+) l.accepted"
		LINES_OF_RETURN,
		2, {TEXTOID, INT8OID}
	};
	OwnState	own;
	uint64		nlines;

	own_begin(&own);
	nlines = units_lock(row);
	trigger_check_wrote("sale_line", run_on_lines(row, &take), nlines);
	own_end(&own);
}

void
units_give_back(ReturnRow *row)
{
	static KeptPlan give = {
		"UPDATE returns.sale_line s SET reserved = s.reserved OPERATOR(pg_catalog.+) l.accepted,"
		" returned = s.returned OPERATOR(pg_catalog.-) l.accepted"
		LINES_OF_RETURN,
		2, {TEXTOID, INT8OID}
	};
	OwnState	own;
	uint64		nlines;

	own_begin(&own);
	nlines = units_lock(row);
	trigger_check_wrote("sale_line", run_on_lines(row, &give), nlines);
	own_end(&own);
}
