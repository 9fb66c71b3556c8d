-- deadline() against a slow definition that follows the rules word by word,
-- over random terms in all presets and in zones whose days begin oddly.
--
-- RETURNS_PROPERTY_COUNT=100000 test/run test pgtap/deadline tests more
-- inputs, RETURNS_PROPERTY_SEED repeats a run.
\set QUIET on
SET client_min_messages = warning;
\getenv count RETURNS_PROPERTY_COUNT
\if :{?count}
\else
\set count 5000
\endif
\getenv seed RETURNS_PROPERTY_SEED
\if :{?seed}
\else
SELECT floor(random() * 1000000) AS seed \gset
\endif
\echo '# seed' :seed

SELECT plan(21);

CALL returns.setup('kz', 'ru', 'eu', 'uk', 'us');
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES
	('cl', 'America/Santiago', 'us', 'USD'),
	('lb', 'Asia/Beirut', 'kz', 'USD'),
	('au', 'Australia/Lord_Howe', 'uk', 'AUD'),
	('np', 'Asia/Kathmandu', 'ru', 'NPR'),
	('ki', 'Pacific/Kiritimati', 'eu', 'AUD');
SELECT setseed(:seed / 1000000.0) \gset

-- Is it a working day?  NULL: the day is outside the calendar.
CREATE FUNCTION pg_temp.is_working(c returns.calendar, d date) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN d BETWEEN c.first_day AND c.last_day THEN
		coalesce((SELECT x.working FROM returns.calendar_day x WHERE x.calendar = c.code AND x.day = d),
				 NOT extract(isodow FROM d)::int = ANY (c.weekend)) END
$$;

CREATE FUNCTION pg_temp.slow_deadline(start timestamptz, term int, unit text, market text, roll boolean)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	zone text;
	c returns.calendar;
	d date;
	working boolean;
	counted int := 0;
BEGIN
	SELECT m.timezone INTO zone FROM returns.market m WHERE m.code = market;
	SELECT k.* INTO c FROM returns.market m JOIN returns.calendar k ON k.code = m.calendar WHERE m.code = market;
	IF unit = 'hour' THEN
		RETURN (start + term * interval '1 hour')::text;
	END IF;
	d := (start AT TIME ZONE zone)::date;
	IF unit = 'business_day' THEN
		WHILE counted < term LOOP
			d := d + 1;
			working := pg_temp.is_working(c, d);
			IF working IS NULL THEN
				RETURN 'RT009';
			END IF;
			counted := counted + working::int;
		END LOOP;
	ELSIF unit = 'day' THEN
		d := d + term;
	ELSIF unit = 'month' THEN
		d := d + make_interval(months => term);
	ELSE
		d := d + make_interval(years => term);
	END IF;
	IF (unit = 'business_day' AND term = 0) OR (unit <> 'business_day' AND roll) THEN
		LOOP
			working := pg_temp.is_working(c, d);
			IF working IS NULL THEN
				RETURN 'RT009';
			END IF;
			EXIT WHEN working;
			d := d + 1;
		END LOOP;
	END IF;
	RETURN ((d + 1)::timestamp AT TIME ZONE zone)::text;
END $$;

CREATE FUNCTION pg_temp.fast_deadline(start timestamptz, term int, unit text, market text, roll boolean)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN returns.deadline(start, term, unit, market, roll)::text;
EXCEPTION WHEN SQLSTATE 'RT009' THEN
	RETURN 'RT009';
END $$;

