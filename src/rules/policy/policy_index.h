/*-------------------------------------------------------------------------
 *
 * policy_index.h
 *		Many policies, to be asked for the one that governs a sale.
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

#define FAULT_ANY (-1)

typedef struct Policy
{
	int64		id;
	const char *market;			/* NULL in these five: any */
	const char *category;
	const char *reason;
	int			fault;			/* FAULT_ANY, else Fault */
	const char *seller_ref;
	TimestampTz valid_from;		/* valid when valid_from <= purchased_at < valid_to */
	TimestampTz valid_to;
	bool		returnable;
	int			window_term;	/* -1: none, only where not returnable */
	TermUnit	window_unit;
	bool		from_delivery;	/* else from purchase */
	bool		window_roll;
	bool		has_extension;
	DateADT		extended_until; /* the window ends no earlier than this day */
	bool		allows_refund;	/* resolutions */
	bool		allows_exchange;
	int64		restocking;		/* restocking_percent, in millionths of a percent */
	bool		refund_shipping;
	bool		has_auto_approve;
	bool		has_keep_item;
	Datum		auto_approve_below; /* numeric */
	Datum		keep_item_below;	/* numeric */
	bool		statutory;
	const char *source;			/* NULL: not said */
} Policy;

typedef struct PolicyIndex PolicyIndex;

/*
 * One sale and one reason.  NULL in market, category, reason or seller_ref
 * stands for one that no policy names.
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

/* An empty one, in the current memory context; it and its policies live there. */
extern PolicyIndex *policy_index_create(void);

/* Add a copy.  Policies with the same five keys come cheapest by valid_from. */
extern const Policy *policy_index_add(PolicyIndex *index, const Policy *policy);

extern const Policy *policy_index_find(const PolicyIndex *index,
									   const PolicyQuestion *question);
extern const Policy *policy_index_by_id(const PolicyIndex *index, int64 id);

/* All policies in the order they were added, i from 0; NULL behind the last. */
extern const Policy *policy_index_nth(const PolicyIndex *index, int i);

/* For a policy of the index: another with the same five keys and a common instant, or NULL. */
extern const Policy *policy_index_tie(const PolicyIndex *index, const Policy *policy);

/* Remember, and ask, whether a seller's own policies have been added. */
extern void policy_index_note_seller(PolicyIndex *index, const char *seller_ref);
extern bool policy_index_knows_seller(const PolicyIndex *index, const char *seller_ref);

#endif							/* RETURNS_POLICY_INDEX_H */
