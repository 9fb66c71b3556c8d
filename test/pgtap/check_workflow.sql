-- check_workflow(): every defect is made, found, refused at commit, and undone.
-- What commit itself says is in test/sql/workflow_commit.sql.

SET client_min_messages = error;
SET returns.clock = '2026-03-02 12:00+05';

SELECT plan(149);

-- Run an edit, tell the defects it makes and what its commit would say, undo it.
CREATE FUNCTION edit(statements text, OUT defects text[], OUT details text, OUT verdict text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statements;
	SELECT coalesce(array_agg(concat_ws('/', machine, state, defect)), '{}'), string_agg(detail, E'\n')
	  INTO defects, details FROM returns.check_workflow();
	SET CONSTRAINTS ALL IMMEDIATE;
	RAISE SQLSTATE 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN verdict := 'accepted';
	WHEN OTHERS THEN verdict := SQLSTATE;
END $$;

CREATE FUNCTION finds(statements text, expected text[], what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	found record := edit(statements);
BEGIN
	RETURN NEXT is(found.defects, expected, what);
	RETURN NEXT is(found.verdict, CASE WHEN expected = '{}' THEN 'accepted' ELSE 'RT009' END,
		what || CASE WHEN expected = '{}' THEN ': may be committed' ELSE ': may not be committed' END);
END $$;

CREATE FUNCTION tells(statements text, expected text, what text) RETURNS text LANGUAGE sql AS $$
	SELECT matches(details, expected, what) FROM edit(statements)
$$;

-- The state of a statement that is refused at once, or 'accepted'; undone.
CREATE FUNCTION tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE SQLSTATE 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN RETURN 'accepted';
	WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

SELECT is_empty('SELECT * FROM returns.check_workflow()', 'what kz lays down is sound');

-- -------------------------------------------------------------- reachability

SELECT finds($$INSERT INTO returns.state VALUES ('return', 'island', 'final')$$,
	'{return/island/unreachable state}', 'a final state that nothing leads to');
SELECT finds($$INSERT INTO returns.state VALUES ('return', 'island', 'open')$$,
	'{return/island/no path to a final state,return/island/open state without an exit by timer or system,return/island/unreachable state}',
	'an open state without edges');
SELECT finds($$
	INSERT INTO returns.state VALUES ('return', 'trap', 'open'), ('return', 'snare', 'open');
	INSERT INTO returns.transition (from_state, to_state, actors) VALUES
		('requested', 'trap', '{seller}'), ('trap', 'snare', '{seller,system}'), ('snare', 'trap', '{seller,system}')$$,
	'{return/snare/no end when nobody acts,return/snare/no path to a final state,return/trap/no end when nobody acts,return/trap/no path to a final state}',
	'two states that lead to each other only');
SELECT finds($$DELETE FROM returns.transition WHERE to_state = 'request_disputed'$$,
	'{return/request_disputed/unreachable state}', 'the only way into a state is taken out');
SELECT finds($$UPDATE returns.transition SET resolution = 'exchange' WHERE to_state = 'refunded'$$,
	'{return/refund_due/no path to a final state,return/refund_due/open state without an exit by timer or system}',
	'a way out for the other resolution only');
SELECT tells($$UPDATE returns.transition SET resolution = 'exchange' WHERE to_state = 'refunded'$$,
	'to a final state with resolution refund\.', 'the detail says for which resolution');
SELECT finds($$
	UPDATE returns.transition SET resolution = 'exchange' WHERE from_state = 'requested' AND to_state = 'rejected';
	UPDATE returns.transition SET resolution = 'exchange' WHERE from_state = 'rejected' AND to_state = 'closed'$$,
	'{}', 'ways in and out for the same resolution');
SELECT finds($$UPDATE returns.state SET kind = 'open' WHERE code = 'draft'$$,
	'{return/no initial state}', 'no state to begin in');
SELECT finds($$UPDATE returns.state SET kind = 'initial' WHERE code = 'requested'$$,
	'{return/several initial states,return/draft/transition back to the initial state}', 'two states to begin in');
SELECT tells($$UPDATE returns.state SET kind = 'initial' WHERE code = 'requested'$$,
	'"draft", "requested"', 'both are named');

-- --------------------------------------------------------------------- exits

SELECT finds($$UPDATE returns.transition SET actors = '{buyer}' WHERE from_state = 'rejected' AND to_state = 'closed'$$,
	'{return/rejected/open state without an exit by timer or system,return/rejected/timer whose target is no edge for system}',
	'the system loses the only exit that it has');
SELECT finds($$
	DELETE FROM returns.stage_deadline WHERE state = 'rejected';
	UPDATE returns.transition SET actors = '{buyer}' WHERE from_state = 'rejected' AND to_state = 'closed'$$,
	'{return/rejected/open state without an exit by timer or system}', 'no timer and no system: it waits for ever');
SELECT finds($$DELETE FROM returns.stage_deadline WHERE state = 'rejected'$$,
	'{}', 'no timer, but an exit by system');
SELECT finds($$UPDATE returns.transition SET requires = '{note}' WHERE from_state = 'rejected' AND to_state = 'closed'$$,
	'{return/rejected/open state without an exit by timer or system,return/rejected/timer whose target is no edge for system}',
	'an exit that requires a note is none for the system');
SELECT finds($$
	DELETE FROM returns.stage_deadline WHERE state = 'draft';
	DELETE FROM returns.transition WHERE from_state = 'draft' AND to_state = 'cancelled'$$,
	'{}', 'a draft may wait');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('closed', 'approved', '{operator}')$$,
	'{return/closed/final state with an ordinary exit}', 'an ordinary edge out of a final state');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors, reversal) VALUES ('closed', 'approved', '{operator}', true)$$,
	'{}', 'a reversal out of a final state');
