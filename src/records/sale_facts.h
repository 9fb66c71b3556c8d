/*-------------------------------------------------------------------------
 *
 * sale_facts.h
 *		Read rows of returns.sale_line as the facts that a policy judges.
 *
 *		static Statement read_lines = {
 *			"SELECT " SALE_FACTS ", s.sku FROM returns.sale_line s ...
 *		};
 *		ResultSet	lines = statement_run(&read_lines, args, NULL);
 *
 *		for (uint64 i = 0; i < lines.nrows; i++)
 *		{
 *			sale_facts_read(lines, i, &facts);
 *			sku = result_cstring(lines, i, AFTER_SALE_FACTS);
 *		}
 *
 * src/records/sale_facts.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SALE_FACTS_H
#define RETURNS_SALE_FACTS_H

#include "base/result.h"
#include "rules/policy/policy.h"

/* The first columns of the SELECT list; sale_line has the alias s. */
#define SALE_FACTS \
	"s.line_no, s.market, s.category, s.seller_ref, s.quantity, s.reserved, s.returned," \
	" s.purchased_at, s.delivered_at"

/* The number of the first column behind them. */
#define AFTER_SALE_FACTS 10

/*
 * The facts of one row, in the current memory context.  RT010 when the market
 * or the category is unknown.
 */
extern void sale_facts_read(ResultSet lines, uint64 row, SaleFacts *facts);

#endif							/* RETURNS_SALE_FACTS_H */
