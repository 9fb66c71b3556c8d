/*-------------------------------------------------------------------------
 *
 * policy_index.h
 *		Policies in memory, and which of them governs a sale.
 *
 * src/rules/policy/policy_index.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POLICY_INDEX_H
#define RETURNS_POLICY_INDEX_H

#include "datatype/timestamp.h"
#include "rules/rules.h"
#include "utils/date.h"

/*
 * The columns of returns.policy that the extension knows: number, name, may it be
 * null?  A new column needs a line here, a member in Policy, its reading in
 * policy_load.c, and, if it is passed by reference, its copy in policy_index_add().
 */
#define POLICY_COLUMNS(COLUMN) \
	COLUMN(POLICY_ID, id, false), \
	COLUMN(POLICY_MARKET, market, true), \
	COLUMN(POLICY_CATEGORY, category, true), \
	COLUMN(POLICY_REASON, reason, true), \
	COLUMN(POLICY_FAULT, fault, true), \
	COLUMN(POLICY_SELLER_REF, seller_ref, true), \
	COLUMN(POLICY_VALID_FROM, valid_from, false), \
	COLUMN(POLICY_VALID_TO, valid_to, false), \
	COLUMN(POLICY_RETURNABLE, returnable, false), \
	COLUMN(POLICY_WINDOW_TERM, window_term, true), \
	COLUMN(POLICY_WINDOW_UNIT, window_unit, false), \
	COLUMN(POLICY_WINDOW_FROM, window_from, false), \
	COLUMN(POLICY_WINDOW_ROLL, window_roll, false), \
	COLUMN(POLICY_EXTENDED_UNTIL, extended_until, true), \
	COLUMN(POLICY_RESOLUTIONS, resolutions, false), \
	COLUMN(POLICY_RESTOCKING_PERCENT, restocking_percent, false), \
	COLUMN(POLICY_REFUND_SHIPPING, refund_shipping, false), \
	COLUMN(POLICY_AUTO_APPROVE_BELOW, auto_approve_below, true), \
	COLUMN(POLICY_KEEP_ITEM_BELOW, keep_item_below, true), \
	COLUMN(POLICY_STATUTORY, statutory, false), \
	COLUMN(POLICY_SOURCE, source, true)

#define POLICY_COLUMN_NUMBER(number, name, nullable) number

typedef enum PolicyColumn
{
	POLICY_COLUMNS(POLICY_COLUMN_NUMBER),
	POLICY_NCOLUMNS
} PolicyColumn;

#define FAULT_ANY (-1)

typedef struct Policy
{
	int64		id;
	const char *market;			/* NULL in these five: any */
	const char *category;
	const char *reason;
	int			fault;			/* FAULT_ANY or a Fault */
	const char *seller_ref;
	TimestampTz valid_from;		/* valid when valid_from <= purchased_at <
								 * valid_to */
	TimestampTz valid_to;
	bool		returnable;
	int			window_term;	/* -1: none, only where not returnable */
	TermUnit	window_unit;
	WindowStart window_from;
	bool		window_roll;
	bool		has_extension;
	DateADT		extended_until; /* the window ends no earlier than this day */
	int			resolutions;	/* offered, a bit each: policy_offers() */
	int64		restocking;		/* restocking_percent, in millionths of a
								 * percent */
	bool		refund_shipping;
	bool		has_auto_approve;
	bool		has_keep_item;
	Datum		auto_approve_below; /* numeric */
	Datum		keep_item_below;	/* numeric */
	bool		statutory;
	const char *source;			/* NULL: unknown */
} Policy;

static inline bool
policy_offers(const Policy *policy, Resolution resolution)
{
	return (policy->resolutions & (1 << resolution)) != 0;
}

typedef struct PolicyIndex PolicyIndex;

/*
 * A sale and a reason to return it.  NULL in market, category, reason or
 * seller_ref matches only the policies for any.
 */
typedef struct PolicyQuestion
{
	const char *market;
	const Category *category;
	const char *reason;
	Fault		fault;
	const char *seller_ref;
	TimestampTz purchased_at;
} PolicyQuestion;

/* An empty index, in the current memory context, which its policies live in too. */
extern PolicyIndex *policy_index_create(void);

/* Add a copy.  It is fastest to add policies with the same five keys by valid_from. */
extern const Policy *policy_index_add(PolicyIndex *index, const Policy *policy);

/* The most specific policy in force for the sale; NULL: none. */
extern const Policy *policy_index_find(const PolicyIndex *index,
									   const PolicyQuestion *question);
extern const Policy *policy_index_by_id(const PolicyIndex *index, int64 id);

/* All policies in the order of their addition, i from 0; NULL after the last. */
extern const Policy *policy_index_nth(const PolicyIndex *index, int i);

/* Another policy with the same five keys that is valid at the same time; NULL: none. */
extern const Policy *policy_index_tie(const PolicyIndex *index, const Policy *policy);

/* Note that a seller's own policies have been added, and whether that was noted. */
extern void policy_index_note_seller(PolicyIndex *index, const char *seller_ref);
extern bool policy_index_knows_seller(const PolicyIndex *index, const char *seller_ref);

#endif							/* RETURNS_POLICY_INDEX_H */
