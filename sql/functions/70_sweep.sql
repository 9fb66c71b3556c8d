-- What time does: moves, reminders and marks when their instant has come.

CREATE FUNCTION returns.run_deadlines(max_rows int DEFAULT 1000) RETURNS int
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_run_deadlines';
COMMENT ON FUNCTION returns.run_deadlines(int) IS
'Make the moves that are due, at most max_rows, the oldest first, as the system and in this transaction; send the reminders and mark what is overdue. Returns the number of moves; 0: nothing is left to move. Any number may run at once: a return that somebody holds is passed over. One that cannot be moved (a guard refuses, money does not suffice) is marked overdue with the reason in its history, tried again after 1, 2, 4, ... minutes up to a day, and keeps nobody waiting. Errors: 22004 a null argument, 22023 max_rows < 1.';

CREATE PROCEDURE returns.sweep(batch int DEFAULT 1000)
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_sweep';
COMMENT ON PROCEDURE returns.sweep(int) IS
'Do what run_deadlines() does in batches of so many returns, committing each, until nothing is due; then make the refunds pending again whose lease has ended, and bring the checkpoint of the balances forward. To be called by a scheduler, outside a transaction block (else 2D000). Any number may run at once. Errors: 22004 a null argument, 22023 batch < 1.';

CREATE FUNCTION returns.worker_status(OUT database text, OUT state text, OUT pid int,
	OUT last_run timestamptz, OUT last_moved bigint, OUT last_marked bigint, OUT last_failed bigint,
	OUT moved bigint, OUT next_due timestamptz, OUT last_error text, OUT last_error_at timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_worker_status';
REVOKE ALL ON FUNCTION returns.worker_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION returns.worker_status() TO pg_monitor;
COMMENT ON FUNCTION returns.worker_status() IS
'One row for each database of the setting returns.database: whether the background worker is waiting, starting, sweeping, or why it cannot (failed, not set up, no such database, no connections allowed, no free worker process); when its last visit ended and how many returns it moved, reminded or marked, and could not move then; moves since the server started; when the next return is due; the last error. No rows where the library is not in shared_preload_libraries.';
