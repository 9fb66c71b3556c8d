/*-------------------------------------------------------------------------
 *
 * policy.h
 *		Which policy governs a sale, and what it says of one line.
 *
 * Pure decisions over the cached rules; nothing here reads or writes a table.
 *
 * src/rules/policy/policy.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POLICY_H
#define RETURNS_POLICY_H

#include "rules/policy/policy_index.h"

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

#endif							/* RETURNS_POLICY_H */
