-- Grants of actors: grant x kind x reference x role, with roles that have one
-- grant each, and the effect of a change of the role or of a grant on a session.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT 'actor-' || n, 1, 'b', 's', 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM generate_series(1, 3) AS n;
SELECT returns.open_return('actor-1', '[{"line_no":1,"quantity":1}]', 'changed_mind') AS id,
	returns.open_return('actor-2', '[{"line_no":1,"quantity":1}]', 'changed_mind') AS other \gset

-- Every role sees all rows and may write them, so only the actor is refused.
CREATE ROLE actor_none BYPASSRLS;
CREATE ROLE actor_buyer BYPASSRLS;
CREATE ROLE actor_seller BYPASSRLS;
CREATE ROLE actor_any_seller BYPASSRLS;
CREATE ROLE actor_carrier BYPASSRLS;
CREATE ROLE actor_provider BYPASSRLS;
CREATE ROLE actor_operator BYPASSRLS;
CREATE ROLE actor_member BYPASSRLS;
CREATE ROLE actor_member_of_member BYPASSRLS;
CREATE ROLE actor_group;
GRANT actor_seller TO actor_member;
GRANT actor_member TO actor_member_of_member;
GRANT actor_member_of_member TO actor_group;
GRANT USAGE ON SCHEMA returns, tap TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON returns.return_request, returns.return_line TO PUBLIC;
GRANT SELECT ON returns.sale_line, returns.return_event TO PUBLIC;
INSERT INTO returns.actor_grant (db_role, actor, ref) VALUES
	('actor_buyer', 'buyer', 'b'), ('actor_seller', 'seller', 's'), ('actor_any_seller', 'seller', NULL),
	('actor_carrier', 'carrier', 'post'), ('actor_provider', 'provider', 'psp'), ('actor_operator', 'operator', 'o'),
	('actor_nobody', 'operator', NULL);

