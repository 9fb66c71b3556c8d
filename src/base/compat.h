/*-------------------------------------------------------------------------
 *
 * compat.h
 *		Differences between PostgreSQL 15 to 18: the newest signatures for all.
 *
 * src/base/compat.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_COMPAT_H
#define RETURNS_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "returns needs PostgreSQL 15 or later"
#endif

/* 16 moved the varlena macros out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 writes the attribute before the declaration */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* 18 adds PG_MODULE_MAGIC_EXT, with name and version */
#if PG_VERSION_NUM < 180000
#define PG_MODULE_MAGIC_EXT(...) PG_MODULE_MAGIC
#endif

/* 16 adds a flag for summarizing indexes */
#if PG_VERSION_NUM >= 160000
#define ExecInsertIndexTuplesCompat(target, slot, estate) \
	ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL, false)
#else
#define ExecInsertIndexTuplesCompat(target, slot, estate) \
	ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL)
#endif

/* 18 adds an argument for the counters of EXPLAIN */
#if PG_VERSION_NUM >= 180000
#define index_beginscan_compat(rel, index, snapshot, nkeys, norderbys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, norderbys)
#else
#define index_beginscan_compat(rel, index, snapshot, nkeys, norderbys) \
	index_beginscan(rel, index, snapshot, nkeys, norderbys)
#endif

/* 17 gives names to the wait events of extensions */
#if PG_VERSION_NUM >= 170000
#define WaitEventExtensionNewCompat(name) WaitEventExtensionNew(name)
#else
#define WaitEventExtensionNewCompat(name) PG_WAIT_EXTENSION
#endif

#endif							/* RETURNS_COMPAT_H */
