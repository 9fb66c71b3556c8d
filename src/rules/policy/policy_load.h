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
 * The policies for any seller and those of this one; NULL: only the former.
 * Pointers stay valid until the end of the transaction.  Raises RT012 without
 * the table, RT010 or RT009 for a row of it that is no policy.
 */
extern const PolicyIndex *policies_of(const char *seller_ref);

extern const Policy *policy_by_id(int64 id);	/* NULL: unknown */

extern const char *policy_column_name(PolicyColumn column);

/*
 * Their physical numbers.  Raises 39P01 when it is another table, RT012 when a
 * column does not exist.
 */
extern const AttrNumber *policy_columns(Relation rel);

/*
 * Read a row, in the current memory context; attno says where its columns are.
 * Returns false, with no more than the id set, when a value is one that the
 * constraints of the table forbid; RT010 for an unknown word.
 */
extern bool policy_from_tuple(HeapTuple tuple, TupleDesc desc, const AttrNumber *attno,
							  Policy *policy);

/* Raise RT009 for a row that policy_from_tuple() has refused. */
pg_noreturn extern void policy_malformed(const Policy *policy);

/*
 * Add policies of the table as it is now, with the changes of this transaction:
 * those for any seller, those of one seller, or all.
 */
extern void policies_read_general(PolicyIndex *index);
extern void policies_read_seller(PolicyIndex *index, const char *seller_ref);
extern void policies_read_all(PolicyIndex *index);

#endif							/* RETURNS_POLICY_LOAD_H */
