-- verify(): every invariant is broken once and found. Only the owner of the tables
-- can break them, with the triggers disabled; each change is rolled back.

SET client_min_messages = warning;
SET returns.clock = '2026-03-10 12:00+05';
SET returns.actor = 'operator:audit';

SELECT tap.no_plan();

-- ------------------------------------------------------------------ the data

INSERT INTO returns.sale_line (order_ref, line_no, buyer_ref, seller_ref, sku, category, market,
	quantity, amount_paid, shipping_paid, commission_rate, currency, purchased_at, delivered_at)
SELECT o, l, 'ann', 'acme', 'lamp', 'appliances', 'kz', 3, 100.00, 10, 0.1, 'KZT',
	'2026-03-01 10:00+05', '2026-03-04 10:00+05'
  FROM unnest('{settled,late,due,exchange,open,draft,gift}'::text[]) AS o, generate_series(1, 2) AS l;
INSERT INTO returns.payment (order_ref, payment_no, method, amount, currency, provider, refund_rank, captured_at)
SELECT o, p, 'card', p * 100, 'KZT', 'bank', p, '2026-03-01 10:01+05'
  FROM unnest('{settled,late,due,exchange,open,draft,gift}'::text[]) AS o, generate_series(1, 2) AS p;

-- Move a return of two units of line 1 and one of line 2 to a state.
CREATE FUNCTION pg_temp.take(o text, why text, VARIADIC path text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r bigint := returns.open_return(o, '[{"line_no":1,"quantity":2},{"line_no":2,"quantity":1}]', why);
	s text;
BEGIN
	FOREACH s IN ARRAY path LOOP
		PERFORM returns.act(r, s, 'a note', '{"carrier":"post","tracking_ref":"T"}');
		IF s = 'received' THEN
			UPDATE returns.return_line SET received = 2, accepted = 2, deduction = CASE why WHEN 'changed_mind' THEN 5 END,
				deduction_note = 'as seen'
			 WHERE return_id = r AND line_no = 1;
		END IF;
	END LOOP;
	RETURN r;
END $$;

SELECT pg_temp.take('settled', 'changed_mind', 'approved', 'in_transit', 'received', 'refund_due') AS settled,
	pg_temp.take('late', 'changed_mind', 'approved', 'in_transit', 'received', 'refund_due') AS late,
	pg_temp.take('due', 'defective', 'approved', 'received', 'refund_due') AS due,
	pg_temp.take('open', 'changed_mind', 'approved', 'received') AS open,
	pg_temp.take('gift', 'changed_mind', 'cancelled') AS gift \gset
SELECT id FROM returns.claim_refunds(100);
UPDATE returns.refund SET status = 'settled', provider_ref = 'p-' || id WHERE order_ref IN ('settled', 'late');
UPDATE returns.refund SET status = 'failed', failure = 'account closed' WHERE order_ref = 'late';
UPDATE returns.refund SET status = 'failed', failure = 'no such card'
 WHERE order_ref = 'due' AND payment_no = (SELECT max(payment_no) FROM returns.refund WHERE order_ref = 'due');
SELECT returns.grant_refund(:gift, 7.50, 'sorry');
INSERT INTO returns.return_request (order_ref, reason, resolution) VALUES ('exchange', 'wrong_size', 'exchange')
RETURNING id AS exchange \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:exchange, 1, 1);
SELECT returns.act(:exchange, s, 'a note', '{"carrier":"post","tracking_ref":"T"}')
  FROM unnest('{requested,approved,received,exchange_due,exchange_sent,exchanged}'::text[]) AS s;
INSERT INTO returns.return_request (order_ref, reason) VALUES ('draft', 'defective') RETURNING id AS draft \gset
INSERT INTO returns.return_line (return_id, line_no, quantity) VALUES (:draft, 1, 1);

SELECT tap.is(array_agg(order_ref || ' ' || status ORDER BY order_ref),
	'{"draft draft","due refund_due","exchange exchanged","gift cancelled","late refund_due","open received","settled refunded"}',
	'the test has its returns in the expected states')
  FROM returns.return_request;
SELECT tap.is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing in what the extension wrote');

-- ------------------------------------------------------------- break and look

