/*-------------------------------------------------------------------------
 *
 * scope.h
 *		What a backend remembers for a transaction, and forgets with it.
 *
 * Variables of a file that describe what a transaction does must follow it: a
 * rolled-back subtransaction did not do it, and an error leaves a function
 * without running its last lines.  Such a file registers a ScopeUser and stamps
 * what it remembers with GetCurrentTransactionNestLevel().  The library has one
 * pair of transaction callbacks, which calls all users.
 *
 * src/base/scope.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SCOPE_H
#define RETURNS_SCOPE_H

/* NULL for what a user does not need.  Only before_commit may raise errors. */
typedef struct ScopeUser
{
	/* Forget everything with this nest level or a higher one. */
	void		(*undo) (int nest_level);

	/*
	 * A subtransaction of this nest level was committed: what it did belongs to
	 * nest_level - 1 now.  Needed for what outlives a statement.
	 */
	void		(*keep) (int nest_level);

	/* The transaction is about to commit or to be prepared. */
	void		(*before_commit) (void);

	/*
	 * The transaction ends: forget everything.  committed is false when it is
	 * rolled back, and when it is prepared and may still be.
	 */
	void		(*end) (bool committed);
} ScopeUser;

/*
 * From now on call this user, until the backend exits; a second registration
 * does nothing.  The struct must be static.
 */
extern void scope_register(const ScopeUser *user);

#endif							/* RETURNS_SCOPE_H */
