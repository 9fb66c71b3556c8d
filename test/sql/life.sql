-- The whole life of a return of two lines and two payments, as each party sees it.

SET timezone = 'Asia/Almaty';
SET datestyle = 'ISO, DMY';
\set VERBOSITY default
\set SHOW_CONTEXT never

INSERT INTO returns.sale_line
	(order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	 amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
VALUES
	('A-1', 1, 'aliya', 'acme', 'shirt', 'clothing', 'kz', 3, 100.00, 10, 0.1, 'KZT',
	 '2026-02-25 19:40+05', '2026-02-28 12:15+05'),
	('A-1', 2, 'aliya', 'acme', 'lamp', 'appliances', 'kz', 1, 49.99, 0, 0.1, 'KZT',
	 '2026-02-25 19:40+05', '2026-02-28 12:15+05');
INSERT INTO returns.payment
	(order_ref, payment_no, method, amount, currency, provider, refund_rank, captured_at)
VALUES
	('A-1', 1, 'card', 60, 'KZT', 'bank', 10, '2026-02-25 19:41+05'),
	('A-1', 2, 'bonus', 99.99, 'KZT', 'club', 20, '2026-02-25 19:41+05');

-- A session without an actor cannot open a return.
SELECT returns.open_return('A-1', '[{"line_no":1,"quantity":2}]', 'defective');

SET returns.clock = '2026-03-02 10:00+05';
SET returns.actor = 'buyer:aliya';
SELECT * FROM returns.eligibility('A-1', 'defective');
SELECT returns.open_return('A-1', '[{"line_no":1,"quantity":2},{"line_no":2,"quantity":1}]',
	'defective', note => 'they shrank; it flickers', idempotency_key => 'k-1') AS id \gset
-- The same call again returns the same id; other content under the same key is
-- refused.
SELECT returns.open_return('A-1', '[{"line_no":2,"quantity":1},{"line_no":1,"quantity":2}]',
	'defective', note => 'they shrank; it flickers', idempotency_key => 'k-1') = :id AS same;
SELECT returns.open_return('A-1', '[{"line_no":1,"quantity":1}]', 'defective', idempotency_key => 'k-1');
SELECT to_state, actors, requires, allowed, why_not FROM returns.allowed_actions(:id);

-- The seller answers; neither party may skip a stage.
SET returns.actor = 'seller:acme';
UPDATE returns.return_request SET status = 'rejected' WHERE id = :id;
UPDATE returns.return_request SET status = 'received' WHERE id = :id;
SELECT returns.act(:id, 'approved');
SET returns.actor = 'seller:other';
SELECT returns.act(:id, 'received');
SET returns.actor = 'buyer:aliya';
SELECT returns.act(:id, 'in_transit');
SELECT returns.act(:id, 'in_transit', details => '{"carrier":"post","tracking_ref":"T-1"}');
SET returns.actor = 'carrier:other';
SELECT returns.act(:id, 'received');
SET returns.actor = 'carrier:post';
SELECT returns.act(:id, 'received');

-- The receipt: one of the shirts is not accepted.
SET returns.actor = 'seller:acme';
UPDATE returns.return_line SET received = 3 WHERE return_id = :id AND line_no = 1;
UPDATE returns.return_line SET received = 2, accepted = 1 WHERE return_id = :id AND line_no = 1;
SELECT returns.act(:id, 'refund_due');
UPDATE returns.return_line SET accepted = 2 WHERE return_id = :id AND line_no = 1;
SELECT status, refund_total, due_at, on_timeout FROM returns.return_request WHERE id = :id;
SELECT line_no, quantity, accepted, refund_goods, refund_fee, refund_shipping
  FROM returns.return_line WHERE return_id = :id ORDER BY line_no;
SELECT line_no, reserved, returned, refunded FROM returns.sale_line WHERE order_ref = 'A-1' ORDER BY 1;
SELECT payment_no, amount, status FROM returns.refund WHERE return_id = :id ORDER BY 1;

-- The refunds are paid, and the status of the return follows them.
SET returns.actor = 'operator:pay';
UPDATE returns.return_request SET status = 'refunded' WHERE id = :id;
SELECT payment_no, amount, provider, attempt FROM returns.claim_refunds(10) ORDER BY 1;
UPDATE returns.refund SET status = 'settled', provider_ref = 'R-1' WHERE return_id = :id AND payment_no = 1;
SELECT status FROM returns.return_request WHERE id = :id;
UPDATE returns.refund SET status = 'settled', provider_ref = 'R-2' WHERE return_id = :id AND payment_no = 2;
SELECT status, closed_at, due_at FROM returns.return_request WHERE id = :id;
SELECT line_no, reserved, returned, refunded FROM returns.sale_line WHERE order_ref = 'A-1' ORDER BY 1;

SELECT seq, kind, from_state, to_state, actor, actor_ref, note, due_at
  FROM returns.return_event WHERE return_id = :id ORDER BY seq;
SET returns.language = 'ru';
SELECT seq, state, label FROM returns.timeline WHERE return_id = :id AND kind = 'transition' ORDER BY seq;
SELECT transfer_no, entry_no, t.kind, account, party_ref, amount
  FROM returns.ledger_entry JOIN returns.ledger_transfer t USING (order_ref, return_id, transfer_no)
 WHERE return_id = :id ORDER BY 1, 2;
SELECT currency, sum(amount) FROM returns.ledger_entry GROUP BY 1;
