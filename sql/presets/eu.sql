-- European Union, with Germany's calendar: market, calendar 2020-2035, terms of
-- the process, policies. The Union has no calendar of its own: for another
-- member state add a market with that state's zone and calendar.

-- ---------------------------------------------------------------- calendar
-- Holidays of all federal states, by rule.

WITH laid AS (
	INSERT INTO returns.calendar (code, first_day, last_day, name)
	VALUES ('eu', '2020-01-01', '2035-12-31', 'Germany, federal holidays')
	ON CONFLICT DO NOTHING
	RETURNING code
)
INSERT INTO returns.calendar_day (calendar, day, name)
SELECT laid.code, holiday.day, holiday.name
  FROM laid, generate_series(2020, 2035) AS year, returns.easter(year) AS easter,
	   LATERAL (VALUES
	(make_date(year, 1, 1),   'New Year''s Day'),
	(easter - 2,              'Good Friday'),
	(easter + 1,              'Easter Monday'),
	(make_date(year, 5, 1),   'Labour Day'),
	(easter + 39,             'Ascension Day'),
	(easter + 50,             'Whit Monday'),
	(make_date(year, 10, 3),  'German Unity Day'),
	(make_date(year, 12, 25), 'Christmas Day'),
	(make_date(year, 12, 26), 'Second Day of Christmas')
  ) AS holiday (day, name);

INSERT INTO returns.market (code, timezone, calendar, currency, name)
VALUES ('eu', 'Europe/Berlin', 'eu', 'EUR', 'European Union (Germany)')
ON CONFLICT DO NOTHING;

-- ---------------------------------------------------- terms of the process

INSERT INTO returns.stage_deadline (market, state, resolution, term, unit, on_timeout)
SELECT 'eu', t.*
  FROM returns.platform_terms() AS t
 WHERE NOT EXISTS (SELECT FROM returns.stage_deadline WHERE market = 'eu');

-- ---------------------------------------------------------------- policies
-- Sale at a distance: 14 days to withdraw, all of it paid back with the
-- standard delivery (directive 2011/83/EU). Whether sealed goods were opened
-- (art. 16 (e)) is checked when they come back, so no category is excepted for
-- it. The other exceptions of art. 16 are not here: they must be verified for
-- the shop first. For goods that are not in conformity within two years
-- (directive 2019/771) the law offers repair or replacement first; here the
-- buyer may choose money as well.

INSERT INTO returns.policy (market, category, fault, returnable, window_term, window_unit, window_roll, resolutions,
							refund_shipping, statutory, source)
SELECT 'eu', v.*
  FROM (VALUES
	(NULL::text, 'none', true, 14, 'day', true, '{refund}'::text[], true, true,
	 'Directive 2011/83/EU art. 9: 14 days; art. 13: standard delivery included; Regulation 1182/71 art. 3(4): a term ending on a day off is moved'),
	(NULL, 'seller', true, 24, 'month', true, '{refund,exchange}', true, true, 'Directive (EU) 2019/771 art. 10: two years'),
	(NULL, 'carrier', true, 24, 'month', true, '{refund,exchange}', true, false,
	 'As for the seller, who bears the risk until delivery: default, not verified'),
	(NULL, 'platform', true, 30, 'day', true, '{refund,exchange}', true, false, 'Default, not verified')
  ) AS v (category, fault, returnable, window_term, window_unit, window_roll, resolutions, refund_shipping, statutory, source)
 WHERE NOT EXISTS (
	SELECT FROM returns.policy p
	 WHERE p.market = 'eu' AND p.category IS NOT DISTINCT FROM v.category AND p.reason IS NULL
	   AND p.fault = v.fault AND p.seller_ref IS NULL AND p.valid_from = '-infinity');
