-- The rows that setup() inserts: workflow, codes, calendars, policies of all
-- presets.
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
CALL returns.setup('kz', 'ru', 'eu', 'uk', 'us');
RESET client_min_messages;

-- The workflow.
SELECT machine, from_state, to_state, actors, requires, resolution, reversal
  FROM returns.transition ORDER BY machine DESC, from_state COLLATE "C", to_state COLLATE "C";
SELECT machine, code, kind, label->>'en' AS en, label->>'ru' AS ru, label->>'kk' AS kk
  FROM returns.state ORDER BY machine DESC, code COLLATE "C";
SELECT count(*) AS defects FROM returns.check_workflow();

-- Codes.
SELECT code, fault, evidence_required FROM returns.reason ORDER BY code COLLATE "C";
WITH RECURSIVE tree (code, path) AS (
	SELECT code, code FROM returns.category WHERE parent IS NULL
	UNION ALL
	SELECT c.code, t.path || ' > ' || c.code FROM returns.category c JOIN tree t ON c.parent = t.code
)
SELECT path FROM tree ORDER BY path COLLATE "C";
SELECT minor_units, count(*), string_agg(code, ' ' ORDER BY code COLLATE "C") FILTER (WHERE minor_units <> 2) AS codes
  FROM returns.currency GROUP BY minor_units ORDER BY minor_units;
SELECT code, minor_units FROM returns.currency WHERE code IN ('KZT', 'RUB', 'EUR', 'GBP', 'USD', 'BRL', 'XTS', 'XXX', 'XAU') ORDER BY code;
SELECT code, normal_side FROM returns.ledger_account ORDER BY code COLLATE "C";

-- Markets and their calendars: working days a year.
SELECT m.code, m.timezone, m.currency, c.weekend, c.first_day, c.last_day
  FROM returns.market m JOIN returns.calendar c ON c.code = m.calendar ORDER BY m.code;
CREATE VIEW working AS
SELECT c.code, d::date AS day,
	   coalesce(x.working, extract(isodow FROM d)::int <> ALL (c.weekend)) AS working, x.name
  FROM returns.calendar c
	   CROSS JOIN LATERAL generate_series(c.first_day, c.last_day, interval '1 day') AS d
	   LEFT JOIN returns.calendar_day x ON x.calendar = c.code AND x.day = d::date;
SELECT extract(year FROM day) AS year,
	   count(*) FILTER (WHERE code = 'kz') AS kz, count(*) FILTER (WHERE code = 'ru') AS ru,
	   count(*) FILTER (WHERE code = 'eu') AS eu, count(*) FILTER (WHERE code = 'uk') AS uk,
	   count(*) FILTER (WHERE code = 'us') AS us
  FROM working WHERE working GROUP BY 1 ORDER BY 1;
SELECT count(*) AS days_without_a_name FROM returns.calendar_day WHERE name IS NULL;
SELECT code, day, name FROM working WHERE working AND name IS NOT NULL ORDER BY code, day;

-- Days that must be holidays or working days.
SELECT v.*, w.working, w.name
  FROM (VALUES
	('kz', '2024-06-17'::date, 'announced, then cancelled'), ('kz', '2026-08-31', 'Constitution Day was dropped'),
	('kz', '2027-03-15', 'new Constitution Day'), ('kz', '2024-05-04', 'working Saturday'), ('kz', '2025-01-05', 'working Sunday'),
	('ru', '2024-12-28', 'working Saturday'), ('ru', '2025-05-02', 'moved from January'), ('ru', '2026-01-09', 'moved from January'),
	('eu', '2024-05-09', 'Ascension'), ('eu', '2026-06-04', 'Corpus Christi is not federal'), ('eu', '2035-05-14', 'Whit Monday'),
	('uk', '2020-05-04', 'moved to VE Day'), ('uk', '2020-05-08', 'VE Day'), ('uk', '2022-05-30', 'moved to the Jubilee'),
	('uk', '2022-06-03', 'Jubilee'), ('uk', '2022-12-27', 'Christmas was a Sunday'), ('uk', '2021-12-28', 'Boxing Day was a Sunday'),
	('uk', '2022-01-03', 'New Year was a Saturday'), ('uk', '2023-01-02', 'New Year was a Sunday'), ('uk', '2026-12-28', 'Boxing Day is a Saturday'),
	('us', '2020-06-19', 'no Juneteenth yet'), ('us', '2021-06-18', 'the first one, a Saturday'), ('us', '2021-12-31', 'New Year 2022, a Saturday'),
	('us', '2026-07-03', 'the 4th is a Saturday'), ('us', '2026-11-26', 'Thanksgiving'), ('us', '2028-05-29', 'Memorial Day')
  ) AS v (code, day, why) JOIN working w USING (code, day) ORDER BY code, day;

-- Terms of the process are the same everywhere.
SELECT state, resolution, term, unit, on_timeout, array_agg(market ORDER BY market) AS markets
  FROM returns.stage_deadline GROUP BY 1, 2, 3, 4, 5 ORDER BY state COLLATE "C", resolution;

-- Policies, each with its source.
SELECT market, category, fault, returnable, window_term, window_unit, window_from, window_roll AS roll,
	   resolutions, restocking_percent AS fee, refund_shipping AS shipping, statutory
  FROM returns.policy ORDER BY market, fault, category COLLATE "C" NULLS FIRST;
SELECT count(*) AS without_source FROM returns.policy WHERE coalesce(source, '') = '';
SELECT count(*) AS automatic FROM returns.policy WHERE auto_approve_below IS NOT NULL OR keep_item_below IS NOT NULL;

-- A second setup() changes nothing and keeps the edits of the DBA.
CREATE FUNCTION fingerprint() RETURNS TABLE (name text, hash text) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH name IN ARRAY '{state,transition,reason,category,currency,ledger_account,market,calendar,calendar_day,stage_deadline,policy}'::text[]
	LOOP
		EXECUTE format('SELECT md5(string_agg(t::text, E''\n'' ORDER BY t::text)) FROM returns.%I t', name) INTO hash;
		RETURN NEXT;
	END LOOP;
END $$;
UPDATE returns.transition SET actors = '{seller,operator,system}', requires = '{note}' WHERE from_state = 'requested' AND to_state = 'refund_due';
DELETE FROM returns.transition WHERE from_state = 'exchange_sent' AND to_state = 'outcome_disputed';
DELETE FROM returns.stage_deadline WHERE market = 'kz' AND state = 'draft';
UPDATE returns.stage_deadline SET term = 9 WHERE market = 'ru' AND state = 'requested';
DELETE FROM returns.calendar_day WHERE calendar = 'kz' AND day = '2027-05-16';
UPDATE returns.calendar SET last_day = '2036-12-31' WHERE code = 'us';
UPDATE returns.market SET name = 'Qazaqstan' WHERE code = 'kz';
UPDATE returns.reason SET evidence_required = true WHERE code = 'defective';
CREATE TABLE before AS SELECT * FROM fingerprint();
SET client_min_messages = warning;
CALL returns.setup('kz', 'ru', 'eu', 'uk', 'us');
RESET client_min_messages;
SELECT name AS changed FROM fingerprint() JOIN before USING (name) WHERE fingerprint.hash IS DISTINCT FROM before.hash;
