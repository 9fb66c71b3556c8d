/*-------------------------------------------------------------------------
 *
 * column_checks.h
 *		Checks of a return that is begun, edited or requested.
 *
 * src/records/return/column_checks.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_COLUMN_CHECKS_H
#define RETURNS_COLUMN_CHECKS_H

#include "records/row.h"

/* Is details->'evidence' a non-empty array? */
extern bool row_has_evidence(const ReturnRow *row);

/* 23502 unless the column has a value.  of names the row: "a return". */
extern void check_not_null(const TriggerRow *row, int col, const char *of);

/* RT010 unless the resolution is a known one; it is not null. */
extern void check_resolution(const ReturnRow *row);

/* RT010 unless the reason is known; it is not null. */
extern void check_reason(const ReturnRow *row);

/* 22023 unless the details are a JSON object, or null. */
extern void check_details(const ReturnRow *row);

#endif							/* RETURNS_COLUMN_CHECKS_H */
