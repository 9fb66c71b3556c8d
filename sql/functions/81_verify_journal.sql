-- The audit of the histories, and of the returns against their histories.

CREATE FUNCTION returns.verify_events(OUT invariant text, OUT order_ref text,
	OUT return_id bigint, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
SELECT v.invariant, e.order_ref, e.return_id, v.detail
FROM (
	SELECT i.epoch, pg_snapshot_xmax(pg_current_snapshot()) AS next_xid,
		i.system_identifier = c.system_identifier AS here
	FROM returns.installation i, pg_control_system() c
) life
CROSS JOIN (
	SELECT e.*, lag(e.seq) OVER chain AS previous_seq, lag(e.to_state) OVER chain AS previous_state,
		lag(e.hash) OVER chain AS previous_hash, lag(e.epoch) OVER chain AS previous_epoch,
		lag(e.xid) OVER chain AS previous_xid, r.last_seq
	FROM returns.return_event e
	LEFT JOIN returns.return_request r ON r.order_ref = e.order_ref AND r.id = e.return_id
	WINDOW chain AS (PARTITION BY e.order_ref, e.return_id ORDER BY e.seq)
) e
CROSS JOIN LATERAL (
	SELECT 'event_sequence', CASE WHEN e.previous_seq IS NULL
		THEN format('The history begins with event %s.', e.seq)
		ELSE format('Event %s follows event %s.', e.seq, e.previous_seq) END
	WHERE e.seq <> coalesce(e.previous_seq, 0) + 1
	UNION ALL
	SELECT 'event_chain', format('Event %s of kind "%s" leads from state %s to %s, but the previous event ended in %s.',
		e.seq, e.kind, coalesce(e.from_state, 'none'), coalesce(e.to_state, 'none'),
		coalesce(e.previous_state, 'none'))
	WHERE e.from_state IS DISTINCT FROM e.previous_state OR e.to_state IS NULL
		OR (e.kind = 'transition') = (e.from_state IS NOT DISTINCT FROM e.to_state)
	UNION ALL
	SELECT 'event_hash', format('The hash of event %s does not match its content.', e.seq)
	WHERE e.hash IS DISTINCT FROM returns.event_hash(e.previous_hash, e.order_ref, e.return_id,
		e.seq, e.epoch, e.xid, e.at, e.actor, e.actor_ref, e.db_role, e.from_state, e.to_state,
		e.kind, e.note, e.details, e.due_at)
	UNION ALL
	SELECT 'event_position', format('Event %s has transaction %s in epoch %s, the previous event has %s in %s.',
		e.seq, e.xid, e.epoch, e.previous_xid, e.previous_epoch)
	WHERE ROW(e.epoch, e.xid) < ROW(e.previous_epoch, e.previous_xid)
	UNION ALL
	SELECT 'event_position', format('Event %s has transaction %s in epoch %s, which is in the future.',
		e.seq, e.xid, e.epoch)
	WHERE e.epoch > life.epoch OR (e.epoch = life.epoch AND life.here AND e.xid >= life.next_xid
		AND e.xid IS DISTINCT FROM pg_current_xact_id_if_assigned())
	UNION ALL
	SELECT 'event_reference', format('Event %s belongs to no return.', e.seq)
	WHERE e.last_seq IS NULL
	UNION ALL
	SELECT 'request_head', format('Event %s is after the last event of the return, which is %s.', e.seq, e.last_seq)
	WHERE e.seq > e.last_seq
) AS v (invariant, detail)
$$;
COMMENT ON FUNCTION returns.verify_events() IS
'The part of returns.verify() about the histories of returns

Events are numbered from 1 without a gap; each one starts in the state in which the previous one
ended; each hash matches its event and the previous hash; transactions are in an order that
returns.events_after() can follow; each event belongs to a return.';

CREATE FUNCTION returns.verify_requests(OUT invariant text, OUT order_ref text,
	OUT return_id bigint, OUT detail text)
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
SELECT v.invariant, r.order_ref, r.id, v.detail
FROM returns.return_request r
LEFT JOIN returns.state s ON s.machine = 'return' AND s.code = r.status
LEFT JOIN returns.state t ON t.machine = 'return' AND t.code = r.on_timeout
LEFT JOIN returns.return_event e ON e.order_ref = r.order_ref AND e.return_id = r.id AND e.seq = r.last_seq
CROSS JOIN LATERAL (
	SELECT 'request_head', CASE WHEN e.seq IS NULL
		THEN format('Its last event should be %s, which does not exist.', r.last_seq)
		ELSE format('Its last_hash is not that of its last event %s.', e.seq) END
	WHERE e.seq IS NULL OR e.hash IS DISTINCT FROM r.last_hash
	UNION ALL
	SELECT 'request_head', format('Its last_xid is %s, its last event has transaction %s.', r.last_xid, e.xid)
	WHERE e.xid <> r.last_xid
	UNION ALL
	SELECT 'request_status', format('Its status is "%s", its last event led to "%s".', r.status, e.to_state)
	WHERE e.to_state <> r.status
	UNION ALL
	SELECT 'request_deadline', format('Its due_at is %s, that of its last event is %s.',
		coalesce(r.due_at::text, 'none'), coalesce(e.due_at::text, 'none'))
	WHERE e.seq IS NOT NULL AND e.due_at IS DISTINCT FROM r.due_at
	UNION ALL
	SELECT 'request_deadline', format('It is in the final state "%s" and still has a timer.', r.status)
	WHERE s.kind = 'final' AND (r.due_at IS NOT NULL OR r.on_timeout IS NOT NULL
		OR r.wake_at IS NOT NULL OR r.overdue)
	UNION ALL
	SELECT 'request_deadline', 'It has an on_timeout or a wake_at, but no due_at.'
	WHERE r.due_at IS NULL AND (r.on_timeout IS NOT NULL OR r.wake_at IS NOT NULL)
	UNION ALL
	SELECT 'request_deadline', format('Its timeout leads to "%s", but it has no wake_at, so no sweep will process it.', r.on_timeout)
	WHERE r.on_timeout <> r.status AND r.due_at IS NOT NULL AND r.wake_at IS NULL
	UNION ALL
	SELECT 'request_state', format('returns.state has no state "%s".',
		CASE WHEN s.code IS NULL THEN r.status ELSE r.on_timeout END)
	WHERE s.code IS NULL OR (r.on_timeout IS NOT NULL AND t.code IS NULL)
	UNION ALL
	SELECT 'request_state', format('It is in state "%s" and %s.', r.status,
		CASE WHEN r.closed_at IS NULL THEN 'has no closed_at' ELSE 'has a closed_at' END)
	WHERE (s.kind = 'final') = (r.closed_at IS NULL)
	UNION ALL
	SELECT 'request_state', format('It is in state "%s", but one of requested_at, seller_ref, market, currency, categories is missing.', r.status)
	WHERE s.kind = 'open' AND (r.requested_at IS NULL OR r.seller_ref IS NULL OR r.market IS NULL
		OR r.currency IS NULL OR r.categories IS NULL)
) AS v (invariant, detail)
$$;
COMMENT ON FUNCTION returns.verify_requests() IS
'The part of returns.verify() about the rows of return_request

Head, status and deadline are those of the last event; a final state has no timer; an open state has
all values that a request fills in.';
