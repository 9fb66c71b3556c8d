-- The requirements of a move must be set with the move: a note, a parcel,
-- evidence; by short statements, by act(), and by whole rows as an ORM sends
-- them.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM unnest('{requested,approved,exchange_due,sent_before}'::text[]) AS o;
SELECT returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'defective', 'exchange', note => 'the old note')
  FROM unnest('{requested,approved,exchange_due,sent_before}'::text[]) AS o \g /dev/null
UPDATE returns.return_request SET status = 'approved' WHERE order_ref <> 'requested';
UPDATE returns.return_request SET status = 'in_transit', carrier = 'post', tracking_ref = 'OLD' WHERE order_ref = 'exchange_due';
UPDATE returns.return_request SET status = 'received' WHERE order_ref IN ('exchange_due', 'sent_before');
UPDATE returns.return_request SET status = 'exchange_due' WHERE order_ref IN ('exchange_due', 'sent_before');

CREATE TEMP TABLE before AS SELECT * FROM returns.return_request;
-- An UPDATE that sets every column, to its present value or to the given one.
CREATE FUNCTION pg_temp.whole_row(o text, given jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT format('UPDATE returns.return_request r SET %s FROM before b WHERE b.id = r.id AND b.order_ref = %L',
		string_agg(format(CASE WHEN given ? attname THEN '%1$I = %2$L' ELSE '%1$I = b.%1$I' END, attname, given ->> attname), ', ' ORDER BY attnum), o)
	  FROM pg_attribute WHERE attrelid = 'returns.return_request'::regclass AND attnum > 0 AND NOT attisdropped
$$;
-- An UPDATE of the given columns only.
CREATE FUNCTION pg_temp.short(o text, given jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT format('UPDATE returns.return_request SET %s WHERE order_ref = %L', string_agg(format('%I = %L', key, value), ', '), o) FROM jsonb_each_text(given)
$$;
CREATE FUNCTION pg_temp.act(o text, to_state text, note text, details jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT returns.act(id, %L, %L, %L) FROM returns.return_request WHERE order_ref = %L', to_state, note, details, o)
$$;
-- Its result: state, note and details of the event, or a SQLSTATE; rolled
-- back.
CREATE FUNCTION pg_temp.outcome(o text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = (SELECT format('%s, note %s, details %s', r.status, coalesce(e.note, '-'), coalesce(e.details::text, '-'))
		FROM returns.return_request r JOIN returns.return_event e ON e.return_id = r.id AND e.seq = r.last_seq WHERE r.order_ref = o);
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

-- ---------------------------------------------------------------------- a note
SELECT is(pg_temp.outcome('requested', statement), outcome, 'to reject a return that has a note, ' || what)
  FROM (VALUES
	('a note must be said with the move', pg_temp.short('requested', '{"status": "rejected"}'), 'RT008'),
	('the old note in a row sent back whole is no note', pg_temp.whole_row('requested', '{"status": "rejected"}'), 'RT008'),
	('a blank note in a row sent back whole is no note', pg_temp.whole_row('requested', '{"status": "rejected", "note": " "}'), 'RT008'),
	('act() without a note is refused', pg_temp.act('requested', 'rejected', NULL, NULL), 'RT008'),
	('act() with details and without a note is refused', pg_temp.act('requested', 'rejected', NULL, '{"a": 1}'), 'RT008'),
	('a new note in a row sent back whole will do', pg_temp.whole_row('requested', '{"status": "rejected", "note": "worn"}'), 'rejected, note worn, details -'),
	('a new note will do', pg_temp.short('requested', '{"status": "rejected", "note": "worn"}'), 'rejected, note worn, details -'),
	('the same note said again will do', pg_temp.short('requested', '{"status": "rejected", "note": "the old note"}'), 'rejected, note the old note, details -'),
	('act() with the same note will do', pg_temp.act('requested', 'rejected', 'the old note', NULL), 'rejected, note the old note, details -'))
	AS v (what, statement, outcome);

-- The event of a move has only the note and details of the move.
UPDATE returns.return_request SET details = '{"old": 1}';
UPDATE before SET details = '{"old": 1}', updated_at = returns.now();
SELECT is(pg_temp.outcome('requested', statement), outcome, 'the event of an approval: ' || what)
  FROM (VALUES
	('the old note and details are not in it', pg_temp.short('requested', '{"status": "approved"}'), 'approved, note -, details -'),
	('the old note and details of a row sent back whole are not in it', pg_temp.whole_row('requested', '{"status": "approved"}'), 'approved, note -, details -'),
	('a new note of a row sent back whole is in it, the old details are not', pg_temp.whole_row('requested', '{"status": "approved", "note": "fine"}'),
		'approved, note fine, details -'),
	('new details of a row sent back whole are in it, the old note is not', pg_temp.whole_row('requested', '{"status": "approved", "details": {"new": 1}}'),
		'approved, note -, details {"new": 1}'))
	AS v (what, statement, outcome);

-- -------------------------------------------------------------------- a parcel
SELECT is(pg_temp.outcome('approved', statement), outcome, 'to send a return that names no parcel, ' || what)
  FROM (VALUES
	('a number must be given', pg_temp.short('approved', '{"status": "in_transit"}'), 'RT008'),
	('a carrier alone is no parcel', pg_temp.short('approved', '{"status": "in_transit", "carrier": "post"}'), 'RT008'),
	('a row sent back whole names none', pg_temp.whole_row('approved', '{"status": "in_transit"}'), 'RT008'),
	('a number in a row sent back whole will do', pg_temp.whole_row('approved', '{"status": "in_transit", "tracking_ref": "T"}'), 'in_transit, note -, details -'))
	AS v (what, statement, outcome);
SELECT is(pg_temp.outcome('approved', format('UPDATE returns.return_request SET tracking_ref = ''T'' WHERE order_ref = ''approved''; %s',
	pg_temp.short('approved', '{"status": "in_transit"}'))), 'in_transit, note -, details -', 'a parcel that was named before the first move that requires one will do');
SELECT is(pg_temp.outcome('sent_before', format('UPDATE returns.return_request SET tracking_ref = ''T'' WHERE order_ref = ''sent_before''; %s',
	pg_temp.short('sent_before', '{"status": "exchange_sent"}'))), 'exchange_sent, note -, details -',
	'a replacement goes in the parcel that was named before, where the goods came back without one');

-- The parcel of the buyer is not the parcel of the replacement.
SELECT is(pg_temp.outcome('exchange_due', statement), outcome, 'to send the replacement after goods that came in a parcel, ' || what)
  FROM (VALUES
	('another number must be given', pg_temp.short('exchange_due', '{"status": "exchange_sent"}'), 'RT008'),
	('a carrier alone is no parcel', pg_temp.short('exchange_due', '{"status": "exchange_sent", "carrier": "dhl"}'), 'RT008'),
	('a blank number is none', pg_temp.short('exchange_due', '{"status": "exchange_sent", "tracking_ref": " "}'), 'RT008'),
	('the old number in a row sent back whole is no parcel', pg_temp.whole_row('exchange_due', '{"status": "exchange_sent"}'), 'RT008'),
	('another carrier with the old number in a row sent back whole is no parcel', pg_temp.whole_row('exchange_due', '{"status": "exchange_sent", "carrier": "dhl"}'), 'RT008'),
	('act() alone is refused', pg_temp.act('exchange_due', 'exchange_sent', NULL, NULL), 'RT008'),
	('act() with a note alone is refused', pg_temp.act('exchange_due', 'exchange_sent', 'sent', NULL), 'RT008'),
	('act() with empty details is refused', pg_temp.act('exchange_due', 'exchange_sent', NULL, '{}'), 'RT008'),
	('act() with details that name no parcel is refused', pg_temp.act('exchange_due', 'exchange_sent', 'sent', '{"evidence": ["photo"]}'), 'RT008'),
	('act() with details that name a carrier alone is refused', pg_temp.act('exchange_due', 'exchange_sent', NULL, '{"carrier": "dhl"}'), 'RT008'),
	('act() with a null as number is refused', pg_temp.act('exchange_due', 'exchange_sent', NULL, '{"tracking_ref": null}'), 'RT008'),
	('a new number will do', pg_temp.short('exchange_due', '{"status": "exchange_sent", "tracking_ref": "NEW"}'), 'exchange_sent, note -, details -'),
	('a new number in a row sent back whole will do', pg_temp.whole_row('exchange_due', '{"status": "exchange_sent", "tracking_ref": "NEW"}'), 'exchange_sent, note -, details -'),
	('act() with a new number will do', pg_temp.act('exchange_due', 'exchange_sent', NULL, '{"carrier": "dhl", "tracking_ref": "NEW"}'),
		'exchange_sent, note -, details {"old": 1, "carrier": "dhl", "tracking_ref": "NEW"}'))
	AS v (what, statement, outcome);

-- -------------------------------------------------------------------- evidence
UPDATE returns.transition SET requires = '{evidence}' WHERE machine = 'return' AND from_state = 'requested' AND to_state = 'approved';
SELECT is(pg_temp.outcome('requested', statement), outcome, 'where an approval requires evidence, ' || what)
  FROM (VALUES
	('it must be given', pg_temp.short('requested', '{"status": "approved"}'), 'RT008'),
	('a row sent back whole without it is refused', pg_temp.whole_row('requested', '{"status": "approved"}'), 'RT008'),
	('a row sent back whole with it will do', pg_temp.whole_row('requested', '{"status": "approved", "details": {"evidence": ["photo"]}}'),
		'approved, note -, details {"evidence": ["photo"]}'))
	AS v (what, statement, outcome);
UPDATE returns.return_request SET details = '{"evidence": ["photo"]}';
UPDATE before SET details = '{"evidence": ["photo"]}', updated_at = returns.now();
SELECT is(pg_temp.outcome('requested', statement), 'approved, note -, details -', 'evidence belongs to the return, and need not be said again: ' || what)
  FROM (VALUES
	('a short statement', pg_temp.short('requested', '{"status": "approved"}')),
	('a row sent back whole', pg_temp.whole_row('requested', '{"status": "approved"}')),
	('act()', pg_temp.act('requested', 'approved', NULL, NULL))) AS v (what, statement);
UPDATE returns.transition SET requires = '{}' WHERE machine = 'return' AND from_state = 'requested' AND to_state = 'approved';

SELECT * FROM finish();
