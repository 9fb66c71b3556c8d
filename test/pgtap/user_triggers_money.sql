-- Triggers of users on the tables of money: a suppressed write is detected, and
-- reports are posted in their order.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

\ir ../harness/money.sql

CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT pg_temp.sell('meddler', 1, 3, 30);
SELECT pg_temp.pay('meddler', 1, 30);
SELECT pg_temp.decide('meddler', pg_temp.units(1, 1)) AS waits \gset
SELECT pg_temp.receive('meddler', pg_temp.units(1, 1)) AS id \gset
SELECT pg_temp.book('meddler') AS before \gset
CREATE FUNCTION pg_temp.meddled(tab text, event text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text := 'done';
BEGIN
	EXECUTE format('CREATE TRIGGER aaa BEFORE %s ON returns.%I FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow()', event, tab);
	BEGIN
		EXECUTE statement;
	EXCEPTION WHEN OTHERS THEN
		said := sqlstate;
	END;
	EXECUTE format('DROP TRIGGER aaa ON returns.%I', tab);
	RETURN said;
END $$;
SELECT is(pg_temp.meddled(t, e, format('SELECT returns.act(%s, ''refund_due'')', :id)), 'RT007', format('a decision fails when a trigger suppresses the %s of %s', e, t))
FROM (VALUES ('sale_line', 'UPDATE'), ('return_line', 'UPDATE'), ('payment', 'UPDATE'), ('refund', 'INSERT'), ('ledger_transfer', 'INSERT'), ('ledger_entry', 'INSERT')) v (t, e);
SELECT is(pg_temp.meddled('payment', 'UPDATE', format('UPDATE returns.refund SET status = ''failed'' WHERE return_id = %s', :waits)), 'RT007', 'the failure of a refund is refused when a trigger suppresses the UPDATE of its payment');
SELECT is(pg_temp.meddled('refund', 'UPDATE', 'SELECT returns.claim_refunds(100)'), 'RT007', 'a claim is refused when a trigger suppresses the UPDATE of the refund');
SELECT is(pg_temp.book('meddler'), :'before', 'refused writes of suppressed rows change nothing');
SELECT returns.act(:id, 'refund_due') AS ok \gset
SELECT is(pg_temp.refunds(:id), '1:10.00:pending', 'a return is decided after the suppressing triggers are dropped');

-- a trigger that moves a return while the extension writes to it
CREATE FUNCTION pg_temp.close_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status := 'closed'; RETURN NEW; END $$;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION pg_temp.close_it();
SELECT throws_ok('SELECT returns.claim_refunds(100)', 'RT007', NULL, 'a trigger cannot move a return while a report on its refund is posted');
DROP TRIGGER aaa ON returns.return_request;

-- a trigger that changes another refund when a refund changes
CREATE FUNCTION pg_temp.pay_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.refund SET status = 'settled', provider_ref = 'at-once-' || id WHERE id = NEW.id;
	RETURN NULL;
END $$;
SELECT pg_temp.settle_all() AS ok \gset
SELECT pg_temp.sell('at-once', 1, 1, 30);
SELECT pg_temp.pay('at-once', n, 10) FROM generate_series(1, 3) n;
SELECT pg_temp.decide('at-once', pg_temp.units(1, 1)) AS id \gset
CREATE FUNCTION pg_temp.pay_all_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.refund SET status = 'settled', provider_ref = 'at-once-' || id WHERE return_id = NEW.return_id AND status = 'sent';
	RETURN NULL;
END $$;
CREATE TRIGGER " early" AFTER UPDATE ON returns.refund FOR EACH ROW WHEN (NEW.status = 'sent') EXECUTE FUNCTION pg_temp.pay_at_once();
SELECT throws_ok('SELECT returns.claim_refunds(100)', 'RT007', NULL, 'a trigger cannot report on a refund before the first report is posted');
DROP TRIGGER " early" ON returns.refund;
CREATE TRIGGER after_it AFTER UPDATE ON returns.refund FOR EACH ROW WHEN (NEW.status = 'sent') EXECUTE FUNCTION pg_temp.pay_all_at_once();
SELECT throws_ok('SELECT returns.claim_refunds(100)', 'RT007', NULL, 'a trigger cannot report on another refund of the same statement');
DROP TRIGGER after_it ON returns.refund;
CREATE TRIGGER after_it AFTER UPDATE ON returns.refund FOR EACH ROW WHEN (NEW.status = 'sent') EXECUTE FUNCTION pg_temp.pay_at_once();
SELECT is((SELECT count(*) FROM returns.claim_refunds(100)), 3::bigint, 'a trigger may report on a refund after its report is posted');
SELECT is(pg_temp.status(:id), 'refunded', 'a return is refunded by a trigger that settles its refunds');
SELECT is((SELECT string_agg(to_state || coalesce('/' || (details->>'status'), ''), ' ' ORDER BY seq) FROM returns.return_event WHERE return_id = :id AND seq > 5),
	'refund_due/sent refund_due/settled refund_due/sent refund_due/settled refund_due/sent refund_due/settled refunded', 'the history has the reports of a trigger in the order in which they happened');
DROP TRIGGER after_it ON returns.refund;

SELECT * FROM finish();
