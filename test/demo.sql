-- The script of `make demo`.  psql reads it from its standard input, in
-- a database where the preset kz was set up.

\pset footer off
\pset null '-'
\pset linestyle unicode
\pset border 1
\set VERBOSITY default
SET client_min_messages = warning;
SET timezone = 'Asia/Almaty';
SET datestyle = 'ISO, DMY';

\echo '── The shop: one order of two lines, paid with a card and with bonus points ───────────────────────'
\echo

INSERT INTO returns.sale_line
	(order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	 amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
VALUES
	('A-1001', 1, 'aliya', 'acme', 'headphones', 'electronics', 'kz', 2, 60000, 1200, 0.10, 'KZT',
	 '2026-02-25 19:40+05', '2026-02-28 12:15+05'),
	('A-1001', 2, 'aliya', 'acme', 'case', 'electronics', 'kz', 1, 9990, 0, 0.10, 'KZT',
	 '2026-02-25 19:40+05', '2026-02-28 12:15+05');

INSERT INTO returns.payment
	(order_ref, payment_no, method, amount, currency, provider, refund_rank, captured_at)
VALUES
	('A-1001', 1, 'card', 31190, 'KZT', 'bank', 10, '2026-02-25 19:41+05'),
	('A-1001', 2, 'bonus', 40000, 'KZT', 'club', 20, '2026-02-25 19:41+05');

SELECT line_no AS line, sku, quantity AS units, amount_paid, shipping_paid
  FROM returns.sale_line WHERE order_ref = 'A-1001' ORDER BY line_no;
SELECT payment_no AS payment, method, amount, refund_rank
  FROM returns.payment WHERE order_ref = 'A-1001' ORDER BY payment_no;

\echo '── Mon 2 March: the buyer asks to return one of the headphones and the case ───────────────────────'
\echo

SET returns.clock = '2026-03-02 10:00+05';
SET returns.actor = 'buyer:aliya';
SELECT returns.open_return('A-1001', '[{"line_no":1,"quantity":1},{"line_no":2,"quantity":1}]',
	'defective', note => 'One side is silent') AS id \gset
SELECT id, status, due_at AS "seller answers before" FROM returns.return_request WHERE id = :id;

\echo '── She cannot move it to the refund: the rule is on the table and holds for every client ──────────'
\echo

\set ON_ERROR_STOP off
\echo 'UPDATE returns.return_request SET status = ''refunded'' WHERE id = ':id';'
UPDATE returns.return_request SET status = 'refunded' WHERE id = :id;
\echo 'SQLSTATE:' :SQLSTATE
\set ON_ERROR_STOP on
\echo

\echo '── The seller approves, the buyer hands the parcel to the carrier, it comes back on Friday ────────'
\echo

SET returns.clock = '2026-03-03 15:30+05';
SET returns.actor = 'seller:acme';
SELECT returns.act(:id, 'approved') AS status;

SET returns.clock = '2026-03-04 09:05+05';
SET returns.actor = 'buyer:aliya';
UPDATE returns.return_request
   SET status = 'in_transit', carrier = 'post', tracking_ref = 'RR123456785KZ'
 WHERE id = :id
RETURNING status, carrier, tracking_ref;

SET returns.clock = '2026-03-06 17:20+05';
SET returns.actor = 'carrier:post';
SELECT returns.act(:id, 'received') AS status;

\echo '── The seller has 3 business days to check it, and does not act ───────────────────────────────────'
\echo

SELECT on_timeout AS "then", due_at AS "unless the seller acts before"
  FROM returns.return_request WHERE id = :id;
\echo 'How the deadline is computed:'
\pset format unaligned
\pset tuples_only on
SELECT returns.explain_deadline('2026-03-06 17:20+05', 3, 'business_day', 'kz');
\pset tuples_only off
\pset format aligned
\echo

\echo '── Fri 13 March, 00:00: the timer moves the return, and the refund is computed ────────────────────'
\echo

SET returns.clock = '2026-03-13 00:00+05';
SELECT returns.run_deadlines() AS "moves made";
SELECT line_no AS line, refund_goods, refund_shipping, refund_fee
  FROM returns.return_line WHERE order_ref = 'A-1001' AND return_id = :id ORDER BY line_no;
SELECT p.method, r.amount, r.status
  FROM returns.refund r JOIN returns.payment p USING (order_ref, payment_no)
 WHERE r.return_id = :id ORDER BY payment_no;

\echo '── The payment service claims the refunds, pays and reports: the last report ends the return ──────'
\echo

SET returns.clock = '2026-03-13 09:00+05';
SET returns.actor = 'operator:payments';
SELECT count(*) AS claimed FROM returns.claim_refunds(10);
UPDATE returns.refund SET status = 'settled', provider_ref = 'R-' || payment_no
 WHERE return_id = :id
RETURNING payment_no AS payment, amount, status, provider_ref;

\echo '── The timeline that the buyer sees ───────────────────────────────────────────────────────────────'
\echo

SET returns.actor = 'buyer:aliya';
SELECT to_char(at, 'Dy DD Mon HH24:MI') AS "when",
	   CASE kind WHEN 'refund'
		   THEN format('%s %s, %s: %s', details ->> 'amount', details ->> 'currency',
					   details ->> 'provider', details ->> 'status')
		   ELSE label END AS "what",
	   actor AS "by",
	   CASE kind WHEN 'refund' THEN NULL ELSE to_char(due_at, 'Dy DD Mon') END AS "next before",
	   note
  FROM returns.timeline WHERE return_id = :id ORDER BY seq;

\echo '── The ledger balances ────────────────────────────────────────────────────────────────────────────'
\echo

SET returns.actor = 'operator:finance';
SELECT account, debit, credit, balance FROM returns.trial_balance ORDER BY account;
SELECT currency, sum(balance) AS "balance of all accounts" FROM returns.trial_balance GROUP BY currency;
SELECT count(*) AS "violations that returns.verify() found" FROM returns.verify();
