/*-------------------------------------------------------------------------
 *
 * units.h
 *		Units of the sale lines that a return holds, takes back or frees.
 *
 * src/records/decision/units.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_UNITS_H
#define RETURNS_UNITS_H

#include "records/row.h"

/*
 * Lock the sale lines of the return in key order; returns their number.  Every
 * change to the units or the money of a sale line is made under this lock.  Call
 * this in a section of as_owner_begin().
 */
extern uint64 units_lock(ReturnRow *row);

/* The return ends and the goods are not taken back: free the units that it held. */
extern void units_release(ReturnRow *row);

/*
 * The return is reopened: hold its units again.  RT005 when other returns hold
 * or have returned them.
 */
extern void units_hold_again(ReturnRow *row);

/*
 * The return is decided: set accepted where it is null, to the units received
 * or, if that is null too, to the quantity.  Free the units that were not
 * accepted.
 */
extern void units_decide(ReturnRow *row);

/* Move the decided units from reserved to returned, or back again. */
extern void units_take_back(ReturnRow *row);
extern void units_give_back(ReturnRow *row);

#endif							/* RETURNS_UNITS_H */
