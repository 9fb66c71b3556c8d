/*-------------------------------------------------------------------------
 *
 * as_owner.h
 *		Work as the owner of the tables, whatever rights the caller has.
 *
 * Between as_owner_begin() and as_owner_end() the backend is connected to SPI
 * and works with the rights of the owner of the tables, as PostgreSQL does to
 * check a foreign key.  Neither missing privileges nor row-level security of
 * the caller hide a row.
 *
 * src/base/as_owner.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_AS_OWNER_H
#define RETURNS_AS_OWNER_H

typedef struct AsOwner
{
	Oid			saved_user;
	int			saved_context;
} AsOwner;

/*
 * Begin and end such a section.  Sections nest.  The current memory context
 * stays the caller's.  An error ends a section too.  Raises RT012 when the
 * tables do not exist, 54001 when too many sections are open.
 */
extern void as_owner_begin(AsOwner *state);
extern void as_owner_end(AsOwner *state);

/*
 * The same around code of the user, for example the guard of a transition.  The
 * code reads as the owner, but protected tables stay protected from it, because
 * writing_as_owner() is false in the triggers that it fires.
 */
extern void as_owner_begin_foreign(AsOwner *state);

/* Is a section open?  For assertions. */
extern bool as_owner_is_open(void);

/*
 * In a trigger: was it fired by a statement that the extension itself ran?
 *
 * The extension writes its protected tables by statements in such a section,
 * and a trigger on a protected table accepts no others.  An open section alone
 * proves nothing: a statement of the extension also fires triggers of the user,
 * and their statements are not the extension's.  The depth of triggers
 * distinguishes the two.  A section records the depth at which it begins; a
 * trigger that it fires is exactly one deeper:
 *
 *		depth 0		client:     UPDATE return_request
 *		depth 1		  ours:       trigger, as_owner_begin() notes depth 1,
 *									UPDATE sale_line
 *		depth 2		    ours:       trigger of sale_line: 1 + 1 = 2, true
 *
 *		depth 0		client:     UPDATE return_request
 *		depth 1		  ours:       trigger, as_owner_begin() notes depth 1,
 *									UPDATE sale_line
 *		depth 2		    user's:     trigger of sale_line, UPDATE payment
 *		depth 3		      ours:       trigger of payment: 1 + 1 < 3, false
 */
extern bool writing_as_owner(void);

/* The role that runs the client's statement, also inside a section. */
extern Oid	caller_role(void);

/* A table of the schema returns by name; InvalidOid when it does not exist. */
extern Oid	table_oid(const char *name);

/* Owner of returns.return_request.  RT012 when the table does not exist. */
extern Oid	tables_owner(void);

#endif							/* RETURNS_AS_OWNER_H */
