-- Triggers and child tables of the user's own beside ours: they may add, never undo.

\set QUIET on
SET client_min_messages = warning;
SELECT plan(21);

SET returns.clock = '2026-03-02 10:00+05';
SET returns.actor = 'operator:desk';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, currency, purchased_at, delivered_at)
SELECT o, 1, 'b', 's', 'x', 'toys', 'kz', 5, 50, 'KZT', '2026-02-25 19:40+05', '2026-02-28 12:15+05'
  FROM (VALUES ('A'), ('B')) AS v (o);

CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

SELECT returns.open_return('A', '[{"line_no":1,"quantity":1}]', 'defective') AS id \gset

-- before ours: what only the extension writes stays as it is
CREATE FUNCTION public.set_seq() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.last_seq := 99; RETURN NEW; END';
CREATE FUNCTION public.set_total() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.refund_total := 1e6; RETURN NEW; END';
CREATE FUNCTION public.set_reason() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.reason := ''changed_mind''; RETURN NEW; END';
CREATE FUNCTION public.set_status() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := ''refunded''; RETURN NEW; END';
CREATE FUNCTION public.add_note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := coalesce(NEW.note, ''of the shop''); RETURN NEW; END';

CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.set_seq();
SELECT throws_ok(format('SELECT returns.act(%s, ''approved'')', :id), 'RT007', NULL, 'the head of the journal is not a trigger''s to set');
DROP TRIGGER aaa ON returns.return_request;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.set_total();
SELECT throws_ok(format('SELECT returns.act(%s, ''approved'')', :id), 'RT007', NULL, 'nor is the total');
DROP TRIGGER aaa ON returns.return_request;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.set_reason();
SELECT throws_ok(format('SELECT returns.act(%s, ''approved'')', :id), 'RT007', NULL, 'nor the reason of a return that was requested');
DROP TRIGGER aaa ON returns.return_request;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.set_status();
SELECT throws_ok(format('UPDATE returns.return_request SET note = ''x'' WHERE id = %s', :id), 'RT001', NULL, 'a status that a trigger sets is a move like others');
DROP TRIGGER aaa ON returns.return_request;
CREATE TRIGGER aaa BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.add_note();
SELECT lives_ok(format('SELECT returns.act(%s, ''approved'')', :id), 'what a client may write a trigger may write');
SELECT is((SELECT note FROM returns.return_request WHERE id = :id), 'of the shop', 'and it is kept');
DROP TRIGGER aaa ON returns.return_request;

-- after ours there is nobody
CREATE TRIGGER zzz BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION public.add_note();
SELECT throws_ok(format('SELECT returns.act(%s, ''received'')', :id), 'RT007', NULL, 'none after the request''s');
DROP TRIGGER zzz ON returns.return_request;
CREATE TRIGGER zzz BEFORE INSERT ON returns.return_line FOR EACH ROW EXECUTE FUNCTION public.add_note();
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', NULL, 'none after the line''s');
DROP TRIGGER zzz ON returns.return_line;
CREATE TRIGGER zzz BEFORE UPDATE ON returns.sale_line FOR EACH ROW EXECUTE FUNCTION public.add_note();
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', NULL, 'none after the sale''s');
DROP TRIGGER zzz ON returns.sale_line;

-- a child's rows would be returns without rules
CREATE TABLE public.child () INHERITS (returns.return_request);
SELECT throws_ok(format('SELECT returns.act(%s, ''received'')', :id), 'RT007', 'table "return_request" has a child table "child"', 'no child of requests');
ALTER TABLE public.child NO INHERIT returns.return_request;
DROP TABLE public.child;
CREATE TABLE public.child () INHERITS (returns.return_line);
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', 'table "return_line" has a child table "child"', 'nor of lines');
DROP TABLE public.child;
CREATE TABLE public.child () INHERITS (returns.sale_line);
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', 'table "sale_line" has a child table "child"', 'nor of sales');
DROP TABLE public.child;
CREATE TABLE public.child () INHERITS (returns.payment);
SELECT throws_ok($$INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency) VALUES ('A', 9, 'card', 1, 'KZT')$$, 'RT007', 'table "payment" has a child table "child"', 'nor of payments');
DROP TABLE public.child;

-- what is swallowed is missed
CREATE TRIGGER aaa BEFORE UPDATE ON returns.sale_line FOR EACH ROW EXECUTE FUNCTION public.swallow();
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', NULL, 'a reservation that is not written is no reservation');
DROP TRIGGER aaa ON returns.sale_line;
CREATE TRIGGER aaa BEFORE INSERT ON returns.return_event FOR EACH ROW EXECUTE FUNCTION public.swallow();
SELECT throws_ok(format('SELECT returns.act(%s, ''received'')', :id), 'RT007', NULL, 'a move without history is no move');
DROP TRIGGER aaa ON returns.return_event;

-- and where ours are missing nothing moves by our functions
ALTER TABLE returns.return_request DISABLE TRIGGER zz_returns_request;
SELECT throws_ok(format('SELECT returns.act(%s, ''received'')', :id), 'RT007', NULL, 'act() looks for the rules');
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective')$$, 'RT007', NULL, 'open_return() too');
ALTER TABLE returns.return_request ENABLE TRIGGER zz_returns_request;
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1}]', 'defective', idempotency_key => '')$$, '22023', NULL, 'an empty key is no key');
SELECT throws_ok($$SELECT returns.open_return('B', '[{"line_no":1,"quantity":1},{"line_no":2,"quantity":1},{"line_no":1,"quantity":2}]', 'defective')$$, '23505', NULL, 'a line is named once');
SELECT lives_ok(format('SELECT returns.act(%s, ''received'')', :id), 'without them all is as before');
SELECT is_empty('SELECT * FROM returns.verify()', 'and the books are right');
SELECT finish();
