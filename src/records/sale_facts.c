/*-------------------------------------------------------------------------
 *
 * sale_facts.c
 *		Read rows of returns.sale_line as the facts that a policy judges.
 *
 * src/records/sale_facts.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "records/sale_facts.h"
#include "rules/cache/cache.h"

/* In the order of SALE_FACTS. */
enum
{
	LINE_NO = 1, MARKET, CATEGORY, SELLER_REF, QUANTITY, RESERVED, RETURNED,
	PURCHASED_AT, DELIVERED_AT, END_OF_FACTS
};

StaticAssertDecl(END_OF_FACTS == AFTER_SALE_FACTS, "SALE_FACTS has another number of columns");

void
sale_facts_read(ResultSet lines, uint64 row, SaleFacts *facts)
{
	facts->line_no = result_int(lines, row, LINE_NO);
	facts->market = market_get(result_cstring(lines, row, MARKET));
	facts->category = category_get(result_cstring(lines, row, CATEGORY));
	facts->seller_ref = result_cstring(lines, row, SELLER_REF);
	facts->quantity = result_int(lines, row, QUANTITY);
	facts->reserved = result_int(lines, row, RESERVED);
	facts->returned = result_int(lines, row, RETURNED);
	result_time(lines, row, PURCHASED_AT, &facts->purchased_at);
	facts->delivered = result_time(lines, row, DELIVERED_AT, &facts->delivered_at);
}
