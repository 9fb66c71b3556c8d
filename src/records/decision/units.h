/*-------------------------------------------------------------------------
 *
 * units.h
 *		Units of the sale lines that a return holds, takes back or lets go.
 *
 * src/records/decision/units.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_UNITS_H
#define RETURNS_UNITS_H

#include "records/row.h"

/*
 * Lock the sale lines of the return in key order.  Everything that counts
 * units or money of a line does so under this lock.  Returns their number.
 */
extern uint64 units_lock(ReturnBook *book);

/* The return ends without goods taken back: let go what it held. */
extern void units_release(ReturnBook *book);

/* It goes on after all: RT005 where others hold or have returned its units. */
extern void units_hold_again(ReturnBook *book);

/*
 * It is decided what is taken back: accepted is filled in where nobody did,
 * and the units that were not accepted are let go.
 */
extern void units_decide(ReturnBook *book);

/* The decided units pass from reserved to returned, or back again. */
extern void units_take_back(ReturnBook *book);
extern void units_give_back(ReturnBook *book);

#endif							/* RETURNS_UNITS_H */
