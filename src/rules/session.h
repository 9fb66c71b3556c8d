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

extern char *setting_language;	/* returns.language: en, ru, kk */
/* the background worker's */
extern char *setting_database;	/* returns.database: comma-separated list */
extern int	setting_naptime;	/* returns.naptime, seconds */
extern int	setting_batch;		/* returns.batch, rows */

extern void settings_define(void);

/* The instant every rule counts with: the transaction's, or returns.clock. */
extern TimestampTz clock_now(void);

#endif							/* RETURNS_SESSION_H */
