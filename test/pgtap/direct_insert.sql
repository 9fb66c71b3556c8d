-- Objects that a user adds to a table that the extension fills without INSERT
-- statements take effect.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00:00+05';
SET returns.actor = 'operator:desk';

CREATE FUNCTION public.tables() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT unnest('{return_event,ledger_transfer,ledger_entry}'::text[])
$$;
CREATE FUNCTION public.on_each(command text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t text;
BEGIN
	FOR t IN SELECT public.tables() LOOP
		EXECUTE replace(command, 'TABLE_NAME', t);
	END LOOP;
END $$;
CREATE FUNCTION public.count_of(target text, condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM returns.%I WHERE %s', target, condition) INTO n;
	RETURN n;
END $$;

-- A whole life of a return: several events, three transfers with their entries.
CREATE FUNCTION public.live(o text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	ret bigint;
BEGIN
	INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
		amount_paid, commission_rate, currency, purchased_at, delivered_at)
	VALUES (o, 1, 'b', 's', 'sku', 'toys', 'kz', 1, 100, 0.1, 'KZT', '2026-02-25 10:00+00', '2026-02-27 10:00+00');
	INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, provider_ref, captured_at)
	VALUES (o, 1, 'card', 100, 'KZT', 'psp', 'ch-' || o, '2026-02-25 10:00+00');
	ret := returns.open_return(o, '[{"line_no": 1, "quantity": 1}]', 'defective');
	PERFORM returns.act(ret, 'approved');
	PERFORM returns.act(ret, 'received');
	PERFORM returns.act(ret, 'refund_due');
	UPDATE returns.refund SET status = 'sent' WHERE return_id = ret;
	UPDATE returns.refund SET status = 'settled', provider_ref = 're-' || o WHERE return_id = ret;
END $$;

-- ---- objects that refuse a row; the tables stay empty ----

CREATE TABLE public.known (order_ref text PRIMARY KEY);

CREATE FUNCTION public.refused(target text, change text, undo text, state char(5), what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	EXECUTE format('ALTER TABLE returns.%I %s', target, change);
	line := throws_ok('DO $x$ BEGIN PERFORM public.live(''refused''); SET CONSTRAINTS ALL IMMEDIATE; RAISE ''written''; END $x$', state, NULL,
		format('%s that a user adds to %s is checked', what, target));
	EXECUTE format('ALTER TABLE returns.%I %s', target, undo);
	RETURN line;
END $$;

SELECT public.refused(t, 'ADD CONSTRAINT mine ' || definition, 'DROP CONSTRAINT mine', state, what)
  FROM public.tables() t, (VALUES
	('FOREIGN KEY (order_ref) REFERENCES public.known', '23503', 'A foreign key'),
	('FOREIGN KEY (order_ref) REFERENCES public.known DEFERRABLE INITIALLY DEFERRED', '23503', 'A deferred foreign key'),
	('CHECK (order_ref <> ''refused'')', '23514', 'A CHECK constraint'),
	('UNIQUE (return_id)', '23505', 'A unique constraint'),
	('UNIQUE (return_id) DEFERRABLE INITIALLY DEFERRED', '23505', 'A deferred unique constraint'),
	('EXCLUDE (return_id WITH =)', '23P01', 'An exclusion constraint'),
	('EXCLUDE ((return_id + 0) WITH =) WHERE (return_id > 0)', '23P01', 'A partial exclusion constraint on an expression'),
	('EXCLUDE (return_id WITH =) DEFERRABLE INITIALLY DEFERRED', '23P01', 'A deferred exclusion constraint')
  ) c (definition, state, what);
SELECT public.refused(t, format('ALTER %I SET NOT NULL', c), format('ALTER %I DROP NOT NULL', c), '23502', 'A NOT NULL constraint')
  FROM (VALUES ('return_event', 'note'), ('return_event', 'due_at'), ('return_event', 'details'), ('return_event', 'from_state'), ('ledger_transfer', 'reverses'),
	('ledger_transfer', 'refund_id'), ('ledger_entry', 'party_ref')) v (t, c);
SELECT public.refused('return_event', 'ALTER actor_ref TYPE varchar(3)', 'ALTER actor_ref TYPE text', '22001', 'A limit of a length');

ALTER TABLE returns.ledger_entry DROP CONSTRAINT ledger_entry_amount_check;
SELECT public.refused('ledger_entry', 'ADD CONSTRAINT mine CHECK (amount > 0)', 'DROP CONSTRAINT mine', '23514', 'A CHECK constraint in place of ours');
-- PostgreSQL gives it the same name
SELECT public.refused('ledger_entry', 'ADD CHECK (amount > 0)', 'DROP CONSTRAINT ledger_entry_amount_check', '23514', 'A CHECK constraint in place of ours, with its name,');
ALTER TABLE returns.ledger_entry ADD CONSTRAINT ledger_entry_amount_check CHECK (amount <> 0);

-- ---- the way of the rows: direct or by INSERT ----

-- How often a life fires the trigger that guards these tables against other statements.
CREATE FUNCTION public.guard_calls() RETURNS bigint LANGUAGE sql AS $$
	SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_xact_user_functions
	WHERE schemaname = 'returns' AND funcname = 'protected'
$$;
CREATE FUNCTION public.guarded(o text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := public.guard_calls();
BEGIN
	PERFORM public.live(o);
	RETURN public.guard_calls() - before;
END $$;
SET track_functions = 'all';
SELECT is(public.guarded('plain'), 0::bigint, 'Tables that are as setup() makes them are written without INSERT statements');

SELECT public.on_each('CREATE INDEX TABLE_NAME_mine ON returns.TABLE_NAME (return_id)');
SELECT is(public.guarded('indexes'), 0::bigint, 'Tables with more indexes of plain columns are written without INSERT statements');
SELECT public.on_each('DROP INDEX returns.TABLE_NAME_mine');

-- ---- indexes with an expression, partial indexes ----

CREATE FUNCTION public.mine(order_ref text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN 'mine:' || order_ref; END $$;
REVOKE EXECUTE ON FUNCTION public.mine FROM public;
CREATE FUNCTION public.found(target text, condition text) RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE format('EXPLAIN (FORMAT json) SELECT count(*) FROM returns.%I WHERE %s', target, condition) INTO plan;
	RETURN CASE WHEN plan::text LIKE '%' || target || '_mine%' THEN public.count_of(target, condition) END;
END $$;
SELECT public.on_each('CREATE INDEX TABLE_NAME_mine ON returns.TABLE_NAME (public.mine(order_ref))');
SELECT public.live('expression');
SELECT is(public.found(t, 'public.mine(order_ref) = ''mine:expression'''), public.count_of(t, 'order_ref = ''expression'''),
	format('An index with an expression that a user adds to %s finds the rows', t)) FROM public.tables() t;
SET ROLE app;
SELECT lives_ok('SELECT public.live(''app'')', 'A client needs no right on the function that an index calls');
RESET ROLE;
SELECT public.on_each('DROP INDEX returns.TABLE_NAME_mine');

SELECT public.on_each('CREATE INDEX TABLE_NAME_mine ON returns.TABLE_NAME (return_id) WHERE order_ref = ''partial''');
SELECT public.live('partial');
SELECT is(public.found(t, 'order_ref = ''partial'' AND return_id > 0'), public.count_of(t, 'order_ref = ''partial'''),
	format('A partial index that a user adds to %s finds the rows', t)) FROM public.tables() t;
SELECT public.on_each('DROP INDEX returns.TABLE_NAME_mine');

-- ---- triggers and rules ----

CREATE TABLE public.seen (target text, order_ref text);
GRANT INSERT ON public.seen TO public;
CREATE FUNCTION public.see_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.seen SELECT TG_TABLE_NAME, order_ref FROM written;
	RETURN NULL;
END $$;
CREATE FUNCTION public.see_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.seen VALUES (TG_TABLE_NAME, NEW.order_ref);
	RETURN NEW;
END $$;
CREATE FUNCTION public.sees(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.live(what);
	RETURN QUERY SELECT is((SELECT count(*) FROM public.seen WHERE target = t AND order_ref = what),
		public.count_of(t, format('order_ref = %L', what)), format('Every row is seen by a user''s %s on %s', what, t))
	  FROM public.tables() t;
END $$;

SELECT public.on_each('CREATE TRIGGER mine AFTER INSERT ON returns.TABLE_NAME REFERENCING NEW TABLE AS written'
	' FOR EACH STATEMENT EXECUTE FUNCTION public.see_rows()');
SELECT public.sees('statement trigger with a transition table');
SELECT public.on_each('DROP TRIGGER mine ON returns.TABLE_NAME');
SELECT public.on_each('CREATE TRIGGER mine AFTER INSERT ON returns.TABLE_NAME FOR EACH ROW EXECUTE FUNCTION public.see_row()');
SELECT public.sees('AFTER ROW trigger');
SELECT public.on_each('DROP TRIGGER mine ON returns.TABLE_NAME');
SELECT public.on_each('CREATE TRIGGER mine BEFORE INSERT ON returns.TABLE_NAME FOR EACH ROW EXECUTE FUNCTION public.see_row()');
SELECT public.sees('BEFORE ROW trigger');
SELECT public.on_each('DROP TRIGGER mine ON returns.TABLE_NAME');
SELECT public.on_each('CREATE RULE mine AS ON INSERT TO returns.TABLE_NAME DO ALSO'
	' INSERT INTO public.seen VALUES (''TABLE_NAME'', NEW.order_ref)');
SELECT public.sees('rule');
SELECT public.on_each('DROP RULE mine ON returns.TABLE_NAME');

SELECT is(public.guarded('again'), 0::bigint, 'Tables that are as before again are written without INSERT statements');

-- ---- columns; a dropped one leaves a gap, so they come last ----

SELECT public.on_each('ALTER TABLE returns.TABLE_NAME ADD COLUMN mine text GENERATED ALWAYS AS (order_ref || ''!'') STORED');
SELECT public.live('column');
SELECT is(public.count_of(t, 'mine = ''column!'''), public.count_of(t, 'order_ref = ''column'''),
	format('A generated column that a user adds to %s is computed', t)) FROM public.tables() t;
SELECT public.on_each('ALTER TABLE returns.TABLE_NAME DROP COLUMN mine');
SELECT isnt(public.guarded('gap'), 0::bigint, 'Tables with a dropped column are written by INSERT statements');
SELECT is_empty('SELECT * FROM returns.verify()', 'All these returns are right');
SELECT finish();
