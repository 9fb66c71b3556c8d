-- Kazakhstan: market, calendar 2024-2027, terms of the process, policies.

-- ---------------------------------------------------------------- calendar
-- Five-day week. A national or state holiday that falls on a day off moves to
-- the next working day (law "On holidays", art. 5); 7 January and the first
-- day of Kurban Ait never move (Labour Code, art. 84(5)); the labour ministry
-- may swap days (art. 85(3)). 2024-2026 as in force in 2026: 17 June 2024 is
-- a working day, 30 August is no holiday from 2026 on. 2027 is computed by
-- rule and provisional: its swaps and the day of Kurban Ait are not announced.

WITH laid AS (
	INSERT INTO returns.calendar (code, first_day, last_day, name)
	VALUES ('kz', '2024-01-01', '2027-12-31', 'Kazakhstan, five-day week (2027 provisional)')
	ON CONFLICT DO NOTHING
	RETURNING code
)
INSERT INTO returns.calendar_day (calendar, day, working, name)
SELECT laid.code, day, v.working, v.name
  FROM laid, (VALUES
	(false, 'New Year',               '{2024-01-01,2024-01-02}'::date[]),
	(false, 'Orthodox Christmas',     '{2024-01-07}'),
	(false, 'Women''s Day',           '{2024-03-08}'),
	(false, 'Nauryz',                 '{2024-03-21,2024-03-22,2024-03-23}'),
	(false, 'Nauryz, moved',          '{2024-03-25}'),
	(false, 'Unity Day',              '{2024-05-01}'),
	(true,  'Swapped with 8 May',     '{2024-05-04}'),
	(false, 'Defender''s Day',        '{2024-05-07}'),
	(false, 'Swapped with 4 May',     '{2024-05-08}'),
	(false, 'Victory Day',            '{2024-05-09}'),
	(false, 'Kurban Ait',             '{2024-06-16}'),
	(false, 'Capital Day',            '{2024-07-06}'),
	(false, 'Capital Day, moved',     '{2024-07-08}'),
	(false, 'Constitution Day',       '{2024-08-30}'),
	(false, 'Republic Day',           '{2024-10-25}'),
	(false, 'Independence Day',       '{2024-12-16}'),

	(false, 'New Year',               '{2025-01-01,2025-01-02}'),
	(false, 'Swapped with 5 January', '{2025-01-03}'),
	(true,  'Swapped with 3 January', '{2025-01-05}'),
	(false, 'Orthodox Christmas',     '{2025-01-07}'),
	(false, 'Women''s Day',           '{2025-03-08}'),
	(false, 'Women''s Day, moved',    '{2025-03-10}'),
	(false, 'Nauryz',                 '{2025-03-21,2025-03-22,2025-03-23}'),
	(false, 'Nauryz, moved',          '{2025-03-24,2025-03-25}'),
	(false, 'Unity Day',              '{2025-05-01}'),
	(false, 'Defender''s Day',        '{2025-05-07}'),
	(false, 'Victory Day',            '{2025-05-09}'),
	(false, 'Kurban Ait',             '{2025-06-06}'),
	(false, 'Capital Day',            '{2025-07-06}'),
	(false, 'Capital Day, moved',     '{2025-07-07}'),
	(false, 'Constitution Day',       '{2025-08-30}'),
	(false, 'Constitution Day, moved', '{2025-09-01}'),
	(false, 'Republic Day',           '{2025-10-25}'),
	(false, 'Republic Day, moved',    '{2025-10-27}'),
	(false, 'Independence Day',       '{2025-12-16}'),

	(false, 'New Year',               '{2026-01-01,2026-01-02}'),
	(false, 'Orthodox Christmas',     '{2026-01-07}'),
	(false, 'Women''s Day',           '{2026-03-08}'),
	(false, 'Women''s Day, moved',    '{2026-03-09}'),
	(false, 'Nauryz',                 '{2026-03-21,2026-03-22,2026-03-23}'),
	(false, 'Nauryz, moved',          '{2026-03-24,2026-03-25}'),
	(false, 'Unity Day',              '{2026-05-01}'),
	(false, 'Defender''s Day',        '{2026-05-07}'),
	(false, 'Victory Day',            '{2026-05-09}'),
	(false, 'Victory Day, moved',     '{2026-05-11}'),
	(false, 'Kurban Ait',             '{2026-05-27}'),
	(false, 'Capital Day',            '{2026-07-06}'),
	(false, 'Republic Day',           '{2026-10-25}'),
	(false, 'Republic Day, moved',    '{2026-10-26}'),
	(false, 'Independence Day',       '{2026-12-16}'),

	(false, 'New Year',               '{2027-01-01,2027-01-02}'),
	(false, 'New Year, moved',        '{2027-01-04}'),
	(false, 'Orthodox Christmas',     '{2027-01-07}'),
	(false, 'Women''s Day',           '{2027-03-08}'),
	(false, 'Constitution Day',       '{2027-03-15}'),
	(false, 'Nauryz',                 '{2027-03-21,2027-03-22,2027-03-23}'),
	(false, 'Nauryz, moved',          '{2027-03-24}'),
	(false, 'Unity Day',              '{2027-05-01}'),
	(false, 'Unity Day, moved',       '{2027-05-03}'),
	(false, 'Defender''s Day',        '{2027-05-07}'),
	(false, 'Victory Day',            '{2027-05-09}'),
	(false, 'Victory Day, moved',     '{2027-05-10}'),
	(false, 'Kurban Ait (provisional)', '{2027-05-16}'),
	(false, 'Capital Day',            '{2027-07-06}'),
	(false, 'Republic Day',           '{2027-10-25}'),
	(false, 'Independence Day',       '{2027-12-16}')
  ) AS v (working, name, days), unnest(v.days) AS day;

