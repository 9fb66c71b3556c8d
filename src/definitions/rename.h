/*-------------------------------------------------------------------------
 *
 * rename.h
 *		Which codes this transaction has renamed.
 *
 * src/definitions/rename.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_RENAME_H
#define RETURNS_RENAME_H

/*
 * A row of a table with codes was inserted (old NULL) or got another code.  To
 * be called before the foreign keys carry the new code on.  table: a constant.
 */
extern void rename_note(const char *table, const char *old, const char *new);

/* Was this code of the table renamed to the other one, and has no row the old one? */
extern bool rename_is_noted(const char *table, const char *old, const char *new);

#endif							/* RETURNS_RENAME_H */