-- The findings of verify() after the statements, which are rolled back.
CREATE FUNCTION pg_temp.found(VARIADIC statements text[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	found text[];
	s text;
BEGIN
	SET LOCAL session_replication_role = replica;
	FOREACH s IN ARRAY statements LOOP
		EXECUTE s;
	END LOOP;
	SET LOCAL session_replication_role = origin;
	SELECT coalesce(array_agg(DISTINCT invariant ORDER BY invariant), '{}') INTO found FROM returns.verify();
	RAISE EXCEPTION USING ERRCODE = 'P0999';
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN found;
END $$;
CREATE FUNCTION pg_temp.finds(expected text[], why text, VARIADIC statements text[]) RETURNS text
LANGUAGE sql AS $$ SELECT tap.is(pg_temp.found(VARIADIC statements), expected, format('verify() finds %s after this change: %s', expected, why)) $$;

-- A history
SELECT pg_temp.finds('{event_hash}', 'event: ' || change, format(
	'UPDATE returns.return_event SET %s WHERE return_id = %s AND seq = 3', change, :settled))
  FROM unnest(ARRAY['at = at - interval ''1 second''', 'actor = ''buyer''', 'actor = NULL', 'actor_ref = ''other''',
	'db_role = ''nobody''', 'note = ''another''', 'note = NULL', 'details = ''{"a": 1}''', 'due_at = NULL',
	'hash = ''\x00''', 'order_ref = order_ref']) AS change
 WHERE change <> 'order_ref = order_ref';
SELECT pg_temp.finds('{event_hash,event_position}', 'event: ' || change, format(
	'UPDATE returns.return_event SET %s WHERE return_id = %s AND seq = 3', change, :settled))
  FROM unnest(ARRAY['epoch = 2', 'epoch = 0', 'xid = ''3''', 'xid = ''9223372036854775807''']) AS change;
SELECT pg_temp.finds('{event_chain,event_hash}', 'event: ' || change, format(
	'UPDATE returns.return_event SET %s WHERE return_id = %s AND seq = 3', change, :settled))
  FROM unnest(ARRAY['from_state = ''draft''', 'to_state = ''rejected''', 'kind = ''receipt''']) AS change;
SELECT pg_temp.finds('{event_chain,event_hash,event_sequence}', 'an event in the middle is gone',
	format('DELETE FROM returns.return_event WHERE return_id = %s AND seq = 3', :settled));
SELECT pg_temp.finds('{event_chain,event_hash,event_sequence,request_head}', 'the first event is gone',
	format('DELETE FROM returns.return_event WHERE return_id = %s AND seq = 1', :draft),
	format('UPDATE returns.return_request SET last_seq = 2, last_hash = ''\x01'' WHERE id = %s', :draft),
	format('INSERT INTO returns.return_event (return_id, xid, at, seq, epoch, order_ref, kind, from_state, to_state, db_role, hash, due_at)'
	' SELECT id, ''5'', created_at, 2, 1, order_ref, ''transition'', ''x'', ''draft'', ''r'', ''\x01'', due_at FROM returns.return_request WHERE id = %s', :draft));
SELECT pg_temp.finds('{request_head}', 'the last event is gone',
	format('DELETE FROM returns.return_event WHERE return_id = %s AND seq = 9', :gift),
	format('DELETE FROM returns.return_event e USING returns.return_request r WHERE r.id = %s AND e.return_id = r.id AND e.seq = r.last_seq', :open));
SELECT pg_temp.finds('{request_head}', 'an event was added behind the head',
	format('UPDATE returns.return_request r SET last_seq = e.seq, last_hash = e.hash, status = e.to_state, due_at = e.due_at'
	' FROM returns.return_event e WHERE r.id = %s AND e.return_id = r.id AND e.seq = r.last_seq - 1', :open));
SELECT pg_temp.finds('{event_reference,line_reference,sale_reserved}', 'a return is gone and its history stayed',
	format('DELETE FROM returns.return_request WHERE id = %s', :open));

-- A request
SELECT pg_temp.finds(expected::text[], 'request: ' || change, format('UPDATE returns.return_request SET %s WHERE id = %s', change, :open))
  FROM (VALUES
	('last_hash = NULL', '{request_head}'),
	('last_hash = ''\x00''', '{request_head}'),
	('last_seq = last_seq + 1', '{request_head}'),
	('last_xid = ''3''', '{request_head}'),
	('last_transfer = 1', '{transfer_sequence}'),
	('status = ''approved''', '{request_status}'),
	('status = ''refund_due''', '{line_decision,request_status,return_status}'),
	('status = ''no_such_state''', '{request_state,request_status,sale_reserved,workflow}'),
	('on_timeout = ''no_such_state''', '{request_state}'),
	('due_at = due_at + interval ''1 day''', '{request_deadline}'),
	('due_at = NULL', '{request_deadline}'),
	('wake_at = NULL', '{request_deadline}'),
	('closed_at = now()', '{request_state}'),
	('requested_at = NULL', '{request_state}'),
	('categories = NULL', '{request_state}'),
	('seller_ref = ''other''', '{line_parties}'),
	('buyer_ref = ''other''', '{line_parties}'),
	('currency = ''RUB''', '{line_parties}'),
	('refund_total = 1', '{return_ledger,return_refunds,return_total}')
  ) AS v (change, expected);
SELECT pg_temp.finds('{request_deadline}', 'ended: ' || change, format('UPDATE returns.return_request SET %s WHERE id = %s', change, :settled))
  FROM unnest(ARRAY['due_at = now()', 'on_timeout = ''closed''', 'wake_at = now()', 'overdue = true']) AS change;
SELECT pg_temp.finds('{request_state}', 'ended, and no closed_at',
	format('UPDATE returns.return_request SET closed_at = NULL WHERE id = %s', :settled));

-- Lines and the counters of their sales
SELECT pg_temp.finds(expected::text[], 'line: ' || change,
	format('UPDATE returns.return_line SET %s WHERE return_id = %s AND line_no = 1', change, :open))
  FROM (VALUES
	('quantity = 3', '{sale_reserved}'),
	('quantity = 0', '{line_units,sale_reserved}'),
	('quantity = 4', '{line_units,sale_reserved}'),
	('received = 1', '{line_receipt,line_units}'),
	('received = 3', '{line_receipt,line_units}'),
	('accepted = 1', '{line_receipt}'),
	('accepted = 3', '{line_receipt,line_units}'),
	('accepted = -1', '{line_receipt,line_units}'),
	('deduction = 6', '{line_receipt}'),
	('deduction = NULL', '{line_receipt}'),
	('refund_fee = 0', '{line_decision}'),
	('refund_shipping = 0', '{line_decision}')
  ) AS v (change, expected);
SELECT pg_temp.finds(expected::text[], 'line decided: ' || change,
	format('UPDATE returns.return_line SET %s WHERE return_id = %s AND line_no = 1', change, :settled))
  FROM (VALUES
	('refund_goods = refund_goods - 0.01', '{return_ledger,return_total,sale_refunded}'),
	('refund_goods = refund_goods + 0.02, refund_fee = refund_fee + 0.02', '{return_ledger,sale_share}'),
	('refund_fee = refund_fee + 0.01', '{return_ledger,return_total,sale_refunded}'),
	('refund_shipping = refund_shipping + 0.01', '{return_ledger,return_total,sale_refunded}'),
	('refund_fee = -1, refund_shipping = refund_shipping - refund_fee - 1', '{line_price,return_ledger}'),
	('deduction = -1', '{line_price,line_receipt,return_commission,return_ledger,return_total,sale_refunded}'),
	('deduction = 99', '{line_price,line_receipt,return_commission,return_ledger,return_total,sale_refunded}'),
	('accepted = 1', '{line_receipt,sale_returned,sale_share}'),
	('refund_goods = NULL, refund_fee = NULL, refund_shipping = NULL', '{line_decision,return_commission,return_ledger,return_total,sale_refunded}')
  ) AS v (change, expected);
SELECT pg_temp.finds('{line_decision}', 'a draft that is priced',
	format('UPDATE returns.return_line SET refund_goods = 33.33, refund_fee = 0, refund_shipping = 0, accepted = 1 WHERE return_id = %s', :draft));
SELECT pg_temp.finds('{return_commission,return_ledger,return_total,sale_refunded,sale_returned}', 'a line is gone',
	format('DELETE FROM returns.return_line WHERE return_id = %s AND line_no = 1', :settled));
SELECT pg_temp.finds('{sale_money}', 'more shipping refunded than was paid',
	'UPDATE returns.sale_line SET shipping_paid = 1 WHERE order_ref = ''due'' AND line_no = 1');
SELECT pg_temp.finds('{line_reference}', 'a sale is gone',
	'DELETE FROM returns.sale_line WHERE order_ref = ''open'' AND line_no = 1');
SELECT pg_temp.finds(expected::text[], 'sale: ' || change, constraints,
	format('UPDATE returns.sale_line SET %s WHERE order_ref = ''settled'' AND line_no = 1', change))
  FROM (VALUES
	('reserved = 1', '{sale_reserved}'),
	('returned = 1', '{sale_returned}'),
	('returned = 3', '{sale_returned}'),
	('refunded = refunded + 0.01', '{sale_refunded}'),
	('refunded = 0', '{sale_refunded}'),
	('amount_paid = 50', '{sale_money,sale_share}'),
	('amount_paid = 100.10', '{sale_share}'),
	('quantity = 1', '{line_units,sale_share,sale_units}'),
	('reserved = -1', '{sale_reserved,sale_units}'),
	('seller_ref = ''other''', '{line_parties}'),
	('buyer_ref = ''other''', '{line_parties}'),
	('market = ''ru''', '{line_parties}')
  ) AS v (change, expected),
  (VALUES ('ALTER TABLE returns.sale_line DROP CONSTRAINT sale_line_units, DROP CONSTRAINT sale_line_money')) AS c (constraints);

-- Refunds and payments
SELECT pg_temp.finds(expected::text[], 'refund: ' || change,
	'ALTER TABLE returns.payment DROP CONSTRAINT payment_money',
	format('UPDATE returns.refund SET %s WHERE id = (SELECT min(id) FROM returns.refund WHERE order_ref = ''settled'')', change))
  FROM (VALUES
	('amount = amount - 1', '{payment_refunded,refund_event,refund_issue,refund_ledger,return_refunds}'),
	('amount = amount + 9', '{payment_cap,payment_refunded,refund_event,refund_issue,refund_ledger,return_refunds}'),
	('currency = ''RUB''', '{refund_currency,refund_event,refund_issue}'),
	('status = ''pending''', '{refund_event,refund_ledger,return_status}'),
	('status = ''sent''', '{refund_event,refund_ledger,refund_state,return_status}'),
	('status = ''failed''', '{payment_refunded,refund_event,refund_ledger,refund_state,return_status}'),
	('status = ''no_such_state''', '{refund_event,refund_ledger,refund_state,return_status,workflow}'),
	('attempt = 2', '{refund_event}'),
	('attempt = 0', '{refund_event,refund_state}'),
	('settled_at = NULL', '{refund_event,refund_state}'),
	('sent_at = sent_at - interval ''1 second''', '{refund_event}'),
	('failed_at = settled_at', '{refund_event}'),
	('failure = ''forged''', '{refund_event}'),
	('provider = ''other''', '{refund_event,refund_issue}'),
	('provider = NULL', '{refund_event,refund_issue}'),
	('idempotency_key = ''another''', '{refund_issue}'),
	('lease_until = now()', '{refund_state}'),
	('provider_ref = ''other''', '{refund_event}'),
	('provider_ref = NULL', '{refund_event}'),
	('payment_no = 2', '{payment_refunded,refund_event,refund_issue}'),
	('payment_no = 9', '{payment_refunded,refund_event,refund_issue,refund_reference}'),
	('created_at = created_at - interval ''1 second''', '{refund_issue}'),
	('settled_at = settled_at - interval ''1 second''', '{refund_event}')
  ) AS v (change, expected);
SELECT pg_temp.finds('{refund_event}', format('refund that failed late: %s', change), format(
	'UPDATE returns.refund SET %s WHERE id = (SELECT min(id) FROM returns.refund WHERE order_ref = ''late'')', change))
  FROM unnest(ARRAY['failure = ''forged''', 'failure = NULL', 'provider_ref = ''other''', 'provider_ref = NULL',
	'settled_at = settled_at - interval ''1 second''', 'sent_at = NULL', 'failed_at = failed_at - interval ''1 second''']) AS change;
SELECT pg_temp.finds('{payment_refunded,refund_issue,refund_reference,return_refunds,transfer_reference}', 'a settled refund is gone',
	'DELETE FROM returns.refund WHERE id = (SELECT min(id) FROM returns.refund WHERE order_ref = ''settled'')');
SELECT pg_temp.finds('{payment_refunded,refund_issue,return_refunds}', 'a pending refund is gone',
	format('DELETE FROM returns.refund WHERE return_id = %s', :gift));
SELECT pg_temp.finds(expected::text[], 'payment: ' || change,
	'ALTER TABLE returns.payment DROP CONSTRAINT payment_money',
	format('UPDATE returns.payment SET %s WHERE order_ref = ''settled'' AND payment_no = 1', change))
  FROM (VALUES
	('refunded = refunded - 1', '{payment_refunded}'),
	('amount = 94', '{payment_cap}'),
	('captured_at = NULL', '{payment_cap}'),
	('currency = ''RUB''', '{refund_currency}')
  ) AS v (change, expected);

-- The money of returns
SELECT pg_temp.finds('{return_ledger,return_refunds,return_total}', 'refund_total: another amount',
	format('UPDATE returns.return_request SET refund_total = refund_total + 1 WHERE id = %s', :settled));
SELECT pg_temp.finds('{return_commission,return_ledger,return_refunds,return_status,sale_refunded}', 'refund_total: none',
	format('UPDATE returns.return_request SET refund_total = NULL WHERE id = %s', :settled));
SELECT pg_temp.finds('{request_deadline,request_state,request_status,return_status,sale_reserved,sale_returned}',
	'refunded while a refund is not settled',
	format('UPDATE returns.return_request SET status = ''refunded'' WHERE id = %s', :late));
SELECT pg_temp.finds('{request_state,request_status,return_status,sale_reserved,sale_returned}', 'not refunded while all are settled',
	format('UPDATE returns.return_request SET status = ''refund_due'' WHERE id = %s', :settled));
SELECT pg_temp.finds('{event_chain,event_hash,refund_issue,return_ledger,return_refunds,transfer_event}', 'a grant of another amount',
	format('UPDATE returns.return_event SET details = ''{"amount": 8}'', kind = ''transition'' WHERE return_id = %s AND kind = ''override''', :gift));

-- The ledger
SELECT pg_temp.finds(expected::text[], 'entry: ' || change,
	format('UPDATE returns.ledger_entry SET %s WHERE return_id = %s AND transfer_no = 1 AND account = ''buyer_payable''', change, :settled))
  FROM (VALUES
	('amount = amount - 1', '{return_ledger,transfer_balance,transfer_event}'),
	('currency = ''RUB''', '{transfer_balance}'),
	('account = ''cash''', '{return_ledger,transfer_event}'),
	('account = ''no_such_account''', '{return_ledger,transfer_event,transfer_reference}'),
	('party_ref = ''other''', '{transfer_event,transfer_party}'),
	('entry_no = 77', '{transfer_balance}'),
	('transfer_no = 77', '{return_ledger,transfer_balance,transfer_event,transfer_reference}')
  ) AS v (change, expected);
SELECT pg_temp.finds('{return_ledger,transfer_balance,transfer_event}', 'an entry is gone',
	format('DELETE FROM returns.ledger_entry WHERE return_id = %s AND transfer_no = 1 AND account = ''buyer_payable''', :settled));
SELECT pg_temp.finds('{return_ledger,transfer_event}', 'what was borne and owed, both more',
	format('UPDATE returns.ledger_entry SET amount = amount + sign(amount) WHERE return_id = %s AND transfer_no = 1 AND account IN (''buyer_payable'', ''seller_receivable'')', :settled));
SELECT pg_temp.finds('{return_commission,transfer_event}', 'from the seller to the commission: ' || more,
	format('UPDATE returns.ledger_entry SET amount = amount + CASE account WHEN ''seller_receivable'' THEN -(%1$s) ELSE %1$s END'
	' WHERE return_id = %2$s AND transfer_no = 1 AND account IN (''seller_receivable'', ''commission_income'')', more, :settled))
  FROM unnest('{1,0.01,-0.01}'::numeric[]) AS more;
SELECT pg_temp.finds('{return_commission,transfer_event}', 'no commission, and the seller bears it all',
	format('UPDATE returns.ledger_entry SET account = ''seller_receivable'' WHERE return_id = %s AND transfer_no = 1 AND account = ''commission_income''', :settled));
SELECT pg_temp.finds('{return_commission}', 'the sale has another commission_rate',
	'UPDATE returns.sale_line SET commission_rate = 0.11 WHERE order_ref = ''settled'' AND line_no = 1');
-- no sum detects these changes, but the events do
SELECT pg_temp.finds('{transfer_event}', 'from one provider to another',
	format('UPDATE returns.ledger_entry SET party_ref = ''other'' WHERE return_id = %s AND account IN (''provider_clearing'', ''cash'')', :settled));
SELECT pg_temp.finds('{refund_issue}', 'a pending refund from one payment to another, with all that is summed',
	format('UPDATE returns.refund SET payment_no = 2 WHERE return_id = %s', :gift),
	'UPDATE returns.payment SET refunded = CASE payment_no WHEN 2 THEN 7.50 ELSE 0 END WHERE order_ref = ''gift''');
SELECT pg_temp.finds('{return_ledger,transfer_event}', 'the last transfer is gone, and the counter with it',
	format('DELETE FROM returns.ledger_entry WHERE return_id = %s', :gift),
	format('DELETE FROM returns.ledger_transfer WHERE return_id = %s', :gift),
	format('UPDATE returns.return_request SET last_transfer = 0 WHERE id = %s', :gift));
SELECT pg_temp.finds('{refund_ledger,transfer_event}', 'what was sent, more of it on both sides',
	format('UPDATE returns.ledger_entry SET amount = amount + sign(amount) WHERE return_id = %s AND transfer_no = 2', :settled));
SELECT pg_temp.finds(expected::text[], 'transfer: ' || change,
	format('UPDATE returns.ledger_transfer SET %s WHERE return_id = %s AND transfer_no = 2', change, :settled))
  FROM (VALUES
	('refund_id = 0', '{refund_ledger,transfer_event,transfer_reference}'),
	('refund_id = NULL', '{refund_ledger,transfer_event}'),
	('kind = ''refund_settled''', '{transfer_event}'),
	('at = at - interval ''1 second''', '{transfer_event}'),
	('reverses = 77', '{transfer_event,transfer_reversal}'),
	('reverses = 1', '{transfer_event,transfer_reversal}'),
	('transfer_no = 77', '{refund_ledger,transfer_balance,transfer_event,transfer_reference,transfer_sequence}')
  ) AS v (change, expected);
SELECT pg_temp.finds('{refund_ledger,transfer_event,transfer_sequence}', 'a transfer is gone with its entries',
	format('DELETE FROM returns.ledger_entry WHERE return_id = %s AND transfer_no = 2', :settled),
	format('DELETE FROM returns.ledger_transfer WHERE return_id = %s AND transfer_no = 2', :settled));
SELECT pg_temp.finds('{refund_ledger,transfer_event,transfer_reversal}', 'a reversal that takes back less',
	format('UPDATE returns.ledger_entry b SET amount = amount - sign(amount) FROM returns.ledger_transfer t'
	' WHERE b.return_id = %s AND t.return_id = b.return_id AND t.transfer_no = b.transfer_no AND t.reverses IS NOT NULL', :late));
SELECT pg_temp.finds('{refund_ledger,transfer_event,transfer_reversal}', 'a transfer reversed twice',
	'DROP INDEX returns.ledger_transfer_reverses',
	format('INSERT INTO returns.ledger_entry (order_ref, return_id, transfer_no, entry_no, account, party_ref, amount, currency, written)'
	' SELECT order_ref, return_id, 99, entry_no, account, party_ref, amount, currency, written'
	' FROM returns.ledger_entry WHERE return_id = %1$s AND transfer_no = (SELECT max(transfer_no) FROM returns.ledger_transfer WHERE return_id = %1$s)', :late),
	format('INSERT INTO returns.ledger_transfer SELECT order_ref, return_id, 99, refund_id, kind, at, reverses'
	' FROM returns.ledger_transfer WHERE return_id = %1$s AND transfer_no = (SELECT max(transfer_no) FROM returns.ledger_transfer WHERE return_id = %1$s)', :late),
	format('UPDATE returns.ledger_transfer SET transfer_no = 1 + (SELECT last_transfer FROM returns.return_request WHERE id = %1$s) WHERE return_id = %1$s AND transfer_no = 99', :late),
	format('UPDATE returns.ledger_entry SET transfer_no = 1 + (SELECT last_transfer FROM returns.return_request WHERE id = %1$s) WHERE return_id = %1$s AND transfer_no = 99', :late),
	format('UPDATE returns.return_request SET last_transfer = last_transfer + 1 WHERE id = %s', :late));
SELECT pg_temp.finds('{refund_ledger,transfer_event,transfer_reversal}', 'a reversal reversed', format(
	'UPDATE returns.ledger_transfer t SET refund_id = NULL WHERE return_id = %s AND reverses IS NOT NULL', :late));

-- The checkpoint of the balances, which is written before it is broken
SELECT pg_temp.finds('{}', 'a checkpoint as it should be', 'SELECT returns.checkpoint_balances()');
SELECT pg_temp.finds('{ledger_checkpoint}', 'checkpoint: ' || change, 'SELECT returns.checkpoint_balances()', change)
  FROM unnest(ARRAY[
	'INSERT INTO returns.ledger_checkpoint VALUES (''cash'', ''nobody'', ''KZT'', 1, 0)',
	'INSERT INTO returns.ledger_checkpoint VALUES (''cash'', ''nobody'', ''KZT'', 0, 1)',
	'INSERT INTO returns.ledger_checkpoint VALUES (''cash'', ''nobody'', ''KZT'', 1, 1)',
	'UPDATE returns.ledger_checkpoint SET debit = debit + 1 WHERE account = ''cash''',
	'UPDATE returns.ledger_checkpoint SET credit = credit - 1 WHERE account = ''cash''',
	'UPDATE returns.ledger_checkpoint SET party_ref = ''other'' WHERE account = ''buyer_payable''',
	'UPDATE returns.ledger_checkpoint SET currency = ''RUB'' WHERE account = ''buyer_payable''',
	'DELETE FROM returns.ledger_checkpoint WHERE account = ''seller_receivable''',
	'UPDATE returns.ledger_horizon SET written = 0']) AS change;

-- --------------------------------------------------------------- installation

SELECT pg_temp.finds('{trigger}', format('%s of %s: disabled', tgname, tgrelid::regclass),
	format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname))
  FROM pg_trigger
  JOIN pg_proc p ON p.oid = tgfoid
 WHERE pronamespace = 'returns'::regnamespace AND NOT tgisinternal
 ORDER BY tgrelid::regclass::text, tgname;
SELECT pg_temp.finds('{trigger}', 'a trigger of the extension twice',
	'CREATE TRIGGER zz_returns_refund_booked AFTER UPDATE ON returns.refund FOR EACH ROW EXECUTE FUNCTION returns.refund_booked()');
SELECT pg_temp.finds('{trigger}', format('%s of %s: gone', tgname, tgrelid::regclass),
	format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass))
  FROM pg_trigger
  JOIN pg_proc p ON p.oid = tgfoid
 WHERE pronamespace = 'returns'::regnamespace AND NOT tgisinternal
 ORDER BY tgrelid::regclass::text, tgname;
