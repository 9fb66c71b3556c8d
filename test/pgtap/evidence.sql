-- The requirement of evidence: details.evidence must be a non-empty array.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:o';
\ir ../harness/requests.sql

SELECT pg_temp.sell('free', 2) \g /dev/null
CREATE FUNCTION pg_temp.with_evidence(details text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE returns.reason SET evidence_required = true WHERE code = 'defective';
	UPDATE returns.transition SET requires = '{evidence}' WHERE machine = 'return' AND from_state = 'requested' AND to_state = 'approved';
	PERFORM returns.open_return('free', '[{"line_no":1,"quantity":1}]', 'defective', details => details::jsonb);
	PERFORM returns.act(id, 'approved') FROM returns.return_request WHERE order_ref = 'free';
	RAISE EXCEPTION USING ERRCODE = 'P0999';
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN 'done';
WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.with_evidence(details), CASE WHEN good THEN 'done' WHEN details ~ '^[^{]' THEN '22023' ELSE 'RT008' END, 'a requirement of evidence accepts a non-empty array only: ' || coalesce(details, 'nothing'))
  FROM (VALUES (NULL, false), ('{}', false), ('[]', false), ('null', false), ('"evidence"', false), ('7', false), ('["evidence"]', false),
	('{"evidence": null}', false), ('{"evidence": []}', false), ('{"evidence": {}}', false), ('{"evidence": "photo"}', false),
	('{"evidence": 1}', false), ('{"Evidence": [1]}', false), ('{"evidence": {"0": 1}}', false),
	('{"evidence": ["photo"]}', true), ('{"a": 1, "evidence": [{"url": "x"}], "z": []}', true)) AS v (details, good);

SELECT * FROM finish();
