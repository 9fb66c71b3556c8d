WITH moved AS (
	UPDATE bench.bare_request
	   SET status = on_timeout, last_seq = last_seq + 1, updated_at = now(),
		due_at = now() + interval '7 days', wake_at = now() + interval '7 days',
		on_timeout = 'expired', overdue = false, failures = 0,
		last_hash = '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
	 WHERE wake_at <= now()
	RETURNING id, order_ref, last_seq, due_at, last_hash)
INSERT INTO bench.bare_event (return_id, xid, at, seq, epoch, order_ref, kind, from_state, to_state,
	actor, actor_ref, db_role, hash, due_at)
SELECT id, pg_current_xact_id(), now(), last_seq, 1, order_ref, 'transition', 'requested', 'approved',
	'system', NULL, current_user, last_hash, due_at
  FROM moved;
