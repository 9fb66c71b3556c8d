/*-------------------------------------------------------------------------
 *
 * party.c
 *		is_party(): for the row-level security of what follows from a return.
 *
 * A policy that looked into return_request itself would ask every reader of a
 * refund, a payment provider for one, for rights on returns.
 *
 * src/api/party.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "rules/actor/permission.h"
#include "utils/builtins.h"

static KeptPlan of_buyer = {
	"SELECT FROM returns.return_request WHERE order_ref OPERATOR(pg_catalog.=) $1"
	" AND id OPERATOR(pg_catalog.=) $2 AND buyer_ref OPERATOR(pg_catalog.=) $3",
	3, {TEXTOID, INT8OID, TEXTOID}
};

static KeptPlan of_seller = {
	"SELECT FROM returns.return_request WHERE order_ref OPERATOR(pg_catalog.=) $1"
	" AND id OPERATOR(pg_catalog.=) $2 AND seller_ref OPERATOR(pg_catalog.=) $3",
	3, {TEXTOID, INT8OID, TEXTOID}
};

PG_FUNCTION_INFO_V1(returns_is_party);

/* is_party(order_ref text, return_id bigint) → boolean */
Datum
returns_is_party(PG_FUNCTION_ARGS)
{
	const Actor *actor = actor_if_any();
	Datum		args[3];
	OwnState	own;
	bool		found;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || !actor_may(actor, MAY_SEE_REFUNDS))
		PG_RETURN_BOOL(false);
	args[0] = PG_GETARG_DATUM(0);
	args[1] = PG_GETARG_DATUM(1);
	args[2] = PointerGetDatum(actor->ref_text);
	own_begin(&own);
	found = plan_read(actor->kind == ACTOR_BUYER ? &of_buyer : &of_seller, args, NULL) > 0;
	own_end(&own);
	PG_RETURN_BOOL(found);
}
