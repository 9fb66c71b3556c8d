-- check_workflow(): each defect is created, found, refused at commit, and
-- rolled back. The messages at commit are in test/sql/workflow_commit.sql.

SET client_min_messages = error;
SET returns.clock = '2026-03-02 12:00+05';

SELECT plan(151);

-- Run an edit, show its defects and the error of its commit, and roll it back.
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
	RETURN NEXT is(found.defects, expected, format('check_workflow() finds %s of this edit: %s',
		CASE expected WHEN '{}' THEN 'no defect' ELSE 'the defects' END, what));
	RETURN NEXT is(found.verdict, CASE expected WHEN '{}' THEN 'accepted' ELSE 'RT009' END,
		format('COMMIT %s this edit: %s', CASE expected WHEN '{}' THEN 'accepts' ELSE 'refuses' END, what));
END $$;

CREATE FUNCTION tells(statements text, expected text, what text) RETURNS text LANGUAGE sql AS $$
	SELECT matches(details, expected, what) FROM edit(statements)
$$;

-- The SQLSTATE of a statement that is refused at once, or 'accepted'; rolled
-- back.
CREATE FUNCTION tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE SQLSTATE 'OK000';
EXCEPTION
	WHEN SQLSTATE 'OK000' THEN RETURN 'accepted';
	WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

SELECT is_empty('SELECT * FROM returns.check_workflow()', 'the workflow of the preset kz is sound');

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
	'{return/request_disputed/unreachable state}', 'deleting the only edge to a state');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('received', 'exchanged', '{system}')$$,
	'{"return/exchanged/move that money and goods do not follow"}', 'a path to exchanged past exchange_due, once for all resolutions');
SELECT finds($$UPDATE returns.transition SET resolution = 'exchange' WHERE to_state = 'refunded'$$,
	'{return/refund_due/no path to a final state,return/refund_due/open state without an exit by timer or system}',
	'an exit for the other resolution only');
SELECT tells($$UPDATE returns.transition SET resolution = 'exchange' WHERE to_state = 'refunded'$$,
	'to a final state with resolution refund\.', 'check_workflow() says for which resolution a state has no end');
SELECT finds($$
	UPDATE returns.transition SET resolution = 'exchange' WHERE from_state = 'requested' AND to_state = 'rejected';
	UPDATE returns.transition SET resolution = 'exchange' WHERE from_state = 'rejected' AND to_state = 'closed'$$,
	'{}', 'entry and exit of a state for the same resolution only');
SELECT finds($$UPDATE returns.state SET kind = 'open' WHERE code = 'draft'$$,
	'{return/no initial state}', 'no initial state');
SELECT finds($$UPDATE returns.state SET kind = 'initial' WHERE code = 'requested'$$,
	'{return/several initial states,return/draft/transition back to the initial state}', 'two initial states');
SELECT tells($$UPDATE returns.state SET kind = 'initial' WHERE code = 'requested'$$,
	'"draft", "requested"', 'check_workflow() names both initial states');

-- --------------------------------------------------------------------- exits

SELECT finds($$UPDATE returns.transition SET actors = '{buyer}' WHERE from_state = 'rejected' AND to_state = 'closed'$$,
	'{return/rejected/open state without an exit by timer or system,return/rejected/timer whose target is no edge for system}',
	'the only exit of a state without the system');
SELECT finds($$
	DELETE FROM returns.stage_deadline WHERE state = 'rejected';
	UPDATE returns.transition SET actors = '{buyer}' WHERE from_state = 'rejected' AND to_state = 'closed'$$,
	'{return/rejected/open state without an exit by timer or system}', 'a state without a timer and without an exit for the system');
SELECT finds($$DELETE FROM returns.stage_deadline WHERE state = 'rejected'$$,
	'{}', 'a state without a timer and with an exit for the system');
SELECT finds($$UPDATE returns.transition SET requires = '{note}' WHERE from_state = 'rejected' AND to_state = 'closed'$$,
	'{return/rejected/open state without an exit by timer or system,return/rejected/timer whose target is no edge for system}',
	'an exit for the system that requires a note');
