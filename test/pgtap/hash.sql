-- The hashes of events and transfers, compared with their definition in SQL.
-- A hash that was stored must never change its meaning, so neither may this file.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

-- Each field as its length and its bytes; a null is the length -1 without bytes.
CREATE FUNCTION pg_temp.field(bytes bytea) RETURNS bytea LANGUAGE sql AS
	$$SELECT coalesce(int4send(octet_length(bytes)) || bytes, '\xffffffff')$$;
CREATE FUNCTION pg_temp.field(word text) RETURNS bytea LANGUAGE sql AS
	$$SELECT pg_temp.field(convert_to(word, 'UTF8'))$$;
CREATE FUNCTION pg_temp.field(number bigint) RETURNS bytea LANGUAGE sql AS
	$$SELECT pg_temp.field(int8send(number))$$;
CREATE FUNCTION pg_temp.field(at timestamptz) RETURNS bytea LANGUAGE sql AS
	$$SELECT pg_temp.field(timestamptz_send(at))$$;

CREATE FUNCTION pg_temp.hash_of(e returns.return_event, previous bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT sha256(pg_temp.field(coalesce(previous, '')) || pg_temp.field(e.order_ref) || pg_temp.field(e.return_id)
		|| pg_temp.field(e.seq) || pg_temp.field(e.epoch) || pg_temp.field(e.xid::text::bigint) || pg_temp.field(e.at)
		|| pg_temp.field(e.actor) || pg_temp.field(e.actor_ref) || pg_temp.field(e.db_role::text)
		|| pg_temp.field(e.from_state) || pg_temp.field(e.to_state) || pg_temp.field(e.kind) || pg_temp.field(e.note)
		|| pg_temp.field(e.details::text) || pg_temp.field(e.due_at))
$$;
CREATE FUNCTION pg_temp.hash_of(t returns.ledger_transfer) RETURNS bytea LANGUAGE sql AS $$
	SELECT sha256(pg_temp.field(t.order_ref) || pg_temp.field(t.return_id) || pg_temp.field(t.transfer_no)
		|| pg_temp.field(coalesce(t.refund_id, 0)) || pg_temp.field(t.kind) || pg_temp.field(t.at)
		|| pg_temp.field(coalesce(t.reverses, 0)) || pg_temp.field(min(b.currency))
		|| string_agg(pg_temp.field(b.account) || pg_temp.field(b.party_ref) || pg_temp.field(b.amount::text), '' ORDER BY b.entry_no))
	FROM returns.ledger_entry b
	WHERE b.order_ref = t.order_ref AND b.return_id = t.return_id AND b.transfer_no = t.transfer_no
$$;

-- Events of every kind that a client can cause, with and without each field.
SET returns.clock = '2026-03-10 12:00:00.123456+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, commission_rate, currency, purchased_at, delivered_at)
VALUES ('hash', 1, 'b', 's', 'sku', 'books', 'kz', 2, 10, 0.1, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05');
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
VALUES ('hash', 1, 'card', 8, 'KZT', 'psp', '2026-03-01 10:00+05'), ('hash', 2, 'cash', 2, 'KZT', NULL, '2026-03-01 10:00+05');
SELECT returns.open_return('hash', '[{"line_no":1,"quantity":1}]', 'defective', note => 'сломано', details => '{"b": 1.50, "a": ["x", null]}') AS id \gset
UPDATE returns.return_request SET status = 'approved' WHERE id = :id;
UPDATE returns.return_request SET status = 'received', note = 'came back' WHERE id = :id;
UPDATE returns.return_line SET received = 1, accepted = 1 WHERE return_id = :id;
UPDATE returns.return_request SET status = 'refund_due' WHERE id = :id;
SELECT returns.grant_refund(:id, 1.25, 'goodwill') \g /dev/null
UPDATE returns.refund SET status = 'sent' WHERE return_id = :id;
UPDATE returns.refund SET status = 'settled' WHERE return_id = :id;

SELECT is(string_agg(DISTINCT kind, ' ' ORDER BY kind), 'override receipt refund transition', 'the history has events of these kinds')
  FROM returns.return_event WHERE return_id = :id;
SELECT is_empty($$SELECT seq, kind FROM (SELECT e, lag(e.hash) OVER (PARTITION BY e.order_ref, e.return_id ORDER BY e.seq) AS previous, (e).*
	FROM returns.return_event e) h WHERE hash IS DISTINCT FROM pg_temp.hash_of(e, previous)$$,
	'the hash of every event is the sha256 of the hash before it and of its fields');
SELECT isnt_empty('SELECT FROM returns.ledger_transfer', 'transfers were posted');
SELECT is_empty($$SELECT t.transfer_no, t.kind FROM returns.ledger_transfer t LEFT JOIN returns.return_event e
	ON e.order_ref = t.order_ref AND e.return_id = t.return_id AND e.details #>> ARRAY['booked', 'transfers', t.transfer_no::text] = encode(pg_temp.hash_of(t), 'hex')
	WHERE e.seq IS NULL$$, 'an event attests the sha256 of every transfer and its entries');

-- The content of the idempotency key of a refund.
SELECT is_empty(format($$SELECT r.id, r.idempotency_key FROM returns.refund r, pg_control_system() c WHERE NOT EXISTS (
	SELECT FROM returns.return_event e WHERE e.return_id = r.return_id AND r.idempotency_key = encode(substr(sha256(convert_to(
		format('%%s/%%s/%%s/%%s/%%s', c.system_identifier, r.return_id, e.seq, r.payment_no, r.order_ref), 'UTF8')), 1, 16), 'hex')::uuid::text)$$),
	'the idempotency key of every refund is a UUID from the sha256 of the cluster, the return, its last event and the payment');

-- An event that cannot exist has no hash. This is no error: verify() finds the
-- event.
CREATE FUNCTION pg_temp.hash_with(kind text, actor text, order_ref text) RETURNS bytea LANGUAGE sql AS $$
	SELECT returns.event_hash(NULL, order_ref, 1, 1, 1, '5'::xid8, '2026-03-10 12:00+05', actor, NULL, 'r', NULL, 'draft', kind, NULL, NULL, NULL)
$$;
SELECT isnt(pg_temp.hash_with(kind, 'buyer', 'o'), NULL, format('event_hash() of the kind %s', kind))
  FROM unnest('{transition,reminder,overdue,receipt,refund,override}'::text[]) AS kind;
SELECT isnt(pg_temp.hash_with('transition', NULL, 'o'), NULL, 'event_hash() of an event without an actor');
SELECT is(pg_temp.hash_with(kind, 'buyer', 'o'), NULL, format('event_hash() of the unknown kind "%s" is null', kind))
  FROM unnest('{refunded,refun,"",none}'::text[]) AS kind;
SELECT is(pg_temp.hash_with('transition', 'robot', 'o'), NULL, 'event_hash() of an unknown actor is null');
SELECT is(pg_temp.hash_with(NULL, 'buyer', 'o'), NULL, 'event_hash() of an event without a kind is null');
SELECT is(pg_temp.hash_with('transition', 'buyer', NULL), NULL, 'event_hash() of an event without an order is null');

CREATE FUNCTION pg_temp.transfer_with(accounts text[], parties text[], amounts numeric[]) RETURNS bytea LANGUAGE sql AS $$
	SELECT returns.transfer_hash('o', 1, 1, NULL, 'refund_due', '2026-03-10 12:00+05', NULL, 'KZT', accounts, parties, amounts)
$$;
SELECT isnt(pg_temp.transfer_with('{a,b}', '{p,NULL}', '{1,-1}'), NULL, 'transfer_hash() of entries with and without a party');
SELECT is(pg_temp.transfer_with('{a}', '{p,NULL}', '{1,-1}'), NULL, 'transfer_hash() with fewer accounts than amounts is null');
SELECT is(pg_temp.transfer_with('{a,b}', '{p}', '{1,-1}'), NULL, 'transfer_hash() with fewer parties than amounts is null');
SELECT is(pg_temp.transfer_with('{a,b}', '{p,NULL}', '{1}'), NULL, 'transfer_hash() with fewer amounts than accounts is null');
SELECT is(pg_temp.transfer_with('{a,NULL}', '{p,NULL}', '{1,-1}'), NULL, 'transfer_hash() of an entry without an account is null');
SELECT is(pg_temp.transfer_with('{a,b}', '{p,NULL}', '{1,NULL}'), NULL, 'transfer_hash() of an entry without an amount is null');

SELECT * FROM finish();
