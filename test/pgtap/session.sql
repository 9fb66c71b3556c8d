-- The settings of a session: what their values may be, and where they may come from.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SELECT lives_ok('SELECT returns.now()', 'the library is loaded');
SELECT results_eq($$SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'returns.%' AND name <> 'returns.actor' ORDER BY name$$,
	$$VALUES ('returns.batch', '1000', NULL, 'sighup'), ('returns.clock', '', NULL, 'superuser'), ('returns.database', '', NULL, 'sighup'),
	('returns.language', 'en', NULL, 'user'), ('returns.naptime', '60', 's', 'sighup')$$, 'the library defines its settings with their defaults');
SET returns.language = 'pt-br';
SELECT is(current_setting('returns.language'), 'pt-br', 'returns.language takes a language with a hyphen, and keeps it as it is');
SELECT throws_ok(format('SET returns.%s = %s', setting, list), '22023', NULL, format('returns.%s refuses a list', setting))
  FROM (VALUES ('language', 'en, ru'), ('actor', '''operator:a'', b'), ('clock', '''2026-03-02'', ''10:00''')) AS v (setting, list);
ALTER SYSTEM SET returns.batch = '100';
SELECT is((SELECT setting FROM pg_file_settings WHERE name = 'returns.batch'), '100', 'ALTER SYSTEM takes returns.batch as a string, and writes the number');
ALTER SYSTEM RESET returns.batch;

-- What comes from outside of a session is looked at when the clock is first asked.
SELECT throws_ok('SET returns.clock = infinity', '22023', NULL, 'SET refuses an infinite returns.clock');
\setenv PGOPTIONS '-c returns.clock=infinity'
\set said `psql -X -A -t -v VERBOSITY=sqlstate -d returns_test -c 'SELECT returns.now()' 2>&1`
SELECT is(:'said'::text, 'ERROR:  22008', 'an infinite returns.clock that a connection begins with is refused when it is asked');
\setenv PGOPTIONS '-c returns.clock=2026-03-02T00:00:00Z'
\set said `psql -X -A -t -d returns_test -c 'SELECT returns.now()' 2>&1`
SELECT is(:'said'::timestamptz, '2026-03-02 00:00+00'::timestamptz, 'a finite returns.clock that a connection begins with is its time');

SELECT * FROM finish();
