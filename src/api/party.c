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
#include "rules/actor/permission.h"

/* Is the actor the buyer or the seller of a return? */
static bool
is_party_to_return(const Actor *actor, Datum order_ref, Datum return_id)
{
	static Statement read_parties = {
		"SELECT buyer_ref, seller_ref FROM returns.return_request"
		" WHERE order_ref OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2] = {order_ref, return_id};
	AsOwner		owner;
	ResultSet	found;
	Parties		parties = {0};

	as_owner_begin(&owner);
	found = statement_read(&read_parties, args, NULL);
	if (found.nrows > 0)
	{
		parties.buyer_ref = result_text(found, 0, 1);
		parties.seller_ref = result_text(found, 0, 2);
	}
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
