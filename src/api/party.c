/*-------------------------------------------------------------------------
 *
 * party.c
 *		is_party(): for the row-level security of refunds and postings.
 *
 * A policy of the table refund cannot read return_request itself: then every
 * reader of refunds, for example a payment provider, would need rights on
 * returns.  So this function reads the parties as the owner of the tables.
 *
 * src/api/party.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/statement.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "records/row.h"

/* Is the actor a party to the return? */
static bool
is_party_to_return(const Actor *actor, Datum order_ref, Datum return_id)
{
	static Statement read_parties = {
		"SELECT " RETURN_PARTIES " FROM returns.return_request"
		" WHERE order_ref" EQ "$1 AND id" EQ "$2",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2] = {order_ref, return_id};
	AsOwner		owner;
	ResultSet	found;
	Parties		parties = {0};

	as_owner_begin(&owner);
	found = statement_read(&read_parties, args, NULL);
	if (found.nrows > 0)
		parties = return_parties_read(found, 0);
	as_owner_end(&owner);
	return actor_is_party(actor, &parties);
}

PG_FUNCTION_INFO_V1(returns_is_party);

/* is_party(order_ref text, return_id bigint) → boolean */
Datum
returns_is_party(PG_FUNCTION_ARGS)
{
	const Actor *actor = actor_if_any();

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || !actor_may(actor, MAY_SEE_REFUNDS))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(is_party_to_return(actor, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}
