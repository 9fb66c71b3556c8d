-- The audit of units: the lines of returns, and the counters of the sale lines
-- that they refer to.

CREATE FUNCTION returns.verify_lines(OUT invariant text, OUT order_ref text,
	OUT return_id bigint, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
SELECT v.invariant, l.order_ref, l.return_id, format('Line %s: %s.', l.line_no, v.detail)
FROM returns.return_line l
LEFT JOIN returns.return_request r ON r.order_ref = l.order_ref AND r.id = l.return_id
LEFT JOIN returns.sale_line s ON s.order_ref = l.order_ref AND s.line_no = l.line_no
LEFT JOIN returns.state t ON t.machine = 'return' AND t.code = r.status
LEFT JOIN (
	SELECT DISTINCT ON (e.order_ref, e.return_id, e.details ->> 'line_no')
		e.order_ref, e.return_id, e.details ->> 'line_no' AS line_no, e.seq, e.details
	FROM returns.return_event e
	WHERE e.kind = 'receipt'
	ORDER BY e.order_ref, e.return_id, e.details ->> 'line_no', e.seq DESC
) e ON e.order_ref = l.order_ref AND e.return_id = l.return_id AND e.line_no = l.line_no::text
CROSS JOIN LATERAL (
	SELECT 'line_reference', CASE WHEN r.id IS NULL THEN 'there is no such return'
		ELSE 'the order has no such line' END
	WHERE r.id IS NULL OR s.line_no IS NULL
	UNION ALL
	SELECT 'line_parties', format('the sale has seller %s, buyer %s, market %s, currency %s; the return has %s, %s, %s, %s',
		s.seller_ref, s.buyer_ref, s.market, s.currency, r.seller_ref, r.buyer_ref, r.market, r.currency)
	WHERE r.requested_at IS NOT NULL AND s.line_no IS NOT NULL AND (s.buyer_ref, s.seller_ref, s.market, s.currency)
		IS DISTINCT FROM (r.buyer_ref, r.seller_ref, r.market, r.currency)
	UNION ALL
	SELECT 'line_units', format('quantity %s, received %s, accepted %s', l.quantity,
		coalesce(l.received::text, 'NULL'), coalesce(l.accepted::text, 'NULL'))
	WHERE l.quantity <= 0 OR l.quantity > s.quantity
		OR coalesce(l.received, l.quantity) > l.quantity
		OR coalesce(l.accepted, 0) > coalesce(l.received, l.quantity)
		OR l.received < 0 OR l.accepted < 0
	UNION ALL
	SELECT 'line_receipt', format('event %s says %s; the line has received %s, accepted %s, deduction %s',
		e.seq, e.details, coalesce(l.received::text, 'NULL'), coalesce(l.accepted::text, 'NULL'),
		coalesce(l.deduction::text, 'NULL'))
	WHERE e.seq IS NOT NULL AND (
		e.details -> 'received' IS DISTINCT FROM to_jsonb(l.received)
		OR e.details -> 'deduction' IS DISTINCT FROM to_jsonb(l.deduction)
		OR coalesce(e.details -> 'accepted', to_jsonb(coalesce(l.received, l.quantity)))
			<> to_jsonb(coalesce(l.accepted, l.received, l.quantity)))
	UNION ALL
	SELECT 'line_decision', CASE
		WHEN l.refund_goods IS NULL THEN format('not decided, while the return is in state "%s"', r.status)
		WHEN t.kind = 'final' OR t.kind = 'initial' THEN format('decided, while the return is in state "%s"', r.status)
		ELSE 'decided only in part' END
	WHERE (l.refund_goods IS NULL) <> (l.refund_fee IS NULL)
		OR (l.refund_goods IS NULL) <> (l.refund_shipping IS NULL)
		OR (l.refund_goods IS NOT NULL AND l.accepted IS NULL)
		OR (l.refund_goods IS NULL
			AND r.status = ANY ('{refund_due,refunded,exchange_due,exchange_sent,exchanged}'))
		OR (l.refund_goods IS NOT NULL
			AND (t.kind = 'initial' OR t.kind = 'final' AND r.status <> ALL ('{refunded,exchanged}')))
	UNION ALL
	SELECT 'line_price', format('goods %s, fee %s, deduction %s, shipping %s', l.refund_goods,
		l.refund_fee, coalesce(l.deduction, 0), l.refund_shipping)
	WHERE l.refund_goods < 0 OR l.refund_fee < 0 OR l.deduction < 0 OR l.refund_shipping < 0
		OR l.refund_goods - l.refund_fee - coalesce(l.deduction, 0) < 0
) AS v (invariant, detail)
$$;
COMMENT ON FUNCTION returns.verify_lines() IS
'The part of returns.verify() about the lines of returns

A line belongs to a return and to a sale line of the same buyer, seller, market and currency;
0 <= accepted <= received <= quantity, as the last receipt says; a decided return has prices, and
they are in range.';

-- The counters of a sale line:
-- reserved	units of returns in open states: accepted if decided, else quantity
-- returned	accepted units of returns that ended refunded or exchanged
-- refunded	money of its lines in returns that were decided for money
CREATE FUNCTION returns.verify_sales(OUT invariant text, OUT order_ref text,
	OUT return_id bigint, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
SELECT v.invariant, s.order_ref, NULL::bigint, format('Line %s: %s.', s.line_no, v.detail)
FROM returns.sale_line s
JOIN returns.currency c ON c.code = s.currency
LEFT JOIN (
	SELECT l.order_ref, l.line_no,
		sum(CASE WHEN l.refund_goods IS NULL THEN l.quantity ELSE l.accepted END)
			FILTER (WHERE t.kind = 'open') AS reserved,
		sum(l.accepted) FILTER (WHERE r.status IN ('refunded', 'exchanged')) AS returned,
		sum(l.refund_goods - l.refund_fee - coalesce(l.deduction, 0) + l.refund_shipping)
			FILTER (WHERE r.refund_total IS NOT NULL) AS refunded,
		sum(l.refund_goods) AS goods,
		sum(l.refund_shipping) AS shipping,
		sum(l.accepted) FILTER (WHERE l.refund_goods IS NOT NULL) AS decided_units,
		count(*) AS lines
	FROM returns.return_line l
	JOIN returns.return_request r ON r.order_ref = l.order_ref AND r.id = l.return_id
	JOIN returns.state t ON t.machine = 'return' AND t.code = r.status
	GROUP BY l.order_ref, l.line_no
) l ON l.order_ref = s.order_ref AND l.line_no = s.line_no
CROSS JOIN LATERAL (
	SELECT 'sale_reserved', format('reserved is %s, but its returns hold %s', s.reserved, coalesce(l.reserved, 0))
	WHERE s.reserved <> coalesce(l.reserved, 0)
	UNION ALL
	SELECT 'sale_returned', format('returned is %s, but its returns took back %s', s.returned, coalesce(l.returned, 0))
	WHERE s.returned <> coalesce(l.returned, 0)
	UNION ALL
	SELECT 'sale_refunded', format('refunded is %s, but its returns owe %s', s.refunded, coalesce(l.refunded, 0))
	WHERE s.refunded <> coalesce(l.refunded, 0)
	UNION ALL
	SELECT 'sale_units', format('%s units are reserved and %s returned of %s', s.reserved, s.returned, s.quantity)
	WHERE s.reserved < 0 OR s.returned < 0 OR s.reserved + s.returned > s.quantity
	UNION ALL
	SELECT 'sale_money', format('paid: goods %s, shipping %s; refunded: goods %s, shipping %s', s.amount_paid,
		s.shipping_paid, l.goods, l.shipping)
	WHERE l.goods > s.amount_paid OR l.shipping > s.shipping_paid
	UNION ALL
	-- exact to a minor unit for each line: a cancelled exchange leaves its rounding
	SELECT 'sale_share', format('%s of %s units decided are priced at %s of %s', l.decided_units, s.quantity,
		l.goods, s.amount_paid)
	WHERE abs(l.goods - s.amount_paid * l.decided_units / s.quantity) > l.lines * power(10::numeric, -c.minor_units)
) AS v (invariant, detail)
$$;
COMMENT ON FUNCTION returns.verify_sales() IS
'The part of returns.verify() about sale lines

reserved, returned and refunded match the returns of the line; no more units than were bought; no
more money than was paid; the goods have the exact share of their units.';
