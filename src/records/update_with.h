/*-------------------------------------------------------------------------
 *
 * update_with.h
 *		Write to a return that no statement of the client updates.
 *
 * The row of a return is written only by the trigger of return_request.  Code
 * that has something to write although the client updates another table (a
 * refund was settled, goods were received) calls return_update_with(): it
 * updates the row, and the trigger then calls the given work with it.
 *
 * src/records/update_with.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_UPDATE_WITH_H
#define RETURNS_UPDATE_WITH_H

#include "records/row.h"

/* A function that the trigger calls; it may change the row and move the return. */
typedef void (*RowWork) (ReturnRow *row, void *arg);

/*
 * Update the row of a return, which locks it, and call work in its trigger.
 * False when there is no such return.  RT007 when the trigger did not fire.
 */
extern bool return_update_with(Datum order_ref, int64 return_id, RowWork work, void *arg);

/* The same for every row that a tid[] names; returns the number of rows found. */
extern uint64 return_update_all_with(Datum tids, RowWork work, void *arg);

/*
 * For the trigger: the work of return_update_with() on the row being updated.
 * False when there is none: the statement is one of the client.
 */
extern bool update_with_take(int64 return_id, RowWork *work, void **arg);

extern void update_with_init(void);

#endif							/* RETURNS_UPDATE_WITH_H */