SELECT pg_temp.finds('{trigger}', format('%s of %s: not kept', conname, conrelid::regclass),
	format('ALTER TABLE %s DISABLE TRIGGER ALL', conrelid::regclass), format('ALTER TABLE %s ENABLE TRIGGER USER', conrelid::regclass))
  FROM pg_constraint
 WHERE contype = 'f' AND conrelid IN ('returns.return_line'::regclass, 'returns.refund'::regclass, 'returns.ledger_transfer'::regclass, 'returns.ledger_entry'::regclass)
 ORDER BY conrelid::regclass::text, conname;
SELECT pg_temp.finds('{trigger}', format('%s of %s: gone', conname, conrelid::regclass),
	format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname))
  FROM pg_constraint
 WHERE contype = 'f' AND conrelid IN ('returns.return_line'::regclass, 'returns.refund'::regclass, 'returns.ledger_transfer'::regclass, 'returns.ledger_entry'::regclass)
 ORDER BY conrelid::regclass::text, conname;
SELECT pg_temp.finds('{trigger}', 'a trigger for replica sessions only',
	'ALTER TABLE returns.return_request ENABLE REPLICA TRIGGER zz_returns_request');
SELECT pg_temp.finds('{trigger}', 'a trigger of rules that replicas do not fire',
	'ALTER TABLE returns.transition ENABLE TRIGGER "00_returns_rules_changed"');
