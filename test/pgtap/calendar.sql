-- The days of a calendar: exceptions outside its range have no effect.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

CREATE TEMP TABLE before AS
SELECT d, returns.deadline(d, 3, 'business_day', 'kz') AS ends FROM generate_series(timestamptz '2026-03-02 10:00+05', '2026-06-01', '1 day') AS d;
INSERT INTO returns.calendar_day (calendar, day, working, name)
SELECT 'kz', day::date, false, 'outside' FROM unnest('{0001-01-01,1000-06-15,1999-12-31,2500-01-01,5000-02-28,294275-12-31}'::text[]) AS day
ON CONFLICT DO NOTHING;
SELECT is_empty('SELECT d FROM before WHERE ends IS DISTINCT FROM returns.deadline(d, 3, ''business_day'', ''kz'')',
	'days outside the range of a calendar change no deadline');
INSERT INTO returns.calendar_day (calendar, day, working, name) VALUES ('kz', '2026-03-03', false, 'inside') ON CONFLICT (calendar, day) DO UPDATE SET working = false;
SELECT isnt_empty('SELECT d FROM before WHERE ends IS DISTINCT FROM returns.deadline(d, 3, ''business_day'', ''kz'')',
	'a day off within the range of a calendar changes deadlines');
SELECT * FROM finish();
