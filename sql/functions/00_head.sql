-- returns: the code of the extension.  Built from sql/functions/*.sql.

\echo Use "CREATE EXTENSION returns" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;
SET LOCAL check_function_bodies = off;
