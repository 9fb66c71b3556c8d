/*-------------------------------------------------------------------------
 *
 * policy_floor.c
 *		The law as a floor: does a policy give the buyer less than it?
 *
 * A policy is held against each statutory one that it would push aside, but
 * only where that one is the law: where no more specific statutory policy
 * applies anyway.  So a shop's term for phones is not held against the general
 * term when the law has a rule of its own for phones.
 *
 * src/rules/policy/policy_floor.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rules/cache/cache.h"
#include "rules/policy/policy.h"
#include "rules/policy/policy_floor.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#define MONTHS_OF_CYCLE (400 * MONTHS_PER_YEAR) /* the Gregorian calendar repeats */

/* More days than any term can be sure of, or be held to. */
#define NO_BOUND PG_INT64_MAX

/* Clocks may go back within a term: by an hour in autumn, another when a zone moves. */
#define CLOCK_HOURS 2

/* ---- how long a term is, whatever day it starts on ---- */

/*
 * Fewest and most days from the day of an event to the day so many months
 * later, over all days of the calendar's cycle.  Where the target month is too
 * short the term is cut, so 1 month is 28 to 31 days.
 */
static void
months_in_days(int64 months, int64 *least, int64 *most)
{
	int64		years = months / MONTHS_OF_CYCLE * 400;
	int64		whole = years / 400 * 146097;
	int			rest = months % MONTHS_OF_CYCLE;

	*least = NO_BOUND;
	*most = 0;
	for (int i = 0; i < MONTHS_OF_CYCLE; i++)
	{
		int			end = i + rest;
		int			y = 2000 + i / MONTHS_PER_YEAR;
		int			m = i % MONTHS_PER_YEAR;
		int			end_y = 2000 + end / MONTHS_PER_YEAR;
		int			end_m = end % MONTHS_PER_YEAR;
		int64		days = whole + date2j(end_y, end_m + 1, 1) - date2j(y, m + 1, 1);
		int			cut = day_tab[isleap(y)][m] - day_tab[isleap(end_y)][end_m];

		*least = Min(*least, days - Max(cut, 0));
		*most = Max(*most, days);
	}
}

/*
 * Days that a term is sure to reach, counted like a term in days: to the end
 * of that many days after the day of the event.
 */
static int64
term_least_days(const Policy *policy)
{
	int64		term = policy->window_term;
	int64		least,
				most;

	switch (policy->window_unit)
	{
		case UNIT_HOUR:
			/* an event at 00:00 has the rest of its own day to use up first */
			return (term - CLOCK_HOURS) / HOURS_PER_DAY - 1;
		case UNIT_DAY:
			return term;
		case UNIT_BUSINESS_DAY:
			return term;		/* every day might be a working one */
		case UNIT_YEAR:
			term *= MONTHS_PER_YEAR;
			/* FALLTHROUGH */
		case UNIT_MONTH:
			months_in_days(term, &least, &most);
			return least;
	}
	pg_unreachable();
}

/* Days that a term never goes beyond, rolling on to a working day aside. */
static int64
term_most_days(const Policy *policy)
{
	int64		term = policy->window_term;
	int64		least,
				most;

	switch (policy->window_unit)
	{
		case UNIT_HOUR:
			/* an event just before 24:00 uses up nothing of its own day */
			return (term + CLOCK_HOURS + HOURS_PER_DAY - 1) / HOURS_PER_DAY;
		case UNIT_DAY:
			return term;
		case UNIT_BUSINESS_DAY:
			return NO_BOUND;	/* holidays are anybody's guess */
		case UNIT_YEAR:
			term *= MONTHS_PER_YEAR;
			/* FALLTHROUGH */
		case UNIT_MONTH:
			months_in_days(term, &least, &most);
			return most;
	}
	pg_unreachable();
}

static bool
counts_months(const Policy *policy)
{
	return policy->window_unit == UNIT_MONTH || policy->window_unit == UNIT_YEAR;
}

static int64
term_in_months(const Policy *policy)
{
	return (int64) policy->window_term *
		(policy->window_unit == UNIT_YEAR ? MONTHS_PER_YEAR : 1);
}

/*
 * Is a policy's term never shorter than the law's, from the same start, rolling
 * aside?  Compared in one unit where they have one; else the least that ours
 * is sure of with the most that the law's can be.
 */
static bool
term_suffices(const Policy *policy, const Policy *law)
{
	if (policy->window_unit == law->window_unit)
		return policy->window_term >= law->window_term;
	if (counts_months(policy) && counts_months(law))
		return term_in_months(policy) >= term_in_months(law);
	return term_least_days(policy) >= term_most_days(law);
}

/*
 * Where the law's term moves on from a day off, so must ours.  Business days
 * end on a working day anyway, and n of them pass no sooner than n days moved
 * on to one.  Hours never move, so they do not stand in for a term that does.
 */
static bool
roll_suffices(const Policy *policy, const Policy *law)
{
	if (!law->window_roll || law->window_unit == UNIT_HOUR ||
		law->window_unit == UNIT_BUSINESS_DAY)
		return true;
	return policy->window_unit == UNIT_BUSINESS_DAY ||
		(policy->window_roll && policy->window_unit != UNIT_HOUR);
}

/*
 * What the law does and a policy does not, in a sale to which the law would
 * apply; NULL when the policy gives all that the law gives.  A delivery is
 * taken not to precede its purchase.  The restocking fee is only ever taken
 * where nobody is at fault.
 */
