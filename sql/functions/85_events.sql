-- Integration: the histories of all returns as one stream.

CREATE FUNCTION returns.events_after(cursor text, max_rows int, OUT cursor text, OUT order_ref text,
	OUT return_id bigint, OUT seq int, OUT epoch int, OUT xid xid8, OUT at timestamptz, OUT actor text,
	OUT actor_ref text, OUT db_role name, OUT from_state text, OUT to_state text, OUT kind text,
	OUT note text, OUT details jsonb, OUT due_at timestamptz, OUT hash bytea)
RETURNS SETOF record
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_events_after';
COMMENT ON FUNCTION returns.events_after(text, int) IS
'Up to max_rows events that follow the cursor (NULL: the beginning), each with the cursor to go on from. Who goes on from the last cursor it has dealt with gets every committed event exactly once, those of one return in the order of seq; an event comes only when no transaction that began to write before it is still at work, so a long one holds the stream up and loses nothing. The promise holds across dump and restore. One gets the events of the returns that one may see. Errors: 22023 a malformed cursor or max_rows < 1, 22004 max_rows is null, RT012.';