SELECT finds($$
	DELETE FROM returns.stage_deadline WHERE state = 'draft';
	DELETE FROM returns.transition WHERE from_state = 'draft' AND to_state = 'cancelled'$$,
	'{}', 'an initial state without an exit for the system');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('closed', 'approved', '{operator}')$$,
	'{return/closed/final state with an ordinary exit}', 'an ordinary edge out of a final state');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors, reversal) VALUES ('closed', 'approved', '{operator}', true)$$,
	'{}', 'a reversal out of a final state');
SELECT finds($$UPDATE returns.transition SET actors = '{}' WHERE from_state = 'requested' AND to_state = 'rejected'$$,
	'{return/requested/transition that nobody can make}', 'an edge without an actor');
SELECT finds($$UPDATE returns.transition SET actors = '{provider}' WHERE from_state = 'requested' AND to_state = 'rejected'$$,
	'{return/requested/transition that nobody can make}', 'an edge that only a provider can make');

-- -------------------------------------------------------------------- timers

SELECT finds($$UPDATE returns.stage_deadline SET on_timeout = 'closed' WHERE state = 'approved'$$,
	'{return/approved/timer whose target is no edge for system}', 'a timer to a state without an edge');
SELECT finds($$UPDATE returns.stage_deadline SET on_timeout = 'rejected' WHERE state = 'requested'$$,
	'{return/requested/timer whose target is no edge for system}', 'a timer along an edge that the system cannot make');
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
	'timers that form a cycle for one kind of return');
SELECT tells(ring(), '"received" -> "outcome_disputed" -> "received" \(market kz, category phones, resolution refund\)',
	'check_workflow() shows the cycle of timers');
SELECT finds(ring() || $$DELETE FROM returns.stage_deadline WHERE category = 'phones' AND state = 'received'$$,
	'{}', 'timers of which only one leads back');
SELECT finds(ring() || $$UPDATE returns.stage_deadline SET on_timeout = NULL WHERE category = 'phones' AND state = 'received'$$,
	'{}', 'a timer without a target in a cycle of timers');

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
SELECT finds(guarded('shop.may'), '{}', 'a guard that is a function');
SELECT finds(guarded('shop."May it, ""really""?"'), '{}', 'a guard with an odd name');
SELECT finds(guarded('shop.may_not'), '{return/requested/guard that is no function}', 'a guard that does not exist');
SELECT finds(guarded('shop.may_int'), '{return/requested/guard that is no function}', 'a guard of another type');
SELECT finds(guarded('shop.may_set'), '{return/requested/guard that is no function}', 'a guard that gives a set');
SELECT finds(guarded('may'), '{return/requested/guard that is no function}', 'a guard without a schema');
SELECT finds(guarded('shop.'), '{return/requested/guard that is no function}', 'a guard with a malformed name');
SELECT finds(guarded('nowhere.may'), '{return/requested/guard that is no function}', 'a guard in an unknown schema');
SELECT tells(guarded('may'), 'not of the form schema\.function', 'check_workflow() says why a guard is no function');

-- ------------------------------------------------------------ unknown states

SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('requested', 'nowhere', '{seller}')$$,
	'{return/nowhere/unknown state}', 'an edge to an unknown state');
SELECT finds($$INSERT INTO returns.stage_deadline (state, term, unit) VALUES ('nowhere', 1, 'day')$$,
	'{return/nowhere/unknown state}', 'a timer of an unknown state');
SELECT finds($$UPDATE returns.state SET code = 'shut' WHERE machine = 'return' AND code = 'closed'$$,
	'{return/closed/unknown state,return/closed/unknown state}', 'a renamed state whose timers still have the old code');
SELECT finds($$
	UPDATE returns.state SET code = 'shut' WHERE machine = 'return' AND code = 'closed';
	UPDATE returns.stage_deadline SET on_timeout = 'shut' WHERE on_timeout = 'closed'$$,
	'{}', 'a renamed state without returns');

-- ------------------------------------------------------- the extension's own

SELECT finds($$UPDATE returns.state SET kind = 'open' WHERE code = 'exchanged'$$,
	'{return/exchanged/no path to a final state,return/exchanged/open state without an exit by timer or system,return/exchanged/state that the extension needs}',
	'the state "exchanged" that is not final');
