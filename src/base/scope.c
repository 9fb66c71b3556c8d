/*-------------------------------------------------------------------------
 *
 * scope.c
 *		State of a backend that follows its transaction and subtransactions.
 *
 * src/base/scope.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/scope.h"

#define SCOPE_MAX_USERS 16

static const ScopeUser *users[SCOPE_MAX_USERS];
static int	nusers = 0;

static void
call_before_commit(void)
{
	for (int i = 0; i < nusers; i++)
		if (users[i]->before_commit != NULL)
			users[i]->before_commit();
}

static void
call_end(bool committed)
{
	for (int i = 0; i < nusers; i++)
		if (users[i]->end != NULL)
			users[i]->end(committed);
}

static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			call_before_commit();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
			call_end(true);
			break;
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
			call_end(false);
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			break;
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent,
				 void *arg)
{
	int			nest_level = GetCurrentTransactionNestLevel();

	for (int i = 0; i < nusers; i++)
	{
		if (event == SUBXACT_EVENT_ABORT_SUB && users[i]->undo != NULL)
			users[i]->undo(nest_level);
		if (event == SUBXACT_EVENT_COMMIT_SUB && users[i]->keep != NULL)
			users[i]->keep(nest_level);
	}
}

void
scope_register(const ScopeUser *user)
{
	for (int i = 0; i < nusers; i++)
		if (users[i] == user)
			return;
	if (nusers == 0)
	{
		RegisterXactCallback(xact_callback, NULL);
		RegisterSubXactCallback(subxact_callback, NULL);
	}
	if (nusers >= SCOPE_MAX_USERS)
		elog(ERROR, "too many users of scope_register()");
	users[nusers++] = user;
}
