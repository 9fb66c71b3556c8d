-- One return from the order to the money.
\set i :i + 1
\set order :i
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
VALUES ('L' || :order, 1, 'b1', 's' || :order % 499, 'sku1', 'clothing', 'kz', 1, 1000, 500, 0.12, 'KZT',
	now() - interval '9 days', now() - interval '3 days');
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
VALUES ('L' || :order, 1, 'card', 1500, 'KZT', 'psp', now());
SELECT returns.open_return('L' || :order, '[{"line_no": 1, "quantity": 1}]', 'changed_mind') AS id \gset
UPDATE returns.return_request SET status = 'approved' WHERE id = :id;
UPDATE returns.return_request SET status = 'in_transit', carrier = 'post', tracking_ref = 'T1' WHERE id = :id;
UPDATE returns.return_request SET status = 'received' WHERE id = :id;
UPDATE returns.return_line SET received = 1, accepted = 1 WHERE order_ref = 'L' || :order AND return_id = :id;
UPDATE returns.return_request SET status = 'refund_due' WHERE id = :id;
SELECT id AS refund FROM returns.claim_refunds(1) \gset
UPDATE returns.refund SET status = 'settled', provider_ref = 'P' || :refund WHERE id = :refund;
