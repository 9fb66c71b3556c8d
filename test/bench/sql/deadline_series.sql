SELECT (d::date + 1)::timestamp AT TIME ZONE 'Asia/Almaty'
  FROM generate_series((at AT TIME ZONE 'Asia/Almaty')::date + 1,
		(at AT TIME ZONE 'Asia/Almaty')::date + 20 + 2 * term, interval '1 day') AS d
	LEFT JOIN returns.calendar_day x ON x.calendar = 'kz' AND x.day = d::date
 WHERE coalesce(x.working, extract(isodow FROM d) < 6)
 ORDER BY d OFFSET term - 1 LIMIT 1
