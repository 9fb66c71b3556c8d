-- What time does: moves, reminders and marks when their instant has come.

CREATE FUNCTION returns.run_deadlines(max_rows int DEFAULT 1000) RETURNS int
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_run_deadlines';
COMMENT ON FUNCTION returns.run_deadlines(int) IS
'Make the moves that are due, at most max_rows, the oldest first, as the system and in this transaction; send the reminders and mark what is overdue. Returns the number of moves; 0: nothing is left to move. Any number may run at once: a return that somebody holds is passed over. One that cannot be moved (a guard refuses, money does not suffice) is marked overdue with the reason in its history, tried again after 1, 2, 4 … minutes up to a day, and keeps nobody waiting. Errors: 22004 a null argument, 22023 max_rows < 1.';

CREATE PROCEDURE returns.sweep(batch int DEFAULT 1000)
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_sweep';
COMMENT ON PROCEDURE returns.sweep(int) IS
'Do what run_deadlines() does in batches of so many returns, committing each, until nothing is due; then make the refunds pending again whose lease has ended. To be called by a scheduler, outside a transaction block (else 2D000). Any number may run at once. Errors: 22004 a null argument, 22023 batch < 1.';
