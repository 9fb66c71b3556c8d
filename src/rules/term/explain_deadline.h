/*-------------------------------------------------------------------------
 *
 * explain_deadline.h
 *		A term in words: every step of the arithmetic, in local dates.
 *
 * src/rules/term/explain_deadline.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_EXPLAIN_DEADLINE_H
#define RETURNS_EXPLAIN_DEADLINE_H

#include "datatype/timestamp.h"
#include "rules/rules.h"

/* How deadline_in_market() computes its result; raises the same errors. */
extern char *deadline_explain(TimestampTz start, int term, TermUnit unit,
							  const Market *market, bool roll);

#endif							/* RETURNS_EXPLAIN_DEADLINE_H */
