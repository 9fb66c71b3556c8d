/*-------------------------------------------------------------------------
 *
 * scope.h
 *		State of a backend that follows its transaction and subtransactions.
 *
 * Static variables that describe the work of the transaction must be reset
 * when a subtransaction is rolled back, and when the transaction ends.  A
 * function cannot do this itself, because an error leaves it before its last
 * line.  So the file registers a ScopeUser, and stores the nest level
 * (GetCurrentTransactionNestLevel()) with each thing that it remembers.  The
 * library has one pair of transaction callbacks, which call all users.
 *
 * src/base/scope.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SCOPE_H
#define RETURNS_SCOPE_H

/* A callback that a user does not need is NULL.  Only before_commit may raise errors. */
typedef struct ScopeUser
{
	/* Forget everything that has this nest level or a higher one. */
	void		(*undo) (int nest_level);

	/*
	 * A subtransaction of this nest level was committed: what has this level
	 * has nest_level - 1 now.  Needed for things that outlive a statement.
	 */
	void		(*keep) (int nest_level);

	/* The transaction is about to commit or to be prepared. */
	void		(*before_commit) (void);

	/*
	 * The transaction ends: forget everything.  committed is false when it
	 * was rolled back, and when it was prepared and may still be rolled back.
	 */
	void		(*end) (bool committed);
} ScopeUser;

/*
 * Call this user from now on, until the backend exits.  A second registration
 * does nothing.  The struct must be static.
 */
extern void scope_register(const ScopeUser *user);

#endif							/* RETURNS_SCOPE_H */
