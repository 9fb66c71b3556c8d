-- workflow_diagram(): the names that it gives to states whose code is no name in
-- the languages of diagrams. The diagrams themselves are in sql/workflow_diagram.sql.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

-- They come last, and the numbers that they have then are taken by the codes of others.
BEGIN;
INSERT INTO returns.state (code, kind) SELECT 'state_' || n, 'open' FROM generate_series(100, 400) AS n;
INSERT INTO returns.state (code, kind) VALUES ('two words', 'open'), ('two other words', 'open');
SELECT is((SELECT count(DISTINCT name[1]) FROM regexp_matches(returns.workflow_diagram('return', format), '\mstate_\d+_\M', 'g') AS name), 2::bigint,
	format('in a diagram in %s no state gets a name that is the code of another', format))
  FROM unnest('{mermaid,dot}'::text[]) AS format;
INSERT INTO returns.market (code, timezone, calendar, currency) VALUES ('m', 'UTC', 'kz', 'KZT');
INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout) VALUES ('m', 'requested', 77, 'hour', 'approved');
SELECT ok(returns.workflow_diagram('return', format) LIKE '%after 77 hours (m)%', format('a diagram in %s names a market of one letter at its timer', format))
  FROM unnest('{mermaid,dot}'::text[]) AS format;
SELECT * FROM finish();
ROLLBACK;
