-- The workflow: every move from every state by every actor succeeds if and only if
-- returns.transition allows it.
-- as: app
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';

-- ------------------------------------------------ a return in every state
CREATE FUNCTION pg_temp.be(actor text) RETURNS void LANGUAGE sql AS $$
	SELECT set_config('returns.actor', actor, false)
$$;
CREATE TEMP TABLE path (state text, resolution text, moves text[]);
INSERT INTO path VALUES
	('draft', NULL, '{}'),
	('requested', NULL, '{requested}'),
	('cancelled', NULL, '{requested,cancelled}'),
	('approved', NULL, '{requested,approved}'),
	('rejected', NULL, '{requested,rejected}'),
	('request_disputed', NULL, '{requested,rejected,request_disputed}'),
	('closed', NULL, '{requested,rejected,request_disputed,closed}'),
	('in_transit', NULL, '{requested,approved,in_transit}'),
	('received', NULL, '{requested,approved,received}'),
	('declined', NULL, '{requested,approved,received,declined}'),
	('outcome_disputed', NULL, '{requested,approved,received,declined,outcome_disputed}'),
	('expired', NULL, '{requested,approved,expired}'),
	('refund_due', 'refund', '{requested,approved,received,refund_due}'),
	('refunded', 'refund', '{requested,approved,received,refund_due,refunded}'),
	('exchange_due', 'exchange', '{requested,approved,received,exchange_due}'),
	('exchange_sent', 'exchange', '{requested,approved,received,exchange_due,exchange_sent}'),
	('exchanged', 'exchange', '{requested,approved,received,exchange_due,exchange_sent,exchanged}'),
	('refund_due', 'exchange', '{requested,approved,received,exchange_due,refund_due}'),
	('refunded', 'exchange', '{requested,approved,received,exchange_due,refund_due,refunded}');

