-- The statements at the start of every measured session.
SET bench.actor = 'operator:bench';
SET returns.actor = 'operator:bench';
CREATE TEMP VIEW meter AS
SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint AS cpu,
	(extract(epoch FROM clock_timestamp()) * 1e9)::bigint AS wall;
SELECT * FROM meter;
-- A session in use has the rules in memory.
SELECT returns.deadline('2026-03-02 10:00+05', 1, 'business_day', 'kz');
