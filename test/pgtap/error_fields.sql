-- The fields of an error: SQLSTATE, table and column, and the form of message,
-- DETAIL and HINT.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
\ir ../harness/requests.sql

SELECT pg_temp.sell('open', 2), pg_temp.sell('free', 2) \g /dev/null
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at)
VALUES ('free', 2, 'b-free', 's-free', 'sku', 'clothing', 'kz', 2, 20, 'KZT', '2026-02-25 10:00+05');
SELECT pg_temp.ask('open', 1, 1, 'k') AS open \gset

CREATE TEMP TABLE said (why text, state text, message text, detail text, hint text, tab text, col text, sch text);
CREATE FUNCTION pg_temp.say(why text, actor text, clock text, statement text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	s said;
BEGIN
	PERFORM set_config('returns.actor', actor, false), set_config('returns.clock', clock, false);
	BEGIN
		EXECUTE statement;
		s.state := 'done';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS s.state = RETURNED_SQLSTATE, s.message = MESSAGE_TEXT, s.detail = PG_EXCEPTION_DETAIL,
			s.hint = PG_EXCEPTION_HINT, s.tab = TABLE_NAME, s.col = COLUMN_NAME, s.sch = SCHEMA_NAME;
	END;
	PERFORM set_config('returns.actor', 'operator:o', false), set_config('returns.clock', '2026-03-10 12:00+05', false);
	s.why := why;
	INSERT INTO said SELECT s.*;
END $$;
CREATE TEMP TABLE refusal (why text, state text, tab text, col text, actor text, clock text, statement text);
INSERT INTO refusal VALUES
	('no such edge', 'RT001', 'return_request', 'status', 'operator:o', NULL, format('SELECT returns.act(%s, ''received'')', :open)),
	('no such beginning', 'RT001', 'return_request', 'status', 'operator:o', NULL, 'INSERT INTO returns.return_request (order_ref, reason, status) VALUES (''free'', ''defective'', ''approved'')'),
	('no actor', 'RT002', '', '', '', NULL, format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open)),
	('another party', 'RT002', 'return_request', 'status', 'seller:x', NULL, format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open)),
	('not this actor', 'RT002', 'return_request', 'status', 'buyer:b-open', NULL, format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open)),
	('another''s order', 'RT002', 'return_request', 'order_ref', 'buyer:x', NULL, 'INSERT INTO returns.return_request (order_ref, reason) VALUES (''free'', ''defective'')'),
	('stage over', 'RT003', 'return_request', 'due_at', 'seller:s-open', '2026-03-20 12:00+05', format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :open)),
	('window over', 'RT003', 'return_request', '', 'operator:o', '2026-06-01 12:00+05', 'SELECT returns.open_return(''free'', ''[{"line_no":1,"quantity":1}]'', ''changed_mind'')'),
	('not delivered', 'RT004', 'return_request', '', 'operator:o', NULL, 'SELECT returns.open_return(''free'', ''[{"line_no":2,"quantity":1}]'', ''changed_mind'')'),
	('too many units', 'RT005', 'return_line', 'quantity', 'operator:o', NULL, 'SELECT returns.open_return(''free'', ''[{"line_no":1,"quantity":3}]'', ''changed_mind'')'),
	('units taken', 'RT005', 'return_request', '', 'operator:o', NULL, 'SELECT returns.open_return(''open'', ''[{"line_no":1,"quantity":2}]'', ''changed_mind'')'),
	('too much money', 'RT006', 'payment', 'refunded', 'operator:o', NULL, format('SELECT returns.grant_refund(%s, 1000, ''because'')', :open)),
	('computed column', 'RT007', 'return_request', 'due_at', 'operator:o', NULL, format('UPDATE returns.return_request SET due_at = NULL WHERE id = %s', :open)),
	('history', 'RT007', 'return_event', '', 'operator:o', NULL, 'DELETE FROM returns.return_event'),
	('a return deleted', 'RT007', 'return_request', '', 'operator:o', NULL, format('DELETE FROM returns.return_request WHERE id = %s', :open)),
	('no note', 'RT008', 'return_request', 'note', 'seller:s-open', NULL, format('SELECT returns.act(%s, ''rejected'')', :open)),
	('a note of blanks', 'RT008', 'return_request', 'note', 'seller:s-open', NULL, format('SELECT returns.act(%s, ''rejected'', '' '')', :open)),
	('a rule refused', 'RT009', 'policy', '', 'operator:o', NULL, 'INSERT INTO returns.policy (market, fault, seller_ref, returnable, window_term, valid_from) VALUES (''kz'', ''none'', ''s-open'', true, 1, ''2026-04-01'')'),
	('unknown state', 'RT010', 'return_request', 'status', 'operator:o', NULL, format('UPDATE returns.return_request SET status = ''nowhere'' WHERE id = %s', :open)),
	('unknown return', 'RT010', 'return_request', 'id', 'operator:o', NULL, 'SELECT returns.act(0, ''approved'')'),
	('unknown order', 'RT010', 'return_request', 'order_ref', 'operator:o', NULL, 'INSERT INTO returns.return_request (order_ref, reason) VALUES (''none'', ''defective'')'),
	('unknown reason', 'RT010', 'return_request', 'reason', 'operator:o', NULL, 'INSERT INTO returns.return_request (order_ref, reason) VALUES (''free'', ''none'')'),
	('unknown resolution', 'RT010', 'return_request', 'resolution', 'operator:o', NULL, 'INSERT INTO returns.return_request (order_ref, reason, resolution) VALUES (''free'', ''defective'', ''none'')'),
	('key reused', 'RT011', '', '', 'operator:o', NULL, 'SELECT returns.open_return(''open'', ''[{"line_no":1,"quantity":2}]'', ''changed_mind'', idempotency_key => ''k'')'),
	('no status', '23502', 'return_request', 'status', 'operator:o', NULL, format('UPDATE returns.return_request SET status = NULL WHERE id = %s', :open));
SELECT pg_temp.say(why, actor, coalesce(clock, '2026-03-10 12:00+05'), statement) FROM refusal \g /dev/null
SELECT is(s.state, r.state, format('the error for "%s" has SQLSTATE %s', why, r.state)) FROM refusal r JOIN said s USING (why);
SELECT is(format('%s.%s.%s', s.sch, s.tab, s.col), format('%s.%s.%s', CASE r.tab WHEN '' THEN '' ELSE 'returns' END, r.tab, r.col),
	format('the error for "%s" names its schema, table and column', why)) FROM refusal r JOIN said s USING (why);
SELECT matches(s.message, '^[^A-Z].*[^.]$', format('the message for "%s" has the form of PostgreSQL: %s', why, s.message)) FROM said s;
SELECT matches(s.detail, '^(["A-Z0-9]|returns\.).*\.$', format('the DETAIL for "%s" has the form of PostgreSQL: %s', why, s.detail)) FROM said s WHERE state LIKE 'RT%';
SELECT matches(s.hint, '^["A-Z0-9].*\.$', format('the HINT for "%s" has the form of PostgreSQL: %s', why, s.hint)) FROM said s;

SELECT * FROM finish();
