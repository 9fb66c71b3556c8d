-- Integration: the events of all returns as one stream.

CREATE FUNCTION returns.events_after(cursor text, max_rows int, OUT cursor text, OUT order_ref text,
	OUT return_id bigint, OUT seq int, OUT epoch int, OUT xid xid8, OUT at timestamptz, OUT actor text,
	OUT actor_ref text, OUT db_role name, OUT from_state text, OUT to_state text, OUT kind text,
	OUT note text, OUT details jsonb, OUT due_at timestamptz, OUT hash bytea)
RETURNS SETOF record
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_events_after';
COMMENT ON FUNCTION returns.events_after(text, int) IS
'Up to max_rows events after the cursor, each with the cursor to continue from

cursor NULL starts at the beginning. A client that continues from the cursor of the last event that
it has processed gets every committed event exactly once, and those of one return in the order of
seq. An event is given only when no transaction that began to write before it is still running: a
long transaction delays the stream and no event is lost. This also holds after a dump is restored.
The caller gets the events of the returns that it may see.
Errors: 22023 malformed cursor, or max_rows < 1; 22004 max_rows is NULL; RT012 not set up.';
