-- The content of every test database at its start.

CREATE EXTENSION returns;
CALL returns.setup('kz');

-- The rights of an application: it acts as any actor, on the rows that
-- row-level security shows that actor.  It also inserts sales and payments.
GRANT USAGE ON SCHEMA returns TO app;
GRANT SELECT ON ALL TABLES IN SCHEMA returns TO app;
GRANT INSERT, UPDATE, DELETE ON returns.return_request, returns.return_line, returns.refund TO app;
GRANT INSERT, UPDATE ON returns.sale_line, returns.payment TO app;
GRANT SET ON PARAMETER returns.clock TO app;
INSERT INTO returns.actor_grant (db_role, actor)
SELECT 'app', a FROM pg_catalog.unnest('{buyer,seller,carrier,provider,operator}'::text[]) a;

\ir spec.sql

-- pgTAP in a schema of its own, if the server has it.
SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pgtap') AS has_pgtap \gset
\if :has_pgtap
CREATE SCHEMA tap;
CREATE EXTENSION pgtap SCHEMA tap;
GRANT USAGE ON SCHEMA tap TO app;
\endif
