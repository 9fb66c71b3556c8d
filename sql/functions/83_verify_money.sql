-- The audit of the money: refunds, their payments, the money of returns, and the
-- double-entry ledger.

CREATE FUNCTION returns.transfer_hash(order_ref text, return_id bigint, transfer_no int, refund_id bigint,
	kind text, at timestamptz, reverses int, currency text, accounts text[], parties text[], amounts numeric[])
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'returns_transfer_hash';
COMMENT ON FUNCTION returns.transfer_hash(text, bigint, int, bigint, text, timestamptz, int, text, text[], text[], numeric[]) IS
'The hash of a ledger transfer with this content

sha256 over every field with its length; the entries are in the order of entry_no. The event that
posted the transfer has it, in hexadecimal, in details -> booked -> transfers -> transfer_no.';

CREATE FUNCTION returns.verify_refunds(OUT invariant text, OUT order_ref text,
	OUT return_id bigint, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
WITH issued AS MATERIALIZED (
	SELECT e.order_ref, e.return_id, e.seq, e.at, r.refund ->> 'refund_id' AS refund_id, r.refund
	FROM returns.return_event e
	CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(e.details #> '{booked,refunds}') = 'array'
		THEN e.details #> '{booked,refunds}' END) AS r (refund)
	WHERE e.details ? 'booked'
), report AS (
	SELECT e.order_ref, e.return_id, e.seq, e.at, e.details, e.details ->> 'refund_id' AS refund_id,
		e.details ->> 'status' AS status, e.details ->> 'from' IS DISTINCT FROM e.details ->> 'status' AS moved
	FROM returns.return_event e
	WHERE e.kind = 'refund'
), reported AS MATERIALIZED (
	SELECT e.order_ref, e.return_id, e.refund_id, max(e.seq) AS seq, (array_agg(e.details ORDER BY e.seq DESC))[1] AS details,
		(array_agg(e.at ORDER BY e.seq DESC) FILTER (WHERE e.moved AND e.status = 'sent'))[1] AS sent_at,
		(array_agg(e.at ORDER BY e.seq DESC) FILTER (WHERE e.moved AND e.status = 'settled'))[1] AS settled_at,
		(array_agg(e.at ORDER BY e.seq DESC) FILTER (WHERE e.moved AND e.status = 'failed'))[1] AS failed_at,
		(array_agg(e.details ->> 'failure' ORDER BY e.seq DESC) FILTER (WHERE e.status = 'failed'))[1] AS failure
	FROM report e
	GROUP BY e.order_ref, e.return_id, e.refund_id
)
SELECT v.invariant, coalesce(f.order_ref, e.order_ref), coalesce(f.return_id, e.return_id),
	format('Refund %s: %s.', coalesce(f.id::text, e.refund_id), v.detail)
FROM returns.refund f
FULL JOIN reported e ON e.order_ref = f.order_ref AND e.return_id = f.return_id AND e.refund_id = f.id::text
LEFT JOIN issued i ON i.order_ref = f.order_ref AND i.return_id = f.return_id AND i.refund_id = f.id::text
LEFT JOIN returns.return_request r ON r.order_ref = f.order_ref AND r.id = f.return_id
LEFT JOIN returns.payment p ON p.order_ref = f.order_ref AND p.payment_no = f.payment_no
LEFT JOIN (
	SELECT t.order_ref, t.return_id, t.refund_id,
		sum(b.amount) FILTER (WHERE b.account = 'buyer_payable') AS buyer_payable,
		sum(b.amount) FILTER (WHERE b.account = 'provider_clearing') AS provider_clearing,
		sum(b.amount) FILTER (WHERE b.account = 'cash') AS cash,
		count(*) FILTER (WHERE b.account <> ALL ('{buyer_payable,provider_clearing,cash}')) AS others
	FROM returns.ledger_transfer t
	JOIN returns.ledger_entry b ON b.order_ref = t.order_ref AND b.return_id = t.return_id
		AND b.transfer_no = t.transfer_no
	WHERE t.refund_id IS NOT NULL
	GROUP BY t.order_ref, t.return_id, t.refund_id
) b ON b.order_ref = f.order_ref AND b.return_id = f.return_id AND b.refund_id = f.id
CROSS JOIN LATERAL (
	SELECT 'refund_reference', CASE WHEN f.id IS NULL THEN format('event %s refers to it, but it does not exist', e.seq)
		WHEN r.id IS NULL THEN 'there is no such return' ELSE 'the order has no such payment' END
	WHERE f.id IS NULL OR r.id IS NULL OR p.payment_no IS NULL
	UNION ALL
	SELECT 'refund_currency', format('it is in %s, its return in %s, its payment in %s', f.currency, r.currency, p.currency)
	WHERE f.currency <> r.currency OR f.currency <> p.currency
	UNION ALL
	SELECT 'refund_state', format('status "%s", attempt %s, sent_at %s, settled_at %s, failed_at %s', f.status, f.attempt,
		coalesce(f.sent_at::text, 'none'), coalesce(f.settled_at::text, 'none'), coalesce(f.failed_at::text, 'none'))
	WHERE (f.id IS NOT NULL
			AND NOT EXISTS (SELECT FROM returns.state s WHERE s.machine = 'refund' AND s.code = f.status))
		OR (f.status = 'sent' AND (f.sent_at IS NULL OR f.lease_until IS NULL))
		OR (f.status IN ('sent', 'settled') AND f.attempt = 0)
		OR (f.status = 'settled' AND f.settled_at IS NULL)
		OR (f.status = 'failed' AND f.failed_at IS NULL)
		OR (f.status <> 'sent' AND f.lease_until IS NOT NULL)
	UNION ALL
	SELECT 'refund_event', CASE WHEN e.seq IS NULL THEN format('no event reports status "%s", attempt %s, provider_ref "%s"', f.status, f.attempt,
			f.provider_ref)
		ELSE format('%s %s of payment %s, provider %s, status "%s", attempt %s, provider_ref "%s"; event %s says %s', f.amount, f.currency,
			f.payment_no, coalesce(f.provider, 'none'), f.status, f.attempt, f.provider_ref, e.seq, e.details) END
	WHERE f.id IS NOT NULL AND (e.details ->> 'provider_ref' IS DISTINCT FROM f.provider_ref
		OR CASE WHEN e.seq IS NULL THEN f.status <> 'pending' OR f.attempt <> 0
			ELSE NOT e.details @> jsonb_build_object('payment_no', f.payment_no, 'amount', f.amount,
					'currency', f.currency, 'status', f.status, 'attempt', f.attempt)
				OR e.details ->> 'provider' IS DISTINCT FROM f.provider END)
	UNION ALL
	SELECT 'refund_issue', CASE WHEN i.seq IS NULL THEN 'no event has issued it'
		ELSE format('event %s issued %s at %s; it is %s %s of payment %s, provider %s, key %s, created at %s', i.seq, i.refund,
			i.at, f.amount, f.currency, f.payment_no, coalesce(f.provider, 'none'), f.idempotency_key, f.created_at) END
	WHERE f.id IS NOT NULL AND (i.seq IS NULL OR f.created_at <> i.at
		OR i.refund ->> 'provider' IS DISTINCT FROM f.provider
		OR NOT i.refund @> jsonb_build_object('payment_no', f.payment_no, 'amount', f.amount, 'currency', f.currency,
			'idempotency_key', f.idempotency_key))
	UNION ALL
	SELECT 'refund_event', format('sent at %s, settled at %s, failed at %s for "%s"; its events say: %s, %s, %s, "%s"',
		coalesce(f.sent_at::text, 'no time'), coalesce(f.settled_at::text, 'no time'), coalesce(f.failed_at::text, 'no time'), f.failure,
		coalesce(e.sent_at::text, 'no time'), coalesce(e.settled_at::text, 'no time'), coalesce(e.failed_at::text, 'no time'), e.failure)
	WHERE f.id IS NOT NULL
		AND (f.sent_at, f.settled_at, f.failed_at, f.failure) IS DISTINCT FROM (e.sent_at, e.settled_at, e.failed_at, e.failure)
	UNION ALL
	SELECT 'refund_ledger', format('its status is %s, its amount %s; posted: %s on buyer_payable, %s on provider_clearing, %s on cash%s',
		f.status, f.amount, coalesce(b.buyer_payable, 0), coalesce(b.provider_clearing, 0), coalesce(b.cash, 0),
		CASE WHEN b.others > 0 THEN ', and on other accounts' ELSE '' END)
	WHERE coalesce(b.buyer_payable, 0) <> CASE WHEN f.status IN ('sent', 'settled') THEN f.amount ELSE 0 END
		OR coalesce(b.provider_clearing, 0) <> CASE WHEN f.status = 'sent' THEN -f.amount ELSE 0 END
		OR coalesce(b.cash, 0) <> CASE WHEN f.status = 'settled' THEN -f.amount ELSE 0 END
		OR b.others > 0
) AS v (invariant, detail)
UNION ALL
SELECT 'refund_issue', i.order_ref, i.return_id, format('Event %s has issued %s, which does not exist.', i.seq, i.refund)
FROM issued i
LEFT JOIN returns.refund f ON f.order_ref = i.order_ref AND f.return_id = i.return_id AND f.id::text = i.refund_id
WHERE f.id IS NULL
UNION ALL
SELECT v.invariant, p.order_ref, NULL, format('Payment %s: %s.', p.payment_no, v.detail)
FROM returns.payment p
LEFT JOIN (
	SELECT f.order_ref, f.payment_no, sum(f.amount) FILTER (WHERE f.status <> 'failed') AS amount,
		count(*) FILTER (WHERE f.status <> 'failed') AS refunds
	FROM returns.refund f
	GROUP BY f.order_ref, f.payment_no
) f ON f.order_ref = p.order_ref AND f.payment_no = p.payment_no
CROSS JOIN LATERAL (
	SELECT 'payment_refunded', format('refunded is %s, but its refunds that did not fail sum to %s', p.refunded, coalesce(f.amount, 0))
	WHERE p.refunded <> coalesce(f.amount, 0)
	UNION ALL
	SELECT 'payment_cap', format('its refunds sum to %s, its amount is %s%s', f.amount, p.amount,
		CASE WHEN p.captured_at IS NULL THEN ', which was never captured' ELSE '' END)
	WHERE f.amount > p.amount OR (f.refunds > 0 AND p.captured_at IS NULL)
) AS v (invariant, detail)
$$;
COMMENT ON FUNCTION returns.verify_refunds() IS
'The part of returns.verify() about refunds and payments

Refunds are as their events issued and reported them, except lease_until; the amounts that were sent
and settled are posted; the refunds that did not fail sum to payment.refunded and to no more than
was captured.';

CREATE FUNCTION returns.verify_money(OUT invariant text, OUT order_ref text,
	OUT return_id bigint, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
SELECT v.invariant, r.order_ref, r.id, v.detail
FROM returns.return_request r
LEFT JOIN (
	SELECT l.order_ref, l.return_id, sum(l.refund_goods) - coalesce(sum(l.deduction), 0) AS goods,
		sum(l.refund_fee) AS fee, sum(l.refund_shipping) AS shipping,
		count(*) FILTER (WHERE l.refund_goods IS NULL) AS undecided
	FROM returns.return_line l
	GROUP BY l.order_ref, l.return_id
) l ON l.order_ref = r.order_ref AND l.return_id = r.id
LEFT JOIN (
	SELECT f.order_ref, f.return_id, sum(f.amount) AS amount, count(*) AS refunds,
		count(*) FILTER (WHERE f.status = 'settled') AS settled
	FROM returns.refund f
	GROUP BY f.order_ref, f.return_id
) f ON f.order_ref = r.order_ref AND f.return_id = r.id
LEFT JOIN (
	SELECT e.order_ref, e.return_id, sum(CASE WHEN jsonb_typeof(e.details -> 'amount') = 'number'
		THEN (e.details -> 'amount')::numeric END) AS amount
	FROM returns.return_event e
	WHERE e.kind = 'override'
	GROUP BY e.order_ref, e.return_id
) g ON g.order_ref = r.order_ref AND g.return_id = r.id
LEFT JOIN (
	SELECT t.order_ref, t.return_id,
		count(DISTINCT t.transfer_no) FILTER (WHERE t.kind = 'refund_due') AS due_transfers,
		sum(b.amount) FILTER (WHERE t.kind = 'refund_due' AND b.account = 'buyer_payable') AS due,
		sum(b.amount) FILTER (WHERE t.kind = 'refund_due' AND b.account = 'restocking_income') AS fee,
		sum(b.amount) FILTER (WHERE t.kind = 'refund_due' AND b.account =
			ANY ('{seller_receivable,commission_income,shipping_expense,carrier_receivable}')) AS borne,
		sum(b.amount) FILTER (WHERE t.kind = 'override' AND b.account = 'goodwill_expense') AS granted
	FROM returns.ledger_transfer t
	JOIN returns.ledger_entry b ON b.order_ref = t.order_ref AND b.return_id = t.return_id
		AND b.transfer_no = t.transfer_no
	WHERE t.refund_id IS NULL
	GROUP BY t.order_ref, t.return_id
) b ON b.order_ref = r.order_ref AND b.return_id = r.id
CROSS JOIN LATERAL (
	SELECT 'return_total', format('Its refund_total is %s, its lines sum to %s%s.', coalesce(r.refund_total::text, 'missing'),
		l.goods - l.fee + l.shipping, CASE WHEN l.undecided > 0 THEN ' and are not all decided' ELSE '' END)
	WHERE r.refund_total IS NOT NULL
		AND (l.undecided <> 0 OR l.goods - l.fee + l.shipping <> r.refund_total OR l.undecided IS NULL)
	UNION ALL
	SELECT 'return_refunds', format('It owes %s and was granted %s, its refunds sum to %s.', coalesce(r.refund_total, 0),
		coalesce(g.amount, 0), coalesce(f.amount, 0))
	WHERE coalesce(r.refund_total, 0) + coalesce(g.amount, 0) <> coalesce(f.amount, 0)
	UNION ALL
	SELECT 'return_status', format('It is in state "%s", has %s refunds and %s of them settled%s.', r.status,
		coalesce(f.refunds, 0), coalesce(f.settled, 0),
		CASE WHEN r.refund_total IS NULL THEN ', and no refund_total' ELSE '' END)
	WHERE (r.status = 'refunded' AND (r.refund_total IS NULL OR f.settled <> f.refunds))
		OR (r.status = 'refund_due' AND (r.refund_total IS NULL OR coalesce(f.settled = f.refunds, true)))
	UNION ALL
	SELECT 'return_ledger', format('Decided: goods %s, fee %s, shipping %s; posted by %s transfers: %s borne, %s kept, %s owed to the buyer.',
		coalesce(l.goods, 0), coalesce(l.fee, 0), coalesce(l.shipping, 0), coalesce(b.due_transfers, 0),
		coalesce(b.borne, 0), -coalesce(b.fee, 0), -coalesce(b.due, 0))
	WHERE CASE WHEN r.refund_total IS NULL THEN b.due_transfers > 0
		ELSE coalesce(b.due, 0) <> -r.refund_total
			OR coalesce(b.fee, 0) <> -coalesce(l.fee, 0)
			OR coalesce(b.borne, 0) <> coalesce(l.goods + l.shipping, 0)
			OR b.due_transfers > 1 END
	UNION ALL
	SELECT 'return_ledger', format('It was granted %s, but %s is posted as goodwill.', coalesce(g.amount, 0), coalesce(b.granted, 0))
	WHERE coalesce(g.amount, 0) <> coalesce(b.granted, 0)
) AS v (invariant, detail)
UNION ALL
-- The commissions of the returns of a sale line sum to the commission on all its
-- returned units, in any order. A return priced first that pays nothing leaves its rounding.
SELECT 'return_commission', coalesce(l.order_ref, b.order_ref), NULL,
	format('Commission of %s %s was given back, but the decided lines give %s.', coalesce(b.amount, 0),
		coalesce(l.currency, b.currency), coalesce(l.commission, 0))
FROM (
	SELECT s.order_ref, s.currency, sum(round(s.commission_rate * l.amount, c.minor_units)) AS commission,
		sum(l.lines) * 10.0 ^ -min(c.minor_units) AS rounding
	FROM returns.sale_line s
	JOIN returns.currency c ON c.code = s.currency
	JOIN (
		SELECT l.order_ref, l.line_no, sum(l.refund_goods - coalesce(l.deduction, 0)) AS amount, count(*) AS lines
		FROM returns.return_line l
		JOIN returns.return_request r ON r.order_ref = l.order_ref AND r.id = l.return_id
		WHERE r.refund_total IS NOT NULL
		GROUP BY l.order_ref, l.line_no
	) l ON l.order_ref = s.order_ref AND l.line_no = s.line_no
	GROUP BY s.order_ref, s.currency
) l
FULL JOIN (
	SELECT t.order_ref, b.currency, sum(b.amount) AS amount
	FROM returns.ledger_transfer t
	JOIN returns.ledger_entry b ON b.order_ref = t.order_ref AND b.return_id = t.return_id
		AND b.transfer_no = t.transfer_no
	WHERE t.kind = 'refund_due' AND t.refund_id IS NULL AND b.account = 'commission_income'
	GROUP BY t.order_ref, b.currency
) b ON b.order_ref = l.order_ref AND b.currency = l.currency
LEFT JOIN (
	SELECT DISTINCT e.order_ref FROM returns.return_event e
	WHERE e.to_state IN (SELECT d.state FROM returns.decided_states() d WHERE NOT d.pays)
) x ON x.order_ref = l.order_ref
WHERE abs(coalesce(b.amount, 0) - coalesce(l.commission, 0)) > CASE WHEN x.order_ref IS NULL THEN 0 ELSE l.rounding END
$$;
COMMENT ON FUNCTION returns.verify_money() IS
'The part of returns.verify() about the money of returns

refund_total is the sum of the lines; the refunds sum to it and the grants; a return is refunded
if and only if all its refunds have settled; all of it is posted, with the commission on the goods.';

CREATE FUNCTION returns.verify_ledger(OUT invariant text, OUT order_ref text,
	OUT return_id bigint, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
WITH booked AS MATERIALIZED (
	SELECT e.order_ref, e.return_id, e.seq, t.transfer_no, t.hash
	FROM returns.return_event e
	CROSS JOIN LATERAL jsonb_each_text(CASE WHEN jsonb_typeof(e.details #> '{booked,transfers}') = 'object'
		THEN e.details #> '{booked,transfers}' END) AS t (transfer_no, hash)
	WHERE e.details ? 'booked'
)
SELECT v.invariant, coalesce(t.order_ref, b.order_ref), coalesce(t.return_id, b.return_id),
	format('Transfer %s: %s.', coalesce(t.transfer_no, b.transfer_no), v.detail)
FROM returns.ledger_transfer t
FULL JOIN (
	SELECT b.order_ref, b.return_id, b.transfer_no, count(*) AS entries, min(b.entry_no) AS first_no,
		array_agg(b.account ORDER BY b.entry_no) AS accounts, array_agg(b.party_ref ORDER BY b.entry_no) AS parties,
		array_agg(b.amount ORDER BY b.entry_no) AS amounts,
		max(b.entry_no) AS last_no, min(b.currency) AS currency, max(b.currency) AS other_currency,
		sum(b.amount) AS total, max(b.party_ref) FILTER (WHERE a.party = 'buyer') AS buyer,
		max(b.party_ref) FILTER (WHERE a.party = 'seller') AS seller,
		min(b.account) FILTER (WHERE a.code IS NULL) AS unknown
	FROM returns.ledger_entry b
	LEFT JOIN returns.ledger_account a ON a.code = b.account
	GROUP BY b.order_ref, b.return_id, b.transfer_no
) b ON b.order_ref = t.order_ref AND b.return_id = t.return_id AND b.transfer_no = t.transfer_no
LEFT JOIN returns.return_request r ON r.order_ref = t.order_ref AND r.id = t.return_id
LEFT JOIN returns.refund f ON f.id = t.refund_id AND f.return_id = t.return_id
LEFT JOIN booked e ON e.order_ref = t.order_ref AND e.return_id = t.return_id AND e.transfer_no = t.transfer_no::text
CROSS JOIN LATERAL (
	SELECT 'transfer_reference', CASE WHEN t.transfer_no IS NULL THEN 'it has entries but does not exist'
		WHEN r.id IS NULL THEN 'there is no such return'
		WHEN b.unknown IS NOT NULL THEN format('account "%s" is not in returns.ledger_account', b.unknown)
		ELSE format('the return has no refund %s', t.refund_id) END
	WHERE t.transfer_no IS NULL OR r.id IS NULL OR b.unknown IS NOT NULL
		OR (t.refund_id IS NOT NULL AND f.id IS NULL)
	UNION ALL
	SELECT 'transfer_balance', CASE WHEN b.total <> 0 THEN format('it is out of balance by %s %s', b.total, b.currency)
		WHEN b.currency <> b.other_currency THEN format('it has entries in %s and in %s', b.currency, b.other_currency)
		WHEN b.currency <> r.currency THEN format('it is in %s, its return in %s', b.currency, r.currency)
		ELSE format('it has %s entries, numbered %s to %s', coalesce(b.entries, 0), b.first_no, b.last_no) END
	WHERE b.total <> 0 OR b.currency <> b.other_currency OR b.currency <> r.currency
		OR coalesce(b.entries, 0) < 2 OR b.first_no <> 1 OR b.last_no <> b.entries
	UNION ALL
	SELECT 'transfer_event', CASE WHEN e.seq IS NULL THEN 'no event has posted it'
		ELSE format('it differs from what event %s has posted', e.seq) END
	WHERE t.transfer_no IS NOT NULL AND e.hash IS DISTINCT FROM encode(returns.transfer_hash(t.order_ref, t.return_id,
		t.transfer_no, t.refund_id, t.kind, t.at, t.reverses, b.currency, b.accounts, b.parties, b.amounts), 'hex')
	UNION ALL
	SELECT 'transfer_party', format('posted to buyer %s and seller %s, the return has %s and %s', b.buyer, b.seller,
		r.buyer_ref, r.seller_ref)
	WHERE b.buyer <> r.buyer_ref OR b.seller <> r.seller_ref
) AS v (invariant, detail)
UNION ALL
SELECT 'transfer_event', e.order_ref, e.return_id, format('Event %s has posted transfer %s, which does not exist.', e.seq, e.transfer_no)
FROM booked e
LEFT JOIN returns.ledger_transfer t ON t.order_ref = e.order_ref AND t.return_id = e.return_id
	AND t.transfer_no::text = e.transfer_no
WHERE t.transfer_no IS NULL
UNION ALL
SELECT 'transfer_sequence', r.order_ref, r.id, format('It should have %s transfers, but has %s, numbered %s to %s.', r.last_transfer,
	coalesce(t.transfers, 0), coalesce(t.first_no, 0), coalesce(t.last_no, 0))
FROM returns.return_request r
LEFT JOIN (
	SELECT t.order_ref, t.return_id, count(*) AS transfers, min(t.transfer_no) AS first_no, max(t.transfer_no) AS last_no
	FROM returns.ledger_transfer t
	GROUP BY t.order_ref, t.return_id
) t ON t.order_ref = r.order_ref AND t.return_id = r.id
WHERE coalesce(t.transfers, 0) <> r.last_transfer OR t.last_no <> r.last_transfer OR t.first_no <> 1
UNION ALL
SELECT 'transfer_reversal', t.order_ref, t.return_id, format('Transfer %s reverses transfer %s, %s.', t.transfer_no, t.reverses, CASE
	WHEN o.transfer_no IS NULL THEN 'which does not exist'
	WHEN o.reverses IS NOT NULL THEN 'which is a reversal itself'
	WHEN o.transfer_no >= t.transfer_no THEN 'which came later'
	WHEN o.refund_id IS DISTINCT FROM t.refund_id THEN 'which is of another refund'
	ELSE 'which was reversed before' END)
FROM (
	SELECT t.*, row_number() OVER (PARTITION BY t.order_ref, t.return_id, t.reverses ORDER BY t.transfer_no) AS times
	FROM returns.ledger_transfer t
	WHERE t.reverses IS NOT NULL
) t
LEFT JOIN returns.ledger_transfer o ON o.order_ref = t.order_ref AND o.return_id = t.return_id
	AND o.transfer_no = t.reverses
WHERE o.transfer_no IS NULL OR o.reverses IS NOT NULL OR o.transfer_no >= t.transfer_no
	OR o.refund_id IS DISTINCT FROM t.refund_id OR t.times > 1
UNION ALL
SELECT 'transfer_reversal', b.order_ref, b.return_id, format('The reversal of transfer %s leaves %s %s on %s.', t.reverses,
	sum(b.amount), b.currency, b.account)
FROM returns.ledger_transfer t
JOIN returns.ledger_entry b ON b.order_ref = t.order_ref AND b.return_id = t.return_id
	AND b.transfer_no = ANY (ARRAY[t.transfer_no, t.reverses])
WHERE t.reverses IS NOT NULL
GROUP BY b.order_ref, b.return_id, t.transfer_no, t.reverses, b.account, b.party_ref, b.currency
HAVING sum(b.amount) <> 0
UNION ALL
SELECT 'ledger_checkpoint', NULL, NULL, format('Account %s of %s in %s: the checkpoint is off by %s debit and %s credit.',
	c.account, coalesce(c.party_ref, 'no party'), c.currency, sum(c.debit), sum(c.credit))
FROM (
	SELECT c.account, c.party_ref, c.currency, c.debit, c.credit FROM returns.ledger_checkpoint c
	UNION ALL
	SELECT b.account, b.party_ref, b.currency, -greatest(b.amount, 0), least(b.amount, 0)
	FROM returns.ledger_entry b
	WHERE b.written < (SELECT h.written FROM returns.ledger_horizon h)
) c
GROUP BY c.account, c.party_ref, c.currency
HAVING sum(c.debit) <> 0 OR sum(c.credit) <> 0
$$;
COMMENT ON FUNCTION returns.verify_ledger() IS
'The part of returns.verify() about the ledger

A transfer sums to zero in the currency of its return, on known accounts and on the parties of its
return; transfers are numbered from 1 without a gap; a reversal reverses one transfer, once and
exactly; the checkpoint is the sum of the entries before its horizon.';
