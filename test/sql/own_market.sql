-- database: empty
-- No preset: the workflow alone is sound, and a market is inserted row by row.
\set VERBOSITY default
CREATE EXTENSION returns;
CALL returns.setup();
SELECT * FROM returns.check_workflow();
SELECT count(*) AS markets, (SELECT count(*) FROM returns.stage_deadline) AS timers FROM returns.market;

INSERT INTO returns.calendar (code, first_day, last_day, name) VALUES ('uz', '2026-01-01', '2026-12-31', 'Weekends only');
INSERT INTO returns.market (code, timezone, calendar, currency, name) VALUES ('uz', 'Asia/Tashkent', 'uz', 'UZS', 'Uzbekistan');
INSERT INTO returns.policy (market, window_term, source) VALUES ('uz', 10, 'Law of Uzbekistan "On consumer protection"');

-- Without timers a return waits for its actors.
SET returns.clock = '2026-03-02 12:00+05';
SET returns.actor = 'buyer:aziz';
INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market, quantity,
	amount_paid, currency, purchased_at, delivered_at)
VALUES ('U-1', 1, 'aziz', 'samo', 'kettle', 'appliances', 'uz', 1, 350000, 'UZS', '2026-02-25 10:00+05', '2026-02-27 10:00+05');
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, captured_at)
VALUES ('U-1', 1, 'card', 350000, 'UZS', '2026-02-25 10:00+05');
SELECT returns.open_return('U-1', '[{"line_no":1,"quantity":1}]', 'defective') AS id \gset
SELECT status, due_at, on_timeout FROM returns.return_request;
SELECT line FROM returns.explain(:id) AS line WHERE line LIKE 'next%';

-- Timers are added one by one: there is a warning while a state has none.
INSERT INTO returns.stage_deadline (market, state, term, unit, on_timeout)
SELECT 'uz', * FROM (VALUES ('draft', 1, 'day', 'cancelled'), ('requested', 3, 'business_day', 'approved'),
	('approved', 7, 'day', 'expired'), ('in_transit', 14, 'day', 'outcome_disputed'), ('rejected', 5, 'day', 'closed'),
	('declined', 5, 'day', 'closed'), ('request_disputed', 5, 'day', 'approved'), ('outcome_disputed', 5, 'day', 'refund_due'),
	('exchange_due', 5, 'day', 'refund_due'), ('exchange_sent', 14, 'day', 'exchanged')) AS v;
INSERT INTO returns.stage_deadline (market, state, resolution, term, unit, on_timeout) VALUES ('uz', 'received', 'refund', 3, 'day', 'refund_due');
INSERT INTO returns.stage_deadline (market, state, resolution, term, unit, on_timeout) VALUES ('uz', 'received', 'exchange', 3, 'day', 'exchange_due');
SELECT returns.act(:id, 'cancelled');
SELECT returns.open_return('U-1', '[{"line_no":1,"quantity":1}]', 'defective') AS id \gset
SET timezone = 'Asia/Tashkent';
SET datestyle = 'ISO';
SELECT status, due_at, on_timeout FROM returns.return_request WHERE id = :id;
SELECT * FROM returns.check_workflow();

-- Every preset by itself.
CREATE PROCEDURE again(preset text) LANGUAGE plpgsql AS $$
BEGIN
	DROP EXTENSION returns CASCADE;
	DROP SCHEMA returns CASCADE;
	CREATE EXTENSION returns;
	CALL returns.setup(preset);
END $$;
SET client_min_messages = warning;
CALL again('kz');
SELECT count(*) AS timers, (SELECT count(*) FROM returns.check_workflow()) AS defects FROM returns.stage_deadline;
CALL again('ru');
SELECT count(*) AS timers, (SELECT count(*) FROM returns.check_workflow()) AS defects FROM returns.stage_deadline;
CALL again('eu');
SELECT count(*) AS timers, (SELECT count(*) FROM returns.check_workflow()) AS defects FROM returns.stage_deadline;
CALL again('uk');
SELECT count(*) AS timers, (SELECT count(*) FROM returns.check_workflow()) AS defects FROM returns.stage_deadline;
CALL again('us');
SELECT count(*) AS timers, (SELECT count(*) FROM returns.check_workflow()) AS defects FROM returns.stage_deadline;
DROP PROCEDURE again;
