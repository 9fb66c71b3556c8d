-- Setup, the clock, the actor of the session.

CREATE PROCEDURE returns.setup(VARIADIC presets text[] DEFAULT '{}')
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_setup';
COMMENT ON PROCEDURE returns.setup(text[]) IS
'Create the tables, triggers and views, and apply the named presets

presets are market presets: kz, ru, eu, uk, us. Without a preset there are the workflow, reasons,
categories, currencies and the chart of accounts, but no market. It may be called again, also after
an update of the extension: it adds what is missing, writes the comments again and changes no row
that the DBA has edited. A preset that was applied before is not applied again. The calling role
gets a grant for every kind of actor.
Errors: RT010 unknown preset; 42501 schema "returns" is owned by another role;
0A000 the encoding of the database is not UTF8; 22004 a preset is NULL.';

CREATE FUNCTION returns.now() RETURNS timestamptz
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'returns_now';
COMMENT ON FUNCTION returns.now() IS
'The time that all rules use as the current time

The start of the transaction, or the setting returns.clock where it is set (superuser only).';

CREATE FUNCTION returns.acting_as(kind text) RETURNS text
LANGUAGE C STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'returns_acting_as';
COMMENT ON FUNCTION returns.acting_as(text) IS
'The reference of the actor of the session if it is of this kind, otherwise NULL

kind is a kind of actor, as in returns.actor_grant. The result is NULL also where the role has no
grant for the actor of the setting returns.actor. The row-level security policies call it.';

CREATE FUNCTION returns.rules_changed() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_rules_changed';
COMMENT ON FUNCTION returns.rules_changed() IS
'Trigger of the rule tables: makes every session read the rules again';
