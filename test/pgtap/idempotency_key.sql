-- Idempotency keys: one key of a buyer opens one return, also if it is sent
-- several times.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
\ir ../harness/requests.sql

-- The browser sends the same request again
SELECT pg_temp.sell('b03', 3), pg_temp.sell('b03x', 3), pg_temp.be('buyer:b-b03') \g /dev/null
SELECT pg_temp.ask('b03', 1, 1, 'key') AS first, pg_temp.ask('b03', 1, 1, 'key') AS again \gset
SELECT is(:again::bigint, :first::bigint, 'a request with a used idempotency key gives the same return');
SELECT is(count(*), 1::bigint, 'a request with a used idempotency key inserts no second return') FROM returns.return_request WHERE order_ref = 'b03';
SELECT is(count(*), 2::bigint, 'a request with a used idempotency key writes no event') FROM returns.return_event WHERE order_ref = 'b03';
SELECT is(pg_temp.units('b03', 1), '1 reserved, 0 returned of 3', 'a request with a used idempotency key reserves no unit');
SELECT throws_ok(format('SELECT returns.open_return(%s)', other), 'RT011', NULL, 'a used idempotency key refuses other content: ' || other)
  FROM unnest(ARRAY[
	$$ 'b03', '[{"line_no":1,"quantity":2}]', 'changed_mind', idempotency_key => 'key' $$,
	$$ 'b03', '[{"line_no":1,"quantity":1}]', 'defective', idempotency_key => 'key' $$,
	$$ 'b03', '[{"line_no":1,"quantity":1}]', 'changed_mind', 'exchange', idempotency_key => 'key' $$,
	$$ 'b03', '[{"line_no":1,"quantity":1}]', 'changed_mind', note => 'x', idempotency_key => 'key' $$,
	$$ 'b03', '[{"line_no":1,"quantity":1}]', 'changed_mind', details => '{}', idempotency_key => 'key' $$]) AS other;
SELECT is(returns.act(:first, 'cancelled'), 'cancelled', 'a return with an idempotency key can be cancelled');
SELECT is(pg_temp.ask('b03', 1, 1, 'key'), :first::bigint, 'a used idempotency key gives the cancelled return');
SELECT isnt(pg_temp.ask('b03', 1, 1, 'other'), :first::bigint, 'another idempotency key opens another return');
SELECT isnt(pg_temp.ask('b03', 1, 1), pg_temp.ask('b03', 1, 1), 'requests without an idempotency key open two returns');
SELECT throws_ok($$INSERT INTO returns.return_request (order_ref, reason, idempotency_key) VALUES ('b03', 'changed_mind', 'key')$$,
	'23505', NULL, 'INSERT of a used idempotency key is refused');
SELECT pg_temp.be('buyer:b-b03x') \g /dev/null
SELECT isnt(pg_temp.ask('b03x', 1, 1, 'key'), :first::bigint, 'the same idempotency key of another buyer opens another return');
SELECT throws_ok('SELECT pg_temp.ask(''b03'', 1, 1, ''key'')', 'RT002', NULL, 'a used idempotency key does not show the return of another buyer');

SELECT * FROM finish();
