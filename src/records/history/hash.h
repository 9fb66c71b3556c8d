/*-------------------------------------------------------------------------
 *
 * hash.h
 *		The hash that chains the events of a return, and the hash of a transfer.
 *
 * src/records/history/hash.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RETURNS_HASH_H
#define RETURNS_HASH_H

#include "datatype/timestamp.h"
#include "records/history/event.h"

/* sha256 over the previous head (NULL at the start) and all that the event says. */
extern void event_hash(const Event *event, const uint8 *previous, int previous_length,
					   uint8 *hash);

/* A transfer as it is hashed; texts as values of their type. */
typedef struct TransferContent
{
	const text *order_ref;
	int64		return_id;
	int			transfer_no;
	int64		refund_id;		/* 0: none */
	const text *kind;
	TimestampTz at;
	int			reverses;		/* 0: none */
	const text *currency;
	int			nentries;
	const Datum *accounts;
	const Datum *parties;
	const bool *no_party;
	const Datum *amounts;		/* numeric */
} TransferContent;

/* sha256 over all that a transfer says. */
extern void transfer_hash(const TransferContent *transfer, uint8 *hash);

#endif							/* RETURNS_HASH_H */