CREATE FUNCTION pg_temp.place(o text, resolution text, moves text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r bigint;
	move text;
BEGIN
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, commission_rate, currency, purchased_at, delivered_at)
	VALUES (o, 1, 'b', 's', 'sku', 'books', 'kz', 2, 20, 0.1, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05');
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
	VALUES (o, 1, 'card', 20, 'KZT', 'psp', '2026-03-01 10:00+05');
	INSERT INTO returns.return_request (order_ref, reason, resolution, carrier) VALUES (o, 'changed_mind', resolution, 'post')
	RETURNING id INTO r;
	INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (r, 1, 1);
	FOREACH move IN ARRAY moves LOOP
		CASE move
		WHEN 'refunded' THEN
			PERFORM returns.claim_refunds(10);
			UPDATE returns.refund SET status = 'settled', provider_ref = 'p' || id WHERE return_id = r;
		WHEN 'expired' THEN
			PERFORM set_config('returns.clock', '2026-03-20 12:00+05', true);
			PERFORM returns.run_deadlines();
			PERFORM set_config('returns.clock', '2026-03-10 12:00+05', true);
		ELSE
			PERFORM pg_temp.be(CASE WHEN move IN ('request_disputed', 'outcome_disputed') THEN 'buyer:b' ELSE 'operator:o' END);
			UPDATE returns.return_request SET status = move, note = 'on the way',
				tracking_ref = CASE WHEN move IN ('in_transit', 'exchange_sent') THEN 'T' END WHERE id = r;
			PERFORM pg_temp.be('operator:o');
		END CASE;
	END LOOP;
	RETURN r;
END $$;
-- The return that expires is opened first, because its clock would move others
-- too.
CREATE TEMP TABLE placed AS
SELECT state, r AS resolution, pg_temp.place(state || '-' || r, r, moves) AS id
  FROM (SELECT * FROM path, unnest('{refund,exchange}'::text[]) AS r
		 WHERE resolution IS NULL OR resolution = r ORDER BY state <> 'expired') p;

SELECT set_eq('SELECT id, state, resolution FROM placed', 'SELECT id, status, resolution FROM returns.return_request',
	'every return is where it was to be placed');
SELECT set_eq('SELECT state FROM placed', 'SELECT code FROM returns.state WHERE machine = ''return''', 'the test has a return in every state of the workflow');

-- ---------------------------------------------------------------- the matrix
-- The result of a move, or its error; rolled back. All requirements of all
-- moves are set.
CREATE FUNCTION pg_temp.attempt(r bigint, target text, actor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	was record;
	seen int;
BEGIN
	SELECT * INTO was FROM returns.return_request WHERE id = r;
	PERFORM pg_temp.be(actor);
	UPDATE returns.return_request SET status = target, note = 'why', tracking_ref = 'T', details = '{"evidence":["photo"]}' WHERE id = r;
	GET DIAGNOSTICS seen = ROW_COUNT;
	PERFORM pg_temp.be('operator:o');
	IF seen = 0 THEN
		RETURN 'unseen';
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = (
		SELECT format('%s, %s events, %s -> %s by %s:%s (%s, %s), due %s then %s', q.status, q.last_seq - was.last_seq, e.from_state,
			e.to_state, e.actor, e.actor_ref, e.note, e.details ->> 'evidence', e.due_at AT TIME ZONE 'UTC', q.on_timeout)
		  FROM returns.return_request q JOIN returns.return_event e ON e.order_ref = q.order_ref AND e.return_id = q.id AND e.seq = q.last_seq
		 WHERE q.id = r AND q.due_at IS NOT DISTINCT FROM e.due_at);
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	PERFORM pg_temp.be('operator:o');
	RETURN SQLERRM;
WHEN OTHERS THEN
	PERFORM pg_temp.be('operator:o');
	RETURN SQLSTATE;
END $$;
-- The same by the tables of the workflow.
CREATE FUNCTION pg_temp.expected(r returns.return_request, target text, actor text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE
		WHEN NOT coalesce(CASE split_part(actor, ':', 1)
				WHEN 'buyer' THEN split_part(actor, ':', 2) = r.buyer_ref
				WHEN 'seller' THEN split_part(actor, ':', 2) = r.seller_ref
				WHEN 'carrier' THEN split_part(actor, ':', 2) = r.carrier
				WHEN 'operator' THEN true END, false)
			THEN CASE WHEN current_setting('is_superuser') = 'on' THEN 'RT002' ELSE 'unseen' END
		WHEN t.to_state IS NULL THEN 'RT001'
		WHEN split_part(actor, ':', 1) <> ALL (t.actors) THEN 'RT002'
		WHEN t.resolution <> r.resolution THEN 'RT001'
		ELSE format('%s, 1 events, %s -> %s by %s (why, ["photo"]), due %s then %s', target, r.status, target, actor,
			returns.deadline(returns.now(), d.term, d.unit, 'kz') AT TIME ZONE 'UTC', d.on_timeout) END
	  FROM (SELECT) AS one
	  LEFT JOIN returns.transition t ON t.machine = 'return' AND t.from_state = r.status AND t.to_state = target
	  LEFT JOIN returns.stage_deadline d ON d.machine = 'return' AND d.market = 'kz' AND d.state = target
		AND coalesce(d.resolution, r.resolution) = r.resolution
$$;
SELECT is(string_agg(s.code || ': ' || pg_temp.attempt(r.id, s.code, actor), E'\n' ORDER BY s.code),
	string_agg(s.code || ': ' || pg_temp.expected(r, s.code, actor), E'\n' ORDER BY s.code),
	format('moves from %s (%s) by %s succeed or fail as the transition table says', r.status, r.resolution, coalesce(nullif(actor, ''), 'nobody')))
  FROM placed p
  JOIN returns.return_request r USING (id)
  JOIN returns.state s ON s.machine = 'return' AND s.code <> r.status,
	unnest('{buyer:b,buyer:other,seller:s,seller:other,carrier:post,carrier:other,provider:psp,operator:o,""}'::text[]) AS actor
 GROUP BY r.id, r.status, r.resolution, actor
 ORDER BY r.status, r.resolution, actor;
SELECT is(pg_temp.attempt(id, 'no_such_state', 'operator:o'), 'RT010', 'a move to a state that does not exist is refused from ' || state) FROM placed;
SELECT throws_ok($$ SET returns.actor = 'system' $$, 'RT002', NULL, 'a session cannot become the actor system');
SELECT throws_ok($$ SET returns.actor = 'system:x' $$, 'RT002', NULL, 'a session cannot become the actor system with a reference');

-- ------------------------------------------------------------- the beginning
SELECT throws_ok(format('INSERT INTO returns.return_request (order_ref, reason, status) VALUES (''draft-refund'', ''changed_mind'', %L)', code),
	'RT001', NULL, 'a new return cannot begin in the state ' || code)
  FROM returns.state WHERE machine = 'return' AND kind <> 'initial';

-- -------------------------------------------------------------- requirements
CREATE FUNCTION pg_temp.bare(r bigint, target text, actor text, sets text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.be(actor);
	EXECUTE format('UPDATE returns.return_request SET status = %L%s WHERE id = %s', target, sets, r);
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = 'done';
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	PERFORM pg_temp.be('operator:o');
	RETURN SQLERRM;
WHEN OTHERS THEN
	PERFORM pg_temp.be('operator:o');
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.bare(p.id, t.to_state, CASE t.actors[1] WHEN 'buyer' THEN 'buyer:b' WHEN 'seller' THEN 'seller:s' ELSE 'operator:o' END, w.sets),
	w.outcome, format('%s -> %s requires a %s: %s', t.from_state, t.to_state, w.requirement, replace(w.sets, E'\n', ' ')))
  FROM returns.transition t
  JOIN placed p ON p.state = t.from_state AND p.resolution = coalesce(t.resolution, p.resolution)
  JOIN (VALUES
	('note', '', 'RT008'), ('note', ', note = NULL', 'RT008'), ('note', ', note = ''''', 'RT008'), ('note', E', note = '' \t\n''', 'RT008'),
	('note', ', note = ''so''', 'done'),
	('tracking', '', 'RT008'), ('tracking', ', tracking_ref = ''''', 'RT008'), ('tracking', ', carrier = ''post''', 'RT008'),
	('tracking', ', tracking_ref = ''T''', 'done')) AS w (requirement, sets, outcome) ON w.requirement = ANY (t.requires)
 WHERE t.machine = 'return'
 ORDER BY t.from_state, t.to_state;
SELECT lives_ok('UPDATE returns.return_request SET note = NULL WHERE status = ''requested''', 'a note can be set to NULL');
SELECT is(pg_temp.bare(id, 'rejected', 'seller:s', ', note = note'), 'RT008', 'a NULL note that is sent back does not meet the requirement of a note') FROM placed WHERE state = 'requested';

-- ---------------------------------------------------------- statements that move nothing
CREATE TEMP TABLE before AS SELECT * FROM returns.return_request;
CREATE FUNCTION pg_temp.columns_back(changed text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT format('UPDATE returns.return_request r SET %s FROM before b WHERE b.id = r.id',
		string_agg(CASE WHEN attname = split_part(changed, ' ', 1) THEN changed ELSE format('%1$I = b.%1$I', attname) END, ', ' ORDER BY attnum))
	  FROM pg_catalog.pg_attribute
	 WHERE attrelid = 'returns.return_request'::regclass AND attnum > 0 AND NOT attisdropped
$$;
SELECT lives_ok('UPDATE returns.return_request SET status = status', 'an UPDATE of every status to itself succeeds');
SELECT lives_ok(pg_temp.columns_back(), 'an UPDATE of every column to itself succeeds');
SELECT is(count(*), (SELECT count(*) FROM placed), 'an UPDATE to the same values changes no row') FROM before b JOIN returns.return_request r ON r = b;
SELECT is((SELECT count(*) FROM returns.return_event), (SELECT sum(last_seq) FROM before)::bigint, 'an UPDATE to the same values writes no event');
SELECT lives_ok($$ UPDATE returns.return_line SET (order_ref, return_id, line_no, quantity, received, accepted, deduction, deduction_note, policy_id,
	window_ends_at, refund_goods, refund_fee, refund_shipping) = (SELECT order_ref, return_id, line_no, quantity, received, accepted, deduction,
	deduction_note, policy_id, window_ends_at, refund_goods, refund_fee, refund_shipping) $$, 'an UPDATE of whole lines to the same values succeeds');
SELECT lives_ok(format('UPDATE returns.%s SET %s', t, (SELECT string_agg(format('%1$I = %1$I', attname), ', ')
	FROM pg_catalog.pg_attribute WHERE attrelid = ('returns.' || t)::regclass AND attnum > 0 AND NOT attisdropped)), 'an UPDATE to the same values succeeds on ' || t)
  FROM unnest('{sale_line,payment,refund,return_line}'::text[]) AS t;
SELECT is((SELECT count(*) FROM returns.return_event), (SELECT sum(last_seq) FROM before)::bigint, 'an UPDATE of other tables to the same values writes no event');
SELECT lives_ok(pg_temp.columns_back('note = ''looked at'''), 'a note can be edited in a whole-row UPDATE');
SELECT is(count(*), (SELECT count(*) FROM placed), 'an edit of the note changes the row and writes no event') FROM before b JOIN returns.return_request r
	ON r.id = b.id AND r.last_seq = b.last_seq AND r.note = 'looked at';
DELETE FROM before WHERE status <> 'requested';
SELECT lives_ok(pg_temp.columns_back('status = ''approved'''), 'a whole-row UPDATE can move a return');
SELECT is(string_agg(r.status || ' ' || r.last_seq - b.last_seq, ', '), 'approved 1, approved 1', 'a whole-row UPDATE moves the return with one event')
  FROM before b JOIN returns.return_request r USING (id);

-- A prepared statement, a cursor, MERGE and a rule of many rows fire the same
-- trigger.
PREPARE go(text, bigint) AS UPDATE returns.return_request SET status = $1 WHERE id = $2;
SELECT throws_ok(format('EXECUTE go(''refunded'', %s)', id), 'RT002', NULL, 'a prepared statement is checked by the rules') FROM placed
 WHERE state = 'refund_due' AND resolution = 'refund';
SELECT throws_ok($$ UPDATE returns.return_request SET status = 'received' WHERE status IN ('approved', 'draft') $$, 'RT001', NULL,
	'an UPDATE of many rows fails as a whole when one move is refused');
SELECT is(count(*), 4::bigint, 'a refused UPDATE of many rows moves none of them') FROM returns.return_request WHERE status = 'approved';
SELECT throws_ok($$ MERGE INTO returns.return_request r USING (SELECT 'draft-refund' AS o) AS s ON r.order_ref = s.o
	WHEN MATCHED THEN UPDATE SET status = 'approved' $$, 'RT001', NULL, 'MERGE is checked by the rules');
SELECT throws_ok(format('INSERT INTO returns.return_request (id, order_ref, reason) VALUES (%s, ''draft-refund'', ''changed_mind'')'
	' ON CONFLICT (id) DO UPDATE SET status = ''refunded''', id), 'RT001', NULL, 'ON CONFLICT DO UPDATE is checked by the rules')
  FROM placed WHERE state = 'draft' AND resolution = 'refund';

-- A carrier takes over a parcel without a carrier by naming itself in the move, if
-- it sees the return. allowed_actions() has the same result as the UPDATE.
CREATE FUNCTION pg_temp.takes(r bigint, target text, actor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seen int;
BEGIN
	PERFORM pg_temp.be(actor);
	UPDATE returns.return_request SET status = target, carrier = split_part(actor, ':', 2), tracking_ref = 'T2' WHERE id = r;
	GET DIAGNOSTICS seen = ROW_COUNT;
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = CASE seen WHEN 0 THEN 'unseen' ELSE 'yes' END;
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	PERFORM pg_temp.be('operator:o');
	RETURN SQLERRM;
WHEN OTHERS THEN
	PERFORM pg_temp.be('operator:o');
	RETURN SQLSTATE;
END $$;
CREATE FUNCTION pg_temp.told(r bigint, target text, actor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	told text;
BEGIN
	PERFORM pg_temp.be(actor);
	SELECT CASE WHEN allowed THEN 'yes' ELSE 'RT002' END INTO told FROM returns.allowed_actions(r) WHERE to_state = target;
	PERFORM pg_temp.be('operator:o');
	RETURN told;
EXCEPTION WHEN SQLSTATE 'RT010' THEN
	PERFORM pg_temp.be('operator:o');
	RETURN 'unseen';
END $$;
CREATE FUNCTION pg_temp.carried() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT format('%s -> %s: %s', r.status, t.to_state, pg_temp.takes(r.id, t.to_state, 'carrier:new')), E'\n')
	FROM returns.return_request r JOIN returns.transition t ON t.machine = 'return' AND t.from_state = r.status AND 'carrier' = ANY (t.actors)
$$;
CREATE FUNCTION pg_temp.carriable() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT format('%s -> %s: %s', r.status, t.to_state, pg_temp.told(r.id, t.to_state, 'carrier:new')), E'\n')
	FROM returns.return_request r JOIN returns.transition t ON t.machine = 'return' AND t.from_state = r.status AND 'carrier' = ANY (t.actors)
$$;
SELECT is(pg_temp.carriable(), pg_temp.carried(), 'allowed_actions() says that a carrier may not take a parcel over from another');
UPDATE returns.return_request SET carrier = NULL;
SELECT is(pg_temp.carriable(), pg_temp.carried(), 'allowed_actions() says that a carrier may take over a parcel without a carrier');
SELECT is(pg_temp.carried() LIKE '%in_transit: yes%', current_setting('is_superuser') = 'on', 'a carrier without a parcel can take it only where it sees the return');

SELECT * FROM finish();
