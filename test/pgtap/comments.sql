-- The comments of columns: the word "computed" is in the comments of exactly
-- those columns that a client cannot write.

SET client_min_messages = warning;
SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:ann';

SELECT tap.no_plan();

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
SELECT 'o-1', line_no, 'ann', 'acme', 'lamp', 'appliances', 'kz', 3, 300, 'KZT',
	'2026-03-01 10:00+05', '2026-03-04 10:00+05'
  FROM generate_series(1, 2) AS line_no;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, captured_at)
VALUES ('o-1', 1, 'card', 600, 'KZT', '2026-03-01 10:01+05');
INSERT INTO returns.return_request (order_ref, reason) VALUES ('o-1', 'defective') RETURNING id AS draft \gset
SELECT returns.open_return('o-1', '[{"line_no":1,"quantity":1}]', 'defective') AS due \gset
SELECT returns.act(:due, s) FROM unnest('{approved,received,refund_due}'::text[]) AS s;

-- The columns of a table, each with a value that is not its default.
CREATE FUNCTION pg_temp.samples(tab regclass) RETURNS TABLE (col name, sample text, computed boolean)
LANGUAGE sql AS $$
SELECT a.attname, CASE format_type(a.atttypid, NULL)
		WHEN 'boolean' THEN 'true' WHEN 'jsonb' THEN '{"a": 1}' WHEN 'text[]' THEN '{x}'
		WHEN 'bytea' THEN '\x01' WHEN 'timestamp with time zone' THEN '2026-03-02 10:00+05'
		WHEN 'text' THEN 'x' ELSE '7' END,
	coalesce(col_description(tab, a.attnum) ~ '\ycomputed\y', false)
FROM pg_attribute a
WHERE a.attrelid = tab AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- The SQLSTATE of a statement, which is rolled back.
CREATE FUNCTION pg_temp.sqlstate_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION USING ERRCODE = 'P0999';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

-- Is the table's row refused (RT007) with each of these columns, and with no other?
CREATE FUNCTION pg_temp.inserts_agree(tab regclass, good jsonb) RETURNS text LANGUAGE sql AS $$
SELECT tap.is(array_agg(s.col ORDER BY s.col) FILTER (WHERE pg_temp.sqlstate_of(i.statement) = 'RT007'),
	array_agg(s.col ORDER BY s.col) FILTER (WHERE s.computed),
	format('a new row of %s may give a column unless its comment says computed', tab))
  FROM pg_temp.samples(tab) AS s,
	LATERAL (SELECT format('INSERT INTO %s (%s) VALUES (%s)', tab, string_agg(quote_ident(key), ', '),
			string_agg(quote_literal(value), ', ')) AS statement
		FROM jsonb_each_text(good || jsonb_build_object(s.col, s.sample))) AS i
$$;

SELECT pg_temp.inserts_agree('returns.sale_line', '{"order_ref": "o-2", "line_no": 1, "buyer_ref": "ann", "seller_ref": "acme", "sku": "lamp",
	"category": "appliances", "market": "kz", "quantity": 30, "amount_paid": 300, "currency": "KZT", "purchased_at": "2026-03-01 10:00+05"}');
SELECT pg_temp.inserts_agree('returns.payment', '{"order_ref": "o-2", "payment_no": 1, "method": "card", "amount": 600, "currency": "KZT"}');
SELECT pg_temp.inserts_agree('returns.return_request', '{"order_ref": "o-1", "reason": "defective"}');
SELECT tap.is(array_agg(s.col ORDER BY s.col) FILTER (WHERE pg_temp.sqlstate_of(format(
		'UPDATE returns.refund SET status = ''failed'', %I = %L WHERE return_id = %s', s.col, s.sample, :due)) = 'RT007'),
	array_agg(s.col ORDER BY s.col) FILTER (WHERE s.computed),
	'a report on a refund may write a column unless its comment says computed')
  FROM pg_temp.samples('returns.refund') AS s WHERE s.col <> 'status';
-- the receipt of a line is written later, but never together with the draft
SELECT tap.is(array_agg(s.col ORDER BY s.col) FILTER (WHERE pg_temp.sqlstate_of(format(
		'INSERT INTO returns.return_line (return_id, line_no, quantity, %I) VALUES (%s, 2, 1, %L)', s.col, :draft, s.sample)) = 'RT007'),
	array_agg(s.col ORDER BY s.col) FILTER (WHERE s.computed OR s.col IN ('received', 'accepted', 'deduction', 'deduction_note')),
	'a new line of a draft may give a column unless its comment says computed or it says what came back')
  FROM pg_temp.samples('returns.return_line') AS s WHERE s.col NOT IN ('return_id', 'line_no', 'quantity');
SELECT tap.is(array_agg(s.col) FILTER (WHERE NOT s.computed), NULL::name[],
	format('every column of %s says computed, because only the extension writes it', t))
  FROM unnest('{return_event,ledger_transfer,ledger_entry,ledger_checkpoint}'::text[]) AS t,
	LATERAL pg_temp.samples(('returns.' || t)::regclass) AS s
 GROUP BY t;

SELECT * FROM tap.finish();
