/*-------------------------------------------------------------------------
 *
 * reclassify.h
 *		A category that gets another parent, a reason that gets another fault.
 *
 * src/definitions/reclassify.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RECLASSIFY_H
#define RETURNS_RECLASSIFY_H

#include "definitions/rule_change.h"

/*
 * For a row of category or reason that was updated, with all rows of the
 * statement in place; between own_begin() and own_end().  RT009 where a sale
 * could change its rule by it, or a policy come to give less than the law.
 */
extern void reclassify_category(const RuleChange *change);
extern void reclassify_reason(const RuleChange *change);

#endif							/* RETURNS_RECLASSIFY_H */
