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
extern uint64 units_lock(ReturnRow *row);

/* The return ends without goods taken back: let go what it held. */
extern void units_release(ReturnRow *row);

/* It goes on after all: RT005 where others hold or have returned its units. */
extern void units_hold_again(ReturnRow *row);

/*
 * It is decided what is taken back: accepted is filled in where nobody did,
 * and the units that were not accepted are let go.
 */
extern void units_decide(ReturnRow *row);

/* The decided units pass from reserved to returned, or back again. */
extern void units_take_back(ReturnRow *row);
extern void units_give_back(ReturnRow *row);

#endif							/* RETURNS_UNITS_H */
