/*-------------------------------------------------------------------------
 *
 * session.c
 *		The settings (GUCs) of the extension and the clock of its rules.
 *
 * src/rules/session.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "rules/session.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

static char *setting_language = NULL;
char	   *setting_database = NULL;
int			setting_naptime = 60;
int			setting_batch = 1000;

static char *setting_clock = NULL;

/* The value of setting_clock, parsed when it is first used after an assignment. */
static bool clock_parsed = false;
static TimestampTz clock_value = 0;

static TimestampTz
clock_parse(const char *value)
{
	return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
												   CStringGetDatum(value),
												   ObjectIdGetDatum(InvalidOid),
												   Int32GetDatum(-1)));
}

/*
 * SET refuses a bad value at once.  A check hook must not raise an error for a
 * value of a configuration file, so such a value is parsed when it is used.
 */
static bool
check_clock(char **newval, void **extra, GucSource source)
{
	if (**newval != '\0' && source >= PGC_S_INTERACTIVE && IsTransactionState() &&
		TIMESTAMP_NOT_FINITE(clock_parse(*newval)))
	{
		GUC_check_errmsg("returns.clock must be a finite instant");
		return false;
	}
	return true;
}

static void
assign_clock(const char *newval, void *extra)
{
	clock_parsed = false;
}

static bool
check_language(char **newval, void **extra, GucSource source)
{
	size_t		len = strlen(*newval);

	if (len < 2 || len > 16 || strspn(*newval, "abcdefghijklmnopqrstuvwxyz_-") != len)
	{
		GUC_check_errdetail("A language is a key of state.label, such as en, ru or kk.");
		return false;
	}
	return true;
}

static bool
check_database(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names;
	bool		valid = SplitGUCList(copy, ',', &names);

	list_free(names);
	pfree(copy);
	if (!valid)
		GUC_check_errdetail("The value must be a list of database names, separated by commas, with double quotes around names that are not identifiers.");
	return valid;
}

/*
 * Only the background worker reads these, from the configuration files.  They are
 * defined in every session, also when the library was not preloaded, so that
 * SHOW and pg_settings know them.
 */
static void
settings_define_worker(void)
{
	DefineCustomStringVariable("returns.database",
							   "The databases that the background worker sweeps, separated by commas.",
							   "Needs returns in shared_preload_libraries.",
							   &setting_database, "", PGC_SIGHUP, GUC_LIST_INPUT,
							   check_database, NULL, NULL);
	DefineCustomIntVariable("returns.naptime",
							"The longest time between two visits of the background worker to a database.",
							NULL, &setting_naptime, 60, 1, 86400, PGC_SIGHUP, GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomIntVariable("returns.batch",
							"How many returns the background worker moves in one transaction.",
							NULL, &setting_batch, 1000, 1, 1000000, PGC_SIGHUP, 0,
							NULL, NULL, NULL);
}

void
settings_define(void)
{
	DefineCustomStringVariable("returns.clock",
							   "The instant that every rule uses as the current time; empty: the start of the transaction.",
							   "For tests and rehearsals.", &setting_clock, "", PGC_SUSET, 0,
							   check_clock, assign_clock, NULL);
	DefineCustomStringVariable("returns.language",
							   "Language of the labels in the view returns.timeline.",
							   NULL, &setting_language, "en", PGC_USERSET, 0,
							   check_language, NULL, NULL);
	settings_define_worker();
	MarkGUCPrefixReserved("returns");
}

TimestampTz
clock_now(void)
{
	if (likely(setting_clock == NULL || setting_clock[0] == '\0'))
		return GetCurrentTransactionStartTimestamp();
	if (!clock_parsed)
	{
		clock_value = clock_parse(setting_clock);
		if (TIMESTAMP_NOT_FINITE(clock_value))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("returns.clock must be a finite instant"),
					 errhint("Run RESET returns.clock, or set it to a timestamp with time zone.")));
		clock_parsed = true;
	}
	return clock_value;
}

PG_FUNCTION_INFO_V1(returns_now);

Datum
returns_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(clock_now());
}
