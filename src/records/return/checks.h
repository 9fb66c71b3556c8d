/*-------------------------------------------------------------------------
 *
 * checks.h
 *		Checks of a return that is begun, edited or requested.
 *
 * src/records/return/checks.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_CHECKS_H
#define RETURNS_CHECKS_H

#include "records/row.h"

/* Is details->'evidence' a non-empty array? */
extern bool row_has_evidence(ReturnRow *row);

/* RT010 unless the resolution is refund or exchange. */
extern void check_resolution(ReturnRow *row);

/* RT010 unless the reason is known. */
extern void check_reason(ReturnRow *row);

/* 22023 unless the details are an object, or none. */
extern void check_details(ReturnRow *row);

#endif							/* RETURNS_CHECKS_H */
