/*-------------------------------------------------------------------------
 *
 * stage_rule.c
 *		How long may a return stay in a state?
 *
 * The rows of returns.stage_deadline give states a term.  A row may be for one
 * market, one category with those below it, one resolution, or for all of them;
 * the most specific row applies.
 *
 * src/rules/workflow/stage_rule.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "rules/cache/cache.h"
#include "rules/term/calendar_load.h"
#include "rules/term/deadline.h"
#include "rules/workflow/stage_rule.h"

/*
 * The weights of the keys that a rule names.  Any rule that names the market
 * outranks all that do not, and so on down to the resolution; a nearer
 * category outranks a farther one.
 */
#define RANK_MARKET			(1 << 20)
#define RANK_CATEGORY		(1 << 19)
#define RANK_PER_STEP		2	/* up the tree of categories */
#define RANK_RESOLUTION		1
#define MAX_RANKED_STEPS	(1 << 17)

StaticAssertDecl(RANK_MARKET > RANK_CATEGORY + RANK_RESOLUTION &&
				 RANK_CATEGORY - RANK_PER_STEP * MAX_RANKED_STEPS > RANK_RESOLUTION &&
				 RANK_PER_STEP > RANK_RESOLUTION,
				 "a weight is not greater than those below it");

/* How specific a rule is for one category; -1: it does not apply. */
static int
rule_rank(const StageRule *rule, const Market *market, Resolution resolution,
		  const Category *category)
{
	int			rank = 0;
	int			distance;

	if (rule->market != NULL)
	{
		if (market == NULL || strcmp(rule->market, market->code) != 0)
			return -1;
		rank += RANK_MARKET;
	}
	if (rule->category != NULL)
	{
		distance = category == NULL ? -1 : category_distance(rule->category, category);
		if (distance < 0)
			return -1;
		rank += RANK_CATEGORY - RANK_PER_STEP * Min(distance, MAX_RANKED_STEPS);
	}
	if (rule->resolution != RESOLUTION_ANY)
	{
		if (rule->resolution != resolution)
			return -1;
		rank += RANK_RESOLUTION;
	}
	return rank;
}

StageRule *
stage_rule_of_category(const State *state, const Market *market, Resolution resolution,
					   const Category *category)
{
	StageRule  *best = NULL;
	int			best_rank = -1;

	for (int i = 0; i < state->nrules; i++)
	{
		int			rank = rule_rank(&state->rules[i], market, resolution, category);

		if (rank > best_rank)
		{
			best = &state->rules[i];
			best_rank = rank;
		}
	}
	return best;
}

char *
stage_rule_scope(const StageRule *rule)
{
	const char *const keys[][2] = {
		{"market", rule->market},
		{"category", rule->category},
		{"resolution", rule->resolution == RESOLUTION_ANY ? NULL :
		resolution_name(rule->resolution)},
	};
	StringInfoData scope;

	initStringInfo(&scope);
	for (int i = 0; i < lengthof(keys); i++)
		if (keys[i][1] != NULL)
			appendStringInfo(&scope, "%s%s %s", scope.len > 0 ? ", " : "", keys[i][0], keys[i][1]);
	return scope.data;
}

/*
 * Set when the term of the rule ends, counted from start.  A bulk move asks for
 * the same start again and again, so the last answer is kept.
 */
static void
compute_end(StageRule *rule, const Market *market, TimestampTz start)
{
	const Calendar *calendar;

	Assert(market != NULL);
	if (rule->memo_market == market && rule->memo_start == start)
		return;
	calendar = rule->unit == UNIT_HOUR ? NULL : market_calendar(market);
	rule->memo_market = NULL;	/* the computation may raise an error */
	rule->memo_due = deadline_compute(start, rule->term, rule->unit, market->zone, calendar, true);
	/* without the CHECK of its table a rule may have a reminder out of its term */
	rule->memo_remind = rule->remind <= 0 || rule->remind >= rule->term ? 0 :
		reminder_compute(start, rule->term, rule->unit, rule->memo_due, rule->remind,
						 market->zone, calendar);
	rule->memo_start = start;
	rule->memo_market = market;
}

const StageRule *
stage_rule_find(const State *state, const Market *market, Resolution resolution,
				const Category *const *categories, int ncategories, TimestampTz start,
				TimestampTz *due_at, TimestampTz *remind_at)
{
	StageRule  *first = NULL;

	if (state->nrules == 0 || market == NULL)
		return NULL;
	for (int i = 0; i < Max(ncategories, 1); i++)
	{
		StageRule  *rule = stage_rule_of_category(state, market, resolution,
												  ncategories > 0 ? categories[i] : NULL);

		if (rule == NULL)
			continue;
		compute_end(rule, market, start);
		if (first == NULL || rule->memo_due < first->memo_due)
			first = rule;
	}
	if (first != NULL)
	{
		*due_at = first->memo_due;
		*remind_at = first->memo_remind;
	}
	return first;
}

TimestampTz
timeout_term_start(const State *to, TimestampTz due_at, TimestampTz now)
{
	for (int i = 0; i < to->ntransitions; i++)
		if (to->transitions[i].actors & ~ACTORS_OF_PLATFORM)
			return now;
	return due_at;
}
