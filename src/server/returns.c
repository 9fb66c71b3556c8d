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
#include "records/request.h"
#include "rules/actor.h"
#include "server/cache.h"
#include "server/compat.h"
#include "server/settings.h"
#include "server/sweep.h"
#include "server/worker.h"

PG_MODULE_MAGIC_EXT(.name = "returns", .version = RETURNS_VERSION);

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	settings_define();
	cache_init();
	actor_init();
	journal_init();
	request_init();
	sweep_init();
	if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade)
		worker_init();
}
