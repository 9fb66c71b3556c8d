-- Rows of the rule tables that are no rules, because the owner of the tables has
-- dropped their constraints. No statement treats an unknown word as a known one,
-- and none uses a null where a rule must have a value.
\set QUIET on
SET client_min_messages = error;
SELECT no_plan();

SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:o';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'sku', 'books', 'kz', 1, 10, 'KZT', '2026-03-01 10:00+05', '2026-03-08 10:00+05'
  FROM unnest('{new,requested,received,refund_due}'::text[]) AS o;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, captured_at)
SELECT order_ref, 1, 'card', 10, 'KZT', 'psp', '2026-03-01 10:00+05' FROM returns.sale_line;
SELECT returns.open_return(o, '[{"line_no":1,"quantity":1}]', 'changed_mind')
  FROM unnest('{requested,received,refund_due}'::text[]) AS o \g /dev/null
UPDATE returns.return_request SET status = 'approved' WHERE order_ref IN ('received', 'refund_due');
UPDATE returns.return_request SET status = 'received' WHERE order_ref IN ('received', 'refund_due');
UPDATE returns.return_request SET status = 'refund_due' WHERE order_ref = 'refund_due';

-- Statements that use the rules. The first ones need policies too.
CREATE TEMP TABLE use (n int, needs_policies boolean, statement text);
INSERT INTO use VALUES
	(1, true, $$SELECT returns.open_return('new', '[{"line_no":1,"quantity":1}]', 'changed_mind')$$),
	(2, true, $$SELECT count(*) FROM returns.eligibility('new', 'changed_mind')$$),
	(3, true, $$SELECT returns.act(id, 'refund_due') FROM returns.return_request WHERE order_ref = 'received'$$),
	(4, false, $$UPDATE returns.return_request SET status = 'approved' WHERE order_ref = 'requested'$$),
	(5, false, $$UPDATE returns.refund SET status = 'sent' WHERE order_ref = 'refund_due'$$);

-- The rows that moves and payments change.
CREATE FUNCTION pg_temp.records() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT string_agg(order_ref || ':' || status, ',' ORDER BY id) FROM returns.return_request),
		(SELECT string_agg(order_ref || ':' || status, ',' ORDER BY id) FROM returns.refund),
		(SELECT string_agg(concat_ws(':', order_ref, reserved, returned, refunded), ',' ORDER BY order_ref) FROM returns.sale_line),
		(SELECT sum(refunded) FROM returns.payment), (SELECT count(*) FROM returns.return_event),
		(SELECT count(*) FROM returns.ledger_entry))
$$;

