-- The ledger. Balances are sums, not counters: the checkpoint plus the entries
-- since then. Debit is positive everywhere.

CREATE OR REPLACE VIEW returns.account_balance WITH (security_invoker = true) AS
SELECT b.account, b.party_ref, b.currency, sum(b.debit - b.credit) AS balance
FROM (
	SELECT c.account, c.party_ref, c.currency, c.debit, c.credit FROM returns.ledger_checkpoint c
	UNION ALL
	SELECT d.account, d.party_ref, d.currency, d.debit, d.credit FROM returns.ledger_since_checkpoint() d) b
GROUP BY b.account, b.party_ref, b.currency;

CREATE OR REPLACE VIEW returns.trial_balance WITH (security_invoker = true) AS
SELECT b.account, a.name, a.normal_side, b.currency, sum(b.debit) AS debit, sum(b.credit) AS credit,
	sum(b.debit - b.credit) AS balance
FROM (
	SELECT c.account, c.currency, c.debit, c.credit FROM returns.ledger_checkpoint c
	UNION ALL
	SELECT d.account, d.currency, d.debit, d.credit FROM returns.ledger_since_checkpoint() d) b
LEFT JOIN returns.ledger_account a ON a.code = b.account
GROUP BY b.account, a.name, a.normal_side, b.currency;

CREATE OR REPLACE VIEW returns.seller_statement WITH (security_invoker = true) AS
SELECT e.party_ref AS seller_ref, e.currency, t.at, e.order_ref, e.return_id, e.transfer_no,
	t.kind, e.amount,
	sum(e.amount) OVER (PARTITION BY e.party_ref, e.currency
		ORDER BY t.at, e.order_ref, e.return_id, e.transfer_no, e.entry_no) AS balance
FROM returns.ledger_entry e
JOIN returns.ledger_transfer t ON t.order_ref = e.order_ref AND t.return_id = e.return_id
	AND t.transfer_no = e.transfer_no
WHERE e.account = 'seller_receivable';

CREATE OR REPLACE VIEW returns.refund_register WITH (security_invoker = true) AS
SELECT r.id AS refund_id, r.order_ref, r.return_id, q.buyer_ref, q.seller_ref,
	r.payment_no, p.method, r.provider, p.provider_ref AS payment_ref, r.amount, r.currency,
	r.status, s.label, r.attempt, r.provider_ref, r.failure,
	r.created_at, r.sent_at, r.settled_at, r.failed_at, r.lease_until, r.idempotency_key
FROM returns.refund r
LEFT JOIN returns.payment p ON p.order_ref = r.order_ref AND p.payment_no = r.payment_no
LEFT JOIN returns.return_request q ON q.order_ref = r.order_ref AND q.id = r.return_id
LEFT JOIN LATERAL (
	SELECT coalesce(st.label ->> current_setting('returns.language', true), st.label ->> 'en', r.status) AS label
	FROM returns.state st WHERE st.machine = 'refund' AND st.code = r.status) s ON true;
