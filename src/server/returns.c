/*-------------------------------------------------------------------------
 *
 * returns.c
 *		Load: what the library registers with the server.
 *
 * src/server/returns.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "records/journal.h"
#include "records/update_with.h"
#include "server/cache.h"
#include "server/compat.h"
#include "server/plan.h"
#include "server/settings.h"
#include "server/worker.h"

PG_MODULE_MAGIC_EXT(.name = "returns", .version = RETURNS_VERSION);

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	actor_init();
	settings_define();
	plan_init();
	cache_init();
	journal_init();
	return_touch_init();
	sweep_init();
	if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade)
		worker_init();
}
