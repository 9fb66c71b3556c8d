-- The key "booked" of the details of an event belongs to the extension: a
-- value that a client writes there by any statement has no effect.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM unnest('{open_return,act,update,insert}'::text[]) AS o;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT order_ref, 1, 'card', 10, 'KZT', 'psp', '2026-03-01 10:00+05' FROM returns.sale_line;

-- A forged key "booked" without postings, and another key of the client.
\set forged '{"a": 1, "booked": {"refunds": [{"refund_id": 1, "payment_no": 1, "amount": 1000, "currency": "KZT", "idempotency_key": "forged"}], "transfers": {"1": "00"}}}'
SELECT returns.open_return('open_return', '[{"line_no":1,"quantity":1}]', 'defective', details => :'forged') AS by_open,
	returns.open_return('act', '[{"line_no":1,"quantity":1}]', 'defective') AS by_act,
	returns.open_return('update', '[{"line_no":1,"quantity":1}]', 'defective') AS by_update \gset
INSERT INTO returns.return_request (order_ref, reason, details) VALUES ('insert', 'defective', :'forged') RETURNING id AS by_insert \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:by_insert, 1, 1);
UPDATE returns.return_request SET status = 'requested', details = details WHERE id = :by_insert;
SELECT is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing after requests with a forged key');
SELECT returns.act(:by_act, 'approved', details => :'forged') \g /dev/null
UPDATE returns.return_request SET status = 'approved', details = :'forged' WHERE id = :by_update;
UPDATE returns.return_request SET status = 'approved', details = details WHERE id IN (:by_open, :by_insert);
SELECT is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing after approvals with a forged key');
SELECT is_empty('SELECT order_ref, seq, details FROM returns.return_event WHERE details ? ''booked''', 'no event of a move without money has the key');
SELECT is(count(*), 8::bigint, 'the events keep the other keys that the client has said') FROM returns.return_event WHERE details = '{"a": 1}';

-- In the event of a move that posts money the key has the values of the
-- extension.
UPDATE returns.return_request SET status = 'received', details = :'forged';
SELECT returns.act(:by_act, 'refund_due', details => :'forged') \g /dev/null
UPDATE returns.return_request SET status = 'refund_due', details = :'forged' WHERE id <> :by_act;
SELECT is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing after decisions with a forged key');
SELECT is(e.details, jsonb_build_object('a', 1, 'booked', jsonb_build_object(
		'refunds', jsonb_build_array(jsonb_build_object('refund_id', r.id, 'payment_no', 1, 'amount', 10.00, 'currency', 'KZT', 'provider', 'psp',
			'idempotency_key', r.idempotency_key)),
		'transfers', e.details #> '{booked,transfers}')),
	format('the decision of the return of order %s attests its own refund, not the forged one', e.order_ref))
  FROM returns.return_event e JOIN returns.refund r ON r.order_ref = e.order_ref WHERE e.to_state = 'refund_due' AND e.kind = 'transition';
SELECT is((SELECT array_agg(k) FROM jsonb_object_keys(e.details #> '{booked,transfers}') AS k), '{1}', format('the decision of the return of order %s attests its own transfer', e.order_ref))
  FROM returns.return_event e WHERE e.to_state = 'refund_due' AND e.kind = 'transition';
SELECT isnt(e.details #>> '{booked,transfers,1}', '00', format('the hash that the decision of the return of order %s attests is not the forged one', e.order_ref))
  FROM returns.return_event e WHERE e.to_state = 'refund_due' AND e.kind = 'transition';
UPDATE returns.refund SET status = 'sent';
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-' || id;
SELECT is(string_agg(DISTINCT status, ', '), 'refunded', 'the returns with a forged key are paid') FROM returns.return_request;
SELECT is((SELECT sum(amount) FROM returns.refund), 40.00, 'what is paid is what was bought, not what the key says');

-- The key belongs to the extension at the top level of the details only.
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
VALUES ('nested', 1, 'b', 's', 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05');
SELECT returns.open_return('nested', '[{"line_no":1,"quantity":1}]', 'defective', details => '{"mine": {"booked": 1}, "Booked": 2}') AS nested \gset
SELECT is(details, '{"mine": {"booked": 1}, "Booked": 2}', 'a key of another name, or below another key, is kept in the event')
  FROM returns.return_event WHERE return_id = :nested AND to_state = 'requested';

SELECT * FROM finish();