SELECT finds($$UPDATE returns.transition SET actors = '{}' WHERE from_state = 'requested' AND to_state = 'rejected'$$,
	'{return/requested/transition that nobody can make}', 'an edge without an actor');
SELECT finds($$UPDATE returns.transition SET actors = '{provider}' WHERE from_state = 'requested' AND to_state = 'rejected'$$,
	'{return/requested/transition that nobody can make}', 'a provider takes no part in a return');

-- -------------------------------------------------------------------- timers

SELECT finds($$UPDATE returns.stage_deadline SET on_timeout = 'closed' WHERE state = 'approved'$$,
	'{return/approved/timer whose target is no edge for system}', 'a timer along no edge');
SELECT finds($$UPDATE returns.stage_deadline SET on_timeout = 'rejected' WHERE state = 'requested'$$,
	'{return/requested/timer whose target is no edge for system}', 'a timer along an edge of others');
SELECT finds($$
	DELETE FROM returns.stage_deadline WHERE state = 'received' AND resolution = 'exchange';
	UPDATE returns.stage_deadline SET resolution = NULL WHERE state = 'received'$$,
	'{return/received/timer whose target is no edge for system}', 'a timer for all returns along an edge for some');
SELECT finds($$UPDATE returns.stage_deadline SET resolution = NULL WHERE state = 'received' AND resolution = 'refund'$$,
	'{}', 'a timer for all returns, and another for the rest');
SELECT finds($$INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout) VALUES ('kz', 'refunded', 1, 'day', 'refund_due')$$,
	'{return/refunded/timer of a final state}', 'a timer in a final state');
SELECT finds($$UPDATE returns.stage_deadline SET on_timeout = NULL$$, '{}', 'timers that only mark overdue');
SELECT finds($$DELETE FROM returns.stage_deadline$$, '{}', 'no timers at all');

CREATE FUNCTION ring() RETURNS text LANGUAGE sql AS $$ SELECT $ring$
	INSERT INTO returns.transition (from_state, to_state, actors) VALUES
		('outcome_disputed', 'received', '{system}'), ('received', 'outcome_disputed', '{system}');
	INSERT INTO returns.stage_deadline (market, category, state, resolution, term, unit, on_timeout) VALUES
		('kz', 'phones', 'outcome_disputed', NULL, 1, 'day', 'received'),
		('kz', 'phones', 'received', 'refund', 1, 'day', 'outcome_disputed');
$ring$ $$;
SELECT finds(ring(),
	'{return/in_transit/no end when nobody acts,return/outcome_disputed/no end when nobody acts,return/received/no end when nobody acts}',
	'timers that lead round for one kind of return');
SELECT tells(ring(), '"received" -> "outcome_disputed" -> "received" \(market kz, category phones, resolution refund\)',
	'the round is told');
SELECT finds(ring() || $$DELETE FROM returns.stage_deadline WHERE category = 'phones' AND state = 'received'$$,
	'{}', 'half of that round ends');
SELECT finds(ring() || $$UPDATE returns.stage_deadline SET on_timeout = NULL WHERE category = 'phones' AND state = 'received'$$,
	'{}', 'a timer that says to stay ends the round');

