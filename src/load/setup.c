/*-------------------------------------------------------------------------
 *
 * setup.c
 *		CALL returns.setup(): lay out the tables and fill in the presets.
 *
 * What it makes belongs to the user, not to the extension: a dump carries it
 * as ordinary tables, and dropping the extension leaves every row.  All of it
 * can be run again: it adds what is missing and never undoes an edit.
 *
 * src/load/setup.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "load/setup_sql.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"

#define BASE_PRESET "base"		/* what every market shares */

static Oid
schema_owner(Oid schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", schema);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

static Oid
extension_owner(void)
{
	static KeptPlan read_owner = {
		"SELECT extowner FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'returns'",
		0
	};
	bool		isnull;

	return plan_run_as_caller(&read_owner, NULL, NULL) == 0 ? InvalidOid :
		DatumGetObjectId(plan_value(0, 1, &isnull));
}

/* A schema made beforehand by somebody else could hold anything. */
static void
check_schema(void)
{
	Oid			owner = schema_owner(get_namespace_oid("returns", false));

	if (owner != GetUserId() && owner != extension_owner())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("schema \"returns\" is owned by \"%s\"", GetUserNameFromId(owner, false)),
				 errdetail("It must be owned by the owner of the extension or by who calls setup()."),
				 errhint("Run ALTER SCHEMA returns OWNER TO a role you trust, after a look at what is in it.")));
}

/* The labels of states are in Russian and Kazakh. */
static void
check_encoding(void)
{
	int			encoding = GetDatabaseEncoding();

	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("returns cannot be set up in a database with encoding \"%s\"",
						GetDatabaseEncodingName()),
				 errdetail("The labels of its states have letters which that encoding lacks."),
				 errhint("Use a database that was created with ENCODING 'UTF8'.")));
}

static bool
is_preset(const SetupScript *script)
{
	return strcmp(script->folder, "presets") == 0 && strcmp(script->name, BASE_PRESET) != 0;
}

static const SetupScript *
preset_find(const char *name)
{
	StringInfoData known;

	initStringInfo(&known);
	for (const SetupScript *script = setup_scripts; script->folder != NULL; script++)
	{
		if (!is_preset(script))
			continue;
		if (strcmp(script->name, name) == 0)
			return script;
		appendStringInfo(&known, "%s%s", known.len > 0 ? ", " : "", script->name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_RT_UNKNOWN_CODE),
			 errmsg("unknown preset \"%s\"", name),
			 errdetail("The presets are: %s.", known.data),
			 errhint("A market of your own is made by rows in returns.market, calendar, policy and stage_deadline.")));
}

/* The texts are UTF-8, whatever the database is. */
static void
run_script(const SetupScript *script)
{
	char	   *text = pg_any_to_server(script->text, strlen(script->text), PG_UTF8);
	int			code = SPI_execute(text, false, 0);

	if (code < 0)
		elog(ERROR, "could not run %s/%s: %s", script->folder, script->name,
			 SPI_result_code_string(code));
}

static void
run_folder(const char *folder)
{
	for (const SetupScript *script = setup_scripts; script->folder != NULL; script++)
		if (strcmp(script->folder, folder) == 0)
			run_script(script);
}

/*
 * The views go when the extension goes, also those that would do without it:
 * what is left is the data.  Each is created by "CREATE OR REPLACE VIEW".
 */
static void
bind_views(const SetupScript *script)
{
	static const char *const create = "CREATE OR REPLACE VIEW returns.";
	ObjectAddress extension;

	ObjectAddressSet(extension, ExtensionRelationId, get_extension_oid("returns", false));
	for (const char *at = strstr(script->text, create); at != NULL; at = strstr(at, create))
	{
		char		name[NAMEDATALEN];
		ObjectAddress view;

		at += strlen(create);
		strlcpy(name, at, Min(strcspn(at, " (\n") + 1, NAMEDATALEN));
		ObjectAddressSet(view, RelationRelationId, table_oid(name));
		deleteDependencyRecordsForClass(view.classId, view.objectId, extension.classId,
										DEPENDENCY_NORMAL);
		recordDependencyOn(&view, &extension, DEPENDENCY_NORMAL);
	}
}

