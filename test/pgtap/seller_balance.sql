-- The balance of a seller: what it owes for refunds, also after a payout.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';
\ir ../harness/refunds.sql

-- The buyer is refunded, the seller is paid out all the same
SELECT pg_temp.sell('b49', 1, 2, 100, 0, 0.1); SELECT pg_temp.pay('b49', 1, 100);
SELECT pg_temp.decide('b49', 1, 1) AS id \gset
SELECT is((SELECT balance FROM returns.account_balance WHERE account = 'seller_receivable' AND party_ref = 's-b49'), 45.00, 'the seller owes a refund from the moment when it is due');

-- A refund after the payout breaks the next payout
SELECT pg_temp.decide('b49', 1, 1) AS id \gset
SELECT is((SELECT string_agg(amount || '=' || balance, ' ' ORDER BY balance) FROM returns.seller_statement WHERE seller_ref = 's-b49'), '45.00=45.00 45.00=90.00', 'the seller statement adds up what the seller owes');

SELECT * FROM finish();
