-- What every database of a test begins with.

CREATE EXTENSION returns;
CALL returns.setup('kz');

-- What an application's role may do: act as any actor, on the rows that
-- row-level security shows that actor.  It sells and takes payments too.
GRANT USAGE ON SCHEMA returns TO app;
GRANT SELECT ON ALL TABLES IN SCHEMA returns TO app;
GRANT INSERT, UPDATE, DELETE ON returns.return_request, returns.return_line, returns.refund TO app;
GRANT INSERT, UPDATE ON returns.sale_line, returns.payment TO app;
GRANT SET ON PARAMETER returns.clock TO app;
INSERT INTO returns.actor_grant (db_role, actor)
SELECT 'app', a FROM pg_catalog.unnest('{buyer,seller,carrier,provider,operator}'::text[]) a;

\ir spec.sql

-- pgTAP, where the server has it, apart from public.
SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pgtap') AS has_pgtap \gset
\if :has_pgtap
CREATE SCHEMA tap;
CREATE EXTENSION pgtap SCHEMA tap;
GRANT USAGE ON SCHEMA tap TO app;
\endif
