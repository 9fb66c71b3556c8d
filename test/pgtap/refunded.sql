-- A return is refunded if and only if its refunds are settled.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';
\ir ../harness/refunds.sql

-- No actor sets the status "refunded".
SELECT pg_temp.sell('b42', 1, 1, 10); SELECT pg_temp.pay('b42', 1, 10);
SELECT pg_temp.decide('b42', 1, 1) AS id \gset
SELECT throws_ok(format('UPDATE returns.return_request SET status = ''refunded'' WHERE id = %s', :id), 'RT002', NULL, 'an operator cannot set a return to refunded');
SELECT throws_ok(format('UPDATE returns.return_request SET refund_total = 0 WHERE id = %s', :id), 'RT007', NULL, 'refund_total cannot be written');
SELECT pg_temp.settle(:id);
SELECT is(pg_temp.status(:id) || ' ' || pg_temp.cash('b42'), 'refunded 10.00', 'a return is refunded when its refund settles');

-- Status and money are derived in two places
SELECT pg_temp.sell('b43', 1, 1, 10); SELECT pg_temp.pay('b43', 1, 4); SELECT pg_temp.pay('b43', 2, 6);
SELECT pg_temp.decide('b43', 1, 1) AS id \gset
SELECT count(*) FROM returns.claim_refunds(100) \gset
UPDATE returns.refund SET status = 'settled', provider_ref = 'b43-1' WHERE return_id = :id AND payment_no = 1;
SELECT is(pg_temp.status(:id) || ' ' || pg_temp.cash('b43'), 'refund_due 4.00', 'a return with one of two refunds settled is not refunded');
UPDATE returns.refund SET status = 'settled', provider_ref = 'b43-2' WHERE return_id = :id AND payment_no = 2;
SELECT is(pg_temp.status(:id) || ' ' || pg_temp.cash('b43'), 'refunded 10.00', 'a return with all refunds settled is refunded');

-- A payout fails and stays "settled"
UPDATE returns.refund SET status = 'failed', failure = 'returned by the bank' WHERE return_id = :id AND payment_no = 2;
SELECT is(pg_temp.status(:id) || ' ' || pg_temp.cash('b43'), 'refund_due 4.00', 'a late failure reverses status and cash');
SELECT is((SELECT returned FROM returns.sale_line WHERE order_ref = 'b43'), 0, 'a late failure takes back the returned unit');

-- The label "refunded" without the money
SELECT pg_temp.sell('forged', 1, 1, 10); SELECT pg_temp.pay('forged', 1, 10);
SELECT pg_temp.decide('forged', 1, 1) AS id \gset
UPDATE returns.return_request SET carrier = 'post' WHERE id = :id;
CREATE FUNCTION pg_temp.label(actor text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text := 'done';
BEGIN
	PERFORM set_config('returns.actor', actor, false);
	EXECUTE statement;
	RETURN state;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.label(actor, format(statement, :id)), state, format('%s cannot set a return to refunded: %s', actor, statement))
  FROM (VALUES ('buyer:b-forged', 'RT002'), ('seller:s-forged', 'RT002'), ('carrier:post', 'RT002'), ('operator:desk', 'RT002')) AS a (actor, state),
	unnest(ARRAY['UPDATE returns.return_request SET status = ''refunded'' WHERE id = %s', 'SELECT returns.act(%s, ''refunded'')']) AS statement;
SELECT is(pg_temp.label('operator:desk', format(statement, :id)), state, 'an operator cannot forge a refund: ' || statement)
  FROM (VALUES
	('UPDATE returns.return_request SET refund_total = 0 WHERE id = %s', 'RT007'),
	('UPDATE returns.return_request SET closed_at = returns.now() WHERE id = %s', 'RT007'),
	('UPDATE returns.refund SET amount = 0.01 WHERE return_id = %s', 'RT007'),
	('UPDATE returns.refund SET settled_at = returns.now() WHERE return_id = %s', 'RT007'),
	('UPDATE returns.refund SET status = ''settled'' WHERE return_id = %s', 'RT001'),
	('INSERT INTO returns.return_request (order_ref, reason, status) VALUES (''forged'', ''changed_mind'', ''refunded'')', 'RT001'),
	('INSERT INTO returns.refund (order_ref, return_id, payment_no, amount, currency, status, idempotency_key, created_at)'
		' VALUES (''forged'', %s, 1, 10, ''KZT'', ''settled'', ''k'', returns.now())', 'RT007')
  ) AS v (statement, state);
SELECT is(pg_temp.label('buyer:b-forged', format('UPDATE returns.refund SET status = ''sent'' WHERE return_id = %s', :id)), 'RT002',
	'a buyer cannot report a refund as sent');
SET returns.actor = 'operator:desk';
SELECT is(status, 'refund_due', 'a return stays refund_due after refused forgeries') FROM returns.return_request WHERE id = :id;

SELECT * FROM finish();
