/*-------------------------------------------------------------------------
 *
 * relation_watch.h
 *		Notify the caches of the library when a relation changes.
 *
 * PostgreSQL has room for ten relcache callbacks, for all libraries together.
 * This library registers only one, which calls all watchers.
 *
 * src/base/relation_watch.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RELATION_WATCH_H
#define RETURNS_RELATION_WATCH_H

/*
 * Called when a relation, its columns, indexes or triggers have changed, and
 * after CacheInvalidateRelcache().  relid InvalidOid: any relation may have
 * changed.  The call may come at any moment, so the watcher only marks its
 * cache as stale.  It must not read catalogs, allocate memory or raise errors.
 */
typedef void (*RelationWatcher) (Oid relid);

/*
 * Call the watcher from now on, until the backend exits.  A second registration
 * does nothing.
 */
extern void relation_watch(RelationWatcher watcher);

#endif							/* RETURNS_RELATION_WATCH_H */