-- ------------------------------------------------------------------ the matrix
-- All results of acting_as() for a role as an actor.
CREATE FUNCTION pg_temp.acting(role text, actor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('returns.actor', actor, true), set_config('role', role, true);
	SELECT string_agg(k || ':' || returns.acting_as(k), ' ') INTO answer
	  FROM unnest('{buyer,seller,carrier,provider,operator,system}'::text[]) AS k;
	PERFORM set_config('role', 'none', true);
	RETURN coalesce(answer, 'nobody');
END $$;
-- The actors that a role may be, as patterns.
CREATE TEMP TABLE may_be (role text, pattern text);
INSERT INTO may_be VALUES
	('actor_none', NULL), ('actor_buyer', 'buyer:b'), ('actor_seller', 'seller:s'), ('actor_any_seller', 'seller:%'),
	('actor_carrier', 'carrier:post'), ('actor_provider', 'provider:psp'), ('actor_operator', 'operator:o'),
	('actor_member', 'seller:s'), ('actor_member_of_member', 'seller:s'), ('actor_group', 'seller:s');
SELECT is(pg_temp.acting(role, kind || ':' || ref), CASE WHEN kind || ':' || ref LIKE pattern THEN kind || ':' || ref ELSE 'nobody' END,
	format('%s, which may be %s, acts as %s:%s', role, coalesce(pattern, 'nobody'), kind, ref))
  FROM may_be, unnest('{buyer,seller,carrier,provider,operator}'::text[]) AS kind,
	unnest('{b,s,post,psp,o,zzz,S,"s ",s:s,ss}'::text[]) AS ref;
SELECT is(pg_temp.acting(role, ''), 'nobody', format('%s acts as no actor while none is set', role)) FROM may_be;
SELECT is(returns.acting_as(NULL), NULL, 'acting_as(NULL) is NULL');
SELECT throws_ok('SELECT returns.acting_as(''nobody'')', 'RT010', NULL, 'acting_as() refuses an unknown kind of actor while an actor is set');
RESET returns.actor;
SELECT throws_ok('SELECT returns.acting_as(''nobody'')', 'RT010', NULL, 'acting_as() refuses an unknown kind of actor while no actor is set');
SET returns.actor = 'operator:o';

-- ------------------------------------------------------- a move, by each of them
-- The result of a statement of a role as an actor; rolled back.
CREATE FUNCTION pg_temp.tried(role text, actor text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	PERFORM set_config('returns.actor', actor, true), set_config('role', role, true);
	EXECUTE statement;
	GET DIAGNOSTICS n = ROW_COUNT;
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = n;
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM || ' row';
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.tried(role, actor, format('UPDATE returns.return_request SET status = ''approved'' WHERE id = %s', :id)), outcome,
	format('%s, as %s, approves a return of seller s: %s', role, actor, outcome))
  FROM (VALUES
	('actor_seller', 'seller:s', '1 row'), ('actor_seller', 'seller:zzz', 'RT002'), ('actor_seller', 'operator:o', 'RT002'),
	('actor_any_seller', 'seller:s', '1 row'), ('actor_any_seller', 'seller:zzz', 'RT002'),
	('actor_operator', 'operator:o', '1 row'), ('actor_operator', 'operator:zzz', 'RT002'), ('actor_operator', 'seller:s', 'RT002'),
	('actor_member', 'seller:s', '1 row'), ('actor_member_of_member', 'seller:s', '1 row'), ('actor_member', 'seller:zzz', 'RT002'),
	('actor_buyer', 'buyer:b', 'RT002'), ('actor_buyer', 'seller:s', 'RT002'), ('actor_none', 'seller:s', 'RT002'),
	('actor_none', 'operator:o', 'RT002'), ('actor_seller', '', 'RT002')) AS v (role, actor, outcome);
SELECT is(pg_temp.tried(role, actor, $$ SELECT returns.open_return('actor-3', '[{"line_no":1,"quantity":1}]', 'changed_mind') $$), outcome,
	format('%s, as %s, opens a return of buyer b: %s', role, actor, outcome))
  FROM (VALUES
	('actor_buyer', 'buyer:b', '1 row'), ('actor_buyer', 'buyer:zzz', 'RT002'), ('actor_operator', 'operator:o', '1 row'),
	('actor_seller', 'seller:s', 'RT002'), ('actor_carrier', 'carrier:post', 'RT002'), ('actor_provider', 'provider:psp', 'RT002'),
	('actor_none', 'buyer:b', 'RT002')) AS v (role, actor, outcome);

-- ------------------------------------------- another role, the same returns.actor
SET returns.actor = 'seller:s';
SET ROLE actor_seller;
SELECT is(returns.acting_as('seller'), 's', 'a role with the grant acts as the actor that the session has set');
SET ROLE actor_none;
SELECT is(returns.acting_as('seller'), NULL, 'after SET ROLE to a role without a grant the session does not keep its actor');
SELECT throws_ok(format('SELECT returns.act(%s, ''approved'')', :id), 'RT002', NULL, 'after SET ROLE to a role without a grant the session moves nothing');
SET ROLE actor_seller;
SELECT is(returns.acting_as('seller'), 's', 'after SET ROLE back the session has its actor again');
SET ROLE actor_any_seller;
SELECT is(returns.acting_as('seller'), 's', 'after SET ROLE to another role with the grant the session acts by that role');
SELECT returns.act(:id, 'approved') \g /dev/null
RESET ROLE;
SELECT is((SELECT db_role FROM returns.return_event WHERE return_id = :id ORDER BY seq DESC LIMIT 1), 'actor_any_seller',
	'the event names the role that the session had when it moved the return');

-- A function that runs as its owner acts by the grants of its owner.
CREATE FUNCTION public.actor_by_seller() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT returns.acting_as('seller') $$;
CREATE FUNCTION public.actor_by_none() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT returns.acting_as('seller') $$;
ALTER FUNCTION public.actor_by_seller() OWNER TO actor_seller;
ALTER FUNCTION public.actor_by_none() OWNER TO actor_none;
SET ROLE actor_none;
SELECT is(public.actor_by_seller(), 's', 'a SECURITY DEFINER function acts by the grant of its owner');
SELECT is(returns.acting_as('seller'), NULL, 'the caller of a SECURITY DEFINER function does not keep the actor of its owner');
SET ROLE actor_seller;
SELECT is(returns.acting_as('seller'), 's', 'the caller has its own grant before it calls a SECURITY DEFINER function');
SELECT is(public.actor_by_none(), NULL, 'a SECURITY DEFINER function of an owner without a grant acts as no actor');
RESET ROLE;
DROP FUNCTION public.actor_by_seller(), public.actor_by_none();

-- ------------------------------------- changes between two statements of a session
SET ROLE actor_member;
SELECT is(returns.acting_as('seller'), 's', 'a member acts by the grant of its group');
RESET ROLE;
REVOKE actor_seller FROM actor_member;
SET ROLE actor_member;
SELECT is(returns.acting_as('seller'), NULL, 'after REVOKE of the membership the same session acts as no actor');
SELECT throws_ok(format('SELECT returns.act(%s, ''approved'')', :other), 'RT002', NULL, 'after REVOKE of the membership the same session moves nothing');
RESET ROLE;
SET ROLE actor_member_of_member;
SELECT is(returns.acting_as('seller'), NULL, 'REVOKE of a membership reaches the members of the member');
RESET ROLE;
GRANT actor_seller TO actor_member;
SET ROLE actor_member_of_member;
SELECT is(returns.acting_as('seller'), 's', 'GRANT of a membership reaches the members of the member');
RESET ROLE;
ALTER ROLE actor_seller RENAME TO actor_renamed;
SET ROLE actor_member_of_member;
SELECT is(returns.acting_as('seller'), NULL, 'a grant holds for the name of its role, and after ALTER ROLE RENAME for no role');
RESET ROLE;
ALTER ROLE actor_renamed RENAME TO actor_seller;
SET ROLE actor_seller;
SELECT is(returns.acting_as('seller'), 's', 'a grant holds again when its role has its name again');
RESET ROLE;
UPDATE returns.actor_grant SET ref = 'zzz' WHERE db_role = 'actor_seller';
SET ROLE actor_seller;
SELECT is(returns.acting_as('seller'), NULL, 'after UPDATE of the reference of its grant the same session acts as no actor');
SET returns.actor = 'seller:zzz';
SELECT is(returns.acting_as('seller'), 'zzz', 'after UPDATE of the reference of its grant the session may act as the new one');
RESET ROLE;
DELETE FROM returns.actor_grant WHERE db_role = 'actor_seller';
SET ROLE actor_seller;
SELECT is(returns.acting_as('seller'), NULL, 'after DELETE of its grant the same session acts as no actor');
RESET ROLE;

-- The rollback of a subtransaction reverts its grants and its settings.
BEGIN;
SET LOCAL returns.actor = 'seller:s';
SAVEPOINT s;
INSERT INTO returns.actor_grant (db_role, actor, ref) VALUES ('actor_seller', 'seller', 's');
SET LOCAL ROLE actor_seller;
SELECT is(returns.acting_as('seller'), 's', 'a grant holds in the transaction that gives it');
ROLLBACK TO s;
SET LOCAL ROLE actor_seller;
SELECT is(returns.acting_as('seller'), NULL, 'a grant that is rolled back to a savepoint does not hold');
ROLLBACK;
SET ROLE actor_any_seller;
SET returns.actor = 'seller:one';
BEGIN;
SET LOCAL returns.actor = 'seller:two';
SELECT is(returns.acting_as('seller'), 'two', 'SET LOCAL sets the actor of the transaction');
ROLLBACK;
SELECT is(returns.acting_as('seller'), 'one', 'after ROLLBACK the session has the actor that it had before SET LOCAL');
RESET ROLE;

SET returns.actor = 'operator:o';
DROP OWNED BY actor_none, actor_buyer, actor_seller, actor_any_seller, actor_carrier, actor_provider, actor_operator,
	actor_member, actor_member_of_member, actor_group;
DROP ROLE actor_none, actor_buyer, actor_seller, actor_any_seller, actor_carrier, actor_provider, actor_operator,
	actor_member, actor_member_of_member, actor_group;
DELETE FROM returns.actor_grant WHERE db_role LIKE 'actor\_%';

SELECT * FROM finish();
