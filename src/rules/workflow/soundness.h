/*-------------------------------------------------------------------------
 *
 * soundness.h
 *		Is the workflow sound?
 *
 * src/rules/workflow/soundness.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SOUNDNESS_H
#define RETURNS_SOUNDNESS_H

#include "nodes/pg_list.h"

/*
 * The defects of all machines, a list of Defect in no order; NIL when they are
 * sound.  Transitions and timers that name unknown states are not in the cache,
 * so they are not judged.
 */
extern List *workflow_defects(void);

#endif							/* RETURNS_SOUNDNESS_H */