SELECT finds($$
	UPDATE returns.transition SET from_state = 'pending', to_state = 'settled' WHERE machine = 'refund' AND from_state = 'pending' AND to_state = 'sent';
	DELETE FROM returns.transition WHERE machine = 'refund' AND 'sent' IN (from_state, to_state);
	DELETE FROM returns.state WHERE machine = 'refund' AND code = 'sent'$$,
	'{refund/sent/state that the extension needs}', 'a refund machine without "sent"');
SELECT finds($$UPDATE returns.transition SET actors = '{provider,operator}' WHERE machine = 'refund' AND from_state = 'failed'$$,
	'{refund/failed/open state without an exit by timer or system}', 'a failed refund that the system cannot try again');
SELECT finds($$UPDATE returns.transition SET reversal = false WHERE machine = 'refund' AND from_state = 'settled'$$,
	'{refund/settled/final state with an ordinary exit}', 'an ordinary edge out of a settled refund');

-- ----------------------------------------------------------- money and goods

SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('refund_due', 'closed', '{operator}')$$,
	'{return/refund_due/move that money and goods do not follow}', 'an edge from refund_due to closed');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('received', 'refunded', '{operator}')$$,
	'{return/received/move that money and goods do not follow}', 'an edge from received to refunded');
SELECT finds($$UPDATE returns.transition SET actors = '{operator,system}' WHERE to_state = 'refunded'$$,
	'{return/refund_due/move that money and goods do not follow}', 'an edge to refunded that an operator can make');
SELECT finds($$UPDATE returns.transition SET guard = 'returns.may' WHERE from_state = 'refunded'$$,
	'{return/refunded/guard that is no function,return/refunded/move that money and goods do not follow}', 'a guard on the edge out of refunded');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors, reversal) VALUES ('refunded', 'received', '{operator}', true)$$,
	'{return/refunded/move that money and goods do not follow}', 'an edge from refunded to received');
SELECT finds($$UPDATE returns.stage_deadline SET on_timeout = 'refunded' WHERE state = 'refund_due'$$,
	'{return/refund_due/move that money and goods do not follow}', 'a timer to refunded');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors, resolution) VALUES ('received', 'exchanged', '{operator}', 'exchange')$$,
	'{return/exchanged/move that money and goods do not follow}', 'an edge from received to exchanged');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors, reversal) VALUES ('exchanged', 'received', '{operator}', true)$$,
	'{}', 'a reversal from exchanged to received');
SELECT finds($$INSERT INTO returns.transition (from_state, to_state, actors) VALUES ('requested', 'draft', '{buyer}')$$,
	'{return/requested/transition back to the initial state}', 'an edge back to the draft');

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
SELECT finds(without_rejection(), '{return/rejected/records in a removed state}', 'deleting a state that a return is in');
SELECT tells(without_rejection(), '1 return', 'check_workflow() counts the returns in a removed state');
SELECT finds($$UPDATE returns.state SET code = 'refused' WHERE code = 'rejected'$$,
	'{return/rejected/records in a removed state}', 'renaming a state that a return is in');
SELECT is((edit($$
	UPDATE returns.transition SET reversal = true WHERE from_state = 'rejected';
	DELETE FROM returns.stage_deadline WHERE state = 'rejected';
	UPDATE returns.state SET kind = 'final' WHERE code = 'rejected'$$)).verdict, 'RT009', 'a state that a return is in cannot become final');
SELECT returns.act(:id, 'request_disputed', 'oh yes') FROM set_config('returns.actor', 'buyer:ann', false);
SELECT returns.act(:id, 'closed', 'no') FROM set_config('returns.actor', 'operator:o', false);
SELECT finds(without_rejection(), '{}', 'deleting a state that no return is in');
SELECT finds($$
	UPDATE returns.transition SET reversal = true WHERE from_state = 'rejected';
	DELETE FROM returns.stage_deadline WHERE state = 'rejected';
	UPDATE returns.state SET kind = 'final' WHERE code = 'rejected'$$,
	'{}', 'making a state final that no return is in');

-- ------------------------------------------------- statements that are refused at once

SELECT is(tried($$UPDATE returns.stage_deadline SET on_timeout = 'nowhere' WHERE state = 'approved'$$), 'RT010',
	'a timer to an unknown state is refused at once');
