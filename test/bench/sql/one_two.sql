\set i :i + 1
\set id :i * :clients + :client_id
BEGIN;
UPDATE bench.bare_request
   SET status = 'approved', last_seq = last_seq + 1, updated_at = now(),
	due_at = now() + interval '7 days', wake_at = now() + interval '7 days',
	on_timeout = 'expired', overdue = false, failures = 0,
	last_hash = '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
 WHERE id = :id;
INSERT INTO bench.bare_event (return_id, xid, at, seq, epoch, order_ref, kind, from_state, to_state,
	actor, actor_ref, db_role, hash, due_at)
VALUES (:id, pg_current_xact_id(), now(), 3, 1, 'K' || 100000000 + :id, 'transition', 'requested',
	'approved', 'operator', 'bench', current_user,
	'\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', now() + interval '7 days');
COMMIT;
