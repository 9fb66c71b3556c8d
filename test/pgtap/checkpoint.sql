-- checkpoint_balances(): each entry is summed once, also while other
-- transactions post.

\set QUIET on
SET client_min_messages = warning;
SELECT plan(19);
SET returns.actor = 'operator:desk';
SET returns.clock = '2026-03-02 10:00+05';

-- A return that can be decided, of an order of its own.
CREATE FUNCTION pg_temp.receive(o text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r bigint;
BEGIN
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, currency, purchased_at, delivered_at)
	VALUES (o, 1, 'b', 's', 'sku', 'clothing', 'kz', 3, 100, 'KZT', '2026-02-25', '2026-02-27');
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
	VALUES (o, 1, 'card', 100, 'KZT', 'psp', '2026-02-25');
	r := returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'changed_mind');
	PERFORM returns.act(r, 'approved');
	PERFORM returns.act(r, 'received');
	RETURN r;
END $$;
CREATE FUNCTION pg_temp.due() RETURNS numeric LANGUAGE sql AS $$
	SELECT balance FROM returns.account_balance WHERE account = 'buyer_payable' AND party_ref = 'b'
$$;
CREATE FUNCTION pg_temp.summed() RETURNS numeric LANGUAGE sql AS $$
	SELECT debit - credit FROM returns.ledger_checkpoint WHERE account = 'buyer_payable' AND party_ref = 'b'
$$;

SELECT pg_temp.receive('first') AS first, pg_temp.receive('second') AS second, pg_temp.receive('third') AS third, pg_temp.receive('undone') AS undone \gset
SELECT is(returns.checkpoint_balances(), 0::bigint, 'nothing is booked, and nothing summed');

-- in the transaction that posts
BEGIN;
SELECT returns.act(:first, 'refund_due');
SELECT is(returns.checkpoint_balances(), 0::bigint, 'the entries of a transaction are not summed by itself');
SELECT is(pg_temp.due(), -33.33, 'but they are in the balance');
COMMIT;
SELECT is(pg_temp.due(), -33.33, 'also when it has committed');
SELECT cmp_ok(returns.checkpoint_balances(), '>', 0::bigint, 'the next checkpoint sums them');
SELECT is(pg_temp.summed(), -33.33, 'once');
SELECT is(pg_temp.due(), -33.33, 'and they are once in the balance');

-- in the transaction that posts, while there are entries of other transactions
-- to sum
SELECT returns.act(:second, 'refund_due');
BEGIN;
SELECT returns.act(:third, 'refund_due');
SELECT cmp_ok(returns.checkpoint_balances(), '>', 0::bigint, 'a transaction that posts sums what others have posted');
SELECT is(pg_temp.summed(), -66.66, 'and not what it posts itself');
COMMIT;
SELECT is_empty($$SELECT * FROM returns.verify() WHERE invariant = 'ledger_checkpoint'$$, 'its own entries are behind the horizon');
SELECT is(pg_temp.due(), -99.99, 'and in the balance');
SELECT cmp_ok(returns.checkpoint_balances(), '>', 0::bigint, 'the next checkpoint sums them');
SELECT is(pg_temp.summed(), -99.99, 'also once');
SELECT is(returns.checkpoint_balances(), 0::bigint, 'after that there is nothing to sum');

-- postings that are rolled back
BEGIN;
SELECT returns.act(:undone, 'refund_due');
SELECT returns.checkpoint_balances();
ROLLBACK;
SELECT is(returns.checkpoint_balances(), 0::bigint, 'a posting that was rolled back is not summed');
SELECT is(pg_temp.due(), -99.99, 'and is not in the balance');
BEGIN;
SELECT returns.act(:undone, 'refund_due');
COMMIT;
BEGIN;
SELECT returns.checkpoint_balances();
ROLLBACK;
SELECT is(pg_temp.due(), -133.32, 'a checkpoint that was rolled back takes nothing out of the balance');
SELECT is_empty($$SELECT * FROM returns.verify() WHERE invariant = 'ledger_checkpoint'$$, 'the checkpoint is the sum of what was written before its horizon');

-- A trigger of the user keeps rows out of the checkpoint: it would not be the sum.
CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER aaa BEFORE INSERT OR UPDATE ON returns.ledger_checkpoint FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow();
SELECT throws_ok('SELECT returns.checkpoint_balances()', 'RT007', NULL, 'a checkpoint fails when a trigger suppresses its rows');
DROP TRIGGER aaa ON returns.ledger_checkpoint;
SELECT finish();