-- -------------------------------------------------------------------- guards

CREATE SCHEMA shop;
CREATE FUNCTION shop.may(bigint, text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION shop.may_int(bigint, text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION shop.may_set(bigint, text) RETURNS SETOF text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION shop."May it, ""really""?"(bigint, text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION may(bigint, text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION guarded(guard text) RETURNS text LANGUAGE sql AS $$
	SELECT format('UPDATE returns.transition SET guard = %L WHERE from_state = ''requested'' AND to_state = ''rejected''', guard)
$$;
SELECT finds(guarded('shop.may'), '{}', 'a guard');
SELECT finds(guarded('shop."May it, ""really""?"'), '{}', 'a guard with an odd name');
SELECT finds(guarded('shop.may_not'), '{return/requested/guard that is no function}', 'a guard that does not exist');
SELECT finds(guarded('shop.may_int'), '{return/requested/guard that is no function}', 'a guard of another type');
SELECT finds(guarded('shop.may_set'), '{return/requested/guard that is no function}', 'a guard that gives a set');
SELECT finds(guarded('may'), '{return/requested/guard that is no function}', 'a guard to be searched for');
SELECT finds(guarded('shop.'), '{return/requested/guard that is no function}', 'a guard that is no name');
SELECT finds(guarded('nowhere.may'), '{return/requested/guard that is no function}', 'a guard in no schema');
SELECT tells(guarded('may'), 'not of the form schema\.function', 'the detail says why');

-- ------------------------------------------------------------ unknown states

SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('requested', 'nowhere', '{seller}')$$,
	'{return/nowhere/unknown state}', 'an edge to nowhere');
SELECT finds($$INSERT INTO returns.stage_deadline (state, term, unit) VALUES ('nowhere', 1, 'day')$$,
	'{return/nowhere/unknown state}', 'a timer nowhere');
SELECT finds($$UPDATE returns.state SET code = 'shut' WHERE machine = 'return' AND code = 'closed'$$,
	'{return/closed/unknown state,return/closed/unknown state}', 'another code carries the edges along, but not the timers that lead to it');
SELECT finds($$
	UPDATE returns.state SET code = 'shut' WHERE machine = 'return' AND code = 'closed';
	UPDATE returns.stage_deadline SET on_timeout = 'shut' WHERE on_timeout = 'closed'$$,
	'{}', 'another code for a state that no return is in');

-- ------------------------------------------------------- the extension's own

SELECT finds($$UPDATE returns.state SET kind = 'open' WHERE code = 'exchanged'$$,
	'{return/exchanged/no path to a final state,return/exchanged/open state without an exit by timer or system,return/exchanged/state that the extension needs}',
	'"exchanged" is where goods were taken back');
SELECT finds($$
	UPDATE returns.transition SET from_state = 'pending', to_state = 'settled' WHERE machine = 'refund' AND from_state = 'pending' AND to_state = 'sent';
	DELETE FROM returns.transition WHERE machine = 'refund' AND 'sent' IN (from_state, to_state);
	DELETE FROM returns.state WHERE machine = 'refund' AND code = 'sent'$$,
	'{refund/sent/state that the extension needs}', 'refunds without "sent"');
SELECT finds($$UPDATE returns.transition SET actors = '{provider,operator}' WHERE machine = 'refund' AND from_state = 'failed'$$,
	'{refund/failed/open state without an exit by timer or system}', 'a failed refund that the system cannot try again');
SELECT finds($$UPDATE returns.transition SET reversal = false WHERE machine = 'refund' AND from_state = 'settled'$$,
	'{refund/settled/final state with an ordinary exit}', 'a settled refund fails late by reversal only');

-- ----------------------------------------------------------- money and goods

SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('refund_due', 'closed', '{operator}')$$,
	'{return/refund_due/move that money and goods do not follow}', 'away from refunds on their way');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('received', 'refunded', '{operator}')$$,
	'{return/received/move that money and goods do not follow}', 'refunded without a refund');
SELECT finds($$UPDATE returns.transition SET actors = '{operator,system}' WHERE to_state = 'refunded'$$,
	'{return/refund_due/move that money and goods do not follow}', 'refunded by somebody''s word');
SELECT finds($$UPDATE returns.transition SET guard = 'returns.may' WHERE from_state = 'refunded'$$,
	'{return/refunded/guard that is no function,return/refunded/move that money and goods do not follow}', 'a late failure asks nobody');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors, reversal) VALUES ('refunded', 'received', '{operator}', true)$$,
	'{return/refunded/move that money and goods do not follow}', 'back from the money to the goods');