-- Instants over all calendars and a little beyond, a third of them within
-- a second of a local midnight.
CREATE TABLE input AS
SELECT CASE WHEN r.near < 0.33
			THEN (i.at AT TIME ZONE m.timezone)::date::timestamp AT TIME ZONE m.timezone + (r.near * 6 - 1) * interval '1 second'
			ELSE i.at END AS start,
	   (r.size ^ 2 * CASE r.unit WHEN 'hour' THEN 2000 WHEN 'day' THEN 500 WHEN 'business_day' THEN 300
							  WHEN 'month' THEN 40 ELSE 5 END)::int AS term,
	   r.unit, m.code AS market, r.roll
  FROM (SELECT random() AS place, random() AS near, random() AS size, random() < 0.7 AS roll,
			   floor(random() * (SELECT count(*) FROM returns.market))::int AS market,
			   ('{hour,day,day,business_day,business_day,business_day,month,year}'::text[])[1 + floor(random() * 8)::int] AS unit
		  FROM generate_series(1, :count)) AS r
	   JOIN (SELECT *, row_number() OVER (ORDER BY code) - 1 AS number FROM returns.market) AS m ON m.number = r.market
	   JOIN returns.calendar c ON c.code = m.calendar
	   CROSS JOIN LATERAL (SELECT c.first_day::timestamptz
								  + (r.place * (c.last_day - c.first_day + 60) - 40) * interval '1 day') AS i (at);

SELECT is((SELECT count(*) FROM input), :count::bigint, 'the test has as many inputs as were asked for');
SELECT set_eq('SELECT DISTINCT market FROM input', 'SELECT code FROM returns.market', 'the inputs are of all markets');

