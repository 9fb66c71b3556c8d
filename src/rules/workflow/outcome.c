/*-------------------------------------------------------------------------
 *
 * outcome.c
 *		What each resolution does when a return is decided and when it ends.
 *
 * src/rules/workflow/outcome.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rules/workflow/outcome.h"

static const Outcome outcomes[] = {
	{RESOLUTION_REFUND, ROLE_REFUND_DUE, ROLE_REFUNDED, .pays = true, .takes_goods = true},
	{RESOLUTION_EXCHANGE, ROLE_EXCHANGE_DUE, ROLE_EXCHANGED, .pays = false, .takes_goods = true},
};

StaticAssertDecl(lengthof(outcomes) == RESOLUTION_COUNT - FIRST_RESOLUTION,
				 "a resolution has no outcome");

const Outcome *
outcome_due_in(StateRole role)
{
	for (int i = 0; i < lengthof(outcomes); i++)
		if (outcomes[i].due == role)
			return &outcomes[i];
	return NULL;
}

bool
outcome_takes_goods(StateRole role)
{
	for (int i = 0; i < lengthof(outcomes); i++)
		if (outcomes[i].done == role)
			return outcomes[i].takes_goods;
	return false;
}

const Outcome *
outcome_of(Resolution resolution)
{
	const Outcome *outcome = &outcomes[resolution - FIRST_RESOLUTION];

	Assert(resolution >= FIRST_RESOLUTION && resolution < RESOLUTION_COUNT);
	Assert(outcome->resolution == resolution);
	return outcome;
}