SELECT finds($$UPDATE returns.stage_deadline SET on_timeout = 'refunded' WHERE state = 'refund_due'$$,
	'{return/refund_due/move that money and goods do not follow}', 'refunded by the passing of time');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors, resolution) VALUES ('received', 'exchanged', '{operator}', 'exchange')$$,
	'{return/exchanged/move that money and goods do not follow}', 'exchanged without a decision');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors, reversal) VALUES ('exchanged', 'received', '{operator}', true)$$,
	'{}', 'an exchange that is undone');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('requested', 'draft', '{buyer}')$$,
	'{return/requested/transition back to the initial state}', 'back to the draft');

-- a shop without exchanges
SELECT finds($$
	DELETE FROM returns.stage_deadline WHERE on_timeout LIKE 'exchange%' OR state LIKE 'exchange%';
	DELETE FROM returns.transition WHERE from_state LIKE 'exchange%' OR to_state LIKE 'exchange%';
	UPDATE returns.transition SET resolution = NULL WHERE from_state = 'received';
	DELETE FROM returns.state WHERE code LIKE 'exchange%'$$,
	'{}', 'a workflow without exchanges');

-- --------------------------------------------------------- records in a state

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
VALUES ('A', 1, 'ann', 'acme', 'lamp', 'appliances', 'kz', 1, 100, 'KZT', '2026-02-20 10:00+05', '2026-02-25 10:00+05');
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
VALUES ('A', 1, 'card', 100, 'KZT', 'bank', '2026-02-20 10:00+05');
SET returns.actor = 'buyer:ann';
SELECT returns.open_return('A', '[{"line_no":1,"quantity":1}]', 'defective') AS id \gset
SET returns.actor = 'operator:o';
SELECT returns.act(:id, 'rejected', 'no');
CREATE FUNCTION without_rejection() RETURNS text LANGUAGE sql AS $$ SELECT $drop$
	DELETE FROM returns.stage_deadline WHERE state IN ('rejected', 'request_disputed');
	DELETE FROM returns.transition WHERE from_state IN ('rejected', 'request_disputed') OR to_state IN ('rejected', 'request_disputed');
	DELETE FROM returns.state WHERE code IN ('rejected', 'request_disputed')
$drop$ $$;
SELECT finds(without_rejection(), '{return/rejected/records in a removed state}', 'a state that a return is in');
SELECT tells(without_rejection(), '1 return', 'how many there are');
SELECT finds($$UPDATE returns.state SET code = 'refused' WHERE code = 'rejected'$$,
	'{return/rejected/records in a removed state}', 'another code for a state that a return is in');
SELECT is((edit($$
	UPDATE returns.transition SET reversal = true WHERE from_state = 'rejected';
	DELETE FROM returns.stage_deadline WHERE state = 'rejected';
	UPDATE returns.state SET kind = 'final' WHERE code = 'rejected'$$)).verdict, 'RT009', 'a state that a return is in becomes no end');
SELECT returns.act(:id, 'request_disputed', 'oh yes') FROM set_config('returns.actor', 'buyer:ann', false);
SELECT returns.act(:id, 'closed', 'no') FROM set_config('returns.actor', 'operator:o', false);
SELECT finds(without_rejection(), '{}', 'a state that no return is in any more');
SELECT finds($$
	UPDATE returns.transition SET reversal = true WHERE from_state = 'rejected';
	DELETE FROM returns.stage_deadline WHERE state = 'rejected';
	UPDATE returns.state SET kind = 'final' WHERE code = 'rejected'$$,
	'{}', 'which may become an end');

-- ------------------------------------------------- what is refused at once

SELECT is(tried($$UPDATE returns.stage_deadline SET on_timeout = 'nowhere' WHERE state = 'approved'$$), 'RT010',
	'a timer that leads nowhere');
