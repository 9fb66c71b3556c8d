-- Every table, view, column and routine has a comment: one phrase of at most
-- 80 characters. If there is more, a blank line follows, then lines of at most
-- 100.

WITH object (what, comment) AS (
	SELECT CASE WHEN c.relkind IN ('v', 'm') THEN 'view ' ELSE 'table ' END || c.relname,
		   pg_catalog.obj_description(c.oid, 'pg_class')
	  FROM pg_catalog.pg_class c
	 WHERE c.relnamespace = 'returns'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
	UNION ALL
	SELECT 'column ' || c.relname || '.' || a.attname, pg_catalog.col_description(c.oid, a.attnum)
	  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
	 WHERE c.relnamespace = 'returns'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
	   AND a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' ELSE 'function ' END || p.oid::regprocedure,
		   pg_catalog.obj_description(p.oid, 'pg_proc')
	  FROM pg_catalog.pg_proc p
	 WHERE p.pronamespace = 'returns'::regnamespace
), line AS (
	SELECT what, n, text
	  FROM object, pg_catalog.string_to_table(comment, E'\n') WITH ORDINALITY AS t (text, n)
)
SELECT what || ': no comment' FROM object WHERE comment IS NULL OR comment ~ '^\s*$'
UNION ALL
SELECT what || ': the first line has ' || length(text) || ' characters, at most 80'
  FROM line WHERE n = 1 AND length(text) > 80
UNION ALL
SELECT what || ': line 2 of the comment is not blank' FROM line WHERE n = 2 AND text <> ''
UNION ALL
SELECT what || ': line ' || n || ' of the comment has ' || length(text) || ' characters, at most 100'
  FROM line WHERE n > 2 AND length(text) > 100
ORDER BY 1;
