-- Returns: their triggers, and their moves as functions.

CREATE FUNCTION returns.request_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_request_row';
COMMENT ON FUNCTION returns.request_row() IS
'Row trigger of return_request: every rule of the workflow, for every client.';

CREATE FUNCTION returns.journal_flush() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_journal_flush';
COMMENT ON FUNCTION returns.journal_flush() IS
'Statement trigger of return_request: writes the events of the statement.';

CREATE FUNCTION returns.line_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_line_row';
COMMENT ON FUNCTION returns.line_row() IS
'Row trigger of return_line: lines are chosen in a draft, their outcome is written while in transit or received. The outcome locks the line before the return: take the return first where a decision may come at the same time (SELECT ... FOR NO KEY UPDATE), or try again after 40P01.';

CREATE FUNCTION returns.open_return(order_ref text, lines jsonb, reason text,
	resolution text DEFAULT 'refund', note text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, details jsonb DEFAULT NULL) RETURNS bigint
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_open_return';
COMMENT ON FUNCTION returns.open_return(text, jsonb, text, text, text, text, jsonb) IS
'Request a return of lines of one order, [{"line_no":1,"quantity":1}], in one call; returns its id. The same idempotency key with the same content gives the same id, with other content RT011. Refusals are those of draft to requested: RT002 actor, RT003 window, RT004 not returnable, RT005 units, RT008 evidence, RT010 unknown code; malformed lines 22023.';

CREATE FUNCTION returns.act(return_id bigint, to_state text, note text DEFAULT NULL,
	details jsonb DEFAULT NULL) RETURNS text
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_act';
COMMENT ON FUNCTION returns.act(bigint, text, text, jsonb) IS
'Move a return to a state; returns the status it has then. The same as UPDATE returns.return_request SET status = ...; details are added to those it has, and their keys carrier and tracking_ref set the columns of that name. Refusals: RT001 to RT010.';

CREATE FUNCTION returns.allowed_actions(return_id bigint, OUT to_state text, OUT actors text[],
	OUT requires text[], OUT allowed boolean, OUT why_not text, OUT due_at timestamptz)
RETURNS SETOF record
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_allowed_actions';
COMMENT ON FUNCTION returns.allowed_actions(bigint) IS
'One row per move that the workflow knows from the present state: who makes it, what it requires (note, tracking, evidence), whether the session''s actor may make it now and if not why, and until when. A carrier may where nobody is named as carrier yet, and names itself with the move. A return that is unknown, or not the session''s to see: RT010.';

CREATE FUNCTION returns.event_hash(previous bytea, order_ref text, return_id bigint, seq int,
	epoch int, xid xid8, at timestamptz, actor text, actor_ref text, db_role name,
	from_state text, to_state text, kind text, note text, details jsonb,
	due_at timestamptz) RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'returns_event_hash';
COMMENT ON FUNCTION returns.event_hash(bytea, text, bigint, int, int, xid8, timestamptz, text, text, name, text, text, text, text, jsonb, timestamptz) IS
'The hash that an event of such content has: sha256 over the previous hash (NULL for the first event) and every field with its length. What verify() compares return_event.hash with.';