SELECT pg_temp.finds('{trigger}', 'a trigger for a part of the events',
	'CREATE OR REPLACE TRIGGER zz_returns_request BEFORE INSERT ON returns.return_request FOR EACH ROW EXECUTE FUNCTION returns.request_row()');
SELECT pg_temp.finds('{trigger}', 'a trigger with a condition',
	'CREATE OR REPLACE TRIGGER zz_returns_event BEFORE INSERT OR DELETE OR UPDATE ON returns.return_event FOR EACH ROW WHEN (false) EXECUTE FUNCTION returns.protected()');
SELECT pg_temp.finds('{}', 'a trigger that fires always is as good',
	'ALTER TABLE returns.return_request ENABLE ALWAYS TRIGGER zz_returns_request');
SELECT pg_temp.finds('{}', 'a trigger of the user is no violation',
	'CREATE FUNCTION pg_temp.mine() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN new; END''',
	'CREATE TRIGGER mine BEFORE UPDATE ON returns.return_request FOR EACH ROW EXECUTE FUNCTION pg_temp.mine()');
SELECT pg_temp.finds('{row_security}', 'row-level security: ' || relname, format('ALTER TABLE returns.%I DISABLE ROW LEVEL SECURITY', relname))
  FROM pg_class WHERE relnamespace = 'returns'::regnamespace AND relrowsecurity ORDER BY relname;
