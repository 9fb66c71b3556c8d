-- Set up, the clock, who acts.

CREATE PROCEDURE returns.setup(VARIADIC presets text[] DEFAULT '{}')
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_setup';
COMMENT ON PROCEDURE returns.setup(text[]) IS
'Make the tables, triggers and views of returns, and fill in the presets named: kz, ru, eu, uk, us. May be called again: it adds what is missing, brings the tables to the version of the extension and undoes no edit. Unknown preset: RT010; a schema returns owned by somebody else: 42501.';

CREATE FUNCTION returns.now() RETURNS timestamptz
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'returns_now';
COMMENT ON FUNCTION returns.now() IS
'The instant that every rule takes for now: the start of the transaction, or the setting returns.clock.';

CREATE FUNCTION returns.acting_as(kind text) RETURNS text
LANGUAGE C STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'returns_acting_as';
COMMENT ON FUNCTION returns.acting_as(text) IS
'The reference of the session''s actor if it is of this kind (buyer, seller, carrier, provider, operator) and its role has the grant; NULL otherwise. What the row-level security policies ask.';

-- Trigger function of every rule table.
CREATE FUNCTION returns.rules_changed() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_rules_changed';
COMMENT ON FUNCTION returns.rules_changed() IS
'Trigger of the rule tables: makes every session read them anew.';
