/*-------------------------------------------------------------------------
 *
 * outcome.c
 *		The outcome of each resolution: how a return is decided and ends.
 *
 * src/rules/workflow/outcome.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rules/workflow/outcome.h"

static const Outcome outcomes[] = {
	[RESOLUTION_REFUND] = {
		.due = ROLE_REFUND_DUE,.done = ROLE_REFUNDED,.pays = true,.takes_goods = true
	},
	[RESOLUTION_EXCHANGE] = {
		.due = ROLE_EXCHANGE_DUE,.done = ROLE_EXCHANGED,.pays = false,.takes_goods = true
	},
};

StaticAssertDecl(lengthof(outcomes) == RESOLUTION_COUNT, "a resolution has no outcome");

const Outcome *
outcome_of(Resolution resolution)
{
	Assert(resolution >= FIRST_RESOLUTION && resolution < RESOLUTION_COUNT);
	Assert(outcomes[resolution].due != ROLE_NONE && outcomes[resolution].done != ROLE_NONE);
	return &outcomes[resolution];
}

const Outcome *
outcome_due_in(StateRole role)
{
	for (Resolution r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
		if (outcomes[r].due == role)
			return &outcomes[r];
	return NULL;
}

bool
outcome_takes_goods(StateRole role)
{
	for (Resolution r = FIRST_RESOLUTION; r < RESOLUTION_COUNT; r++)
		if (outcomes[r].done == role)
			return outcomes[r].takes_goods;
	return false;
}

bool
outcome_awaits_refunds(StateRole role)
{
	const Outcome *outcome = outcome_due_in(role);

	return outcome != NULL && outcome->pays;
}
