-- Load :n returns that are requested and wait for their seller.  They are
-- loaded as history, with the triggers disabled by the owner; their hashes and
-- counters are as if each was requested by itself.  The first :due of them are
-- due.  :sellers is the number of sellers; :goods 0 leaves order lines, return
-- lines and payments out.

\set ON_ERROR_STOP 1
\if :{?due}
\else
	\set due 0
\endif
\if :{?sellers}
\else
	\set sellers 499
\endif
SET client_min_messages = warning;
SET synchronous_commit = off;
\if :{?goods}
\else
	\set goods 1
\endif
BEGIN;
CREATE SCHEMA bench;

-- Terms in business days that depend on the goods, in any year.
UPDATE returns.calendar SET last_day = greatest(last_day, current_date + 730) WHERE code = 'kz';
UPDATE returns.stage_deadline SET term = 5, unit = 'business_day'
 WHERE market = 'kz' AND state = 'approved';
INSERT INTO returns.stage_deadline (market, category, state, term, unit, on_timeout)
VALUES ('kz', 'electronics', 'approved', 7, 'business_day', 'expired'),
	('kz', 'phones', 'approved', 3, 'business_day', 'expired'),
	('kz', 'furniture', 'approved', 15, 'business_day', 'expired');

-- One line of one unit for each return.
CREATE TEMP TABLE loaded AS
SELECT i AS id, 'K' || 100000000 + i AS order_ref, 'b' || i * 7919 % 150001 AS buyer_ref,
	's' || i * 31 % :sellers AS seller_ref, 1000 + i % 90000 AS amount,
	(ARRAY['clothing', 'shoes', 'computers', 'toys', 'furniture', 'appliances'])[1 + i % 6] AS category,
	now() - interval '9 days' AS purchased_at, now() - interval '3 days' AS delivered_at,
	CASE WHEN i <= :due THEN now() - (:due - i) * interval '1 millisecond'
		ELSE now() + interval '2 days' + i * interval '1 millisecond' END AS due_at
  FROM generate_series(1, :n::bigint) AS i;
CREATE TEMP TABLE chained AS
SELECT loaded.*, draft.hash AS draft_hash, requested.hash AS requested_hash
  FROM loaded,
	LATERAL (SELECT returns.event_hash(NULL, order_ref, id, 1, 1, pg_current_xact_id(), now(),
		'buyer', buyer_ref, current_user, NULL, 'draft', 'transition', NULL, NULL, NULL)) AS draft (hash),
	LATERAL (SELECT returns.event_hash(draft.hash, order_ref, id, 2, 1, pg_current_xact_id(), now(),
		'buyer', buyer_ref, current_user, 'draft', 'requested', 'transition', NULL, NULL, due_at))
		AS requested (hash);

ALTER TABLE returns.sale_line DISABLE TRIGGER ALL;
ALTER TABLE returns.payment DISABLE TRIGGER ALL;
ALTER TABLE returns.return_request DISABLE TRIGGER ALL;
ALTER TABLE returns.return_line DISABLE TRIGGER ALL;
ALTER TABLE returns.return_event DISABLE TRIGGER ALL;

INSERT INTO returns.return_request (id, order_ref, reason, status, created_at, updated_at,
	requested_at, due_at, wake_at, on_timeout, buyer_ref, seller_ref, market, currency, categories,
	last_seq, last_hash)
SELECT id, order_ref, 'changed_mind', 'requested', now(), now(), now(), due_at, due_at, 'approved',
	buyer_ref, seller_ref, 'kz', 'KZT', ARRAY[category], 2, requested_hash
  FROM chained;
INSERT INTO returns.return_event
SELECT id, pg_current_xact_id(), now(), event.seq, 1, order_ref, 'transition', event.from_state,
	event.to_state, 'buyer', buyer_ref, current_user, event.hash, event.due_at, NULL, NULL
  FROM chained,
	LATERAL (VALUES (1, NULL, 'draft', draft_hash, NULL::timestamptz),
		(2, 'draft', 'requested', requested_hash, due_at)) AS event (seq, from_state, to_state, hash, due_at);
\if :goods
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at,
	reserved)
SELECT order_ref, 1, buyer_ref, seller_ref, 'sku' || id % 9973, category, 'kz', 1, amount, 500, 0.12,
	'KZT', purchased_at, delivered_at, 1
  FROM chained;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT order_ref, 1, 'card', amount + 500, 'KZT', 'psp', purchased_at FROM chained;
INSERT INTO returns.return_line (order_ref, return_id, line_no, quantity, policy_id, window_ends_at)
SELECT order_ref, chained.id, 1, 1, policy.id, returns.deadline(delivered_at, 14, 'day', 'kz')
  FROM chained, LATERAL (SELECT p.id FROM returns.policy AS p
	WHERE market = 'kz' AND p.category IS NULL AND fault = 'none') AS policy;
\endif
SELECT setval(pg_get_serial_sequence('returns.return_request', 'id'), max(id)) FROM returns.return_request;

ALTER TABLE returns.sale_line ENABLE TRIGGER ALL;
ALTER TABLE returns.payment ENABLE TRIGGER ALL;
ALTER TABLE returns.return_request ENABLE TRIGGER ALL;
ALTER TABLE returns.return_line ENABLE TRIGGER ALL;
ALTER TABLE returns.return_event ENABLE TRIGGER ALL;

COMMIT;
