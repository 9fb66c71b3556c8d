-- United States: market, calendar 2020-2035, terms of the process, policies.

-- ---------------------------------------------------------------- calendar
-- Federal holidays (5 U.S.C. 6103), by rule: one on a Saturday is observed on
-- the Friday before, one on a Sunday on the Monday after.

WITH laid AS (
	INSERT INTO returns.calendar (code, first_day, last_day, name)
	VALUES ('us', '2020-01-01', '2035-12-31', 'United States, federal holidays')
	ON CONFLICT DO NOTHING
	RETURNING code
), fixed (day, name) AS (
	-- one year more, whose New Year's Day may be observed in the last one
	SELECT make_date(year, h.month, h.day), h.name
	  FROM generate_series(2020, 2036) AS year, (VALUES
		(1, 1, 'New Year''s Day', 2020),
		(6, 19, 'Juneteenth', 2021),
		(7, 4, 'Independence Day', 2020),
		(11, 11, 'Veterans Day', 2020),
		(12, 25, 'Christmas Day', 2020)
	  ) AS h (month, day, name, since)
	 WHERE year >= h.since
), movable (day, name) AS (
	SELECT h.day, h.name
	  FROM generate_series(2020, 2035) AS year,
		   -- the nth Monday of a month is that of the week with day 7 n;
		   -- the fourth Thursday is three days after the Monday of day 25
		   LATERAL (VALUES
		(date_trunc('week', make_date(year, 1, 21)::timestamp)::date, 'Martin Luther King Jr. Day'),
		(date_trunc('week', make_date(year, 2, 21)::timestamp)::date, 'Washington''s Birthday'),
		(date_trunc('week', make_date(year, 5, 31)::timestamp)::date, 'Memorial Day'),
		(date_trunc('week', make_date(year, 9, 7)::timestamp)::date, 'Labor Day'),
		(date_trunc('week', make_date(year, 10, 14)::timestamp)::date, 'Columbus Day'),
		(date_trunc('week', make_date(year, 11, 25)::timestamp)::date + 3, 'Thanksgiving Day')
	  ) AS h (day, name)
)
INSERT INTO returns.calendar_day (calendar, day, name)
SELECT laid.code, holiday.day, holiday.name
  FROM laid, (
	SELECT day, name FROM fixed
	UNION ALL
	SELECT day - 1, name || ', observed' FROM fixed WHERE extract(isodow FROM day) = 6
	UNION ALL
	SELECT day + 1, name || ', observed' FROM fixed WHERE extract(isodow FROM day) = 7
	UNION ALL
	SELECT day, name FROM movable
  ) AS holiday (day, name)
 WHERE holiday.day <= '2035-12-31';

INSERT INTO returns.market (code, timezone, calendar, currency, name)
VALUES ('us', 'America/New_York', 'us', 'USD', 'United States')
ON CONFLICT DO NOTHING;

-- ---------------------------------------------------- terms of the process

INSERT INTO returns.stage_deadline (market, state, resolution, term, unit, on_timeout)
SELECT 'us', t.*
  FROM returns.platform_terms() AS t
 WHERE NOT EXISTS (SELECT FROM returns.stage_deadline WHERE market = 'us');

-- ---------------------------------------------------------------- policies
-- No federal law gives the buyer a right to return. As large marketplaces
-- offer: 30 days, and no return of food without a fault. A holiday extension
-- is a policy of its own with valid_from, valid_to and extended_until.

INSERT INTO returns.policy (market, category, fault, returnable, window_term, window_unit, window_roll, resolutions,
							refund_shipping, statutory, source)
SELECT 'us', v.*
  FROM (VALUES
	(NULL::text, 'none', true, 30, 'day', false, '{refund,exchange}'::text[], false, false, 'Marketplace practice: 30 days from delivery'),
	('food', 'none', false, NULL, 'day', false, '{}', false, false, 'Marketplace practice: no return of perishable goods'),
	('custom_made', 'none', false, NULL, 'day', false, '{}', false, false, 'Default, not verified'),
	(NULL, 'seller', true, 30, 'day', false, '{refund,exchange}', true, false, 'Marketplace practice: 30 days from delivery'),
	(NULL, 'carrier', true, 30, 'day', false, '{refund,exchange}', true, false, 'Default, not verified'),
	(NULL, 'platform', true, 30, 'day', false, '{refund,exchange}', true, false, 'Default, not verified')
  ) AS v (category, fault, returnable, window_term, window_unit, window_roll, resolutions, refund_shipping, statutory, source)
 WHERE NOT EXISTS (
	SELECT FROM returns.policy p
	 WHERE p.market = 'us' AND p.category IS NOT DISTINCT FROM v.category AND p.reason IS NULL
	   AND p.fault = v.fault AND p.seller_ref IS NULL AND p.valid_from = '-infinity');