INSERT INTO returns.market (code, timezone, calendar, currency, name)
VALUES ('kz', 'Asia/Almaty', 'kz', 'KZT', 'Kazakhstan')
ON CONFLICT DO NOTHING;

-- ---------------------------------------------------- terms of the process

INSERT INTO returns.stage_deadline (market, state, resolution, term, unit, on_timeout)
SELECT 'kz', t.*
  FROM returns.platform_terms() AS t
 WHERE NOT EXISTS (SELECT FROM returns.stage_deadline WHERE market = 'kz');

-- ---------------------------------------------------------------- policies
-- Goods without a fault: 14 days (law "On consumer protection", art. 14 p. 1
-- and art. 30 p. 1), for all but food and the list of art. 30 p. 1; those
-- exceptions are the law's own, hence statutory as well. With a fault: 30
-- days, as leading platforms give. The law gives the buyer the warranty time,
-- which differs by goods: where it is longer, add a policy for the category.

INSERT INTO returns.policy (market, category, fault, returnable, window_term, resolutions,
							refund_shipping, statutory, source)
SELECT 'kz', v.*
  FROM (VALUES
	(NULL::text, 'none', true, 14, '{refund,exchange}'::text[], false, true,
	 'Law "On consumer protection", art. 14 p. 1, art. 30 p. 1: 14 days; that a term ending on a day off is moved (Civil Code art. 175): default, not verified'),
	('medicine',        'none', false, NULL, '{}', false, true, 'Law "On consumer protection", art. 30 p. 1 (1)'),
	('medical_devices', 'none', false, NULL, '{}', false, true, 'Law "On consumer protection", art. 30 p. 1 (1)'),
	('underwear',       'none', false, NULL, '{}', false, true, 'Law "On consumer protection", art. 30 p. 1 (2)'),
	('hosiery',         'none', false, NULL, '{}', false, true, 'Law "On consumer protection", art. 30 p. 1 (3)'),
	('animals',         'none', false, NULL, '{}', false, true, 'Law "On consumer protection", art. 30 p. 1 (4)'),
	('plants',          'none', false, NULL, '{}', false, true, 'Law "On consumer protection", art. 30 p. 1 (4)'),
	('goods_by_metre',  'none', false, NULL, '{}', false, true, 'Law "On consumer protection", art. 30 p. 1 (5)'),
	('phones',          'none', false, NULL, '{}', false, true, 'Law "On consumer protection", art. 30 p. 1 (6)'),
	('food',            'none', false, NULL, '{}', false, true, 'Law "On consumer protection", art. 30 p. 1 covers goods other than food'),
	(NULL, 'seller',   true, 30, '{refund,exchange}', true, false,
	 'Platform practice: 30 days, or the warranty where longer (add a policy for the category)'),
	(NULL, 'carrier',  true, 30, '{refund,exchange}', true, false, 'Default, not verified'),
	(NULL, 'platform', true, 30, '{refund,exchange}', true, false, 'Default, not verified')
  ) AS v (category, fault, returnable, window_term, resolutions, refund_shipping, statutory, source)
 WHERE NOT EXISTS (
	SELECT FROM returns.policy p
	 WHERE p.market = 'kz' AND p.category IS NOT DISTINCT FROM v.category AND p.reason IS NULL
	   AND p.fault = v.fault AND p.seller_ref IS NULL AND p.valid_from = '-infinity');
