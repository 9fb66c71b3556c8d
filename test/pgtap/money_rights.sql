-- The visibility of refunds and ledger, and the rights on tables that a role
-- needs for them.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

\ir ../harness/money.sql

SELECT pg_temp.sell('m', 1, 10, 100);
SELECT pg_temp.pay('m', 1, 35), pg_temp.pay('m', 2, 65, 'USD', 200, 'other');
SELECT pg_temp.decide('m', pg_temp.units(1, 4)) AS id \gset
SELECT max(id) AS r2 FROM returns.refund \gset
SELECT returns.checkpoint_balances() AS ok \gset
SELECT pg_temp.settle_all() AS ok \gset

CREATE ROLE money_app;
GRANT USAGE ON SCHEMA returns TO money_app;
GRANT SELECT ON ALL TABLES IN SCHEMA returns TO money_app;
GRANT UPDATE ON returns.refund TO money_app;
INSERT INTO returns.actor_grant (db_role, actor, ref) VALUES ('money_app', 'buyer', 'b'), ('money_app', 'buyer', 'x'), ('money_app', 'seller', 's'),
	('money_app', 'seller', 'psp'), ('money_app', 'provider', 'other'), ('money_app', 'carrier', 'dhl'), ('money_app', 'operator', NULL);
-- The result of a query of the role as the actor; for an error its SQLSTATE.
CREATE FUNCTION pg_temp.told(actor text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('role', 'money_app', true), set_config('returns.actor', actor, true);
	EXECUTE query INTO answer;
	PERFORM set_config('role', 'none', true), set_config('returns.actor', 'operator:desk', true);
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate;
END $$;
CREATE FUNCTION pg_temp.seen(actor text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.told(actor, $q$SELECT concat_ws(' ', (SELECT count(*) > 0 FROM returns.refund),
		(SELECT count(*) > 0 FROM returns.ledger_transfer), (SELECT string_agg(DISTINCT account, ',') FROM returns.ledger_entry))$q$)
$$;
SELECT is(pg_temp.seen(''), 'f f', 'a session without an actor sees no money');
SELECT is(pg_temp.seen('buyer:b'), 't t buyer_payable', 'a buyer sees its own refunds and entries');
SELECT is(pg_temp.seen('buyer:x'), 'f f', 'another buyer sees no refund and no entry');
SELECT is(pg_temp.seen('seller:s'), 't t seller_receivable', 'a seller sees its own refunds and entries');
SELECT is(pg_temp.seen('seller:psp'), 'f f', 'a seller with the name of a provider sees nothing of the provider');
SELECT is(pg_temp.seen('carrier:dhl'), 'f f', 'a carrier sees no refund and no entry');
SELECT is(pg_temp.seen('buyer:z'), 'f f', 'an actor without a grant sees no money');
SELECT is(pg_temp.seen('provider:other'), 't f', 'a provider sees refunds and no ledger');
SELECT is(pg_temp.told('provider:other', 'SELECT array_agg(DISTINCT provider) FROM returns.refund'), '{other}', 'a provider sees its own refunds only');
SELECT is(pg_temp.told('seller:s', 'SELECT string_agg(DISTINCT account || ''/'' || party_ref, '','') FROM returns.account_balance'), 'seller_receivable/s', 'a seller sees the own balance with a checkpoint');
SELECT is(pg_temp.told('buyer:x', 'SELECT count(*) FROM returns.account_balance'), '0', 'another buyer sees no balance');
SELECT is(pg_temp.told('operator:me', 'SELECT count(*) FROM returns.trial_balance WHERE currency = ''USD'''), (SELECT count(*)::text FROM returns.trial_balance WHERE currency = 'USD'), 'an operator sees all balances');
SELECT is(pg_temp.told('buyer:x', format('SELECT count(*) FROM returns.preview_refund(%s)', :id)), 'RT010', 'a buyer cannot preview the return of another buyer');
SELECT is(pg_temp.told('buyer:b', format('SELECT count(*) FROM returns.preview_refund(%s)', :id)), '3', 'a buyer can preview its own return');
-- Rights on one table are enough to use it.
REVOKE ALL ON ALL TABLES IN SCHEMA returns FROM money_app;
GRANT SELECT, UPDATE ON returns.refund TO money_app;
SELECT is(pg_temp.told('provider:other', 'SELECT array_agg(DISTINCT provider) FROM returns.refund'), '{other}', 'a provider with rights on refund only sees its own refunds');
SELECT is(pg_temp.told('provider:other', 'SELECT count(*) FROM returns.claim_refunds(10)'), '0', 'a provider with rights on refund only can claim refunds');
SELECT is(pg_temp.told('provider:other', format('UPDATE returns.refund SET status = ''failed'' WHERE id = %s RETURNING status', :r2)), 'failed', 'a provider with rights on refund only can report on refunds');
SELECT is(pg_temp.told('buyer:b', 'SELECT count(*) > 0 FROM returns.refund'), 'true', 'a buyer with rights on refund only sees its own refunds');
SELECT is(pg_temp.told('buyer:x', 'SELECT count(*) > 0 FROM returns.refund'), 'false', 'another buyer with rights on refund only sees no refund');
REVOKE ALL ON ALL TABLES IN SCHEMA returns FROM money_app;
GRANT SELECT ON returns.ledger_transfer, returns.ledger_entry TO money_app;
SELECT is(pg_temp.told('operator:me', 'SELECT count(*) > 0 FROM returns.ledger_transfer'), 'true', 'an operator with rights on the ledger only sees transfers');
SELECT is(pg_temp.told('operator:me', 'INSERT INTO returns.ledger_transfer VALUES (''x'', 1, 1, NULL, ''x'', now(), NULL) RETURNING kind'), '42501', 'a client without the right cannot insert into ledger_transfer');

SET returns.actor = 'operator:desk';
DELETE FROM returns.actor_grant WHERE db_role = 'money_app';
DROP OWNED BY money_app;
DROP ROLE money_app;

SELECT * FROM finish();
