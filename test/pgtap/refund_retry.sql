-- Reports on refunds: a new attempt, and a trigger that reports while another
-- report is processed.

\set QUIET on
SET client_min_messages = warning;
SELECT plan(9);
SET returns.actor = 'operator:desk';
SET returns.clock = '2026-03-02 10:00+05';

-- A return of one unit whose refund is pending; the refund.
CREATE FUNCTION pg_temp.owe(o text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r bigint;
BEGIN
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, currency, purchased_at, delivered_at)
	VALUES (o, 1, 'b', 's', 'sku', 'clothing', 'kz', 1, 60, 'KZT', '2026-02-25', '2026-02-27');
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
	VALUES (o, 1, 'card', 60, 'KZT', 'psp', '2026-02-25');
	r := returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'changed_mind');
	PERFORM returns.act(r, 'approved'), returns.act(r, 'received'), returns.act(r, 'refund_due');
	RETURN (SELECT id FROM returns.refund WHERE return_id = r);
END $$;
CREATE FUNCTION pg_temp.refund(r bigint) RETURNS text LANGUAGE sql AS $$
	SELECT status || ' ' || attempt || ' ' || coalesce(provider_ref, 'without reference') FROM returns.refund WHERE id = r
$$;

-- A new attempt does not keep the provider_ref of the old one.
SELECT pg_temp.owe('again') AS again, pg_temp.owe('told') AS told, pg_temp.owe('first') AS first \gset
SELECT id FROM returns.claim_refunds(3);
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-' || order_ref WHERE id IN (:again, :told);
UPDATE returns.refund SET status = 'failed', failure = 'account closed' WHERE id IN (:again, :told);
SELECT is(pg_temp.refund(:again), 'failed 1 p-again', 'a refund that fails late keeps the reference that it settled under');
UPDATE returns.refund SET status = 'pending' WHERE id = :again;
SELECT is(pg_temp.refund(:again), 'pending 1 without reference', 'a new try after a late failure starts without a reference');
UPDATE returns.refund SET status = 'pending', provider_ref = 'p-new' WHERE id = :told;
SELECT is(pg_temp.refund(:told), 'pending 1 p-new', 'a new attempt keeps a provider_ref that is reported with it');
UPDATE returns.refund SET status = 'failed', provider_ref = 'p-first' WHERE id = :first;
UPDATE returns.refund SET status = 'pending' WHERE id = :first;
SELECT is(pg_temp.refund(:first), 'pending 1 without reference', 'a new try after a first failure starts without a reference');
SELECT is_empty('SELECT * FROM returns.verify()', 'and the history says the same');

-- A row trigger of the user that fires before a change is posted may not report
-- on the same refund: its change would be posted first.
CREATE FUNCTION public.refund_retry_retell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.refund SET provider_ref = 'of the trigger' WHERE id = NEW.id AND provider_ref <> 'of the trigger';
	RETURN NULL;
END $$;
UPDATE returns.refund SET status = 'sent' WHERE id = :again;
CREATE TRIGGER "000_user" AFTER UPDATE OF provider_ref ON returns.refund FOR EACH ROW EXECUTE FUNCTION public.refund_retry_retell();
SELECT throws_ok(format('UPDATE returns.refund SET provider_ref = ''p-2'' WHERE id = %s', :again), 'RT007', NULL,
	'a reference that is reported later is not changed by a trigger before it is posted');
SELECT is(pg_temp.refund(:again), 'sent 2 without reference', 'and is not written');
DROP TRIGGER "000_user" ON returns.refund;
CREATE TRIGGER zzz_user AFTER UPDATE OF provider_ref ON returns.refund FOR EACH ROW EXECUTE FUNCTION public.refund_retry_retell();
UPDATE returns.refund SET provider_ref = 'p-2' WHERE id = :again;
SELECT is(pg_temp.refund(:again), 'sent 2 of the trigger', 'a trigger that fires after the posting may change it');
SELECT is((SELECT string_agg(details ->> 'provider_ref', ', ' ORDER BY seq) FROM returns.return_event e JOIN returns.refund f USING (order_ref, return_id)
	WHERE f.id = :again AND e.kind = 'refund' AND details ->> 'from' = 'sent' AND details ->> 'status' = 'sent'), 'p-2, of the trigger', 'and both are in the history');
DROP TRIGGER zzz_user ON returns.refund;
SELECT finish();
