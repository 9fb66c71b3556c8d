-- A workflow with own states: electronics go to a lab after their receipt. The
-- lab has a guard, deadlines and a final state of its own.

SET client_min_messages = error;
SET timezone = 'Asia/Almaty';
SET returns.clock = '2026-05-18 12:00+05';	-- a Monday; 27 May is off

SELECT plan(51);

CREATE SCHEMA shop;
-- Other goods do not go to the lab.
CREATE FUNCTION shop.has_electronics(return_id bigint, to_state text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('None of %s is something for the lab.', array_to_string(r.categories, ', '))
	  FROM returns.return_request r
	 WHERE r.id = return_id AND NOT EXISTS (
		WITH RECURSIVE up (code) AS (
			SELECT unnest(r.categories)
			UNION
			SELECT c.parent FROM returns.category c JOIN up ON up.code = c.code WHERE c.parent IS NOT NULL)
		SELECT FROM up WHERE code = 'electronics')
$$;

BEGIN;
INSERT INTO returns.state (code, kind, label) VALUES
	('lab_diagnosis', 'open', '{"en": "In the lab", "ru": "На экспертизе"}'),
	('destroyed', 'final', '{"en": "Destroyed"}');
INSERT INTO returns.transition (from_state, to_state, actors, requires, resolution, guard) VALUES
	('received', 'lab_diagnosis', '{seller,operator}', '{}', NULL, 'shop.has_electronics'),
	('lab_diagnosis', 'refund_due', '{seller,operator,system}', '{}', 'refund', NULL),
	('lab_diagnosis', 'exchange_due', '{seller,operator,system}', '{}', 'exchange', NULL),
	('lab_diagnosis', 'declined', '{seller,operator}', '{note,evidence}', NULL, NULL),
	('lab_diagnosis', 'destroyed', '{operator}', '{note}', NULL, NULL);
INSERT INTO returns.stage_deadline (market, category, resolution, state, term, unit, on_timeout, remind) VALUES
	('kz', 'electronics', 'refund', 'lab_diagnosis', 10, 'business_day', 'refund_due', 2),
	('kz', 'electronics', 'exchange', 'lab_diagnosis', 7, 'day', 'exchange_due', NULL),
	('kz', 'electronics', 'refund', 'received', 1, 'business_day', 'refund_due', NULL),
	('kz', 'phones', 'refund', 'received', 36, 'hour', 'refund_due', NULL);
COMMIT;
SELECT is_empty('SELECT * FROM returns.check_workflow()', 'the workflow with the lab is sound');

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
SELECT o, l, 'ann', 'acme', 'thing', c, 'kz', 1, 100, 'KZT', '2026-05-01 10:00+05', '2026-05-05 10:00+05'
  FROM (VALUES ('phone', 1, 'phones'), ('laptop', 1, 'computers'), ('sofa', 1, 'furniture'), ('swap', 1, 'computers'),
	('both', 1, 'furniture'), ('both', 2, 'phones'), ('junk', 1, 'electronics'), ('bad', 1, 'phones')) AS v (o, l, c);
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT DISTINCT order_ref, 1, 'card', 500, 'KZT', 'bank', '2026-05-01 10:00+05'::timestamptz FROM returns.sale_line;
CREATE VIEW r AS SELECT * FROM returns.return_request;
GRANT SELECT ON r TO app;
GRANT USAGE ON SCHEMA public TO app;

-- From here on as an application, which has no rights on the schema of the
-- shop.
SET ROLE app;
SET returns.actor = 'operator:o';
SELECT returns.open_return('both', '[{"line_no":1,"quantity":1},{"line_no":2,"quantity":1}]', 'defective');
SELECT returns.open_return('swap', '[{"line_no":1,"quantity":1}]', 'defective', 'exchange');
SELECT returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'defective')
  FROM unnest('{phone,laptop,sofa,junk,bad}'::text[]) AS o;
UPDATE returns.return_request SET status = 'approved';
UPDATE returns.return_request SET status = 'received';

-- ------------------------------------------------- the nearest category's term

SELECT is(due_at, '2026-05-20 00:00', 'a laptop has the term of electronics: 1 business day') FROM r WHERE order_ref = 'laptop';
SELECT is(due_at, '2026-05-20 00:00', 'a phone has the term of phones, its nearest category: 36 hours') FROM r WHERE order_ref = 'phone';
SELECT is(due_at, '2026-05-22 00:00', 'a sofa has the term of all categories: 3 business days') FROM r WHERE order_ref = 'sofa';
SELECT is(due_at, '2026-05-20 00:00', 'a return of a sofa and a phone has the term that ends first') FROM r WHERE order_ref = 'both';
SELECT is(due_at, '2026-05-22 00:00', 'an exchange has the term of exchanges') FROM r WHERE order_ref = 'swap';

-- ----------------------------------------------------------------- the guard