CREATE FUNCTION pg_temp.differences(zone text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('timezone', zone, false);
	RETURN QUERY
		SELECT format('deadline(%L, %s, %L, %L, %s) is %s, should be %s', start, term, unit, market, roll, fast, slow)
		  FROM (SELECT *, pg_temp.fast_deadline(start, term, unit, market, roll) AS fast,
					   pg_temp.slow_deadline(start, term, unit, market, roll) AS slow
				  FROM input) AS d
		 WHERE fast IS DISTINCT FROM slow
		 LIMIT 20;
END $$;
SELECT is_empty($$SELECT pg_temp.differences('UTC')$$, 'deadline() gives what the slow definition gives');

SET timezone = 'America/St_Johns';
CREATE TABLE answer AS
SELECT *, pg_temp.fast_deadline(start, term, unit, market, roll) AS fast FROM input;
SET timezone = 'Asia/Kathmandu';
SELECT is((SELECT count(*) FROM answer
			WHERE CASE WHEN fast = 'RT009' THEN pg_temp.fast_deadline(start, term, unit, market, roll) <> 'RT009'
					   ELSE fast::timestamptz <> returns.deadline(start, term, unit, market, roll) END),
		  0::bigint, 'deadline() does not depend on the time zone of the session');
SELECT ok((SELECT count(*) FROM answer WHERE fast = 'RT009') BETWEEN 1 AND :count / 4,
		  'at least one input and at most a quarter of them leave the calendar');

-- The last line of explain_deadline() is the deadline.
SELECT is_empty($$
	SELECT start, term, unit, market, roll FROM answer
	 WHERE fast <> 'RT009'
	   AND substring(returns.explain_deadline(start, term, unit, market, roll) FROM 'in time before: \S+ (.*)$')::timestamptz
		   <> returns.deadline(start, term, unit, market, roll)
	 LIMIT 20$$, 'explain_deadline() ends with the deadline');

-- The beginning of a day, by its definition: the last instant of the day before
-- is just before it. Every day of twelve years in zones that change their clocks
-- at or around midnight.
INSERT INTO returns.market (code, timezone, calendar, currency)
SELECT zone, zone, 'eu', 'EUR'
  FROM unnest('{America/Havana,Atlantic/Azores,America/St_Johns,America/Goose_Bay,Pacific/Apia,America/Asuncion,
				Asia/Tehran,Asia/Gaza,Antarctica/Troll,Africa/Casablanca,Asia/Amman,America/Scoresbysund}'::text[]) AS zone;
-- The session remembers the last span between two changes of the clocks, so the
-- days of a zone are computed in sequence; OFFSET 0 keeps their order.
CREATE VIEW noon AS
SELECT m.code AS market, m.timezone AS zone, d::date AS day, (d::date + time '12:00') AT TIME ZONE m.timezone AS at
  FROM returns.market m, generate_series('2004-01-01'::timestamp, '2015-12-31', '1 day') AS d
 WHERE m.code = m.timezone
   AND NOT (m.timezone = 'Pacific/Apia' AND d = '2011-12-30');  -- this day does not exist
CREATE TABLE day_end AS
SELECT zone, day, returns.deadline(at, 0, 'day', market, false) AS ends
  FROM (SELECT * FROM noon ORDER BY zone, day OFFSET 0) AS n;
SELECT is_empty($$
	SELECT zone, day, ends FROM day_end
	 WHERE (ends AT TIME ZONE zone)::date <= day
		OR ((ends - interval '1 microsecond') AT TIME ZONE zone)::date > day
	 LIMIT 20$$, 'the end of a day is the first instant of the next day');
SELECT is_empty($$
	SELECT zone, day, ends, m FROM day_end, generate_series(1, 180, 1) AS m
	 WHERE ((ends + m * interval '1 minute') AT TIME ZONE zone)::date <= day
	 LIMIT 20$$, 'no later minute falls back into the day after its end');
-- The result does not depend on earlier calls.
CREATE FUNCTION pg_temp.day_end_in(sort text) RETURNS SETOF day_end LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'SELECT zone, day, returns.deadline(at, 0, ''day'', market, false)'
		' FROM (SELECT * FROM noon ORDER BY ' || sort || ' OFFSET 0) AS n';
END $$;
SELECT is_empty(format('SELECT * FROM pg_temp.day_end_in(%L) EXCEPT SELECT * FROM day_end LIMIT 20', sort),
	'the ends are the same when days are asked in the order of ' || sort)
  FROM unnest('{"zone, day DESC","day, zone","hashtext(zone || day)"}'::text[]) AS sort;
-- In 2011 Istanbul put its clocks forward a day after Berlin, and back with it.
INSERT INTO returns.market (code, timezone, calendar, currency)
SELECT zone, zone, 'eu', 'EUR' FROM unnest('{Europe/Berlin,Europe/Istanbul}'::text[]) AS zone;
SELECT results_eq($$
	SELECT returns.deadline(at, 0, 'day', market, false) FROM (VALUES
		('Europe/Berlin', timestamptz '2011-03-27 10:00+00'), ('Europe/Istanbul', '2011-06-01 10:00+00'),
		('Europe/Istanbul', '2011-03-27 10:00+00')) AS v (market, at)$$,
	ARRAY['2011-03-27 22:00+00', '2011-06-01 21:00+00', '2011-03-27 22:00+00']::timestamptz[],
	'the remembered span of one zone is not used for another');
-- The ends of what a timestamp can be, and instants between two seconds.
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('utc', 'UTC', 'kz', 'KZT');
SELECT is(returns.deadline(at::timestamptz, term, 'day', 'utc', false), ends::timestamptz, format('a term of %s days from %s ends at %s', term, at, ends))
FROM (VALUES ('1999-12-31 23:59:59.5+00', 1, '2000-01-02 00:00+00'), ('2000-01-01 00:00:00.5+00', 1, '2000-01-03 00:00+00'),
	('1969-12-31 23:59:59.5+00', 1, '1970-01-02 00:00+00'), ('4714-11-24 00:00+00 BC', 1, '4714-11-26 00:00+00 BC'),
	('294276-12-30 00:00+00', 0, '294276-12-31 00:00+00')) AS v (at, term, ends);
SELECT throws_ok(format('SELECT returns.deadline(%L, %s, ''day'', %L, false)', at, term, market), '22008', NULL,
	format('a term of %s days from %s in market %s is out of range', term, at, market))
FROM (VALUES ('294276-12-31 00:00+00', 0, 'utc'), ('294276-12-30 00:00+00', 1, 'utc'), ('294276-01-01 00:00+00', 366, 'utc'),
	('294276-12-31 12:00+05', 0, 'kz')) AS v (at, term, market);

SELECT * FROM finish();
