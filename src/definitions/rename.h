/*-------------------------------------------------------------------------
 *
 * rename.h
 *		Which codes this transaction has given another name.
 *
 * src/definitions/rename.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RENAME_H
#define RETURNS_RENAME_H

#include "definitions/rule_change.h"

/*
 * For every row of market, category and reason that is written, before the
 * foreign keys carry its new code on.
 */
extern void rename_note(const RuleChange *change);

/* Was the code a row of that table had given another name, and is it gone? */
extern bool rename_is_noted(const char *table, const char *old, const char *new);

#endif							/* RETURNS_RENAME_H */