SET returns.actor = 'seller:acme';
SELECT results_eq(format('SELECT allowed, why_not FROM returns.allowed_actions(%s) WHERE to_state = ''lab_diagnosis''', id),
	$$VALUES (true, NULL::text)$$, 'a seller may send a phone to the lab') FROM r WHERE order_ref = 'phone';
SELECT is(a.allowed, false, 'the guard keeps a seller from sending a sofa to the lab') FROM r, returns.allowed_actions(r.id) AS a WHERE order_ref = 'sofa' AND a.to_state = 'lab_diagnosis';
SELECT matches(a.why_not, 'None of furniture is something for the lab', 'allowed_actions() shows the reason that the guard gives') FROM r, returns.allowed_actions(r.id) AS a
 WHERE order_ref = 'sofa' AND a.to_state = 'lab_diagnosis';
SELECT throws_ok($$UPDATE returns.return_request SET status = 'lab_diagnosis' WHERE order_ref = 'sofa'$$, 'RT001', NULL, 'an UPDATE that the guard refuses fails');
SET returns.actor = 'buyer:ann';
SELECT throws_ok($$UPDATE returns.return_request SET status = 'lab_diagnosis' WHERE order_ref = 'phone'$$, 'RT002', NULL, 'a buyer may not send a phone to the lab');
SET returns.actor = 'seller:acme';
SELECT lives_ok($$UPDATE returns.return_request SET status = 'lab_diagnosis' WHERE order_ref <> 'sofa'$$,
	'one statement sends all guarded returns to the lab');
SELECT is(string_agg(order_ref, ',' ORDER BY order_ref), 'bad,both,junk,laptop,phone,swap', 'all returns except the sofa are in the lab') FROM r WHERE status = 'lab_diagnosis';

-- ------------------------------------------------------------------ the term

SELECT is(due_at, '2026-06-03 00:00', 'the term of 10 business days skips a holiday') FROM r WHERE order_ref = 'phone';
SELECT is(on_timeout, 'refund_due', 'the lab stage of a refund times out to refund_due') FROM r WHERE order_ref = 'phone';
SELECT is(wake_at, '2026-06-01 00:00', 'the reminder of the lab stage is due two business days before its end') FROM r WHERE order_ref = 'phone';
SELECT is(due_at, '2026-05-26 00:00', 'the lab stage of an exchange lasts 7 days') FROM r WHERE order_ref = 'swap';
SELECT is(on_timeout, 'exchange_due', 'the lab stage of an exchange times out to exchange_due') FROM r WHERE order_ref = 'swap';
SELECT is(due_at, '2026-06-03 00:00', 'a return of a sofa and a phone has the lab term of the phone') FROM r WHERE order_ref = 'both';
SELECT is(state || '/' || label, 'lab_diagnosis/In the lab', 'the timeline shows the own state and its label')
  FROM returns.timeline t JOIN r ON r.id = t.return_id WHERE order_ref = 'phone' ORDER BY seq DESC LIMIT 1;
SET returns.language = 'ru';
SELECT is(label, 'На экспертизе', 'the timeline shows the Russian label of the own state') FROM returns.timeline t JOIN r ON r.id = t.return_id WHERE order_ref = 'phone' ORDER BY seq DESC LIMIT 1;
RESET returns.language;
SELECT is(sum(reserved), 8::bigint, 'returns in the lab keep their units reserved') FROM returns.sale_line;

-- ----------------------------------------------------------------- decisions

SET returns.actor = 'seller:acme';
SELECT throws_ok($$UPDATE returns.return_request SET status = 'refund_due' WHERE order_ref = 'swap'$$, 'RT001', NULL,
	'an exchange cannot leave the lab for refund_due');
SELECT throws_ok($$UPDATE returns.return_request SET status = 'declined' WHERE order_ref = 'bad'$$, 'RT008', NULL, 'a decline in the lab without a note is refused');
SELECT throws_ok($$UPDATE returns.return_request SET status = 'declined', note = 'water' WHERE order_ref = 'bad'$$, 'RT008', NULL, 'a decline in the lab without evidence is refused');
SELECT lives_ok($$UPDATE returns.return_request SET status = 'declined', note = 'water', details = '{"evidence": ["photo"]}' WHERE order_ref = 'bad'$$,
	'a decline in the lab with note and evidence succeeds');
