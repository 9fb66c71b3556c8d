/*-------------------------------------------------------------------------
 *
 * policy_floor.c
 *		The law as a floor: does a policy give the buyer less than it?
 *
 * A policy is compared with each statutory policy that it overrides, but only for
 * sales to which the statutory one would apply, not a more specific statutory
 * policy.  So the term of a shop for phones is not compared with the general
 * statutory term if the law has a term of its own for phones.
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

/* The Gregorian calendar repeats after 400 years. */
#define MONTHS_OF_CYCLE	(400 * MONTHS_PER_YEAR)
#define DAYS_OF_CYCLE	146097

/* More days than any term has. */
#define NO_BOUND PG_INT64_MAX

/*
 * Clocks can be set back within a term: by an hour in autumn, and by another when
 * a zone changes its offset.
 */
#define CLOCK_HOURS 2

/* ---- how long a term is, whatever day it starts on ---- */

/*
 * Fewest and most days from the day of an event to the day so many months later,
 * for every day of the calendar's cycle.  If the target month is too short, the
 * term ends at its last day, so 1 month is 28 to 31 days.
 */
static void
months_in_days(int64 months, int64 *least, int64 *most)
{
	int64		whole = months / MONTHS_OF_CYCLE * DAYS_OF_CYCLE;
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
 * Fewest and most days of a term, counted like a term in days: to the end of
 * that many days after the day of the event, before the end rolls to a working
 * day.
 */
static void
term_in_days(const Policy *policy, int64 *least, int64 *most)
{
	int64		term = policy->window_term;

	*least = *most = term;
	switch (policy->window_unit)
	{
		case UNIT_HOUR:
			/* of an event at 00:00, the first 24 hours are its own day */
			*least = (term - CLOCK_HOURS) / HOURS_PER_DAY - 1;
			/* of an event just before 24:00, no hour is */
			*most = (term + CLOCK_HOURS + HOURS_PER_DAY - 1) / HOURS_PER_DAY;
			break;
		case UNIT_DAY:
			break;
		case UNIT_BUSINESS_DAY:
			*most = NO_BOUND;	/* any number of days can be holidays */
			break;
		case UNIT_MONTH:
		case UNIT_YEAR:
			months_in_days(term_in_months(policy), least, most);
			break;
	}
}

/*
 * Is the term of a policy never shorter than the law's, from the same start and
 * before rolling?  Terms of one unit are compared directly; otherwise the
 * shortest length of the policy's with the longest of the law's.
 */
static bool
term_suffices(const Policy *policy, const Policy *law)
{
	int64		least,
				most,
				unused;

	if (policy->window_unit == law->window_unit)
		return policy->window_term >= law->window_term;
	if (counts_months(policy) && counts_months(law))
		return term_in_months(policy) >= term_in_months(law);
	term_in_days(policy, &least, &unused);
	term_in_days(law, &unused, &most);
	return least >= most;
}

/*
 * If the end of the law's term rolls to a working day, so must the policy's.  A
 * term in business days ends on a working day anyway, and n business days are
 * never shorter than n days with rolling.  A term in hours never rolls, so it
 * does not suffice for a law that does.
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
 * The benefit that the law gives and a policy does not, for a sale to which
 * the law would apply; NULL: none.  It assumes that a delivery does not
 * precede its purchase, so a window from delivery ends no earlier than one
 * from purchase.  Only a return with fault none has a restocking fee.
 */
static char *
shortfall(const Policy *policy, const Policy *law, Fault fault)
{
	if (!law->returnable)
		return NULL;
	if (!policy->returnable)
		return "accepts returns";
	if (law->window_from > policy->window_from || !term_suffices(policy, law))
		return psprintf("gives %s, where this one gives %s",
						policy_window_text(law), policy_window_text(policy));
	if (!roll_suffices(policy, law))
		return "moves the end of the window to the next working day (window_roll)";
	if (law->has_extension &&
		!(policy->has_extension && policy->extended_until >= law->extended_until))
		return "extends the window to a later day (extended_until)";
	for (Resolution r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
		if (policy_offers(law, r) && !policy_offers(policy, r))
			return psprintf("offers the resolution \"%s\"", resolution_name(r));
	if (policy->restocking > law->restocking && fault == FAULT_NONE)
		return "has a lower restocking fee";
	if (law->refund_shipping && !policy->refund_shipping)
		return "refunds the delivery charge";
	return NULL;
}

/* ---- the sales that two policies apply to ---- */

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

/* Do both apply to some sale and reason? */
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

/* Is a chosen over b, for a sale that both apply to? */
static bool
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
 * The least specific sale that both policies apply to.  If the law is overridden
 * for any sale, it is overridden for this one, because fewer other statutory
 * policies apply to it.  The category is the lower of the two: a sale line may
 * have any category of the tree, not only a leaf.
 */
static PolicyQuestion
least_specific_sale(const Policy *a, const Policy *b)
{
	const char *category = a->category;
	PolicyQuestion sale = {0};

	if (category == NULL || (b->category != NULL && is_at_or_below(b->category, category)))
		category = b->category;
	sale.market = a->market ? a->market : b->market;
	sale.category = category == NULL ? NULL : category_get(category);
	sale.reason = a->reason ? a->reason : b->reason;
	sale.seller_ref = a->seller_ref ? a->seller_ref : b->seller_ref;
	return sale;
}

/*
 * The benefit that the law gives and the policy does not, for a sale at this
 * time; NULL: none, or the law would not apply to it.
 */
static char *
breach_at(const Policy *policy, const Policy *law, const PolicyIndex *statutory,
		  PolicyQuestion *question, TimestampTz at)
{
	int			only = policy->reason != NULL ? reason_fault(policy) : reason_fault(law);

	question->purchased_at = at;
	for (int fault = FAULT_NONE; fault < FAULT_COUNT; fault++)
	{
		char	   *missing;

		if ((only != FAULT_ANY && fault != only) ||
			!fault_matches(policy, fault) || !fault_matches(law, fault))
			continue;
		question->fault = fault;
		missing = shortfall(policy, law, fault);
		if (missing != NULL && policy_index_find(statutory, question) == law)
			return missing;
	}
	return NULL;
}

/*
 * The same for all times from an instant on: the law can start to apply when a
 * statutory policy that overrides it ends.
 */
static char *
breach_of(const Policy *policy, const Policy *law, const PolicyIndex *statutory,
		  TimestampTz from)
{
	PolicyQuestion question = least_specific_sale(policy, law);
	TimestampTz begin = Max(Max(policy->valid_from, law->valid_from), from);
	TimestampTz end = Min(policy->valid_to, law->valid_to);
	const Policy *other;
	char	   *missing = breach_at(policy, law, statutory, &question, begin);

	for (int i = 0; missing == NULL && (other = policy_index_nth(statutory, i)) != NULL; i++)
		if (other->valid_to > begin && other->valid_to < end)
			missing = breach_at(policy, law, statutory, &question, other->valid_to);
	return missing;
}

const Policy *
policy_floor_breach(const Policy *policy, const PolicyIndex *statutory, TimestampTz from,
					char **missing)
{
	const Policy *law;

	for (int i = 0; (law = policy_index_nth(statutory, i)) != NULL; i++)
	{
		if (!share_sales(policy, law, from) || !policy_outranks(policy, law) ||
			shortfall(policy, law, FAULT_NONE) == NULL)
			continue;
		*missing = breach_of(policy, law, statutory, from);
		if (*missing != NULL)
			return law;
	}
	return NULL;
}
