-- easter() against another method: D. E. Knuth, The Art of Computer Programming,
-- volume 1, exercise 14 of section 1.3.2, for every year that easter() takes.

SELECT plan(2);

CREATE FUNCTION pg_temp.knuth(y int) RETURNS date LANGUAGE plpgsql AS $$
DECLARE
	golden int := y % 19 + 1;
	century int := y / 100 + 1;
	skipped_leaps int := 3 * century / 4 - 12;
	moon int := (8 * century + 5) / 25 - 5;
	sunday int := 5 * y / 4 - skipped_leaps - 10;
	epact int := (11 * golden + 20 + moon - skipped_leaps) % 30;
	full_moon int;
BEGIN
	epact := (epact + 30) % 30;
	IF epact = 24 OR epact = 25 AND golden > 11 THEN
		epact := epact + 1;
	END IF;
	full_moon := 44 - epact;
	IF full_moon < 21 THEN
		full_moon := full_moon + 30;
	END IF;
	RETURN make_date(y, 3, 1) + full_moon + 7 - (sunday + full_moon) % 7 - 1;
END $$;

SELECT is(pg_temp.knuth(2026), '2026-04-05', 'the other method has the Easter of 2026');
SELECT is_empty('SELECT y, returns.easter(y), pg_temp.knuth(y) FROM generate_series(1583, 9999) AS y WHERE returns.easter(y) <> pg_temp.knuth(y)',
	'easter() agrees with the other method in every year from 1583 to 9999');
SELECT * FROM finish();
