/*-------------------------------------------------------------------------
 *
 * policy_load.h
 *		The policies as the backend keeps them in memory.
 *
 * src/rules/policy/policy_load.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POLICY_LOAD_H
#define RETURNS_POLICY_LOAD_H

#include "access/htup.h"
#include "base/compat.h"
#include "rules/policy/policy_index.h"
#include "utils/rel.h"

/*
 * The policies for any seller, and those of this one (NULL: none more).
 * Pointers stay valid until the end of the transaction.  RT012 without tables.
 */
extern const PolicyIndex *policies_of(const char *seller_ref);

extern const Policy *policy_by_id(int64 id);	/* NULL: unknown */

/* The columns of returns.policy that the extension knows. */
typedef enum PolicyColumn
{
	POLICY_ID, POLICY_MARKET, POLICY_CATEGORY, POLICY_REASON, POLICY_FAULT,
	POLICY_SELLER_REF, POLICY_VALID_FROM, POLICY_VALID_TO, POLICY_RETURNABLE,
	POLICY_WINDOW_TERM, POLICY_WINDOW_UNIT, POLICY_WINDOW_FROM,
	POLICY_WINDOW_ROLL, POLICY_EXTENDED_UNTIL, POLICY_RESOLUTIONS,
	POLICY_RESTOCKING_PERCENT, POLICY_REFUND_SHIPPING,
	POLICY_AUTO_APPROVE_BELOW, POLICY_KEEP_ITEM_BELOW, POLICY_STATUTORY,
	POLICY_SOURCE,
	POLICY_NCOLUMNS
} PolicyColumn;

extern const char *policy_column_name(PolicyColumn column);

/* Where they are in the table; raises when it is another table or lacks one. */
extern const AttrNumber *policy_columns(Relation rel);

/*
 * Take a row apart, in the current memory context.  False when a column holds
 * what the constraints of the table forbid, so that no policy has it.
 */
extern bool policy_from_tuple(HeapTuple tuple, TupleDesc desc, const AttrNumber *attno,
							  Policy *policy);

/* Raise RT009 for a row of the table that no policy has. */
pg_noreturn extern void policy_malformed(const Policy *policy);

/*
 * Add what the table holds now, seen with all that this transaction has done:
 * the policies for any seller, those of one, or all there are.
 */
extern void policies_read_general(PolicyIndex *index);
extern void policies_read_seller(PolicyIndex *index, const char *seller_ref);
extern void policies_read_all(PolicyIndex *index);

#endif							/* RETURNS_POLICY_LOAD_H */
