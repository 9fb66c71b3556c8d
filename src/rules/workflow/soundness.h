/*-------------------------------------------------------------------------
 *
 * soundness.h
 *		Can the workflow do what it should?
 *
 * src/rules/workflow/soundness.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SOUNDNESS_H
#define RETURNS_SOUNDNESS_H

#include "nodes/pg_list.h"

/*
 * The defects of both machines, in no order; NIL when they are sound.  Edges
 * and timers that name unknown states are not in the cache and not judged.
 */
extern List *workflow_defects(void);

#endif							/* RETURNS_SOUNDNESS_H */
