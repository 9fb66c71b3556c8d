/*-------------------------------------------------------------------------
 *
 * policy.c
 *		The verdict of a policy on one sale line, and its window.
 *
 * line_judge() is the only place that decides whether units of a line can be
 * returned.  eligibility(), explain() and the request itself get the same verdict
 * from it, in the same words.
 *
 * src/rules/policy/policy.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "miscadmin.h"
#include "rules/policy/policy.h"
#include "rules/policy/policy_load.h"
#include "rules/term/deadline.h"
#include "rules/term/zone.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

const Policy *
policy_find(const Market *market, const Category *category, const Reason *reason,
			const char *seller_ref, TimestampTz purchased_at)
{
	PolicyQuestion question = {
		.market = market->code,
		.category = category,
		.reason = reason == NULL ? NULL : reason->code,
		.fault = reason == NULL ? FAULT_NONE : reason->fault,
		.seller_ref = seller_ref,
		.purchased_at = purchased_at,
	};

	return policy_index_find(policies_of(seller_ref), &question);
}

bool
policy_window(const Policy *policy, const Market *market, TimestampTz purchased_at,
			  bool delivered, TimestampTz delivered_at, TimestampTz *ends_at)
{
	bool		from_delivery = policy->window_from == WINDOW_FROM_DELIVERED;
	TimestampTz start = from_delivery ? delivered_at : purchased_at;
	TimestampTz end;

	if (!policy->returnable || (from_delivery && !delivered))
		return false;
	Assert(policy->window_term >= 0);
	end = deadline_in_market(start, policy->window_term, policy->window_unit, market,
							 policy->window_roll);
	if (policy->has_extension)
		end = Max(end, zone_day_begin(policy->extended_until + 1, market->zone));
	*ends_at = end;
	return true;
}

bool
policy_amount_below(Datum limit, int64 amount, const Currency *currency)
{
	Datum		scale = NumericGetDatum(int64_to_numeric(currency->scale));
	Datum		minor = DirectFunctionCall2(numeric_mul, limit, scale);

	return DatumGetBool(DirectFunctionCall2(numeric_lt,
											NumericGetDatum(int64_to_numeric(amount)), minor));
}

/* ---- names and texts ---- */

/* The name of a policy at the start of a sentence. */
static char *
policy_subject(const Policy *policy)
{
	char	   *name = policy_name(policy);

	name[0] = pg_toupper((unsigned char) name[0]);
	return name;
}

char *
policy_name(const Policy *policy)
{
	return policy->source == NULL ? psprintf("policy " INT64_FORMAT, policy->id) :
		psprintf("policy " INT64_FORMAT " (%s)", policy->id, policy->source);
}

char *
policy_window_text(const Policy *policy)
{
	return psprintf("%s from %s", term_text(policy->window_term, policy->window_unit),
					policy->window_from == WINDOW_FROM_DELIVERED ? "delivery" : "purchase");
}

