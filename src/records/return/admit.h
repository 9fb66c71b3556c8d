/*-------------------------------------------------------------------------
 *
 * admit.h
 *		Request a return: judge its lines and reserve their units.
 *
 * src/records/return/admit.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_ADMIT_H
#define RETURNS_ADMIT_H

#include "records/row.h"

/*
 * The return leaves the draft: check its lines, reserve their units, fill in the
 * columns that follow from them.  Locks the lines and their sale lines in key
 * order.  RT003, RT004, RT005 by the policy of a line, RT004 when lines differ in
 * buyer, seller, market or currency, RT008 without lines or without evidence.
 */
extern void request_admit(ReturnRow *row);

/*
 * The return has been requested: move it on as the system when the amount is
 * below a limit of its policies.
 */
extern void request_decide(ReturnRow *row);

#endif							/* RETURNS_ADMIT_H */
