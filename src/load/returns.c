/*-------------------------------------------------------------------------
 *
 * returns.c
 *		Load the library: register settings, caches, callbacks and the worker.
 *
 * src/load/returns.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "records/history/journal.h"
#include "records/update_with.h"
#include "rules/cache/cache.h"
#include "rules/session.h"
#include "time/worker.h"

PG_MODULE_MAGIC_EXT(.name = "returns", .version = RETURNS_VERSION);

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	actor_init();
	settings_define();
	cache_init();
	journal_init();
	update_with_init();
	sweep_init();
	if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade)
		worker_init();
}
