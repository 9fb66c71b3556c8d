-- Russia: market, calendar 2024-2027, terms of the process, policies.

-- ---------------------------------------------------------------- calendar
-- Five-day week: holidays of the Labour Code, art. 112, and the days moved by
-- the government: decrees No 1314 of 10.08.2023, No 1335 of 04.10.2024 and
-- No 1466 of 24.09.2025. 2027 is provisional: computed by art. 112, where a
-- holiday on a day off moves to the next working day; the two January days
-- that a decree will move are not in it.

WITH laid AS (
	INSERT INTO returns.calendar (code, first_day, last_day, name)
	VALUES ('ru', '2024-01-01', '2027-12-31', 'Russia, five-day week (2027 provisional)')
	ON CONFLICT DO NOTHING
	RETURNING code
), holiday (month, day, name) AS (
	VALUES (1, 1, 'New Year holidays'), (1, 2, 'New Year holidays'), (1, 3, 'New Year holidays'),
		   (1, 4, 'New Year holidays'), (1, 5, 'New Year holidays'), (1, 6, 'New Year holidays'),
		   (1, 7, 'Orthodox Christmas'), (1, 8, 'New Year holidays'),
		   (2, 23, 'Defender''s Day'), (3, 8, 'Women''s Day'), (5, 1, 'Spring and Labour Day'),
		   (5, 9, 'Victory Day'), (6, 12, 'Russia Day'), (11, 4, 'Unity Day')
)
INSERT INTO returns.calendar_day (calendar, day, working, name)
SELECT laid.code, d.day, d.working, d.name
  FROM laid, (
	SELECT make_date(year, month, day), false, name
	  FROM generate_series(2024, 2027) AS year, holiday
	UNION ALL
	VALUES
	('2024-04-27'::date, true,  'Swapped with 29 April'),
	('2024-04-29',       false, 'Swapped with 27 April'),
	('2024-04-30',       false, 'Swapped with 2 November'),
	('2024-05-10',       false, 'Moved from 6 January'),
	('2024-11-02',       true,  'Swapped with 30 April'),
	('2024-12-28',       true,  'Swapped with 30 December'),
	('2024-12-30',       false, 'Swapped with 28 December'),
	('2024-12-31',       false, 'Moved from 7 January'),
	('2025-05-02',       false, 'Moved from 4 January'),
	('2025-05-08',       false, 'Moved from 23 February'),
	('2025-06-13',       false, 'Moved from 8 March'),
	('2025-11-01',       true,  'Swapped with 3 November'),
	('2025-11-03',       false, 'Swapped with 1 November'),
	('2025-12-31',       false, 'Moved from 5 January'),
	('2026-01-09',       false, 'Moved from 3 January'),
	('2026-03-09',       false, 'Women''s Day, moved'),
	('2026-05-11',       false, 'Victory Day, moved'),
	('2026-12-31',       false, 'Moved from 4 January'),
	('2027-05-03',       false, 'Spring and Labour Day, moved (provisional)'),
	('2027-05-10',       false, 'Victory Day, moved (provisional)'),
	('2027-06-14',       false, 'Russia Day, moved (provisional)')
  ) AS d (day, working, name);

INSERT INTO returns.market (code, timezone, calendar, currency, name)
VALUES ('ru', 'Europe/Moscow', 'ru', 'RUB', 'Russia')
ON CONFLICT DO NOTHING;

-- ---------------------------------------------------- terms of the process

INSERT INTO returns.stage_deadline (market, state, resolution, term, unit, on_timeout)
SELECT 'ru', t.*
  FROM returns.platform_terms() AS t
 WHERE NOT EXISTS (SELECT FROM returns.stage_deadline WHERE market = 'ru');

-- ---------------------------------------------------------------- policies
-- Sale at a distance (law "On protection of consumers' rights", art. 26.1 p. 4):
-- the buyer may give goods up within 7 days after they were handed over; the
-- outbound delivery is not paid back. The list of goods that a shop need not take
-- back (decree 2463) limits art. 25, sale in a shop, only. A defect may be
-- claimed in the warranty time, or in two years (art. 19). Technically complex
-- goods after 15 days need a material defect (art. 18): the check of the goods
-- shows that, so the window is not shorter for them.

INSERT INTO returns.policy (market, category, fault, returnable, window_term, window_unit, window_roll, resolutions,
							refund_shipping, statutory, source)
SELECT 'ru', v.*
  FROM (VALUES
	(NULL::text, 'none', true, 7, 'day', true, '{refund}'::text[], false, true,
	 'Law "On protection of consumers'' rights", art. 26.1 p. 4: 7 days; Civil Code art. 193: a term ending on a day off is moved'),
	('custom_made', 'none', false, NULL, 'day', true, '{}', false, true,
	 'Law "On protection of consumers'' rights", art. 26.1 p. 4: not for goods only this buyer can use'),
	(NULL, 'seller', true, 24, 'month', true, '{refund,exchange}', true, false,
	 'Law "On protection of consumers'' rights", art. 19: default, not verified'),
	(NULL, 'carrier', true, 30, 'day', true, '{refund,exchange}', true, false, 'Default, not verified'),
	(NULL, 'platform', true, 30, 'day', true, '{refund,exchange}', true, false, 'Default, not verified')
  ) AS v (category, fault, returnable, window_term, window_unit, window_roll, resolutions, refund_shipping, statutory, source)
 WHERE NOT EXISTS (
	SELECT FROM returns.policy p
	 WHERE p.market = 'ru' AND p.category IS NOT DISTINCT FROM v.category AND p.reason IS NULL
	   AND p.fault = v.fault AND p.seller_ref IS NULL AND p.valid_from = '-infinity');
