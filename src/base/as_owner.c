/*-------------------------------------------------------------------------
 *
 * as_owner.c
 *		Work as the owner of the tables, whatever rights the caller has.
 *
 * src/base/as_owner.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/as_owner.h"
#include "base/errors.h"
#include "base/scope.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define MAX_SECTIONS 64
#define NO_TRIGGER_DEPTH (-2)	/* no trigger is one deeper than this */

/* An open section. */
typedef struct Section
{
	int			nest_level;		/* of transactions */
	int			trigger_depth;
	Oid			caller;
} Section;

static Section sections[MAX_SECTIONS];
static int	nsections = 0;

static void
sections_undo(int nest_level)
{
	while (nsections > 0 && sections[nsections - 1].nest_level >= nest_level)
		nsections--;
}

static void
sections_end(bool committed)
{
	nsections = 0;
}

static const ScopeUser scope_user = {.undo = sections_undo,.end = sections_end};

static int
trigger_depth(void)
{
	LOCAL_FCINFO(fcinfo, 0);

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	return DatumGetInt32(pg_trigger_depth(fcinfo));
}

Oid
table_oid(const char *name)
{
	Oid			schema = get_namespace_oid("returns", true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

Oid
tables_owner(void)
{
	Oid			relid = table_oid("return_request");
	HeapTuple	tuple;
	Oid			owner;

	tuple = OidIsValid(relid) ?
		SearchSysCache1(RELOID, ObjectIdGetDatum(relid)) : NULL;
	if (!HeapTupleIsValid(tuple))
		error_not_set_up("The table returns.return_request does not exist.");
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* writes: may statements of the section write protected tables? */
static void
section_begin(AsOwner *state, bool writes)
{
	Section    *section;
	MemoryContext caller_context = CurrentMemoryContext;

	if (nsections >= MAX_SECTIONS)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("statements of the extension \"returns\" are nested too deeply"),
				 errdetail("%d of them are open, each started by a trigger of another.",
						   MAX_SECTIONS),
				 errhint("Look for a trigger on a table of the schema returns that writes to these tables again.")));

	scope_register(&scope_user);
	GetUserIdAndSecContext(&state->saved_user, &state->saved_context);
	section = &sections[nsections];
	section->nest_level = GetCurrentTransactionNestLevel();
	section->trigger_depth = writes ? trigger_depth() : NO_TRIGGER_DEPTH;
	section->caller = caller_role();
	SPI_connect();
	MemoryContextSwitchTo(caller_context);
	SetUserIdAndSecContext(tables_owner(),
						   state->saved_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	nsections++;
}

void
as_owner_begin(AsOwner *state)
{
	section_begin(state, true);
}

void
as_owner_begin_foreign(AsOwner *state)
{
	section_begin(state, false);
}

void
as_owner_end(AsOwner *state)
{
	Assert(nsections > 0);
	Assert(sections[nsections - 1].nest_level == GetCurrentTransactionNestLevel());
	nsections--;
	SetUserIdAndSecContext(state->saved_user, state->saved_context);
	SPI_finish();
}

bool
as_owner_is_open(void)
{
	return nsections > 0;
}

bool
writing_as_owner(void)
{
	return nsections > 0 &&
		sections[nsections - 1].trigger_depth + 1 == trigger_depth();
}

Oid
caller_role(void)
{
	return nsections > 0 ? sections[nsections - 1].caller : GetUserId();
}
