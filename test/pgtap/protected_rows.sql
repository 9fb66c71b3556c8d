-- Computed columns, history and ledger: no client may write them, not even a
-- superuser.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';

CREATE FUNCTION pg_temp.sell(o text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, currency, purchased_at, delivered_at)
	SELECT o, n, 'b', 's', 'sku', 'books', 'kz', 2, 20, 'KZT', '2026-03-01 10:00+05', CASE n WHEN 1 THEN timestamptz '2026-03-08 10:00+05' END
	  FROM generate_series(1, 2) AS n;
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, provider_ref, captured_at)
	VALUES (o, 1, 'card', 40, 'KZT', 'psp', 'c-' || o, '2026-03-01 10:00+05');
$$;
SELECT pg_temp.sell(o) FROM unnest('{draft,open,due,free}'::text[]) AS o \g /dev/null
INSERT INTO returns.return_request (order_ref, reason) VALUES ('draft', 'changed_mind') RETURNING id AS draft \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:draft, 1, 1);
SELECT returns.open_return('open', '[{"line_no":1,"quantity":1}]', 'changed_mind', idempotency_key => 'k') AS open,
	returns.open_return('due', '[{"line_no":1,"quantity":1}]', 'changed_mind') AS due \gset
SELECT returns.act(:due, s) FROM unnest('{approved,received,refund_due}'::text[]) AS s \g /dev/null
SELECT id FROM returns.claim_refunds(10) \g /dev/null
UPDATE returns.refund SET status = 'failed', failure = 'no' \g /dev/null

-- ------------------------------------------------------------ every column
-- A value other than the present one.
CREATE FUNCTION pg_temp.other(type regtype, col text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE type
		WHEN 'boolean'::regtype THEN format('NOT coalesce(%I, false)', col)
		WHEN 'text'::regtype THEN '''other'''
		WHEN 'text[]'::regtype THEN '''{other}'''
		WHEN 'bytea'::regtype THEN '''\x00'''
		WHEN 'jsonb'::regtype THEN '''{"other": 1}'''
		WHEN 'timestamptz'::regtype THEN '''2020-01-01'''
		ELSE '''77''' END
$$;
CREATE FUNCTION pg_temp.columns(t regclass, except_for text[]) RETURNS TABLE (col text, other text) LANGUAGE sql AS $$
	SELECT attname, pg_temp.other(atttypid::regtype, attname)
	  FROM pg_attribute WHERE attrelid = t AND attnum > 0 AND NOT attisdropped AND attname <> ALL (except_for) ORDER BY attnum
$$;
SELECT throws_ok(format('UPDATE returns.return_request SET %I = %s WHERE id = %s', col, other, r), 'RT007', NULL,
	format('a request in state %s refuses a new value of %s', state, col))
  FROM (VALUES (:draft, 'draft', '{status,note,details,carrier,tracking_ref,reason,resolution}'::text[]),
	(:open, 'requested', '{status,note,details,carrier,tracking_ref}'), (:due, 'refund_due', '{status,note,details,carrier,tracking_ref}')) AS v (r, state, own),
	pg_temp.columns('returns.return_request', own);
SELECT throws_ok(format('UPDATE returns.return_request SET %I = NULL WHERE id = %s', col, :due), 'RT007', NULL, 'a refund_due request refuses NULL in ' || col)
  FROM pg_temp.columns('returns.return_request', '{status,note,details,carrier,tracking_ref}'),
	(SELECT to_jsonb(r) AS row FROM returns.return_request r WHERE id = :due) AS v
 WHERE row -> col <> 'null';
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''approved'', %I = %s WHERE id = %s', col, other, :open), 'RT007', NULL,
	'a move of a request refuses a new value of ' || col)
  FROM pg_temp.columns('returns.return_request', '{status,note,details,carrier,tracking_ref}');
SELECT throws_ok(format('INSERT INTO returns.return_request (order_ref, reason, %I) VALUES (''free'', ''changed_mind'', %s)', col,
	CASE other WHEN format('NOT coalesce(%I, false)', col) THEN 'true' ELSE other END), 'RT007', NULL, 'a new request refuses a value of ' || col)
  FROM pg_temp.columns('returns.return_request', '{id,order_ref,status,note,details,carrier,tracking_ref,reason,resolution,idempotency_key}');
SELECT throws_ok(format('UPDATE returns.return_line SET %I = %s WHERE return_id = %s', col, other, r), 'RT007', NULL,
	format('a return line in state %s refuses a new value of %s', state, col))
  FROM (VALUES (:draft, 'draft', '{quantity}'::text[]), (:open, 'requested', '{}'), (:due, 'refund_due', '{}')) AS v (r, state, own),
	pg_temp.columns('returns.return_line', own);
