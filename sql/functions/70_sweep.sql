-- The sweep: it moves, reminds and marks the returns that are due.

CREATE FUNCTION returns.run_deadlines(max_rows int DEFAULT 1000) RETURNS int
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_run_deadlines';
COMMENT ON FUNCTION returns.run_deadlines(int) IS
'Make the moves that are due, the oldest first; returns their number

At most max_rows moves, as the system, in the transaction of the caller. It also sends reminders and
marks overdue returns. 0: nothing is left to move. Any number of sessions may run it at the same
time: a return that another session has locked is passed over. A return that cannot be moved (a
guard refuses, payments cannot cover it) is marked overdue, with the reason in its history, and
tried again after 1, 2, 4, ... minutes, at most a day; the other returns do not wait for it.
Errors: 22004 max_rows is NULL; 22023 max_rows < 1.';

CREATE PROCEDURE returns.sweep(batch int DEFAULT 1000)
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_sweep';
COMMENT ON PROCEDURE returns.sweep(int) IS
'Process the due returns in batches, and commit after each batch

It does the same as returns.run_deadlines() until no return is due. Then it makes the refunds
pending again whose lease has ended, and advances the checkpoint of the balances. For a scheduler;
any number of sessions may run it at the same time. batch is the number of returns in a transaction.
Errors: 2D000 it was called inside a transaction block; 22004 batch is NULL; 22023 batch < 1.';

CREATE FUNCTION returns.worker_status(OUT database text, OUT state text, OUT pid int,
	OUT last_run timestamptz, OUT last_moved bigint, OUT last_marked bigint, OUT last_failed bigint,
	OUT moved bigint, OUT next_due timestamptz, OUT last_error text, OUT last_error_at timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_worker_status';
REVOKE ALL ON FUNCTION returns.worker_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION returns.worker_status() TO pg_monitor;
COMMENT ON FUNCTION returns.worker_status() IS
'The state of the background worker for each database in returns.database

state: waiting, starting, sweeping, or why it cannot sweep (failed, not set up, no such database, no
connections allowed, no free worker process). last_run: when its last visit ended; last_moved,
last_marked, last_failed: returns that it moved, reminded or marked, and could not move in that
visit; moved: moves since the server started; next_due: when the next return is due. No rows where
the library is not in shared_preload_libraries. For superusers and members of pg_monitor.';
