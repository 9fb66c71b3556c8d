-- Pack the tables as after a restore, so that vacuum has no work left.

\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT format('REINDEX TABLE %s', oid::regclass) FROM pg_class
 WHERE relnamespace IN ('returns'::regnamespace, 'bench'::regnamespace) AND relkind = 'r' \gexec
VACUUM (FREEZE, ANALYZE);
CREATE EXTENSION IF NOT EXISTS pg_prewarm;
CHECKPOINT;
