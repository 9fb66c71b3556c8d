-- The history of a return as its parties see it.

CREATE OR REPLACE VIEW returns.timeline WITH (security_invoker = true) AS
SELECT e.return_id, e.seq, e.at, e.to_state AS state,
	coalesce(s.label ->> current_setting('returns.language', true), s.label ->> 'en', e.to_state) AS label,
	e.actor, e.note, e.due_at, e.kind, e.details
FROM returns.return_event e
LEFT JOIN returns.state s
	ON s.machine = CASE e.kind WHEN 'refund' THEN 'refund' ELSE 'return' END
	AND s.code = CASE e.kind WHEN 'refund' THEN e.details ->> 'status' ELSE e.to_state END;
