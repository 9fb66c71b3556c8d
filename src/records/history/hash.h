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

/*
 * The sha256 of an event: over the hash of the previous event (NULL: it is the
 * first one) and every field of the event, except hash and nest_level.  Writes
 * PG_SHA256_DIGEST_LENGTH bytes.
 */
extern void event_hash(const Event *event, const bytea *previous, uint8 *hash);

/* The content of a ledger transfer; texts as values of their type. */
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
	/* of the entries */
	const Datum *accounts;
	const Datum *parties;
	const bool *no_party;
	const Datum *amounts;		/* numeric */
} TransferContent;

/* The sha256 of a transfer and its entries, in the order of entry_no. */
extern void transfer_hash(const TransferContent *transfer, uint8 *hash);

/* A hash as a value of type bytea. */
extern bytea *hash_to_bytea(const uint8 *hash);

#endif							/* RETURNS_HASH_H */
