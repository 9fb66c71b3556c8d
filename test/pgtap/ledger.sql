-- The ledger: append-only, balanced, and summed by checkpoints.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

\ir ../harness/money.sql

SELECT pg_temp.sell('fee', 1, 2, 199.98, 10, 'USD', 0.1, 'furniture');
SELECT pg_temp.pay('fee', 1, 60), pg_temp.pay('fee', 2, 200, 'USD', 100, 'other');
SELECT pg_temp.decide('fee', pg_temp.units(1, 1)) AS fee, pg_temp.decide('fee', pg_temp.units(1, 1), 'damaged_in_delivery') AS late \gset
SELECT pg_temp.settle_all() AS ok \gset
UPDATE returns.refund SET status = 'failed', failure = 'account closed' WHERE return_id = :late;
SELECT returns.grant_refund(:fee, 5, 'sorry') AS ok \gset
SELECT pg_temp.sell('bulk', 1, 1, 30);
SELECT pg_temp.pay('bulk', n, 10) FROM generate_series(1, 3) n;
SELECT pg_temp.decide('bulk', pg_temp.units(1, 1)) AS id \gset
SELECT pg_temp.settle_all() AS ok \gset
UPDATE returns.refund SET status = 'failed' WHERE return_id = :id;

SELECT throws_ok(format('INSERT INTO returns.ledger_transfer (order_ref, return_id, transfer_no, kind, at) VALUES (''bulk'', %s, 99, ''x'', now())', :id), 'RT007', NULL, 'a client cannot insert into ledger_transfer');
SELECT throws_ok('UPDATE returns.ledger_transfer SET kind = ''x''', 'RT007', NULL, 'a client cannot update ledger_transfer');
SELECT throws_ok('DELETE FROM returns.ledger_transfer', 'RT007', NULL, 'a client cannot delete from ledger_transfer');
SELECT throws_ok('TRUNCATE returns.ledger_transfer CASCADE', 'RT007', NULL, 'a client cannot truncate ledger_transfer');
SELECT throws_ok(format('INSERT INTO returns.ledger_entry (order_ref, return_id, transfer_no, entry_no, account, amount, currency) VALUES (''bulk'', %s, 1, 99, ''cash'', 1, ''USD'')', :id), 'RT007', NULL, 'a client cannot insert into ledger_entry');
SELECT throws_ok('UPDATE returns.ledger_entry SET amount = 1', 'RT007', NULL, 'a client cannot update ledger_entry');
SELECT throws_ok('DELETE FROM returns.ledger_entry', 'RT007', NULL, 'a client cannot delete from ledger_entry');
SELECT throws_ok('TRUNCATE returns.ledger_entry', 'RT007', NULL, 'a client cannot truncate ledger_entry');
-- A trigger of the user on these tables may not write either.
CREATE FUNCTION pg_temp.forge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO returns.ledger_entry (order_ref, return_id, transfer_no, entry_no, account, amount, currency)
	VALUES (new.order_ref, new.return_id, new.transfer_no, 99, 'cash', 1, 'USD');
	RETURN NULL;
END $$;
CREATE TRIGGER forge AFTER INSERT ON returns.ledger_transfer FOR EACH ROW EXECUTE FUNCTION pg_temp.forge();
SELECT throws_ok(format('UPDATE returns.refund SET status = ''pending'' WHERE return_id = %s AND payment_no = 1; UPDATE returns.refund SET status = ''sent'' WHERE return_id = %s AND payment_no = 1', :id, :id),
	'RT007', NULL, 'a trigger on ledger_transfer cannot insert into ledger_entry');
DROP TRIGGER forge ON returns.ledger_transfer;
SELECT is_empty('SELECT order_ref, return_id, transfer_no FROM returns.ledger_entry GROUP BY 1, 2, 3 HAVING sum(amount) <> 0 OR count(DISTINCT currency) <> 1 OR count(*) < 2',
	'every transfer balances in one currency');
SELECT is_empty('SELECT currency FROM returns.trial_balance GROUP BY 1 HAVING sum(balance) <> 0', 'the trial balance of every currency is zero');
SELECT is_empty('SELECT * FROM returns.trial_balance WHERE name IS NULL', 'every account of the ledger is in the chart of accounts');
SELECT is_empty($$SELECT r.id FROM returns.return_request r
	WHERE coalesce(-(SELECT sum(e.amount) FROM returns.ledger_entry e WHERE e.return_id = r.id AND e.account = 'cash'), 0)
		<> coalesce((SELECT sum(f.amount) FROM returns.refund f WHERE f.return_id = r.id AND f.status = 'settled'), 0)$$,
	'cash has left for settled refunds only');
SELECT is_empty($$SELECT r.id FROM returns.return_request r WHERE r.status = 'refunded'
	AND (SELECT sum(e.amount) FROM returns.ledger_entry e WHERE e.return_id = r.id AND e.account IN ('buyer_payable', 'provider_clearing')) <> 0$$,
	'a refunded return owes nothing to buyer or provider');
