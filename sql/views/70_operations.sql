-- For operations: deadlines, sellers, categories.

CREATE OR REPLACE VIEW returns.deadline_board WITH (security_invoker = true) AS
SELECT q.id AS return_id, q.order_ref, q.seller_ref, q.buyer_ref, q.market, q.status,
	coalesce(s.label ->> current_setting('returns.language', true), s.label ->> 'en', q.status) AS label,
	(SELECT array_agg(DISTINCT a ORDER BY a)
	   FROM returns.transition t, unnest(t.actors) a
	  WHERE t.machine = 'return' AND t.from_state = q.status AND a <> 'system'
		AND coalesce(t.resolution, q.resolution) = q.resolution) AS waits_for,
	q.due_at, q.on_timeout, q.due_at - returns.now() AS time_left, q.overdue,
	q.failures, CASE WHEN q.failures > 0 THEN q.wake_at END AS next_try,
	(SELECT e.note FROM returns.return_event e
	  WHERE q.failures > 0 AND e.order_ref = q.order_ref AND e.return_id = q.id
		AND e.kind = 'overdue' AND e.details ? 'sqlstate'
	  ORDER BY e.seq DESC LIMIT 1) AS last_error
FROM returns.return_request q
LEFT JOIN returns.state s ON s.machine = 'return' AND s.code = q.status
WHERE q.due_at IS NOT NULL;

CREATE OR REPLACE VIEW returns.seller_scorecard WITH (security_invoker = true) AS
WITH sold AS (
	SELECT seller_ref, currency, sum(quantity) AS units_sold, sum(returned) AS units_returned
	  FROM returns.sale_line GROUP BY seller_ref, currency
), step AS (
	-- the previous event has the deadline that was in force
	SELECT e.order_ref, e.return_id, e.from_state, e.to_state, e.actor, e.at,
		e.actor = 'system' AND e.at >= before.due_at AS timed_out
	  FROM returns.return_event e
	  JOIN returns.return_event before ON before.order_ref = e.order_ref
		AND before.return_id = e.return_id AND before.seq = e.seq - 1
	 WHERE e.kind = 'transition' AND e.from_state <> e.to_state
), answered AS (
	SELECT s.order_ref, s.return_id,
		min(s.at) FILTER (WHERE s.from_state = 'requested' AND s.actor = 'seller') AS answered_at,
		bool_or(s.from_state = 'requested' AND s.timed_out) AS silent,
		bool_or(s.from_state = 'requested' AND s.to_state = 'rejected') AS rejected,
		bool_or(s.from_state = 'received' AND s.timed_out) AS unchecked,
		bool_or(s.from_state = 'received' AND s.to_state = 'declined') AS declined,
		bool_or(s.to_state IN ('request_disputed', 'outcome_disputed')) AS disputed,
		bool_or(s.from_state = 'request_disputed' AND s.to_state = 'approved'
			OR s.from_state = 'outcome_disputed' AND s.to_state = 'refund_due') AS overruled
	  FROM step s GROUP BY s.order_ref, s.return_id
), asked AS (
	SELECT q.seller_ref, q.currency, count(*) AS returns,
		count(*) FILTER (WHERE q.closed_at IS NULL) AS open,
		count(*) FILTER (WHERE q.overdue) AS overdue,
		count(t.answered_at) AS answered,
		count(*) FILTER (WHERE t.silent) AS silent,
		count(*) FILTER (WHERE t.rejected) AS rejected,
		count(*) FILTER (WHERE t.unchecked) AS unchecked,
		count(*) FILTER (WHERE t.declined) AS declined,
		count(*) FILTER (WHERE t.disputed) AS disputed,
		count(*) FILTER (WHERE t.overruled) AS overruled,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY t.answered_at - q.requested_at) AS answer_time,
		coalesce(sum(q.refund_total), 0) AS refund_total
	  FROM returns.return_request q
	  LEFT JOIN answered t ON t.order_ref = q.order_ref AND t.return_id = q.id
	 WHERE q.requested_at IS NOT NULL
	 GROUP BY q.seller_ref, q.currency
)
SELECT sold.seller_ref, sold.currency, sold.units_sold, sold.units_returned,
	round(100.0 * sold.units_returned / sold.units_sold, 2) AS return_rate,
	coalesce(a.returns, 0) AS returns, coalesce(a.open, 0) AS open, coalesce(a.overdue, 0) AS overdue,
	coalesce(a.answered, 0) AS answered, coalesce(a.silent, 0) AS silent, a.answer_time,
	coalesce(a.rejected, 0) AS rejected, coalesce(a.unchecked, 0) AS unchecked,
	coalesce(a.declined, 0) AS declined, coalesce(a.disputed, 0) AS disputed,
	coalesce(a.overruled, 0) AS overruled, coalesce(a.refund_total, 0) AS refund_total
FROM sold
LEFT JOIN asked a ON a.seller_ref = sold.seller_ref AND a.currency = sold.currency;

CREATE OR REPLACE VIEW returns.category_report WITH (security_invoker = true) AS
WITH sold AS (
	SELECT category, market, currency, sum(quantity) AS units_sold, sum(amount_paid) AS amount_sold,
		sum(reserved) AS units_open, sum(returned) AS units_returned, sum(refunded) AS refunded
	  FROM returns.sale_line GROUP BY category, market, currency
), asked AS (
	SELECT s.category, s.market, s.currency, count(*) AS returns,
		sum(l.quantity) AS units_requested,
		coalesce(sum(l.quantity) FILTER (WHERE r.fault = 'seller'), 0) AS units_seller_fault,
		coalesce(sum(l.quantity) FILTER (WHERE r.fault = 'carrier'), 0) AS units_carrier_fault,
		mode() WITHIN GROUP (ORDER BY q.reason) AS main_reason,
		coalesce(sum(l.refund_fee), 0) AS fees
	  FROM returns.return_line l
	  JOIN returns.return_request q ON q.order_ref = l.order_ref AND q.id = l.return_id
	  JOIN returns.sale_line s ON s.order_ref = l.order_ref AND s.line_no = l.line_no
	  LEFT JOIN returns.reason r ON r.code = q.reason
	 WHERE q.requested_at IS NOT NULL
	 GROUP BY s.category, s.market, s.currency
)
SELECT sold.category, c.name, sold.market, sold.currency, sold.units_sold, sold.units_returned,
	round(100.0 * sold.units_returned / sold.units_sold, 2) AS return_rate,
	sold.units_open, coalesce(a.returns, 0) AS returns,
	coalesce(a.units_requested, 0) AS units_requested,
	coalesce(a.units_seller_fault, 0) AS units_seller_fault,
	coalesce(a.units_carrier_fault, 0) AS units_carrier_fault, a.main_reason,
	sold.amount_sold, sold.refunded, coalesce(a.fees, 0) AS fees
FROM sold
LEFT JOIN returns.category c ON c.code = sold.category
LEFT JOIN asked a ON a.category = sold.category AND a.market = sold.market AND a.currency = sold.currency;
