/*-------------------------------------------------------------------------
 *
 * setup.c
 *		CALL returns.setup(): create the tables and insert the presets.
 *
 * The tables belong to the user, not to the extension.  So a dump contains them
 * as ordinary tables, and DROP EXTENSION leaves every row.  setup() can be run
 * again: it adds missing objects and rows, and never undoes an edit.
 *
 * src/load/setup.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/statement.h"
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
#include "rules/codes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"

#define BASE_PRESET "base"		/* the rules that all markets share */

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
	static Statement read_owner = {
		"SELECT extowner FROM pg_catalog.pg_extension WHERE extname" EQ "'returns'", 0
	};
	ResultSet	extension = statement_run_as_caller(&read_owner, NULL, NULL);
	bool		isnull;

	return extension.nrows == 0 ? InvalidOid :
		DatumGetObjectId(result_value(extension, 0, 1, &isnull));
}

/* A schema that another role has created could contain anything. */
static void
check_schema(void)
{
	Oid			owner = schema_owner(get_namespace_oid("returns", false));

	if (owner != GetUserId() && owner != extension_owner())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("schema \"returns\" is owned by \"%s\"", GetUserNameFromId(owner, false)),
				 errdetail("It must be owned by the owner of the extension or by the role that calls setup()."),
				 errhint("Check what the schema contains, then run ALTER SCHEMA returns OWNER TO %s as its owner.",
						 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

/* The labels of states are also in Russian and Kazakh. */
static void
check_encoding(void)
{
	int			encoding = GetDatabaseEncoding();

	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("returns cannot be set up in a database with encoding \"%s\"",
						GetDatabaseEncodingName()),
				 errdetail("The labels of states have letters that this encoding does not have."),
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
			 errhint("For a market of your own, call returns.setup() and insert rows into returns.market, calendar, policy and stage_deadline.")));
}

/* The text of a script is UTF-8; the database may have another encoding. */
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
 * Make the views of a script depend on the extension, so that DROP EXTENSION
 * CASCADE drops all of them and leaves only the tables.  Each view is created by
 * "CREATE OR REPLACE VIEW".
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

/* Store the version of the tables, and the cluster in which they were created. */
static void
record_version(void)
{
	static Statement record = {
		"INSERT INTO returns.installation (version, system_identifier) VALUES ($1, $2)"
		" ON CONFLICT (singleton) DO UPDATE SET version = excluded.version"
		" WHERE installation.version OPERATOR(pg_catalog.<>) excluded.version",
		2, {TEXTOID, INT8OID}
	};
	Datum		args[2];
	AsOwner		owner;

	args[0] = CStringGetTextDatum(RETURNS_VERSION);
	args[1] = Int64GetDatum((int64) GetSystemIdentifier());
	as_owner_begin(&owner);
	statement_run(&record, args, NULL);
	as_owner_end(&owner);
}

/* A preset is applied only once, so that its edited rows stay as they are. */
static void
run_preset(const SetupScript *script)
{
	static Statement applied = {
		"SELECT 1 FROM returns.installation WHERE presets OPERATOR(pg_catalog.@>) ARRAY[$1]",
		1, {TEXTOID}
	};
	static Statement record = {
		"UPDATE returns.installation SET presets = presets OPERATOR(pg_catalog.||) $1",
		1, {TEXTOID}
	};
	Datum		arg = CStringGetTextDatum(script->name);
	AsOwner		owner;

	if (statement_run_as_caller(&applied, &arg, NULL).nrows > 0)
		return;
	run_script(script);
	as_owner_begin(&owner);
	statement_run(&record, &arg, NULL);
	as_owner_end(&owner);
}

/*
 * The role that runs setup() gets a grant for every actor.  Other roles need
 * rows in actor_grant.
 */
static void
grant_caller(void)
{
	static Statement grant = {
		"INSERT INTO returns.actor_grant (db_role, actor)"
		" SELECT current_user, a FROM pg_catalog.unnest($1) a"
		" ON CONFLICT DO NOTHING", 1, {TEXTARRAYOID}
	};
	Datum		actors = actors_to_array(ACTORS_OF_SESSIONS);

	statement_run_as_caller(&grant, &actors, NULL);
}

/*
 * Check the deferred constraints now instead of at commit.  A table with pending
 * triggers cannot be altered, and a broken constraint must make setup() fail,
 * not the commit.
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
	run_folder("security");
	run_folder("views");
	for (const SetupScript *script = setup_scripts; script->folder != NULL; script++)
		if (strcmp(script->folder, "views") == 0)
			bind_views(script);
	run_folder("comments");
	check_deferred();
}

/* The presets that a text[] names; returns their number. */
static int
find_presets(ArrayType *array, const SetupScript ***presets)
{
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	*presets = palloc(sizeof(SetupScript *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a preset of returns.setup() must not be null"),
					 errdetail("The arguments are names of presets."),
					 errhint("Run CALL returns.setup() without arguments to install no market.")));
		(*presets)[i] = preset_find(TextDatumGetCString(names[i]));
	}
	return n;
}

PG_FUNCTION_INFO_V1(returns_setup);

/* CALL setup(VARIADIC presets text[]) */
Datum
returns_setup(PG_FUNCTION_ARGS)
{
	const SetupScript **presets = NULL;
	int			npresets = 0;
	int			guc_level;

	if (!PG_ARGISNULL(0))
		npresets = find_presets(PG_GETARG_ARRAYTYPE_P(0), &presets);
	check_encoding();
	SPI_connect();
	check_schema();
	guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("client_min_messages", "warning", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	run_all(presets, npresets);
	AtEOXact_GUC(true, guc_level);
	SPI_finish();
	PG_RETURN_VOID();
}
