-- Terms: when they end, and how that is computed.

CREATE FUNCTION returns.deadline(start timestamptz, term int, unit text, market text, roll boolean DEFAULT true)
RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'returns_deadline';
COMMENT ON FUNCTION returns.deadline(timestamptz, int, text, text, boolean) IS
'The end of a term that begins with an event at start

An act is in time if and only if it is before the result. unit is hour, day, business_day, month or
year; market names the time zone and the calendar.
The day of the event is not counted. Days are local days of the time zone of the market, never of
the session. A month or year ends on the same day number, or on the last day of the month. With
roll, a term in days, months or years that ends on a day off ends on the next working day of the
calendar. business_day skips days off; hours are absolute and never roll. The result is the instant
at which the next local day begins. A term of 0 ends with the day of the event, or with the next
working day where days off count. The result is NULL where an argument is NULL.
Errors: 22008 start is infinite or the result is out of range; 22023 the term is negative;
RT009 the term leaves the calendar; RT010 unknown unit or market.
Sources: Civil Code of Kazakhstan art. 172-176; Civil Code of Russia art. 190-194;
Regulation (EEC, Euratom) 1182/71 art. 3.';

CREATE FUNCTION returns.explain_deadline(start timestamptz, term int, unit text, market text, roll boolean DEFAULT true)
RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'returns_explain_deadline';
COMMENT ON FUNCTION returns.explain_deadline(timestamptz, int, text, text, boolean) IS
'How returns.deadline() computes its result, step by step

One line for each step, in local dates of the market, with the names of days off; the last line is
the deadline. Arguments and errors are those of returns.deadline().';

CREATE FUNCTION returns.easter(year int)
RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'returns_easter';
COMMENT ON FUNCTION returns.easter(int) IS
'Easter Sunday of the western churches in a year

The Gregorian computus; for holidays whose date depends on Easter.
Errors: 22008 the year is not between 1583 and 9999.';
