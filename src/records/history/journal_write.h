/*-------------------------------------------------------------------------
 *
 * journal_write.h
 *		How events get into returns.return_event.
 *
 * src/records/history/journal_write.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_JOURNAL_WRITE_H
#define RETURNS_JOURNAL_WRITE_H

#include "records/history/event.h"

extern void journal_write(const Event *events, int nevents);

#endif							/* RETURNS_JOURNAL_WRITE_H */