SELECT is((SELECT balance FROM returns.seller_statement ORDER BY at DESC, order_ref DESC, return_id DESC, transfer_no DESC LIMIT 1),
	(SELECT sum(balance) FROM returns.account_balance WHERE account = 'seller_receivable' AND currency = (SELECT currency FROM returns.seller_statement ORDER BY at DESC, order_ref DESC, return_id DESC, transfer_no DESC LIMIT 1)),
	'the seller statement ends with the balance of the seller');
SELECT is((SELECT count(*) FROM returns.refund_register), (SELECT count(*) FROM returns.refund), 'the refund register lists every refund');

-- --------------------------------------------------------------- checkpoint
CREATE FUNCTION pg_temp.balances_differ() RETURNS SETOF text LANGUAGE sql AS $$
	WITH slow AS (SELECT account, party_ref, currency, sum(amount) FROM returns.ledger_entry GROUP BY 1, 2, 3)
	(SELECT s::text FROM (TABLE slow EXCEPT SELECT * FROM returns.account_balance) s)
	UNION ALL (SELECT b::text FROM (SELECT * FROM returns.account_balance EXCEPT TABLE slow) b)
$$;
-- The number of entries before the horizon: transactions of other sessions, in
-- any database, can hold it back.
CREATE FUNCTION pg_temp.before_horizon() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM returns.ledger_entry WHERE written < (SELECT h.written FROM returns.ledger_horizon h)
$$;
-- sweep() writes a checkpoint after ten thousand entries.
SET session_replication_role = replica;
INSERT INTO returns.ledger_entry (order_ref, return_id, written, transfer_no, entry_no, account, amount, currency)
SELECT 'many', n, 1, 1, 1, 'cash', 1, 'USD' FROM generate_series(1, 10000) n;
RESET session_replication_role;
CALL returns.sweep();
SELECT ok((SELECT debit >= 10000 FROM returns.ledger_checkpoint WHERE account = 'cash' AND party_ref IS NULL), 'sweep() brings the checkpoint forward');
SET session_replication_role = replica;
DELETE FROM returns.ledger_entry WHERE order_ref = 'many';
DELETE FROM returns.ledger_checkpoint;
DELETE FROM returns.ledger_horizon;
RESET session_replication_role;
SELECT is((SELECT count(*) FROM returns.ledger_checkpoint), 0::bigint, 'the test has removed the checkpoint');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances without a checkpoint are the sums of the ledger');
SELECT is(returns.checkpoint_balances(1000000), 0::bigint, 'checkpoint_balances() does nothing for fewer entries than asked for');
SELECT returns.checkpoint_balances() AS took \gset
SELECT is(:took::bigint, pg_temp.before_horizon(), 'a checkpoint takes in all entries before the horizon');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances with a checkpoint are the same sums');
SELECT returns.checkpoint_balances() AS more \gset
SELECT is(:took::bigint + :more, pg_temp.before_horizon(), 'a second checkpoint takes in no entry twice');
SELECT pg_temp.sell('since', 1, 1, 30);
SELECT pg_temp.pay('since', 1, 30);
SELECT pg_temp.decide('since', pg_temp.units(1, 1)) AS id \gset
SELECT isnt_empty('SELECT * FROM returns.ledger_since_checkpoint()', 'a posting after the checkpoint is counted apart from it');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances add the postings after the checkpoint');
-- The database moves to another cluster, where transaction ids begin again.
SET session_replication_role = replica;
UPDATE returns.ledger_entry SET written = written + 1000000000;
UPDATE returns.ledger_horizon SET written = written + 1000000000;
UPDATE returns.installation SET system_identifier = system_identifier + 1;
RESET session_replication_role;
SELECT pg_temp.settle_all() AS ok \gset
SELECT ok((SELECT max(written) - min(written) > 1::bigint << 47 FROM returns.ledger_entry), 'the test has entries of two clusters');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances are right after the database moved to another cluster');
SELECT returns.checkpoint_balances() AS there \gset
SELECT is(:took::bigint + :more + :there, pg_temp.before_horizon(), 'a checkpoint takes in the entries of both clusters');
SELECT is_empty('SELECT pg_temp.balances_differ()', 'balances are right after the checkpoint in the new cluster');
SELECT throws_ok('UPDATE returns.ledger_checkpoint SET debit = 0', 'RT007', NULL, 'a client cannot update ledger_checkpoint');
SELECT throws_ok('DELETE FROM returns.ledger_checkpoint', 'RT007', NULL, 'a client cannot delete from ledger_checkpoint');
SELECT throws_ok('UPDATE returns.ledger_horizon SET written = 0', 'RT007', NULL, 'a client cannot update ledger_horizon');
SELECT throws_ok('TRUNCATE returns.ledger_checkpoint, returns.ledger_horizon', 'RT007', NULL, 'a client cannot truncate the checkpoint');
SELECT throws_ok('SELECT returns.checkpoint_balances(NULL)', '22004', NULL, 'checkpoint_balances() refuses NULL');

SELECT * FROM finish();
