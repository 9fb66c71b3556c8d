-- events_after(): its pages, row-level security and refusals.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT 'o-' || n, 1, 'b-' || n % 2, 's-' || n % 3, 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM generate_series(1, 12) AS n;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, captured_at)
SELECT 'o-' || n, 1, 'card', 10, 'KZT', '2026-03-01 10:00+05' FROM generate_series(1, 12) AS n;
SELECT returns.open_return('o-' || n, '[{"line_no":1,"quantity":1}]', 'changed_mind') FROM generate_series(1, 12) AS n \g /dev/null
UPDATE returns.return_request SET status = 'approved', carrier = 'post' WHERE id % 2 = 0;
UPDATE returns.return_request SET status = 'received' WHERE status = 'approved';
UPDATE returns.return_request SET status = 'refund_due' WHERE status = 'received';

SELECT results_eq($$ SELECT order_ref, return_id, seq, epoch, xid, at, actor, actor_ref, db_role, from_state, to_state, kind, note, details, due_at, hash
	FROM returns.events_after(NULL, 1000000) $$,
	$$ SELECT order_ref, return_id, seq, epoch, xid, at, actor, actor_ref, db_role, from_state, to_state, kind, note, details, due_at, hash
	FROM returns.return_event ORDER BY epoch, xid, return_id, seq $$, 'events_after() gives every event with all columns in order');

-- Pages of any size give the same stream.
CREATE FUNCTION pg_temp.stream(page int) RETURNS TABLE (return_id bigint, seq int) LANGUAGE plpgsql AS $$
DECLARE
	c text;
	n int;
BEGIN
	LOOP
		n := 0;
		FOR c, return_id, seq IN SELECT e.cursor, e.return_id, e.seq FROM returns.events_after(c, page) AS e LOOP
			n := n + 1;
			RETURN NEXT;
		END LOOP;
		EXIT WHEN n = 0;
	END LOOP;
END $$;
SELECT results_eq(format('SELECT * FROM pg_temp.stream(%s)', page), 'SELECT return_id, seq FROM returns.events_after(NULL, 1000000)',
	'events_after() gives the same events in pages of ' || page) FROM unnest('{1,2,7,41,42,43,999,1000,1001,2147483647}'::int[]) AS page;
SELECT is_empty(format('SELECT seq FROM returns.events_after(%L, 10)', max), 'no event follows the last cursor')
  FROM (SELECT (array_agg(cursor))[count(*)] AS max FROM returns.events_after(NULL, 1000000)) AS c;
SELECT is(count(*), 3::bigint, 'events_after() accepts named arguments') FROM returns.events_after(max_rows => 3, cursor => NULL);

-- Uncommitted events are not returned, not even to their writer.
BEGIN;
UPDATE returns.return_request SET status = 'cancelled' WHERE order_ref = 'o-1';
SELECT is((SELECT count(*) FROM returns.events_after(NULL, 1000000)), (SELECT count(*) - 1 FROM returns.return_event), 'events_after() does not give an event before it is committed');
COMMIT;
SELECT is((SELECT count(*) FROM returns.events_after(NULL, 1000000)), (SELECT count(*) FROM returns.return_event), 'events_after() gives an event after it is committed');

-- Refusals
SELECT throws_ok(format('SELECT * FROM returns.events_after(%L, 1)', c), '22023', NULL, 'events_after() refuses the malformed cursor: ' || c)
  FROM unnest(ARRAY['', 'x', '1', '1.2', '1.2.3', '1.2.3.4.5', '1.2.3.', '.1.2.3', '1.2.3.4 ', ' 1.2.3.4', '01.2.3.4', '+1.2.3.4', '1.-2.3.4',
	'1.2.3.x', '1,2,3,4', '1.2.3.4x', '99999999999.2.3.4', '1.18446744073709551616.3.4', '1.2.9223372036854775808.4', '1.2.3.2147483648',
	repeat('1', 10000), '1e1.2.3.4', '0x1.2.3.4', '%d.%d.%d.%d']) AS c;
SELECT lives_ok(format('SELECT * FROM returns.events_after(%L, 1)', c), 'events_after() accepts a cursor of a place without an event: ' || c)
  FROM unnest(ARRAY['1.2.3.4', '0.0.0.0', '-1.0.-1.-1', '2147483647.18446744073709551615.9223372036854775807.2147483647',
	'-2147483648.0.-9223372036854775808.-2147483648']) AS c;
SELECT throws_ok('SELECT * FROM returns.events_after(NULL, ' || n || ')', state, NULL, 'events_after() refuses max_rows ' || n)
  FROM (VALUES ('NULL', '22004'), ('0', '22023'), ('-1', '22023'), ('-2147483648', '22023')) AS v (n, state);
SELECT is(count(*), 1::bigint, 'events_after() accepts the largest max_rows') FROM (SELECT FROM returns.events_after(NULL, 2147483647) LIMIT 1) AS e;

-- Each actor gets the stream of its visible returns (the owner of the tables:
-- all).
CREATE TEMP TABLE own AS
SELECT e.return_id, e.seq, ARRAY['buyer:' || r.buyer_ref, 'seller:' || r.seller_ref, 'carrier:' || r.carrier, 'operator:o'] AS actors
  FROM returns.return_event e JOIN returns.return_request r ON r.id = e.return_id;
CREATE FUNCTION pg_temp.stream_of(actor text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('returns.actor', actor, false);
	RETURN QUERY SELECT return_id || '.' || seq FROM returns.events_after(NULL, 1000000);
	PERFORM set_config('returns.actor', 'operator:o', false);
END $$;
SELECT set_eq(format('SELECT pg_temp.stream_of(%L)', actor), format('SELECT return_id || ''.'' || seq FROM own WHERE %L = ANY (actors)%s', actor,
	CASE WHEN current_setting('is_superuser') = 'on' THEN ' OR true' ELSE '' END), 'events_after() gives an actor its own events and no others: ' || coalesce(nullif(actor, ''), 'nobody'))
  FROM unnest('{operator:o,buyer:b-0,buyer:b-1,seller:s-0,seller:s-2,carrier:post,carrier:other,buyer:other,provider:psp,""}'::text[]) AS actor;
SELECT cmp_ok(count(DISTINCT actors), '>=', 6::bigint, 'the returns of this test have many combinations of parties') FROM own;

SELECT * FROM finish();
