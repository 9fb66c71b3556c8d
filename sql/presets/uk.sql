-- United Kingdom: market, calendar 2020-2035, terms of the process, policies.

-- ---------------------------------------------------------------- calendar
-- Bank holidays of England and Wales, by rule: one that falls on a weekend has
-- a substitute day; those moved or proclaimed for one year are listed.

WITH laid AS (
	INSERT INTO returns.calendar (code, first_day, last_day, name)
	VALUES ('uk', '2020-01-01', '2035-12-31', 'England and Wales, bank holidays')
	ON CONFLICT DO NOTHING
	RETURNING code
), fixed (day, name, shift) AS (
	-- shift: days from a Saturday, from a Sunday to the substitute
	SELECT make_date(year, h.month, h.day), h.name, h.shift
	  FROM generate_series(2020, 2035) AS year, (VALUES
		(1, 1, 'New Year''s Day', '{2,1}'::int[]),
		(12, 25, 'Christmas Day', '{2,2}'),
		(12, 26, 'Boxing Day', '{2,2}')
	  ) AS h (month, day, name, shift)
), movable (day, name) AS (
	SELECT h.day, h.name
	  FROM generate_series(2020, 2035) AS year, returns.easter(year) AS easter,
		   -- the Monday of the week with the 7th is the first of the month,
		   -- that of the week with the 31st is the last
		   LATERAL (VALUES
		(easter - 2, 'Good Friday'),
		(easter + 1, 'Easter Monday'),
		(date_trunc('week', make_date(year, 5, 7)::timestamp)::date, 'Early May bank holiday'),
		(date_trunc('week', make_date(year, 5, 31)::timestamp)::date, 'Spring bank holiday'),
		(date_trunc('week', make_date(year, 8, 31)::timestamp)::date, 'Summer bank holiday')
	  ) AS h (day, name)
	 WHERE h.day NOT IN ('2020-05-04', '2022-05-30')
)
INSERT INTO returns.calendar_day (calendar, day, name)
SELECT laid.code, holiday.day, holiday.name
  FROM laid, (
	SELECT day, name FROM fixed
	UNION ALL
	SELECT day + shift[extract(isodow FROM day)::int - 5], name || ', substitute day'
	  FROM fixed
	 WHERE extract(isodow FROM day) >= 6
	UNION ALL
	SELECT day, name FROM movable
	UNION ALL
	VALUES
	('2020-05-08'::date, 'Early May bank holiday (VE Day)'),
	('2022-06-02',       'Spring bank holiday'),
	('2022-06-03',       'Platinum Jubilee'),
	('2022-09-19',       'State Funeral of Queen Elizabeth II'),
	('2023-05-08',       'Coronation of King Charles III')
  ) AS holiday (day, name);

INSERT INTO returns.market (code, timezone, calendar, currency, name)
VALUES ('uk', 'Europe/London', 'uk', 'GBP', 'United Kingdom')
ON CONFLICT DO NOTHING;

-- ---------------------------------------------------- terms of the process

INSERT INTO returns.stage_deadline (market, state, resolution, term, unit, on_timeout)
SELECT 'uk', t.*
  FROM returns.platform_terms() AS t
 WHERE NOT EXISTS (SELECT FROM returns.stage_deadline WHERE market = 'uk');

-- ---------------------------------------------------------------- policies
-- Sale at a distance: 14 days after delivery to cancel (Consumer Contracts
-- Regulations 2013), 30 days to reject faulty goods (Consumer Rights Act 2015,
-- s. 22). The Acts do not move a term that ends on a day off: no roll. A buyer
-- can cancel without a reason, so this is the law for every fault. The terms
-- of the shop give more and override it. The exceptions to it are not here:
-- they must be verified for the shop first.

INSERT INTO returns.policy (market, category, fault, returnable, window_term, window_unit, window_roll, resolutions,
							refund_shipping, statutory, source)
SELECT 'uk', v.*
  FROM (VALUES
	(NULL::text, NULL::text, true, 14, 'day', false, '{refund}'::text[], false, true,
	 'Consumer Contracts Regulations 2013: 14 days after the day of delivery'),
	(NULL, 'none', true, 14, 'day', false, '{refund}', true, false,
	 'As the law; standard delivery included: default, not verified'),
	(NULL, 'seller', true, 30, 'day', false, '{refund,exchange}', true, true,
	 'Consumer Rights Act 2015 s. 22(3): 30 days to reject; exchange: default'),
	(NULL, 'carrier', true, 30, 'day', false, '{refund,exchange}', true, false,
	 'As for the seller, who bears the risk until delivery: default, not verified'),
	(NULL, 'platform', true, 30, 'day', false, '{refund,exchange}', true, false, 'Default, not verified')
  ) AS v (category, fault, returnable, window_term, window_unit, window_roll, resolutions, refund_shipping, statutory, source)
 WHERE NOT EXISTS (
	SELECT FROM returns.policy p
	 WHERE p.market = 'uk' AND p.category IS NOT DISTINCT FROM v.category AND p.reason IS NULL
	   AND p.fault IS NOT DISTINCT FROM v.fault AND p.seller_ref IS NULL AND p.valid_from = '-infinity');
