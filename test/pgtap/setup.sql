-- setup(): a refused call changes nothing, a second call repairs and adds objects
-- and keeps all edits, and the settings of the session stay.
-- database: empty
\set QUIET on
SET client_min_messages = error;
CREATE SCHEMA tap;
CREATE EXTENSION pgtap SCHEMA tap;
SELECT no_plan();

CREATE ROLE setup_other;
CREATE EXTENSION returns;

-- How a call ends: "done" or a SQLSTATE, and how many tables there are then.
CREATE FUNCTION pg_temp.called(role text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	outcome text := 'done';
BEGIN
	BEGIN
		PERFORM set_config('role', role, true);
		EXECUTE format('CALL returns.setup(%s)', arguments);
	EXCEPTION WHEN OTHERS THEN
		outcome := SQLSTATE;
	END;
	PERFORM set_config('role', 'none', true);
	RETURN format('%s, %s tables', outcome, (SELECT count(*) FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r'));
END $$;

-- ------------------------------------------------------------- before the first call
SELECT is(pg_temp.called('postgres', arguments), outcome || ', 0 tables', format('setup(%s) is refused and makes no table', arguments))
  FROM (VALUES ('''mars''', 'RT010'), ('''kz'', ''mars''', 'RT010'), ('''KZ''', 'RT010'), ('''''', 'RT010'), ('''base''', 'RT010'), ('''kz,ru''', 'RT010'),
	('NULL', '22004'), ('''kz'', NULL', '22004')) AS v (arguments, outcome);
SELECT is(pg_temp.called('setup_other', arguments), '42501, 0 tables', format('setup(%s) by a role that has no right on the schema is refused and makes no table', arguments))
  FROM unnest('{"","''kz''"}'::text[]) AS arguments;
ALTER SCHEMA returns OWNER TO setup_other;
SELECT is(pg_temp.called('postgres', '''kz'''), '42501, 0 tables', 'setup() is refused, also by a superuser, while a stranger owns the schema');
ALTER SCHEMA returns OWNER TO postgres;
BEGIN;
CALL returns.setup('kz');
ROLLBACK;
SELECT is(count(*), 0::bigint, 'setup() in a transaction that is rolled back makes no table') FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r';

-- ----------------------------------------------------------------- the first call
-- The settings of the caller do not affect the scripts, and are unchanged
-- afterwards.
CREATE SCHEMA setup_trap;
CREATE FUNCTION setup_trap.jsonb_build_object(text, text, text, text, text, text) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE TABLE setup_trap.state (code int);
SET search_path = setup_trap, pg_catalog, public, tap;
SET client_min_messages = notice;
CALL returns.setup('kz');
SELECT is(current_setting('search_path'), 'setup_trap, pg_catalog, public, tap', 'the search path is after setup() what it was before');
SELECT is(current_setting('client_min_messages'), 'notice', 'client_min_messages is after setup() what it was before');
SET client_min_messages = error;
SELECT throws_ok('CALL returns.setup(''mars'')', 'RT010', NULL, 'an unknown preset is refused after the first call too');
SELECT is(current_setting('search_path'), 'setup_trap, pg_catalog, public, tap', 'the search path is after a refused setup() what it was before');
BEGIN;
CALL returns.setup();
SELECT is(current_setting('search_path'), 'setup_trap, pg_catalog, public, tap', 'the search path is in the rest of the transaction of setup() what it was before');
COMMIT;
SET search_path = public, tap;
DROP SCHEMA setup_trap CASCADE;
SELECT results_eq('SELECT presets FROM returns.installation', $$ VALUES ('{base,kz}'::text[]) $$, 'the installation notes the presets that were applied');
SELECT results_eq('SELECT code FROM returns.market', $$ VALUES ('kz') $$, 'a preset lays down its market');
SELECT set_eq('SELECT db_role || '' '' || actor || '' '' || coalesce(ref, ''any'') FROM returns.actor_grant',
	'{postgres buyer any,postgres seller any,postgres carrier any,postgres provider any,postgres operator any}'::text[], 'the role that calls setup() may act as any actor, and no other role');
SELECT is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing after setup()');

-- ---------------------------------------------------------------- a second call
-- Rows of every table, without the grants.
CREATE FUNCTION pg_temp.contents() RETURNS TABLE (t text, content text) LANGUAGE plpgsql AS $$
BEGIN
	FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r' AND relname <> 'actor_grant' LOOP
		RETURN QUERY EXECUTE format('SELECT %L::text, x::text FROM returns.%I AS x', t, t);
	END LOOP;
END $$;
UPDATE returns.reason SET name = 'edited' WHERE code = 'defective';
DELETE FROM returns.ledger_account WHERE code = 'goodwill_expense';
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.contents();
SELECT is(pg_temp.called('postgres', arguments), 'done, ' || (SELECT count(*) FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r') || ' tables',
	format('setup(%s) after setup(''kz'') succeeds and makes no further table', arguments))
  FROM unnest('{"","''kz''","''kz'', ''kz''"}'::text[]) AS arguments;
SELECT bag_eq('SELECT * FROM pg_temp.contents() WHERE t <> ''ledger_account''', 'SELECT * FROM before WHERE t <> ''ledger_account''', 'a second setup(''kz'') adds nothing and undoes no edit');
SELECT is(pg_temp.called('postgres', '''uk'', ''mars'''), 'RT010, ' || count(*) || ' tables', 'setup(''uk'', ''mars'') is refused')
  FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relkind = 'r';
SELECT is(count(*), 0::bigint, 'of presets with an unknown one among them none is applied') FROM returns.market WHERE code = 'uk';
CALL returns.setup('uk');
SELECT set_eq('SELECT code FROM returns.market', '{kz,uk}'::text[], 'a later setup() adds the market of another preset');
SELECT bag_has('SELECT * FROM pg_temp.contents() WHERE t <> ''installation''', 'SELECT * FROM before WHERE t <> ''installation''', 'a later setup() leaves every row of the first');

-- It creates missing objects again.
DROP TRIGGER zz_returns_request ON returns.return_request;
DROP POLICY returns_parties ON returns.return_line;
DROP VIEW returns.timeline CASCADE;
ALTER TABLE returns.refund DISABLE ROW LEVEL SECURITY;
SELECT isnt_empty('SELECT * FROM returns.verify()', 'verify() finds that a trigger is missing');
CALL returns.setup();
SELECT is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing after setup() has made the trigger again');
SELECT is(count(*), 1::bigint, 'setup() makes a dropped policy again') FROM pg_policy WHERE polrelid = 'returns.return_line'::regclass;
SELECT isnt(to_regclass('returns.timeline'), NULL, 'setup() makes a dropped view again');
SELECT ok(relrowsecurity, 'setup() enables row-level security again') FROM pg_class WHERE oid = 'returns.refund'::regclass;

-- It adds a column that the tables of an earlier version do not have.
ALTER TABLE returns.ledger_account DROP COLUMN party;
SELECT lives_ok('CALL returns.setup()', 'setup() succeeds on a chart of accounts without parties');
SELECT set_eq('SELECT code, party FROM returns.ledger_account WHERE party IS NOT NULL', $$ VALUES ('buyer_payable', 'buyer'), ('seller_receivable', 'seller') $$,
	'setup() adds the parties to the accounts of the chart');
UPDATE returns.ledger_account SET party = NULL WHERE code = 'seller_receivable';
CALL returns.setup();
SELECT is(party, NULL, 'setup() keeps an account without a party') FROM returns.ledger_account WHERE code = 'seller_receivable';
UPDATE returns.ledger_account SET party = 'seller' WHERE code = 'seller_receivable';
CALL returns.setup();

-- ----------------------------------------------------------------- other callers
SELECT matches(pg_temp.called('setup_other', arguments), '^42501', format('setup(%s) by a role that has no right on the schema is refused after the first call', arguments))
  FROM unnest('{"","''kz''","''ru''"}'::text[]) AS arguments;
GRANT USAGE, CREATE ON SCHEMA returns TO setup_other;
SELECT matches(pg_temp.called('setup_other', arguments), '^42501', format('setup(%s) by a role that owns none of the tables is refused', arguments))
  FROM unnest('{"","''kz''","''ru''"}'::text[]) AS arguments;
SELECT is(count(*), 0::bigint, 'a call that was refused grants its caller nothing') FROM returns.actor_grant WHERE db_role <> 'postgres';
SELECT is(count(*), 0::bigint, 'a call that was refused applies no preset') FROM returns.market WHERE code = 'ru';
ALTER SCHEMA returns OWNER TO setup_other;
SELECT throws_ok('CALL returns.setup()', '42501', NULL, 'setup() is refused while a stranger owns the schema, also when the tables are there');
ALTER SCHEMA returns OWNER TO postgres;

DROP OWNED BY setup_other;
DROP ROLE setup_other;

SELECT * FROM finish();