-- Drop the constraints of a table. The caller restores them by a rollback.
CREATE FUNCTION pg_temp.unconstrain(rules regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	name name;
BEGIN
	FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = rules AND contype <> 't' ORDER BY contype <> 'f' LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', rules, name);
	END LOOP;
	FOR name IN SELECT attname FROM pg_attribute WHERE attrelid = rules AND attnum > 0 AND attnotnull AND attidentity = '' LOOP
		EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', rules, name);
	END LOOP;
END $$;

-- How the uses end after a change of a rule table that neither constraints nor
-- triggers have seen: the different outcomes, each the SQLSTATE with table and
-- column; how many returns a sweep moves then, which passes over those that it
-- cannot move; and whether the records have changed. It is all rolled back.
CREATE FUNCTION pg_temp.used(rules text, change text, only_with_policies boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text := pg_temp.records();
	outcomes text[] := '{}';
	body text;
	swept text := '';
	state text;
	in_table text;
	in_column text;
BEGIN
	PERFORM pg_temp.unconstrain(('returns.' || rules)::regclass);
	EXECUTE format('ALTER TABLE returns.%I DISABLE TRIGGER ALL', rules);
	EXECUTE change;
	EXECUTE format('ALTER TABLE returns.%I ENABLE TRIGGER ALL', rules);
	FOR body IN SELECT statement FROM use WHERE needs_policies OR NOT only_with_policies ORDER BY n LOOP
		BEGIN
			EXECUTE body;
			outcomes := outcomes || 'done'::text;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, in_table = TABLE_NAME, in_column = COLUMN_NAME;
			outcomes := outcomes || concat_ws(' ', state, in_table, nullif(in_column, ''));
		END;
	END LOOP;
	IF NOT only_with_policies THEN
		PERFORM set_config('returns.clock', '2026-06-01 12:00+05', true);
		swept := '; ' || returns.run_deadlines() || ' swept';
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'P0999',
		MESSAGE = (SELECT string_agg(DISTINCT o, ', ') FROM unnest(outcomes) AS o) || swept ||
			CASE WHEN pg_temp.records() = before THEN '; nothing moved' ELSE '; records moved' END;
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM;
END $$;

SELECT is(pg_temp.used('reason', 'UPDATE returns.reason SET fault = fault'), 'done; 2 swept; records moved',
	'a rule table without its constraints and with the same rows is used as before');
SELECT is(pg_temp.used('policy', 'UPDATE returns.policy SET fault = fault'), 'done; 2 swept; records moved',
	'policies without their constraints and with the same rows are used as before');

SELECT is(pg_temp.used('market', 'ALTER TABLE returns.market ALTER COLUMN timezone TYPE varchar(40)'), 'done; 2 swept; records moved',
	'a rule table whose text is a varchar is used as before');
SELECT is(pg_temp.used('transition', 'CREATE DOMAIN pg_temp.function_name AS text; ALTER TABLE returns.transition ALTER COLUMN guard TYPE pg_temp.function_name'),
	'done; 2 swept; records moved', 'a rule table whose text is of a domain is used as before');

-- ------------------------------------------------------------- unknown words
-- Each column of words with a word that it may have, and how a row gets another one.
CREATE TEMP TABLE word_column (rules text, col text, word text, change text);
INSERT INTO word_column VALUES
	('reason', 'fault', 'seller', 'UPDATE returns.reason SET fault = %L WHERE code = ''defective'''),
	('policy', 'fault', 'none', 'UPDATE returns.policy SET fault = %L WHERE id = (SELECT min(id) FROM returns.policy)'),
	('policy', 'window_unit', 'day', 'UPDATE returns.policy SET window_unit = %L WHERE id = (SELECT min(id) FROM returns.policy)'),
	('policy', 'window_from', 'delivered', 'UPDATE returns.policy SET window_from = %L WHERE id = (SELECT min(id) FROM returns.policy)'),
	('policy', 'resolutions', 'refund', 'UPDATE returns.policy SET resolutions = ARRAY[''exchange'', %L] WHERE id = (SELECT min(id) FROM returns.policy)'),
	('state', 'machine', 'return', 'INSERT INTO returns.state (machine, code, kind) VALUES (%L, ''waiting'', ''open'')'),
	('state', 'kind', 'open', 'INSERT INTO returns.state (machine, code, kind) VALUES (''return'', ''waiting'', %L)'),
	('transition', 'machine', 'refund', 'INSERT INTO returns.transition (machine, from_state, to_state, actors) VALUES (%L, ''a'', ''b'', ''{system}'')'),
	('transition', 'actors', 'buyer', 'UPDATE returns.transition SET actors = ARRAY[''seller'', %L] WHERE to_state = ''refund_due'''),
	('transition', 'requires', 'note', 'UPDATE returns.transition SET requires = ARRAY[''tracking'', %L] WHERE to_state = ''refund_due'''),
	('transition', 'resolution', 'exchange', 'UPDATE returns.transition SET resolution = %L WHERE to_state = ''exchange_due'''),
	('stage_deadline', 'machine', 'return', 'INSERT INTO returns.stage_deadline (machine, state, term, unit) VALUES (%L, ''a'', 1, ''day'')'),
	('stage_deadline', 'resolution', 'exchange', 'INSERT INTO returns.stage_deadline (state, resolution, term, unit) VALUES (''approved'', %L, 1, ''day'')'),
	('stage_deadline', 'unit', 'day', 'UPDATE returns.stage_deadline SET unit = %L WHERE state = ''approved'''),
	('actor_grant', 'actor', 'operator', 'INSERT INTO returns.actor_grant (db_role, actor) VALUES (''codes_nobody'', %L)');
SELECT is(pg_temp.used(rules, format(change, bad), rules = 'policy'), format('RT010 %s %s%s; nothing moved', rules, col, CASE WHEN rules <> 'policy' THEN '; 0 swept' END),
	format('the unknown word "%s" in %s.%s is refused when the rules are used', bad, rules, col))
  FROM word_column, LATERAL unnest(ARRAY['repair', upper(word), word || ' ', left(word, -1), '']) AS bad;
SELECT is(pg_temp.used(rules, format(change, NULL), false), format('RT010 %s %s; 0 swept; nothing moved', rules, col),
	format('a null element in %s.%s is refused when the rules are used', rules, col))
  FROM word_column WHERE col IN ('actors', 'requires');
SELECT is(pg_temp.used('policy', 'UPDATE returns.policy SET resolutions = ''{refund,NULL}''', true), 'RT009 policy; nothing moved',
	'a null element in policy.resolutions is refused when policies are used');

-- ---------------------------------------------------------------------- nulls
-- The columns that must have a value and that the rules are read from.
CREATE TEMP TABLE value_column (rules text, cols text[]);
INSERT INTO value_column VALUES
	('installation', '{version,epoch,system_identifier}'), ('currency', '{code,minor_units}'),
	('market', '{code,timezone,calendar}'), ('category', '{code}'), ('reason', '{code,fault,evidence_required}'),
	('state', '{machine,code,kind}'), ('transition', '{machine,from_state,to_state,actors,requires,reversal}'),
	('stage_deadline', '{machine,state,term,unit}'), ('actor_grant', '{db_role,actor}');
SELECT is(pg_temp.used(rules, format('UPDATE returns.%I SET %I = NULL', rules, col)), format('RT009 %s %s; 0 swept; nothing moved', rules, col),
	format('a null in %s.%s is refused when the rules are used', rules, col))
  FROM value_column, unnest(cols) AS col;
SELECT is(pg_temp.used('policy', format('UPDATE returns.policy SET %I = NULL', col), true), 'RT009 policy; nothing moved',
	format('a null in policy.%s is refused when policies are used', col))
  FROM unnest('{valid_from,valid_to,returnable,window_term,window_unit,window_from,window_roll,resolutions,
	restocking_percent,refund_shipping,statutory}'::text[]) AS col;

-- Calendars are read when a term needs one.
SELECT ok(pg_temp.used(rules, format('UPDATE returns.%I SET %I = NULL', rules, col), true) LIKE format('%%RT009 %s %s%%', rules, col),
	format('a null in %s.%s is refused when a calendar is read', rules, col))
  FROM (VALUES ('calendar', '{weekend,first_day,last_day}'::text[]), ('calendar_day', '{day,working}')) AS v (rules, cols), unnest(cols) AS col;

-- A reminder that is not within its term was never due.
SELECT is(pg_temp.used('stage_deadline', format('UPDATE returns.stage_deadline SET remind = %s', remind)), 'done; 2 swept; records moved',
	format('a reminder of %s is no reminder', remind))
  FROM unnest('{-1,0,term,term + 1}'::text[]) AS remind;

-- How the triggers of a rule table without its constraints take a statement.
CREATE FUNCTION pg_temp.edited(rules text, change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	in_table text;
	in_column text;
BEGIN
	PERFORM pg_temp.unconstrain(('returns.' || rules)::regclass);
	EXECUTE change;
	RAISE EXCEPTION USING ERRCODE = 'P0999';
EXCEPTION
	WHEN SQLSTATE 'P0999' THEN RETURN 'done';
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, in_table = TABLE_NAME, in_column = COLUMN_NAME;
		RETURN concat_ws(' ', state, in_table, in_column);
END $$;

SELECT is(pg_temp.edited('reason', 'UPDATE returns.reason SET fault = NULL'), 'RT009 reason fault',
	'the fault of a reason cannot become NULL');
SELECT is(pg_temp.edited('stage_deadline', $$INSERT INTO returns.stage_deadline (machine, state, term, unit, on_timeout)
	VALUES (NULL, 'approved', 1, 'day', 'cancelled')$$), 'RT009 stage_deadline machine',
	'a timer without a machine is refused');

-- ------------------------------------------------- the column that an error names
-- The word of the client is refused with its own table while the rules are
-- loaded again.
SELECT is(pg_temp.used('reason', $$UPDATE returns.reason SET fault = 'courier'; INSERT INTO use VALUES (0, false,
	'INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at)
	VALUES (''other'', 1, ''b'', ''s'', ''sku'', ''books'', ''kz'', 1, 10, ''KZT'', ''2026-03-01'')')$$), 'RT010 reason fault; 0 swept; nothing moved',
	'an unknown word in a rule table is not blamed on the column of the client that made the rules be read');
SELECT is(pg_temp.used('reason', $$UPDATE returns.reason SET fault = 'none'; DELETE FROM use; INSERT INTO use VALUES (0, false,
	'INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity, amount_paid, currency, purchased_at)
	VALUES (''other'', 1, ''b'', ''s'', ''sku'', ''books'', ''mars'', 1, 10, ''KZT'', ''2026-03-01'')')$$), 'RT010 sale_line market; 2 swept; records moved',
	'an unknown code of a client is blamed on the column of the client');

SELECT is(count(*), 0::bigint, 'the tables have all their constraints at the end') FROM (
	SELECT c::regclass FROM unnest('{reason,policy,state,transition,stage_deadline,actor_grant}'::text[]) AS t, LATERAL (SELECT ('returns.' || t)::regclass) AS r (c)
	 WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = c AND contype = 'c')) AS bare;
SELECT * FROM finish();