SELECT pg_temp.finds('{row_security}', 'a policy is gone', 'DROP POLICY returns_parties ON returns.refund');
SELECT pg_temp.finds('{workflow}', 'a state that leads nowhere',
	'INSERT INTO returns.state (machine, code, kind) VALUES (''return'', ''limbo'', ''open'')',
	'INSERT INTO returns.transition (machine, from_state, to_state, actors) VALUES (''return'', ''requested'', ''limbo'', ''{seller}'')');
SELECT pg_temp.finds('{version}', 'tables of another version', 'UPDATE returns.installation SET version = ''0.0.1''');
SELECT pg_temp.finds('{child_table}', 'a child of ' || t, format('CREATE TABLE public.child () INHERITS (returns.%I)', t))
  FROM unnest('{sale_line,payment,return_request,return_line,return_event,refund,ledger_transfer,ledger_entry}'::text[]) AS t;
SELECT pg_temp.finds('{index}', 'an index that is not valid',
	'UPDATE pg_index SET indisvalid = false WHERE indexrelid = ''returns.return_request_wake''::regclass');
CREATE ROLE verify_other;
SELECT pg_temp.finds('{table_owner}', 'a table of another owner', 'ALTER TABLE returns.refund OWNER TO verify_other');

-- ------------------------------------------------------------------ rights