SELECT throws_ok(format('INSERT INTO returns.return_line (return_id, line_no, quantity, %I) VALUES (%s, 2, 1, %s)', col, :draft, other), 'RT007', NULL,
	'a new return line refuses a value of ' || col)
  FROM pg_temp.columns('returns.return_line', '{order_ref,return_id,line_no,quantity}');
SELECT throws_ok(format('UPDATE returns.sale_line SET %I = %s WHERE order_ref = ''due'' AND line_no = 1', col, other), 'RT007', NULL,
	'a sale line with a return refuses a new value of ' || col)
  FROM pg_temp.columns('returns.sale_line', '{}');
SELECT throws_ok(format('UPDATE returns.payment SET %I = %s WHERE order_ref = ''due''', col, other), 'RT007', NULL,
	'a payment with a refund refuses a new value of ' || col)
  FROM pg_temp.columns('returns.payment', '{refund_rank,chargeback}');
SELECT throws_ok(format('UPDATE returns.%s SET %I = 77 WHERE order_ref = ''free''', t, col), 'RT007', NULL, format('an unused row of %s refuses a new value of %s', t, col))
  FROM (VALUES ('sale_line', 'reserved'), ('sale_line', 'returned'), ('sale_line', 'refunded'), ('payment', 'refunded')) AS v (t, col);
SELECT throws_ok(format('UPDATE returns.refund SET %I = %s WHERE return_id = %s', col, other, :due), 'RT007', NULL, 'a refund refuses a new value of ' || col)
  FROM pg_temp.columns('returns.refund', '{status,provider_ref,failure}');
SELECT lives_ok($$ UPDATE returns.sale_line SET delivered_at = '2026-03-09 10:00+05' WHERE order_ref = 'due' AND line_no = 2 $$,
	'delivered_at of an undelivered sale line with a return may be set');

-- --------------------------------------------------- history and the ledger
SELECT throws_ok(format(statement, t), 'RT007', NULL, 'the superuser cannot execute: ' || format(statement, t))
  FROM unnest('{return_event,ledger_transfer,ledger_entry}'::text[]) AS t,
	unnest(ARRAY['UPDATE returns.%s SET order_ref = order_ref', 'DELETE FROM returns.%s', 'TRUNCATE returns.%s CASCADE',
	'INSERT INTO returns.%1$s SELECT * FROM returns.%1$s LIMIT 1',
	'INSERT INTO returns.%1$s SELECT * FROM returns.%1$s LIMIT 1 ON CONFLICT DO NOTHING',
	'MERGE INTO returns.%1$s t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE',
	'WITH gone AS (DELETE FROM returns.%s RETURNING *) SELECT count(*) FROM gone']) AS statement;
SELECT throws_ok(format('TRUNCATE returns.%s CASCADE', t), 'RT007', NULL, 'TRUNCATE is refused on ' || t)
  FROM unnest('{sale_line,payment,return_request,return_line,refund}'::text[]) AS t;
SELECT throws_ok('TRUNCATE returns.currency CASCADE', 'RT007', NULL, 'TRUNCATE CASCADE of a referenced table is refused');
SELECT throws_ok(format('DELETE FROM returns.return_request WHERE id = %s', r), 'RT007', NULL, 'DELETE is refused for a return in state ' || state)
  FROM (VALUES (:open, 'requested'), (:due, 'refund_due')) AS v (r, state);
SELECT throws_ok(format('DELETE FROM returns.return_line WHERE return_id = %s', r), 'RT007', NULL, 'DELETE is refused for return lines in state ' || state)
  FROM (VALUES (:open, 'requested'), (:due, 'refund_due')) AS v (r, state);
SELECT throws_ok(format('DELETE FROM returns.%s WHERE order_ref = ''due''', t), 'RT007', NULL, 'DELETE is refused for a used row of ' || t)
  FROM unnest('{refund,payment,sale_line}'::text[]) AS t;
SELECT throws_ok($$ INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency, idempotency_key, created_at)
	SELECT order_ref, return_id, payment_no, amount, currency, 'mine', created_at FROM returns.refund LIMIT 1 $$, 'RT007', NULL, 'INSERT of a refund is refused');
SELECT lives_ok(format('DELETE FROM returns.return_request WHERE id = %s', :draft), 'a draft can be deleted');
SELECT is_empty(format('SELECT seq::text FROM returns.return_event WHERE return_id = %1$s UNION ALL SELECT line_no::text FROM returns.return_line WHERE return_id = %1$s',
	:draft), 'a deleted draft takes its lines and its history along');

SELECT * FROM finish();
