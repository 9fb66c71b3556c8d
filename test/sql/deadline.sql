-- deadline() and explain_deadline(): every point of the rules of terms.
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET client_min_messages = warning;
CALL returns.setup('ru', 'eu');
RESET client_min_messages;

-- The error of a statement.
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', state || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- Worked examples, the same under any time zone of the session.
CREATE TABLE example (id text, market text, start text, term int, unit text, roll boolean, deadline text, why text);
INSERT INTO example VALUES
('D01', 'kz', '2026-02-02 12:00:00 Asia/Almaty', 14, 'day', true, '2026-02-16T19:00:00Z', 'day after the event is day 1'),
('D02', 'kz', '2026-02-02T18:59:59Z', 14, 'day', true, '2026-02-16T19:00:00Z', '23:59:59 in Almaty, still 2 February'),
('D03', 'kz', '2026-02-02T19:00:00Z', 14, 'day', true, '2026-02-17T19:00:00Z', '00:00 in Almaty, 3 February'),
('D04', 'kz', '2025-12-18 12:00:00 Asia/Almaty', 14, 'day', true, '2026-01-05T19:00:00Z', 'ends on New Year, then Friday off and weekend'),
('D06', 'kz', '2026-03-07 12:00:00 Asia/Almaty', 14, 'day', true, '2026-03-26T19:00:00Z', 'Nauryz, 21 to 25 March'),
('D08', 'kz', '2026-03-07 12:00:00 Asia/Almaty', 14, 'day', false, '2026-03-21T19:00:00Z', 'the same without roll'),
('D10', 'kz', '2026-05-13 12:00:00 Asia/Almaty', 14, 'day', true, '2026-05-28T19:00:00Z', 'Kurban Ait'),
('D12', 'kz', '2024-04-20 12:00:00 Asia/Almaty', 14, 'day', true, '2024-05-04T19:00:00Z', 'a working Saturday'),
('D14', 'kz', '2024-12-22 12:00:00 Asia/Almaty', 14, 'day', true, '2025-01-05T19:00:00Z', 'a working Sunday'),
('D16', 'kz', '2024-06-03 12:00:00 Asia/Almaty', 14, 'day', true, '2024-06-17T19:00:00Z', '17 June 2024 became a working day'),
('D20', 'kz', '2024-02-15 12:00:00 Asia/Almaty', 14, 'day', true, '2024-02-29T19:00:00Z', 'a leap day counts'),
('D21', 'kz', '2025-02-15 12:00:00 Asia/Almaty', 14, 'day', true, '2025-03-03T19:00:00Z', 'the same in a common year'),
('D24', 'kz', '2026-01-31 12:00:00 Asia/Almaty', 1, 'month', true, '2026-03-02T19:00:00Z', 'no 31 February'),
('D25', 'kz', '2024-01-31 12:00:00 Asia/Almaty', 1, 'month', true, '2024-02-29T19:00:00Z', 'nor in a leap year'),
('D27', 'kz', '2024-02-29 12:00:00 Asia/Almaty', 12, 'month', true, '2025-02-28T19:00:00Z', 'a year from a leap day'),
('D29', 'kz', '2026-03-19 12:00:00 Asia/Almaty', 3, 'business_day', true, '2026-03-27T19:00:00Z', 'business days over Nauryz'),
('D35', 'ru', '2026-05-29 12:00:00 Europe/Moscow', 14, 'day', true, '2026-06-15T21:00:00Z', 'a holiday on a Friday'),
('D39', 'eu', '2026-03-22 12:00:00 Europe/Berlin', 14, 'day', true, '2026-04-07T22:00:00Z', 'clocks change, then Easter'),
('D40', 'eu', '2026-06-05 12:00:00 Europe/Berlin', 14, 'day', true, '2026-06-19T22:00:00Z', 'the last of two parcels');

CREATE FUNCTION wrong_examples() RETURNS TABLE (id text, got timestamptz, expected timestamptz) LANGUAGE sql STABLE AS $$
	SELECT e.id, d, e.deadline::timestamptz
	  FROM example e, returns.deadline(e.start::timestamptz, e.term, e.unit, e.market, e.roll) d
	 WHERE d IS DISTINCT FROM e.deadline::timestamptz
$$;
SELECT count(*), min(deadline), max(deadline) FROM example;
SET timezone = 'UTC';
SELECT * FROM wrong_examples();
SET timezone = 'Asia/Almaty';
SELECT * FROM wrong_examples();
SET timezone = 'America/New_York';
SELECT * FROM wrong_examples();
SET timezone = 'UTC';

