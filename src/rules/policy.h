/*-------------------------------------------------------------------------
 *
 * policy.h
 *		Which policy governs a sale, and what it says of one line.
 *
 * Pure decisions over the cached rules; nothing here reads or writes a table
 * but the loader of the cache.
 *
 * src/rules/policy.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POLICY_H
#define RETURNS_POLICY_H

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

/* What is known of a sale line when it is judged. */
typedef struct SaleFacts
{
	int			line_no;
	const Market *market;
	const Category *category;
	const char *seller_ref;
	int			quantity;
	int			reserved;
	int			returned;
	TimestampTz purchased_at;
	bool		delivered;
	TimestampTz delivered_at;	/* when delivered */
} SaleFacts;

typedef struct Verdict
{
	int			sqlstate;		/* 0: returnable */
	char	   *why;			/* one sentence, for DETAIL and eligibility(); NULL when returnable */
	char	   *hint;			/* the way out; NULL when returnable */
	const Policy *policy;		/* NULL: none governs it */
	bool		has_window;
	TimestampTz window_ends_at;
	int			units_left;		/* quantity - reserved - returned */
} Verdict;

/*
 * The policy that governs a sale: valid at purchased_at, most specific first:
 * seller, then nearest category up the tree, then reason, then fault, then
 * market.  reason NULL: not said, which only policies for any reason or for
 * fault none speak of.  NULL when no policy speaks of it.
 */
extern const Policy *policy_find(const Market *market, const Category *category,
								 const Reason *reason, const char *seller_ref,
								 TimestampTz purchased_at);
extern const Policy *policy_by_id(int64 id);	/* NULL: unknown */

/*
 * The end of the buyer's window; an act is in time iff at < it.  False when
 * there is none: the policy takes nothing back, or the window starts at a
 * delivery that has not happened.  Errors as of deadline_in_market().
 */
extern bool policy_window(const Policy *policy, const Market *market,
						  TimestampTz purchased_at, bool delivered,
						  TimestampTz delivered_at, TimestampTz *ends_at);

/*
 * May units of this line be returned now?  Looks, in this order, at the
 * delivery, the policy and the resolution (RT004), the window (RT003) and the
 * units (RT005); memory is taken in the current context.  resolution
 * RESOLUTION_ANY: any that the policy offers.
 */
extern void line_judge(const SaleFacts *sale, const Reason *reason, Resolution resolution,
					   int units, TimestampTz now, Verdict *verdict);

/* Is the amount below the limit (auto_approve_below, keep_item_below)? */
extern bool policy_amount_below(Datum limit, int64 amount, const Currency *currency);

/* "policy 7 (its source)", for messages. */
extern char *policy_name(const Policy *policy);

/* "14 days from delivery" */
extern char *policy_window_text(const Policy *policy);

/* An instant as a market's clock shows it: "2026-02-17 00:00:00+05 (Asia/Almaty)". */
extern char *market_time(TimestampTz at, const Market *market);

/* ---- many policies, to ask for the one that governs (policy_index.c) ---- */

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

/* ---- the law as a floor (policy_floor.c) ---- */

/*
 * Where both speak of the same sale: is a chosen over b?  Meaningless for
 * policies that have no sale in common.
 */
extern bool policy_outranks(const Policy *a, const Policy *b);

/*
 * A statutory policy of the index that would apply at or after the instant
 * from if this one did not, and gives the buyer more; NULL when there is none.
 * lacks: what it does and this one does not, as the end of a sentence.
 */
extern const Policy *policy_floor_breach(const Policy *policy, const PolicyIndex *statutory,
										 TimestampTz from, char **lacks);

#endif							/* RETURNS_POLICY_H */