static char *
shortfall(const Policy *policy, const Policy *law, Fault fault)
{
	if (!law->returnable)
		return NULL;
	if (!policy->returnable)
		return "lets the goods be returned";
	if ((law->from_delivery && !policy->from_delivery) || !term_suffices(policy, law))
		return psprintf("gives %s, where this one gives %s",
						policy_window_text(law), policy_window_text(policy));
	if (!roll_suffices(policy, law))
		return "moves the end of the window on from a day off (window_roll)";
	if (law->has_extension &&
		!(policy->has_extension && policy->extended_until >= law->extended_until))
		return "extends the window to a certain day (extended_until)";
	if (law->allows_refund && !policy->allows_refund)
		return "offers a refund";
	if (law->allows_exchange && !policy->allows_exchange)
		return "offers an exchange";
	if (policy->restocking > law->restocking && fault == FAULT_NONE)
		return "takes a lower restocking fee";
	if (law->refund_shipping && !policy->refund_shipping)
		return "pays the delivery charge back";
	return NULL;
}

/* ---- where two policies speak of the same sale ---- */

static bool
is_at_or_below(const char *code, const char *ancestor)
{
	return category_distance(ancestor, category_get(code)) >= 0;
}

static bool
same_or_any(const char *a, const char *b)
{
	return a == NULL || b == NULL || strcmp(a, b) == 0;
}

static bool
fault_matches(const Policy *policy, int fault)
{
	return policy->fault == FAULT_ANY || policy->fault == fault;
}

/* The fault of a policy's reason; FAULT_ANY when it names none. */
static int
reason_fault(const Policy *policy)
{
	return policy->reason == NULL ? FAULT_ANY : (int) reason_get(policy->reason)->fault;
}

/* Is there a sale and a reason that both speak of? */
static bool
share_sales(const Policy *a, const Policy *b, TimestampTz from)
{
	if (Max(Max(a->valid_from, b->valid_from), from) >= Min(a->valid_to, b->valid_to))
		return false;
	if (!same_or_any(a->market, b->market) || !same_or_any(a->reason, b->reason) ||
		!same_or_any(a->seller_ref, b->seller_ref))
		return false;
	if (a->fault != FAULT_ANY && !fault_matches(b, a->fault))
		return false;
	return a->category == NULL || b->category == NULL ||
		is_at_or_below(a->category, b->category) || is_at_or_below(b->category, a->category);
}

bool
policy_outranks(const Policy *a, const Policy *b)
{
	if ((a->seller_ref == NULL) != (b->seller_ref == NULL))
		return a->seller_ref != NULL;
	if ((a->category == NULL) != (b->category == NULL))
		return a->category != NULL;
	if (a->category != NULL && strcmp(a->category, b->category) != 0)
		return is_at_or_below(a->category, b->category);
	if ((a->reason == NULL) != (b->reason == NULL))
		return a->reason != NULL;
	if ((a->fault == FAULT_ANY) != (b->fault == FAULT_ANY))
		return a->fault != FAULT_ANY;
	return a->market != NULL && b->market == NULL;
}

/*
 * Of all the sales that both speak of, the one to ask about: a law that is
 * pushed aside anywhere is so there, because no key is set to more than the
 * two policies ask for, so that the fewest other laws apply.  A category, too,
 * may have sales of its own, beside those of the categories below it.
 */
static PolicyQuestion
plainest_sale(const Policy *a, const Policy *b)
{
	const char *category = a->category;

	if (category == NULL || (b->category != NULL && is_at_or_below(b->category, category)))
		category = b->category;
	return (PolicyQuestion) {
		.market = a->market ? a->market : b->market,
		.category = category == NULL ? NULL : category_get(category),
		.reason = a->reason ? a->reason : b->reason,
		.seller_ref = a->seller_ref ? a->seller_ref : b->seller_ref,
	};
}

/* Would the law apply at that instant, and is it more than the policy gives? */
static char *
breach_at(const Policy *policy, const Policy *law, const PolicyIndex *statutory,
		  PolicyQuestion *question, TimestampTz at)
{
	int			only = policy->reason != NULL ? reason_fault(policy) : reason_fault(law);

	question->purchased_at = at;
	for (int fault = FAULT_NONE; fault <= FAULT_PLATFORM; fault++)
	{
		char	   *lacks;

		if ((only != FAULT_ANY && fault != only) ||
			!fault_matches(policy, fault) || !fault_matches(law, fault))
			continue;
		question->fault = fault;
		lacks = shortfall(policy, law, fault);
		if (lacks != NULL && policy_index_find(statutory, question) == law)
			return lacks;
	}
	return NULL;
}

/* The same at all instants: others stop standing before the law when they end. */
static char *
breach_of(const Policy *policy, const Policy *law, const PolicyIndex *statutory,
		  TimestampTz from)
{
	PolicyQuestion question = plainest_sale(policy, law);
	TimestampTz begin = Max(Max(policy->valid_from, law->valid_from), from);
	TimestampTz end = Min(policy->valid_to, law->valid_to);
	const Policy *other;
	char	   *lacks = breach_at(policy, law, statutory, &question, begin);

	for (int i = 0; lacks == NULL && (other = policy_index_nth(statutory, i)) != NULL; i++)
		if (other->valid_to > begin && other->valid_to < end)
			lacks = breach_at(policy, law, statutory, &question, other->valid_to);
	return lacks;
}

const Policy *
policy_floor_breach(const Policy *policy, const PolicyIndex *statutory, TimestampTz from,
					char **lacks)
{
	const Policy *law;

	for (int i = 0; (law = policy_index_nth(statutory, i)) != NULL; i++)
	{
		if (!share_sales(policy, law, from) || !policy_outranks(policy, law) ||
			shortfall(policy, law, FAULT_NONE) == NULL)
			continue;
		*lacks = breach_of(policy, law, statutory, from);
		if (*lacks != NULL)
			return law;
	}
	return NULL;
}