-- In time until the last microsecond of the last day.
SELECT at, at < returns.deadline('2026-02-02 12:00+05', 14, 'day', 'kz') AS in_time
  FROM (VALUES ('2026-02-16 18:59:59.999999Z'::timestamptz), ('2026-02-16 19:00:00Z')) AS v (at);

-- Hours are absolute: no roll, no local day, fractions kept.
SELECT returns.deadline('2026-01-31 23:40:00.123456+05', 1, 'hour', 'kz') AT TIME ZONE 'Asia/Almaty' AS one_hour,
	   returns.deadline('2026-03-22 12:00+01', 336, 'hour', 'eu') AT TIME ZONE 'Europe/Berlin' AS over_dst,
	   returns.deadline('2026-01-31 23:40:00.123456+05', 0, 'hour', 'kz') AT TIME ZONE 'Asia/Almaty' AS no_hour;

-- 29 February 2024 had 25 hours in Almaty.
SELECT v.at, returns.deadline(v.at, 0, 'day', 'kz', false) AS end_of_day, returns.deadline(v.at, 1, 'day', 'kz', false) AS end_of_next
  FROM (VALUES ('2024-02-28 17:59:59Z'::timestamptz), ('2024-02-28 18:00Z'), ('2024-02-29 17:59:59Z'),
			   ('2024-02-29 18:59:59Z'), ('2024-02-29 19:00Z')) AS v (at);

-- A month or year ends on the same day number or the month's last day, in one step.
SELECT unit, term, (returns.deadline(start::timestamptz, term, unit, 'kz', false) - interval '1 microsecond') AT TIME ZONE 'Asia/Almaty' AS last_instant
  FROM (VALUES ('2026-01-31 12:00+05', 1, 'month'), ('2026-01-31 12:00+05', 2, 'month'), ('2026-01-31 12:00+05', 13, 'month'),
			   ('2026-01-30 12:00+05', 1, 'month'), ('2024-02-29 12:00+05', 1, 'year'), ('2024-02-29 12:00+05', 4, 'year'),
			   ('2023-12-31 12:00+05', 2, 'month'), ('1899-11-30 12:00+05', 3, 'month'), ('2026-05-31 12:00+05', 0, 'month'),
			   ('0001-01-31 12:00+05 BC', 1, 'month'), ('0005-03-30 12:00+05 BC', 11, 'month')) AS v (start, term, unit);

-- A term of 0 ends with the day of the event; where days off count, with the next working day.
SELECT unit, roll, returns.deadline('2026-03-21 12:00+05', 0, unit, 'kz', roll) AT TIME ZONE 'Asia/Almaty' AS deadline
  FROM unnest('{day,business_day,month,year}'::text[]) AS unit, unnest('{true,false}'::boolean[]) AS roll
 ORDER BY unit, roll;

-- Roll changes nothing for business days, and days off inside a term of days count.
SELECT returns.deadline('2026-03-19 12:00+05', 3, 'business_day', 'kz', false) AT TIME ZONE 'Asia/Almaty' AS business,
	   returns.deadline('2026-03-21 12:00+05', 1, 'business_day', 'kz') AT TIME ZONE 'Asia/Almaty' AS from_a_day_off,
	   returns.deadline('2026-03-19 12:00+05', 8, 'day', 'kz') AT TIME ZONE 'Asia/Almaty' AS days;

-- NULL in, NULL out.
SELECT returns.deadline(NULL, 1, 'day', 'kz') AS start, returns.deadline(now(), NULL, 'day', 'kz') AS term,
	   returns.deadline(now(), 1, NULL, 'kz') AS unit, returns.deadline(now(), 1, 'day', NULL) AS market,
	   returns.deadline(now(), 1, 'day', 'kz', NULL) AS roll;

