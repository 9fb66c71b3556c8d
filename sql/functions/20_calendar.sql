-- Terms: when they end, and why then.

CREATE FUNCTION returns.deadline(start timestamptz, term int, unit text, market text, roll boolean DEFAULT true)
RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'returns_deadline';
COMMENT ON FUNCTION returns.deadline(timestamptz, int, text, text, boolean) IS
'The end of a term that an event at start begins: an act is in time if and only if it is before the result.
The day of the event is not counted. Unit is hour, day, business_day, month or year; days are local days of the
market''s time zone, never of the session''s. A month or year ends on the same day number or the month''s last day.
With roll a term in days, months or years that ends on a day off ends on the next working day of the market''s
calendar; business_day skips days off; hours are absolute. The result is the instant the next local day begins.
A term of 0 ends with the day of the event, or the next working day where days off count. NULL where an argument is.
Errors: 22008 infinite start or result out of range, 22023 negative term, RT009 the term leaves the calendar,
RT010 unknown unit or market. Rules: Civil Code of Kazakhstan art. 172-176, of Russia art. 190-194,
Regulation (EEC, Euratom) 1182/71 art. 3.';

CREATE FUNCTION returns.explain_deadline(start timestamptz, term int, unit text, market text, roll boolean DEFAULT true)
RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'returns_explain_deadline';
COMMENT ON FUNCTION returns.explain_deadline(timestamptz, int, text, text, boolean) IS
'How returns.deadline() comes to its answer with the same arguments: one line a step in local dates of the market,
days off with their names, and last the deadline. Errors as in returns.deadline().';

CREATE FUNCTION returns.easter(year int)
RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'returns_easter';
COMMENT ON FUNCTION returns.easter(int) IS
'Easter Sunday of the western churches (Gregorian computus), for the holidays that move with it. Years 1583 to 9999,
22008 otherwise.';