GRANT USAGE ON SCHEMA returns TO verify_other;
GRANT SELECT ON ALL TABLES IN SCHEMA returns TO verify_other;
CREATE ROLE verify_member;
SELECT format('GRANT %I TO verify_member', current_user) \gexec
INSERT INTO returns.actor_grant (db_role, actor) VALUES ('verify_other', 'operator');
CREATE TEMP TABLE asked (who name, sqlstate text, detail text, found bigint);
GRANT INSERT ON asked TO verify_other, verify_member;
CREATE FUNCTION pg_temp.ask() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	state text;
	detail text;
	n bigint;
BEGIN
	SELECT count(*) INTO n FROM returns.verify();
	INSERT INTO asked VALUES (current_user, '00000', NULL, n);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL;
	INSERT INTO asked VALUES (current_user, state, detail, NULL);
END $$;
SET ROLE verify_other;
SELECT pg_temp.ask();
SET ROLE verify_member;
SELECT pg_temp.ask();
RESET ROLE;
SELECT tap.is(sqlstate, '42501', 'a role that does not see all rows may not call verify()') FROM asked WHERE who = 'verify_other';
SELECT tap.matches(detail, 'return_request.*verify_other', 'verify() names the table whose rows are hidden from the role') FROM asked WHERE who = 'verify_other';
SELECT tap.is(found, 0::bigint, 'a member of the owner of the tables may call verify()') FROM asked WHERE who = 'verify_member';
SELECT tap.throws_ok($$ SELECT pg_temp.found('DROP TABLE returns.ledger_entry CASCADE') $$, 'RT012', NULL,
	'verify() refuses to run without one of the tables');
DELETE FROM returns.actor_grant WHERE db_role = 'verify_other';
DROP OWNED BY verify_other, verify_member;
DROP ROLE verify_other, verify_member;

SELECT tap.is_empty('SELECT * FROM returns.verify()', 'verify() finds nothing after all changes are rolled back');
SELECT * FROM tap.finish();
