/*-------------------------------------------------------------------------
 *
 * update_with.h
 *		Work on a return that no statement of the client updates.
 *
 * Whoever needs to write to a return that is not being updated (a refund was
 * settled, goods were received) asks for it with return_update_with(), which
 * updates the row and lets its own work be called from inside the trigger of
 * return_request.
 *
 * src/records/update_with.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_UPDATE_WITH_H
#define RETURNS_UPDATE_WITH_H

#include "records/row.h"

/*
 * Update the return's row (locking it) and call work from inside its trigger.
 * False when there is no such return.
 */
typedef void (*RowWork) (ReturnRow *row, void *arg);
extern bool return_update_with(Datum order_ref, int64 return_id, RowWork work, void *arg);

/* The same for every row that a tid[] names; returns how many there were. */
extern uint64 return_update_all_with(Datum tids, RowWork work, void *arg);

/* Work that return_update_with() wants done on the row now being updated, if any. */
extern bool update_with_take(int64 return_id, RowWork *work, void **arg);

extern void update_with_init(void);

#endif							/* RETURNS_UPDATE_WITH_H */