SELECT is(tried($$UPDATE returns.stage_deadline SET remind = 7 WHERE state = 'approved'$$), '23514', 'a reminder before the beginning');
SELECT is(tried($$UPDATE returns.market SET timezone = 'Asia/Almatty'$$), 'RT009', 'an unknown time zone');
SELECT is(tried($$UPDATE returns.market SET timezone = 'Asia/Aqtobe'$$), 'accepted', 'a known time zone');
SELECT is(tried($$UPDATE returns.category SET parent = 'phones' WHERE code = 'goods'$$), 'RT009', 'a ring of categories');
SELECT is(tried($$INSERT INTO returns.category VALUES ('a', 'b'), ('b', 'c'), ('c', 'a')$$), 'RT009', 'a ring of new ones');
SELECT is(tried($$INSERT INTO returns.category VALUES ('a', 'b'), ('b', 'c'), ('c', 'goods')$$), 'accepted', 'a branch, its end first');
SELECT is(tried($$UPDATE returns.category SET code = 'all' WHERE code = 'goods'$$), 'accepted', 'another code for the root');
SELECT is(tried($$UPDATE returns.category SET code = 'machines' WHERE code = 'appliances'$$), 'RT007',
	'another code for a category that a return rests on');
SELECT is(tried($$UPDATE returns.market SET code = 'qz'$$), 'RT007', 'another code for a market that a return rests on');
SELECT is(tried($$DELETE FROM returns.category WHERE code = 'appliances'$$), '23503', 'no category is deleted under a sale');
SELECT is(tried($$UPDATE returns.reason SET code = 'broken' WHERE code = 'defective'$$), 'RT009', 'another code for a reason in use');
SELECT is(tried($$DELETE FROM returns.reason WHERE code = 'defective'$$), 'RT009', 'no reason is deleted under a return');
SELECT is(tried($$UPDATE returns.reason SET evidence_required = true, name = 'Broken' WHERE code = 'defective'$$), 'accepted',
	'what it asks for may change');
SELECT is(tried($$DELETE FROM returns.reason WHERE code = 'late_delivery'$$), 'accepted', 'a reason nobody had');
SELECT is(tried($$UPDATE returns.currency SET minor_units = 0 WHERE code = 'KZT'$$), 'RT009', 'other units for a currency in use');
SELECT is(tried($$UPDATE returns.currency SET minor_units = 3 WHERE code = 'EUR'$$), 'accepted', 'other units for one that is not');
SELECT is(tried($$UPDATE returns.installation SET epoch = 2$$), 'RT007', 'the installation is setup()''s');
SELECT is(tried($$INSERT INTO returns.installation (version, system_identifier) VALUES ('1', 1)$$), 'RT007', 'all of it');
SELECT is(tried($$DELETE FROM returns.installation$$), 'RT007', 'it stays');
SELECT is(tried($$TRUNCATE returns.installation$$), 'RT007', 'in every way');
SELECT is(tried($$TRUNCATE returns.transition$$), 'RT009', 'TRUNCATE is checked at once');
SELECT is(tried($$TRUNCATE returns.stage_deadline$$), 'accepted', 'and refused only for a defect');

-- ------------------------------------------------------------------- who may

SET ROLE app;
SELECT is_empty('SELECT * FROM returns.check_workflow()', 'whoever may use the schema may ask');
SELECT is(tried($$DELETE FROM returns.transition$$), '42501', 'but not edit');
RESET ROLE;

-- --------------------------------------------------------------------- speed

CREATE TEMP TABLE took (ms float8);
DO $$
DECLARE
	began timestamptz;
BEGIN
	INSERT INTO returns.state SELECT 'return', 's' || i, 'open' FROM generate_series(1, 33) i;
	INSERT INTO returns.transition (from_state, to_state, actors)
	SELECT 's' || i, 's' || (i + j - 1) % 33 + 1, '{seller,operator}' FROM generate_series(1, 33) i, generate_series(1, 4) j;
	INSERT INTO returns.transition (from_state, to_state, actors)
	SELECT 's' || i, 'closed', '{system}' FROM generate_series(1, 33) i
	UNION ALL VALUES ('requested', 's1', '{operator}'::text[]);
	INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout)
	SELECT 'kz', 's' || i, 1, 'business_day', 'closed' FROM generate_series(1, 33) i;
	SET CONSTRAINTS ALL IMMEDIATE;
	FOR i IN 1 .. 20 LOOP
		began := clock_timestamp();
		PERFORM * FROM returns.check_workflow();
		INSERT INTO took VALUES (extract(epoch FROM clock_timestamp() - began) * 1000);
	END LOOP;
END $$;
SELECT ok((SELECT count(*) FROM returns.state WHERE machine = 'return') >= 50
	AND (SELECT count(*) FROM returns.transition WHERE machine = 'return') >= 190, 'a workflow of 50 states and 200 transitions');
SELECT is_empty('SELECT * FROM returns.check_workflow()', 'is sound');
SELECT cmp_ok(min(ms), '<', 5::float8, 'and is checked within 5 ms') FROM took;

SELECT * FROM finish();
