/*-------------------------------------------------------------------------
 *
 * policy.h
 *		Which policy governs a sale, and whether it lets a line be returned.
 *
 * These functions decide by the cached policies and by facts that the caller has
 * read; they read and write no table, except that the first use loads policies.
 *
 * src/rules/policy/policy.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_POLICY_H
#define RETURNS_POLICY_H

#include "rules/policy/policy_index.h"

/* The facts by which a sale line is judged. */
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
	char	   *why;			/* one sentence, for DETAIL and eligibility();
								 * NULL when returnable */
	char	   *hint;			/* for HINT; NULL when returnable */
	const Policy *policy;		/* NULL: no policy governs the sale */
	bool		has_window;
	TimestampTz window_ends_at;
	int			units_left;		/* quantity - reserved - returned */
} Verdict;

/*
 * The policy that governs a sale: of those valid at purchased_at the most
 * specific one, compared first by seller, then by category (the nearest one up
 * the tree), reason, fault and market.  reason NULL: not stated; only policies
 * for any reason and for any fault or fault none match.  NULL: no policy matches.
 */
extern const Policy *policy_find(const Market *market, const Category *category,
								 const Reason *reason, const char *seller_ref,
								 TimestampTz purchased_at);

/*
 * The end of the buyer's window; an act before it is in time.  Returns false when
 * there is no window: the policy accepts no returns, or the window starts at a
 * delivery that has not happened.  Raises the errors of deadline_in_market().
 */
extern bool policy_window(const Policy *policy, const Market *market,
						  TimestampTz purchased_at, bool delivered,
						  TimestampTz delivered_at, TimestampTz *ends_at);

/*
 * Decide whether units of a line can be returned now.  Checks, in this order, the
 * delivery, the policy and the resolution (RT004), the window (RT003) and the
 * units (RT005), and raises no error for them: the verdict has the SQLSTATE and
 * the texts, in the current memory context.  RESOLUTION_ANY: any that the policy
 * offers.
 */
extern void line_judge(const SaleFacts *sale, const Reason *reason, Resolution resolution,
					   int units, TimestampTz now, Verdict *verdict);

/* Is the amount below the limit (auto_approve_below, keep_item_below)? */
extern bool policy_amount_below(Datum limit, int64 amount, const Currency *currency);

/* "policy 7 (its source)", for messages. */
extern char *policy_name(const Policy *policy);

/* "14 days from delivery" */
extern char *policy_window_text(const Policy *policy);

/* A time in the time zone of the market: "2026-02-17 00:00:00+05 (Asia/Almaty)". */
extern char *market_time(TimestampTz at, const Market *market);

#endif							/* RETURNS_POLICY_H */
