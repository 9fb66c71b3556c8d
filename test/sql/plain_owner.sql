-- database: empty
-- The tables may belong to a role without privileges on other roles.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE plain_owner;
CREATE ROLE plain_other;
CREATE SCHEMA returns AUTHORIZATION plain_owner;
CREATE EXTENSION returns;
SET ROLE plain_other;
CALL returns.setup('kz');
SET ROLE plain_owner;
CALL returns.setup('kz');
CALL returns.setup('kz', 'nowhere');
SELECT db_role, actor, ref FROM returns.actor_grant ORDER BY actor;

SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('P-1', 1, 'b', 's', 'x', 'toys', 'kz', 1, 10, 'KZT', now() - interval '3 days', now() - interval '1 day');
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, captured_at)
VALUES ('P-1', 1, 'card', 10, 'KZT', now());
SELECT returns.open_return('P-1', '[{"line_no":1,"quantity":1}]', 'defective') AS id \gset
SELECT returns.act(:id, 'approved');
SELECT returns.act(:id, 'received');
SELECT returns.act(:id, 'refund_due');
SELECT count(*) FROM returns.claim_refunds(10);
UPDATE returns.refund SET status = 'settled', provider_ref = 'r-1';
SELECT status, refund_total FROM returns.return_request;
SELECT returns.run_deadlines();
SELECT * FROM returns.verify();
RESET ROLE;
DROP EXTENSION returns CASCADE;
SELECT count(*) FROM returns.return_event;
CREATE EXTENSION returns;
SELECT returns.act(:id, 'refund_due');
SET ROLE plain_owner;
CALL returns.setup();
SELECT returns.act(:id, 'refund_due');
RESET ROLE;
DROP OWNED BY plain_owner CASCADE;
DROP ROLE plain_owner, plain_other;