SELECT is(tried($$UPDATE returns.stage_deadline SET remind = 7 WHERE state = 'approved'$$), '23514', 'a reminder before the beginning of a stage is refused at once');
SELECT is(tried($$UPDATE returns.market SET timezone = 'Asia/Almatty'$$), 'RT009', 'a market with an unknown time zone is refused at once');
SELECT is(tried($$UPDATE returns.market SET timezone = 'Asia/Aqtobe'$$), 'accepted', 'a market may get another time zone');
SELECT is(tried($$UPDATE returns.category SET parent = 'phones' WHERE code = 'goods'$$), 'RT009', 'a category whose ancestor would be itself is refused at once');
SELECT is(tried($$INSERT INTO returns.category VALUES ('a', 'b'), ('b', 'c'), ('c', 'a')$$), 'RT009', 'new categories that form a cycle are refused at once');
SELECT is(tried($$INSERT INTO returns.category VALUES ('a', 'b'), ('b', 'c'), ('c', 'goods')$$), 'accepted', 'a branch of categories may be inserted from its end');
SELECT is(tried($$UPDATE returns.category SET code = 'all' WHERE code = 'goods'$$), 'accepted', 'a root category may be renamed');
SELECT is(tried($$UPDATE returns.category SET code = 'machines' WHERE code = 'appliances'$$), 'RT007',
	'a category of a return cannot be renamed');
SELECT is(tried($$UPDATE returns.market SET code = 'qz'$$), 'RT007', 'a market of a return cannot be renamed');
SELECT is(tried($$DELETE FROM returns.category WHERE code = 'appliances'$$), '23503', 'a category of a sale cannot be deleted');
SELECT is(tried($$UPDATE returns.reason SET code = 'broken' WHERE code = 'defective'$$), 'RT009', 'a reason of a return cannot be renamed');
SELECT is(tried($$DELETE FROM returns.reason WHERE code = 'defective'$$), 'RT009', 'a reason of a return cannot be deleted');
SELECT is(tried($$UPDATE returns.reason SET evidence_required = true, name = 'Broken' WHERE code = 'defective'$$), 'accepted',
	'name and evidence_required of a used reason may change');
SELECT is(tried($$DELETE FROM returns.reason WHERE code = 'late_delivery'$$), 'accepted', 'a reason without returns can be deleted');
SELECT is(tried($$UPDATE returns.currency SET minor_units = 0 WHERE code = 'KZT'$$), 'RT009', 'minor_units of a used currency cannot change');
SELECT is(tried($$UPDATE returns.currency SET minor_units = 3 WHERE code = 'EUR'$$), 'accepted', 'minor_units of an unused currency can change');
SELECT is(tried($$UPDATE returns.installation SET epoch = 2$$), 'RT007', 'a client cannot update the table installation');
SELECT is(tried($$INSERT INTO returns.installation (version, system_identifier) VALUES ('1', 1)$$), 'RT007', 'a client cannot insert into the table installation');
SELECT is(tried($$DELETE FROM returns.installation$$), 'RT007', 'a client cannot delete from the table installation');
SELECT is(tried($$TRUNCATE returns.installation$$), 'RT007', 'a client cannot truncate the table installation');
SELECT is(tried($$TRUNCATE returns.transition$$), 'RT009', 'TRUNCATE of transition is refused at once');
SELECT is(tried($$TRUNCATE returns.stage_deadline$$), 'accepted', 'TRUNCATE of stage_deadline is accepted when it leaves no defect');

-- ------------------------------------------------------------------- rights

SET ROLE app;
SELECT is_empty('SELECT * FROM returns.check_workflow()', 'a role with USAGE of the schema may call check_workflow()');
SELECT is(tried($$DELETE FROM returns.transition$$), '42501', 'a role without rights on the tables cannot edit the workflow');
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
	AND (SELECT count(*) FROM returns.transition WHERE machine = 'return') >= 190, 'the test has a workflow of 50 states and 190 transitions');
SELECT is_empty('SELECT * FROM returns.check_workflow()', 'a workflow of 50 states is sound');
SELECT cmp_ok(min(ms), '<', 5::float8, 'check_workflow() checks 50 states within 5 ms') FROM took;

SELECT * FROM finish();
