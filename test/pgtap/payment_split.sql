-- The payments of a refund: each captured payment gives back at most its
-- amount.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';
\ir ../harness/refunds.sql

-- A gift card is paid back by card
SELECT pg_temp.sell('b37', 1, 1, 100); SELECT pg_temp.pay('b37', 1, 70); SELECT pg_temp.pay('b37', 2, 30, 'gift_card', 200);
SELECT pg_temp.decide('b37', 1, 1) AS id \gset
SELECT is(pg_temp.refunds('b37'), '1:70.00:pending 2:30.00:pending', 'each payment is refunded with what it paid');
SELECT pg_temp.settle(:id);
SELECT is((SELECT string_agg(party_ref || ' ' || amount, ', ' ORDER BY party_ref) FROM returns.ledger_entry WHERE order_ref = 'b37' AND account = 'cash'), 'gift_card -30.00, psp -70.00', 'each payment has its own cash entry');

-- Refund of a payment that was never captured
SELECT pg_temp.sell('b38', 1, 1, 100); SELECT pg_temp.pay('b38', 1, 100, 'card', 100, false);
SELECT pg_temp.receive('b38', 1, 1) AS id \gset
SELECT throws_ok(format('SELECT returns.act(%s, ''refund_due'')', :id), 'RT006', NULL, 'an uncaptured payment gives no refund');
UPDATE returns.payment SET captured_at = '2026-03-01' WHERE order_ref = 'b38';
SELECT is(returns.act(:id, 'refund_due'), 'refund_due', 'a payment gives a refund after it is captured');

-- A refusal counts what each kind of payment has left
SELECT pg_temp.sell('b40', 1, 1, 100);
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at, chargeback)
SELECT 'b40', n, 'card', 2 ^ n, 'KZT', 'psp', CASE WHEN n > 2 THEN timestamptz '2026-02-25 10:00+05' END,
	CASE WHEN n > 6 THEN 'lost' WHEN n > 4 THEN 'open' ELSE 'none' END
  FROM generate_series(1, 7) AS n;
SELECT pg_temp.receive('b40', 1, 1) AS id \gset
CREATE FUNCTION pg_temp.amounts_refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'accepted';
EXCEPTION WHEN SQLSTATE 'RT006' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg(amount[1], ' ') FROM regexp_matches(detail, '-?\d+\.\d+', 'g') AS amount);
END $$;
SELECT is(pg_temp.amounts_refused(format('SELECT returns.act(%s, ''refund_due'')', :id)), '100.00 24.00 224.00 6.00',
	'a refusal to refund tells what is owed, and what is left of payments that can give it, that are under a chargeback, and that are not captured');

-- Several refunds of a split payment go to the wrong method
SELECT pg_temp.sell('b39', 1, 4, 100); SELECT pg_temp.pay('b39', 1, 60); SELECT pg_temp.pay('b39', 2, 40, 'gift_card', 50);
SELECT count(pg_temp.decide('b39', 1, 1)) FROM generate_series(1, 4) \gset
SELECT is(pg_temp.refunds('b39'), '2:25.00:pending 2:15.00:pending 1:10.00:pending 1:25.00:pending 1:25.00:pending', 'refunds of a split payment stay within each part');

SELECT * FROM finish();
