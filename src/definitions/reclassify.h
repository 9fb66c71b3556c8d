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

#include "rules/codes.h"
#include "utils/rel.h"

/*
 * Check a row of category or reason (the table rel) that an UPDATE has moved.
 * All rows of the statement must be in place.  To be called between
 * as_owner_begin() and as_owner_end().  RT009 if the policy of an existing
 * sale could change, or if a policy would give less than the law.
 */
extern void reclassify_category(Relation rel, const char *code);
extern void reclassify_reason(Relation rel, const char *code, Fault fault);

#endif							/* RETURNS_RECLASSIFY_H */
