/*-------------------------------------------------------------------------
 *
 * relation_watch.h
 *		Tell the caches of the library that a relation has changed.
 *
 * PostgreSQL has room for ten relcache callbacks of all libraries together; this
 * one registers a single one, which calls all watchers.
 *
 * src/base/relation_watch.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RELATION_WATCH_H
#define RETURNS_RELATION_WATCH_H

/*
 * A relation, its columns, indexes, triggers, or (CacheInvalidateRelcache) its
 * contents have changed; InvalidOid: perhaps every relation.  It is called at
 * any moment, so it only marks what is stale: it must not read a catalog,
 * allocate memory or raise an error.
 */
typedef void (*RelationWatcher) (Oid relid);

/*
 * From now on call the watcher, until the backend exits; a second call with the
 * same one does nothing.
 */
extern void relation_watch(RelationWatcher watcher);

#endif							/* RETURNS_RELATION_WATCH_H */
