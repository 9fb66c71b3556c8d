-- act() and open_return() have the same outcome as UPDATE and INSERT.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
\ir ../harness/requests.sql

-- Each refusal of one way is also a refusal of the other
SELECT pg_temp.sell('b60', 1), pg_temp.be('operator:desk') \g /dev/null
SELECT pg_temp.ask('b60', 1, 1) AS id \gset
-- The result of a statement: the new state or the error; rolled back.
CREATE FUNCTION pg_temp.outcome(r bigint, path text[], actor text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	outcome text;
	message text;
	detail text;
	hint text;
BEGIN
	BEGIN
		PERFORM pg_temp.be('operator:desk');
		PERFORM returns.act(r, s, 'note', '{"carrier":"post","tracking_ref":"t"}') FROM unnest(path) AS s;
		PERFORM pg_temp.be(actor);
		EXECUTE statement;
		PERFORM pg_temp.be('operator:desk');
		RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = (SELECT status || ' ' || last_seq || ' ' || coalesce(due_at::text, '')
			FROM returns.return_request WHERE id = r);
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS outcome = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		RETURN concat_ws(' | ', outcome, message, detail, hint);
	END;
END $$;
SELECT is(pg_temp.outcome(:id, path::text[], actor, format('SELECT returns.act(%s, %L)', :id, to_state)),
	pg_temp.outcome(:id, path::text[], actor, format('UPDATE returns.return_request SET status = %L WHERE id = %s', to_state, :id)),
	format('act() and UPDATE have the same outcome from %s to %s as %s', path, to_state, actor))
  FROM unnest(ARRAY['{}', '{rejected}', '{approved}', '{approved,in_transit}', '{approved,received}', '{approved,received,refund_due}', '{cancelled}']) AS path,
	unnest(ARRAY['buyer:b-b60', 'seller:s-b60', 'operator:x']) AS actor,
	(SELECT code FROM returns.state WHERE machine = 'return' UNION ALL SELECT 'no_such_state') AS s (to_state);
SELECT pg_temp.be('buyer:b-b60') \g /dev/null
SELECT is(returns.act(:id, 'cancelled'), 'cancelled', 'a return of open_return() can be cancelled by its buyer');
SELECT pg_temp.be('buyer:b-b60'), pg_temp.ask_by_hand('b60', 1, 1) AS id \gset
SELECT is(returns.act(:id, 'cancelled'), 'cancelled', 'a return of plain statements can be cancelled by act()');

SELECT * FROM finish();