SELECT is(due_at, '2026-05-26 00:00', 'a return declined in the lab has the deadline of the state "declined"') FROM r WHERE order_ref = 'bad';
SELECT throws_ok($$UPDATE returns.return_request SET status = 'destroyed', note = 'burnt' WHERE order_ref = 'junk'$$, 'RT002', NULL, 'a seller may not destroy an item');
SET returns.actor = 'operator:o';
SELECT lives_ok($$UPDATE returns.return_request SET status = 'destroyed', note = 'burnt' WHERE order_ref = 'junk'$$, 'an operator may destroy an item with a note');
SELECT ok(closed_at IS NOT NULL AND due_at IS NULL AND on_timeout IS NULL, 'an own final state closes the return and clears its deadline') FROM r WHERE order_ref = 'junk';
SELECT is(reserved + returned, 0, 'an own final state releases the units') FROM returns.sale_line WHERE order_ref = 'junk';
SELECT is(returns.act(id, 'destroyed'), 'destroyed', 'a second move to the own final state changes nothing') FROM r WHERE order_ref = 'junk';
SELECT throws_ok($$UPDATE returns.return_request SET status = 'received' WHERE order_ref = 'junk'$$, 'RT001', NULL, 'a return does not leave its own final state');

-- -------------------------------------------------------------------- timers

SET returns.clock = '2026-05-22 00:00+05';
SELECT is(returns.run_deadlines(), 1, 'the sweep moves the sofa when its three days are over');
SELECT is(status, 'refund_due', 'the sofa is refund_due by the system') FROM r WHERE order_ref = 'sofa';
SET returns.clock = '2026-05-26 00:00+05';
SELECT is(returns.run_deadlines(), 2, 'the sweep moves two returns whose terms end on 26 May');
SELECT is(string_agg(order_ref || ' ' || status, ',' ORDER BY order_ref), 'bad closed,swap exchange_due', 'the sweep moves each return along its own timer')
  FROM r WHERE order_ref IN ('swap', 'bad');
SET returns.clock = '2026-06-01 09:00+05';
SELECT is(returns.run_deadlines(), 0, 'the sweep moves nothing two days before the deadline');
SELECT is(count(*), 3::bigint, 'the sweep reminds the three returns in the lab') FROM returns.return_event WHERE kind = 'reminder' AND to_state = 'lab_diagnosis';
SELECT is(wake_at, due_at, 'a reminded return wakes next at its deadline') FROM r WHERE order_ref = 'phone';
SET returns.actor = 'seller:acme';
SELECT lives_ok($$UPDATE returns.return_request SET status = 'refund_due' WHERE order_ref = 'laptop'$$, 'a seller may decide before the lab stage ends');
SET returns.clock = '2026-06-03 00:00+05';
SELECT throws_ok($$UPDATE returns.return_request SET status = 'declined', note = 'late', details = '{"evidence": ["photo"]}' WHERE order_ref = 'phone'$$,
	'RT003', NULL, 'a seller may not decide after the lab stage ended');
SET returns.actor = 'operator:o';
SELECT is(returns.run_deadlines(), 2, 'the sweep moves the two returns whose lab stage is over');
SELECT results_eq($$SELECT e.actor, e.from_state, e.to_state FROM returns.return_event e JOIN r ON r.id = e.return_id
	WHERE r.order_ref = 'phone' ORDER BY seq DESC LIMIT 1$$, $$VALUES ('system', 'lab_diagnosis', 'refund_due')$$, 'the move out of the lab is an event of the system');
SELECT is(count(*), 4::bigint, 'four returns have a refund') FROM returns.refund;
SELECT is(count(*), 4::bigint, 'four returns are refund_due with a total') FROM r WHERE status = 'refund_due' AND refund_total > 0;
SELECT count(*) FROM returns.claim_refunds(10);
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-' || id;
SELECT is(count(*), 4::bigint, 'four returns are refunded after their refunds settle') FROM r WHERE status = 'refunded';
RESET ROLE;

-- --------------------------------------------------- removal of a state

SELECT matches(returns.workflow_diagram('return', 'mermaid'),
	'received --> lab_diagnosis : seller, operator \[guard shop\.has_electronics\]', 'the workflow diagram shows the own edge with its guard');
-- A guard is dropped.
DROP FUNCTION shop.has_electronics;
SELECT is(defect, 'guard that is no function', 'check_workflow() finds a guard that was dropped') FROM returns.check_workflow();
SELECT throws_ok($edit$ DO $$
BEGIN
	DELETE FROM returns.stage_deadline WHERE state = 'lab_diagnosis';
	DELETE FROM returns.transition WHERE 'lab_diagnosis' IN (from_state, to_state);
	DELETE FROM returns.state WHERE code = 'lab_diagnosis';
	SET CONSTRAINTS ALL IMMEDIATE;
END $$ $edit$, 'RT009', NULL, 'a state cannot be deleted while it is the only way to another state');
BEGIN;
DELETE FROM returns.stage_deadline WHERE state = 'lab_diagnosis';
DELETE FROM returns.transition WHERE 'lab_diagnosis' IN (from_state, to_state);
INSERT INTO returns.transition (from_state, to_state, actors, requires) VALUES ('received', 'destroyed', '{operator}', '{note}');
DELETE FROM returns.state WHERE code = 'lab_diagnosis';
COMMIT;
SELECT is(count(*), 0::bigint, 'a state without returns can be deleted') FROM returns.state WHERE code = 'lab_diagnosis';

SELECT * FROM finish();
