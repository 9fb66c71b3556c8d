/*-------------------------------------------------------------------------
 *
 * session.h
 *		The settings (GUCs) of the extension and the clock of its rules.
 *
 * src/rules/session.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_SESSION_H
#define RETURNS_SESSION_H

#include "datatype/timestamp.h"


/* of the background worker */
extern char *setting_database;	/* returns.database: comma-separated list */
extern int	setting_naptime;	/* returns.naptime, seconds */
extern int	setting_batch;		/* returns.batch, rows */

extern void settings_define(void);

/* The current time of every rule: returns.clock or, if unset, the start of the transaction. */
extern TimestampTz clock_now(void);

#endif							/* RETURNS_SESSION_H */