char *
market_time(TimestampTz at, const Market *market)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	const char *abbreviation;
	char		buffer[MAXDATELEN + 1];

	if (TIMESTAMP_NOT_FINITE(at))
		return pstrdup(TIMESTAMP_IS_NOBEGIN(at) ? EARLY : LATE);
	if (timestamp2tm(at, &tz, &tm, &fsec, &abbreviation, market->zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	EncodeDateTime(&tm, fsec, true, tz, abbreviation, USE_ISO_DATES, buffer);
	return psprintf("%s (%s)", buffer, pg_get_timezone_name(market->zone));
}

static const char *
reason_text(const Reason *reason)
{
	return reason == NULL ? "an unspecified reason" : psprintf("reason \"%s\"", reason->code);
}

/* ---- the reasons why a line cannot be returned ---- */

static void
verdict_refuse(Verdict *verdict, int sqlstate, char *why, char *hint)
{
	verdict->sqlstate = sqlstate;
	verdict->why = why;
	verdict->hint = hint;
}

static void
refuse_undelivered(const SaleFacts *sale, Verdict *verdict)
{
	verdict_refuse(verdict, ERRCODE_RT_NOT_RETURNABLE,
				   psprintf("Line %d has no delivered_at: only delivered units can be returned.",
							sale->line_no),
				   pstrdup("Set delivered_at of the sale line when the goods are delivered."));
}

static void
refuse_without_policy(const SaleFacts *sale, const Reason *reason, Verdict *verdict)
{
	verdict_refuse(verdict, ERRCODE_RT_NOT_RETURNABLE,
				   psprintf("No policy in force at %s applies to line %d: market \"%s\", category \"%s\", seller \"%s\", %s.",
							market_time(sale->purchased_at, sale->market), sale->line_no,
							sale->market->code, sale->category->code, sale->seller_ref,
							reason_text(reason)),
				   pstrdup(reason == NULL ? "State the reason: a policy may apply to it." :
						   "A policy may apply to another reason; to add a policy, insert a row into returns.policy."));
}

static void
refuse_not_returnable(const SaleFacts *sale, const Reason *reason, Verdict *verdict)
{
	verdict_refuse(verdict, ERRCODE_RT_NOT_RETURNABLE,
				   psprintf("%s accepts no returns for %s in category \"%s\" (line %d).",
							policy_subject(verdict->policy), reason_text(reason),
							sale->category->code, sale->line_no),
				   pstrdup(reason == NULL || reason->fault == FAULT_NONE ?
						   "If the goods are faulty or not what was ordered, state that reason." :
						   "A policy may accept returns for another reason."));
}

static void
refuse_resolution(const SaleFacts *sale, Resolution resolution, Verdict *verdict)
{
	verdict_refuse(verdict, ERRCODE_RT_NOT_RETURNABLE,
				   psprintf("%s does not offer the resolution \"%s\" for line %d.",
							policy_subject(verdict->policy),
							resolution_name(resolution), sale->line_no),
				   psprintf("Choose a resolution that it offers: %s.",
							resolutions_describe(verdict->policy->resolutions, ", ")));
}

static void
refuse_late(const SaleFacts *sale, TimestampTz now, Verdict *verdict)
{
	const Policy *policy = verdict->policy;

	verdict_refuse(verdict, ERRCODE_RT_TOO_LATE,
				   psprintf("%s gives %s; for line %d this window ended at %s, and the time is now %s.",
							policy_subject(policy), policy_window_text(policy),
							sale->line_no, market_time(verdict->window_ends_at, sale->market),
							market_time(now, sale->market)),
				   pstrdup("Another reason may have a longer window."));
}

static void
refuse_units(const SaleFacts *sale, int units, Verdict *verdict)
{
	verdict_refuse(verdict, ERRCODE_RT_TOO_MANY_UNITS,
				   psprintf("Line %d has %d of %d units left (%d in open returns, %d returned), but the request is for %d.",
							sale->line_no, verdict->units_left, sale->quantity, sale->reserved,
							sale->returned, units),
				   verdict->units_left > 0 ? psprintf("Request at most %d.", verdict->units_left) :
				   pstrdup(sale->reserved > 0 ?
						   "Wait for the open return to end, or cancel it." :
						   "All units of the line have been returned."));
}

void
line_judge(const SaleFacts *sale, const Reason *reason, Resolution resolution,
		   int units, TimestampTz now, Verdict *verdict)
{
	const Policy *policy = policy_find(sale->market, sale->category, reason,
									   sale->seller_ref, sale->purchased_at);

	memset(verdict, 0, sizeof(Verdict));
	verdict->policy = policy;
	verdict->units_left = sale->quantity - sale->reserved - sale->returned;
	verdict->has_window = policy != NULL &&
		policy_window(policy, sale->market, sale->purchased_at, sale->delivered,
					  sale->delivered_at, &verdict->window_ends_at);

	if (!sale->delivered)
		refuse_undelivered(sale, verdict);
	else if (policy == NULL)
		refuse_without_policy(sale, reason, verdict);
	else if (!policy->returnable)
		refuse_not_returnable(sale, reason, verdict);
	else if (resolution != RESOLUTION_ANY && !policy_offers(policy, resolution))
		refuse_resolution(sale, resolution, verdict);
	else if (now >= verdict->window_ends_at)
		refuse_late(sale, now, verdict);
	else if (units > verdict->units_left)
		refuse_units(sale, units, verdict);
}
