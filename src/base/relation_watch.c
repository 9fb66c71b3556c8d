/*-------------------------------------------------------------------------
 *
 * relation_watch.c
 *		Notify the caches of the library when a relation changes.
 *
 * src/base/relation_watch.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/relation_watch.h"
#include "utils/inval.h"

#define MAX_WATCHERS 8

static RelationWatcher watchers[MAX_WATCHERS];
static int	nwatchers = 0;

static void
relcache_callback(Datum arg, Oid relid)
{
	for (int i = 0; i < nwatchers; i++)
		watchers[i] (relid);
}

void
relation_watch(RelationWatcher watcher)
{
	for (int i = 0; i < nwatchers; i++)
		if (watchers[i] == watcher)
			return;
	if (nwatchers == 0)
		CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	if (nwatchers >= MAX_WATCHERS)
		elog(ERROR, "too many users of relation_watch()");
	watchers[nwatchers++] = watcher;
}
