-- claim_refunds(): the refunds that a claim selects, and the leases that it
-- ends.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
-- Each return has a refund by psp, one by bank and one by a tender without a provider.
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'sku', 'books', 'kz', 1, 30, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM unnest('{one,two}'::text[]) AS o;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT o, n, 'card', 10, 'KZT', (ARRAY['psp', 'bank', NULL])[n], '2026-03-01 10:00+05'
  FROM unnest('{one,two}'::text[]) AS o, generate_series(1, 3) AS n;
SELECT returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'changed_mind') FROM unnest('{one,two}'::text[]) AS o \g /dev/null
UPDATE returns.return_request SET status = 'approved';
UPDATE returns.return_request SET status = 'received';
UPDATE returns.return_request SET status = 'refund_due';

-- Workers that have one grant each, and rights on refunds only.
CREATE ROLE claim_psp;
CREATE ROLE claim_bank;
CREATE ROLE claim_operator;
CREATE ROLE claim_buyer;
GRANT USAGE ON SCHEMA returns, tap TO PUBLIC;
GRANT SELECT, UPDATE ON returns.refund TO PUBLIC;
INSERT INTO returns.actor_grant (db_role, actor, ref) VALUES
	('claim_psp', 'provider', 'psp'), ('claim_bank', 'provider', 'bank'), ('claim_operator', 'operator', NULL), ('claim_buyer', 'buyer', 'b');

-- The refunds as the owner of the tables sees them: provider, order, state, attempt, minutes of lease left.
CREATE FUNCTION pg_temp.refunds(VARIADIC providers text[]) RETURNS TABLE (refund text) LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(provider, 'none'), order_ref, status, attempt, extract(epoch FROM lease_until - returns.now())::int / 60)
	  FROM returns.refund WHERE coalesce(provider, 'none') = ANY (providers)
$$;

-- --------------------------------------------------------------- rights to claim
CREATE FUNCTION pg_temp.claimed(role text, actor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	claimed text;
BEGIN
	PERFORM set_config('returns.actor', actor, true), set_config('role', role, true);
	SELECT string_agg(coalesce(provider, 'none') || ' ' || order_ref, ', ' ORDER BY provider, order_ref DESC) INTO claimed FROM returns.claim_refunds(10);
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = coalesce(claimed, 'nothing');
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.claimed(role, actor), outcome, format('%s, as %s, claims: %s', role, coalesce(nullif(actor, ''), 'no actor'), outcome))
  FROM (VALUES
	('claim_psp', 'provider:psp', 'psp two, psp one'), ('claim_psp', 'provider:bank', 'RT002'), ('claim_psp', 'operator:o', 'RT002'), ('claim_psp', '', 'RT002'),
	('claim_bank', 'provider:bank', 'bank two, bank one'), ('claim_bank', 'provider:psp', 'RT002'),
	('claim_operator', 'operator:o', 'bank two, bank one, psp two, psp one, none two, none one'), ('claim_operator', 'provider:psp', 'RT002'),
	('claim_buyer', 'buyer:b', 'RT002'), ('claim_buyer', 'provider:psp', 'RT002')) AS v (role, actor, outcome);
SELECT is(count(*), 6::bigint, 'claims that were rolled back leave every refund pending') FROM returns.refund WHERE status = 'pending' AND attempt = 0;

-- ------------------------------------------------------- leases that a claim ends
SET ROLE claim_psp;
SET returns.actor = 'provider:psp';
SELECT is((SELECT count(*) FROM returns.claim_refunds(10, '10 minutes')), 2::bigint, 'one provider claims its two refunds for 10 minutes');
SET ROLE claim_bank;
SET returns.actor = 'provider:bank';
SELECT is((SELECT count(*) FROM returns.claim_refunds(10, '20 minutes')), 2::bigint, 'another provider claims its two refunds for 20 minutes');
RESET ROLE;
SET returns.clock = '2026-03-10 12:30+05';
CREATE TEMP TABLE before AS SELECT * FROM returns.refund WHERE provider = 'bank';
SET ROLE claim_psp;
SET returns.actor = 'provider:psp';
SELECT is((SELECT count(*) FROM returns.claim_refunds(10, '10 minutes')), 2::bigint, 'a provider whose leases are over claims its refunds again');
RESET ROLE;
SELECT set_eq('SELECT * FROM pg_temp.refunds(''psp'')', '{psp one sent 2 10,psp two sent 2 10}'::text[], 'refunds that are claimed again are sent a second time');
SELECT set_eq('SELECT * FROM pg_temp.refunds(''bank'')', '{bank one sent 1 -10,bank two sent 1 -10}'::text[],
	'the claim of one provider does not end the leases of another, though they are over');
SELECT set_eq('SELECT * FROM returns.refund WHERE provider = ''bank''', 'TABLE before', 'the claim of one provider leaves the refunds of another as they were');
SELECT is_empty($$ SELECT * FROM returns.return_event WHERE at = returns.now() AND details ->> 'provider' = 'bank' $$,
	'the claim of one provider makes no event about refunds of another');
SET ROLE claim_bank;
SET returns.actor = 'provider:bank';
SELECT is((SELECT count(*) FROM returns.claim_refunds(1, '20 minutes')), 1::bigint, 'a provider that claims one refund gets one');
RESET ROLE;
SELECT is((SELECT count(*) FROM returns.refund WHERE provider = 'bank' AND attempt = 1), 1::bigint, 'the other refund of the provider keeps its attempt');
SET returns.clock = '2026-03-10 13:00+05';
SET ROLE claim_operator;
SET returns.actor = 'operator:o';
SELECT is((SELECT count(*) FROM returns.claim_refunds(10)), 6::bigint, 'the claim of an operator ends the leases of all providers, and takes what has none');
RESET ROLE;

SET returns.actor = 'operator:o';
DELETE FROM returns.actor_grant WHERE db_role LIKE 'claim\_%';
DROP OWNED BY claim_psp, claim_bank, claim_operator, claim_buyer;
DROP ROLE claim_psp, claim_bank, claim_operator, claim_buyer;

SELECT * FROM finish();