/* Note that the tables are of this version, and of this cluster if new. */
static void
record_version(void)
{
	static KeptPlan record = {
		"INSERT INTO returns.installation (version, system_identifier) VALUES ($1, $2)"
		" ON CONFLICT (singleton) DO UPDATE SET version = excluded.version"
		" WHERE installation.version OPERATOR(pg_catalog.<>) excluded.version",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2];
	OwnState	own;

	args[0] = CStringGetTextDatum(RETURNS_VERSION);
	args[1] = Int64GetDatum((int64) GetSystemIdentifier());
	own_begin(&own);
	plan_run(&record, args, NULL);
	own_end(&own);
}

/* A preset that was applied before stays as its users have edited it. */
static void
run_preset(const SetupScript *script)
{
	static KeptPlan applied = {
		"SELECT 1 FROM returns.installation WHERE presets OPERATOR(pg_catalog.@>) ARRAY[$1]",
		1, {TEXTOID}
	};
	static KeptPlan record = {
		"UPDATE returns.installation SET presets = presets OPERATOR(pg_catalog.||) $1",
		1, {TEXTOID}
	};
	Datum		arg = CStringGetTextDatum(script->name);
	OwnState	own;

	if (plan_run_as_caller(&applied, &arg, NULL) > 0)
		return;
	run_script(script);
	own_begin(&own);
	plan_run(&record, &arg, NULL);
	own_end(&own);
}

/* Who sets up may act as anybody; the others wait for a grant. */
static void
grant_caller(void)
{
	static KeptPlan grant = {
		"INSERT INTO returns.actor_grant (db_role, actor)"
		" SELECT current_user, a FROM pg_catalog.unnest("
		"'{buyer,seller,carrier,provider,operator}'::pg_catalog.text[]) a"
		" ON CONFLICT DO NOTHING", 0
	};

	plan_run_as_caller(&grant, NULL, NULL);
}

/*
 * Check now what would be checked at commit: tables whose triggers still have
 * to fire could not be altered, and an error of ours belongs to the call.
 */
static void
check_deferred(void)
{
	static const char *const check =
		"DO $$ DECLARE names text := (SELECT string_agg(DISTINCT format('returns.%I', conname), ', ')"
		" FROM pg_constraint WHERE condeferred AND connamespace = 'returns'::regnamespace);"
		" BEGIN IF names IS NOT NULL THEN"
		" EXECUTE 'SET CONSTRAINTS ' || names || ' IMMEDIATE';"
		" EXECUTE 'SET CONSTRAINTS ' || names || ' DEFERRED';"
		" END IF; END $$";

	if (SPI_execute(check, false, 0) < 0)
		elog(ERROR, "could not check the deferred constraints");
}

static void
run_all(const SetupScript **presets, int npresets)
{
	check_deferred();
	run_folder("tables");
	record_version();
	run_folder("triggers");
	for (const SetupScript *script = setup_scripts; script->folder != NULL; script++)
		if (strcmp(script->folder, "presets") == 0 && !is_preset(script))
			run_preset(script);
	for (int i = 0; i < npresets; i++)
		run_preset(presets[i]);
	grant_caller();
	run_folder("views");
	for (const SetupScript *script = setup_scripts; script->folder != NULL; script++)
		if (strcmp(script->folder, "views") == 0)
			bind_views(script);
	check_deferred();
}

PG_FUNCTION_INFO_V1(returns_setup);

Datum
returns_setup(PG_FUNCTION_ARGS)
{
	Datum	   *names = NULL;
	bool	   *nulls = NULL;
	int			n = 0;
	const SetupScript **presets;
	int			guc_level;

	if (!PG_ARGISNULL(0))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT,
						  &names, &nulls, &n);
	presets = palloc(sizeof(SetupScript *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a preset of returns.setup() must not be null")));
		presets[i] = preset_find(TextDatumGetCString(names[i]));
	}

	check_encoding();
	SPI_connect();
	check_schema();
	guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("client_min_messages", "warning", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	run_all(presets, n);
	AtEOXact_GUC(true, guc_level);
	SPI_finish();
	PG_RETURN_VOID();
}