-- Refusals.
SELECT refusal($$SELECT returns.deadline('infinity', 1, 'day', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('-infinity', 1, 'hour', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2026-01-01Z', -1, 'day', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2026-01-01Z', -1, 'hour', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2026-01-01Z', 1, 'days', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2026-01-01Z', 1, '', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2026-01-01Z', 1, 'day', 'mars')$$);
SELECT unit, refusal(format('SELECT returns.deadline(''2026-01-01Z'', 2147483647, %L, ''kz'', false)', unit))
  FROM unnest('{day,month,year}'::text[]) AS unit;
SELECT refusal($$SELECT returns.deadline('294276-12-31 23:00Z', 1, 'hour', 'kz', false)$$);
SELECT refusal($$SELECT returns.deadline('294276-12-31 12:00Z', 1, 'day', 'kz', false)$$);
SELECT returns.deadline('2026-01-01Z', 2147483647, 'hour', 'kz') AS far,
	   returns.deadline('294276-12-29 12:00Z', 1, 'day', 'kz', false) AS last,
	   returns.deadline('4714-11-24 12:00Z BC', 1, 'day', 'kz', false) AS first;

-- A day outside the range of the calendar is an error.
SELECT refusal($$SELECT returns.deadline('2027-12-20 12:00+05', 14, 'day', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2023-12-01 12:00+05', 14, 'day', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2027-12-20 12:00+05', 10, 'business_day', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2023-12-30 12:00+05', 1, 'business_day', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2026-01-01 12:00+05', 2147483647, 'business_day', 'kz')$$);
SELECT refusal($$SELECT returns.deadline('2026-01-01 12:00+05', 20, 'year', 'kz')$$);

-- Only the days that matter must be in the range: the last day of a term, and
-- all days of a term in business days.
SELECT returns.deadline('2023-12-20 12:00+05', 14, 'day', 'kz') AT TIME ZONE 'Asia/Almaty' AS into_the_range,
	   returns.deadline('2023-12-31 12:00+05', 1, 'business_day', 'kz') AT TIME ZONE 'Asia/Almaty' AS from_the_day_before,
	   returns.deadline('2027-12-20 12:00+05', 11, 'day', 'kz') AT TIME ZONE 'Asia/Almaty' AS to_the_last_day,
	   returns.deadline('2050-12-20 12:00+05', 14, 'day', 'kz', false) AT TIME ZONE 'Asia/Almaty' AS no_roll,
	   returns.deadline('2050-12-20 12:00+05', 14, 'hour', 'kz') AT TIME ZONE 'Asia/Almaty' AS hours;

-- An edit of the calendar takes effect at once, also within the transaction.
BEGIN;
UPDATE returns.calendar SET last_day = '2028-01-31' WHERE code = 'kz';
SELECT returns.deadline('2027-12-20 12:00+05', 14, 'day', 'kz') AT TIME ZONE 'Asia/Almaty' AS monday;
INSERT INTO returns.calendar_day (calendar, day) VALUES ('kz', '2028-01-03');
SELECT returns.deadline('2027-12-20 12:00+05', 14, 'day', 'kz') AT TIME ZONE 'Asia/Almaty' AS tuesday;
INSERT INTO returns.calendar_day (calendar, day, working) VALUES ('kz', '2028-01-01', true);
SELECT returns.deadline('2027-12-18 12:00+05', 14, 'day', 'kz') AT TIME ZONE 'Asia/Almaty' AS working_saturday;
UPDATE returns.calendar SET weekend = '{5}' WHERE code = 'kz';
SELECT returns.deadline('2027-12-17 12:00+05', 14, 'day', 'kz') AT TIME ZONE 'Asia/Almaty' AS friday_off,
	   returns.deadline('2027-12-19 12:00+05', 14, 'day', 'kz') AT TIME ZONE 'Asia/Almaty' AS sunday_not;
UPDATE returns.market SET timezone = 'Pacific/Kiritimati' WHERE code = 'kz';
SELECT returns.deadline('2027-12-17 12:00+05', 14, 'day', 'kz') AS in_kiritimati;
ROLLBACK;
SELECT refusal($$SELECT returns.deadline('2027-12-20 12:00+05', 14, 'day', 'kz')$$);

-- A calendar without one working day.
BEGIN;
INSERT INTO returns.calendar (code, weekend, first_day, last_day) VALUES ('never', '{1,2,3,4,5,6,7}', '2026-01-01', '2026-12-31');
UPDATE returns.market SET calendar = 'never' WHERE code = 'kz';
SELECT refusal($$SELECT returns.deadline('2026-01-20 12:00+05', 1, 'business_day', 'kz')$$);
ROLLBACK;

-- Days that begin late, twice or never: a day begins when the day before has
-- ended for the last time.
BEGIN;
INSERT INTO returns.market (code, timezone, calendar, currency)
SELECT zone, zone, 'eu', 'EUR'
  FROM unnest('{America/Santiago,Asia/Beirut,America/Havana,Atlantic/Azores,America/St_Johns,Pacific/Apia}'::text[]) AS zone;
SELECT market, why, returns.deadline(start::timestamptz, 1, 'day', market, false) AS deadline,
	   returns.deadline(start::timestamptz, 1, 'day', market, false) AT TIME ZONE market AS local,
	   (returns.deadline(start::timestamptz, 1, 'day', market, false) - interval '1 microsecond') AT TIME ZONE market AS before
  FROM (VALUES
	('America/Santiago', '2026-09-04 12:00-04', 'clocks go from 24:00 to 01:00'),
	('America/Santiago', '2026-04-03 12:00-03', 'clocks go from 24:00 to 23:00'),
	('Asia/Beirut',      '2025-03-28 12:00+02', 'clocks go from 00:00 to 01:00'),
	('America/Havana',   '2025-10-31 12:00-04', 'clocks go from 01:00 to 00:00'),
	('Atlantic/Azores',  '2025-10-24 12:00+00', 'clocks go from 01:00 to 00:00'),
	('America/St_Johns', '2010-11-05 12:00-02:30', 'clocks go from 00:01 to 23:01'),
	('America/St_Johns', '2010-03-12 12:00-03:30', 'clocks go from 00:01 to 01:01'),
	('Pacific/Apia',     '2011-12-28 12:00-10', '30 December was left out')
  ) AS v (market, start, why);
SELECT returns.explain_deadline('2026-09-04 12:00-04', 1, 'day', 'America/Santiago', false);
ROLLBACK;

-- The arithmetic in words, with any settings of the session.
SET timezone = 'America/St_Johns';
SET datestyle = 'German';
SELECT returns.explain_deadline(start::timestamptz, term, unit, market, roll)
  FROM (VALUES
	('2026-03-07 12:00+05', 14, 'day', 'kz', true),
	('2026-03-07 12:00+05', 14, 'day', 'kz', false),
	('2024-04-20 12:00+05', 14, 'day', 'kz', true),
	('2024-04-26 23:59:59.999999+06', 7, 'business_day', 'kz', true),
	('2026-03-20 12:00+05', 0, 'business_day', 'kz', true),
	('2026-03-21 12:00+05', 0, 'business_day', 'kz', true),
	('2026-01-31 12:00:00.25+05', 1, 'month', 'kz', true),
	('2024-02-29 12:00+05', 1, 'year', 'kz', true),
	('2026-03-22 12:00+01', 14, 'day', 'eu', true),
	('2026-01-31 23:40+05', 1, 'hour', 'kz', true),
	('0044-03-15 12:00+00 BC', 1, 'day', 'eu', false)
  ) AS v (start, term, unit, market, roll);
RESET datestyle;
SET timezone = 'UTC';
SELECT returns.explain_deadline(NULL, 1, 'day', 'kz') IS NULL AS null_in_null_out;
SELECT refusal($$SELECT returns.explain_deadline('infinity', 1, 'day', 'kz')$$);
SELECT refusal($$SELECT returns.explain_deadline('2027-12-20 12:00+05', 10, 'business_day', 'kz')$$);

-- A day off without a name, and a name with a line of its own.
BEGIN;
INSERT INTO returns.calendar_day (calendar, day) VALUES ('kz', '2026-02-03');
SELECT returns.explain_deadline('2026-02-02 12:00+05', 2, 'business_day', 'kz');
ROLLBACK;

-- Every role may call deadline(), without rights on tables.
CREATE ROLE regress_returns_nobody;
GRANT USAGE ON SCHEMA returns TO regress_returns_nobody;
SET ROLE regress_returns_nobody;
SELECT returns.deadline('2026-02-02 12:00+05', 14, 'day', 'kz');
RESET ROLE;
REVOKE USAGE ON SCHEMA returns FROM regress_returns_nobody;
DROP ROLE regress_returns_nobody;

-- Parallel workers have the same results.
CREATE TABLE event AS
SELECT '2026-01-01Z'::timestamptz + i * interval '1 hour' AS at FROM generate_series(1, 3000) AS i;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SELECT sum(extract(epoch FROM returns.deadline(at, 3, 'business_day', 'kz'))) AS parallel FROM event \gset
SET max_parallel_workers_per_gather = 0;
SELECT sum(extract(epoch FROM returns.deadline(at, 3, 'business_day', 'kz'))) = :parallel AS same FROM event;

-- Easter.
SELECT returns.easter(year) FROM unnest('{1583,1818,1943,1954,1961,1981,2000,2008,2011,2019,2024,2025,2026,2038,2285,9999}'::int[]) AS year;
SELECT refusal('SELECT returns.easter(1582)');
