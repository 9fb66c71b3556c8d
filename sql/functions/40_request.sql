-- Returns: the triggers of their tables, and functions that open and move them.

CREATE FUNCTION returns.request_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_request_row';
COMMENT ON FUNCTION returns.request_row() IS
'Row trigger of return_request: applies the rules of the workflow';

CREATE FUNCTION returns.journal_flush() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_journal_flush';
COMMENT ON FUNCTION returns.journal_flush() IS
'Statement trigger of return_request: writes the events of the statement';

CREATE FUNCTION returns.line_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_line_row';
COMMENT ON FUNCTION returns.line_row() IS
'Row trigger of return_line: checks the chosen units and the units received

Lines are chosen while the return is a draft; received, accepted and deduction are written while it
is in transit or received. An UPDATE of these locks the line before the return. Where a decision may
come at the same time, lock the return first (SELECT ... FOR NO KEY UPDATE), or retry after 40P01.';

CREATE FUNCTION returns.open_return(order_ref text, lines jsonb, reason text,
	resolution text DEFAULT 'refund', note text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, details jsonb DEFAULT NULL) RETURNS bigint
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_open_return';
COMMENT ON FUNCTION returns.open_return(text, jsonb, text, text, text, text, jsonb) IS
'Request a return of lines of one order; returns its id

lines is an array such as [{"line_no":1,"quantity":1}]. A call with the same idempotency_key and the
same content returns the same id.
Errors: RT002 actor; RT003 window passed; RT004 not returnable; RT005 not enough units;
RT008 no evidence; RT010 unknown code; RT011 the key was used with other content;
22023 malformed lines.';

CREATE FUNCTION returns.act(return_id bigint, to_state text, note text DEFAULT NULL,
	details jsonb DEFAULT NULL) RETURNS text
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_act';
COMMENT ON FUNCTION returns.act(bigint, text, text, jsonb) IS
'Move a return to a state; returns its status after the move

The same as an UPDATE of return_request.status. The status may be a later one where the
system moves the return on in the same statement. details are merged into those of the return; their
keys carrier and tracking_ref set the columns of that name.
Errors: those of the move, RT001 to RT010.';

CREATE FUNCTION returns.allowed_actions(return_id bigint, OUT to_state text, OUT actors text[],
	OUT requires text[], OUT allowed boolean, OUT why_not text, OUT due_at timestamptz)
RETURNS SETOF record
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_allowed_actions';
COMMENT ON FUNCTION returns.allowed_actions(bigint) IS
'The moves that the workflow has from the present state of a return

One row for each move: the actors that may make it, what it requires (note, tracking, evidence),
whether the actor of the session may make it now, if not why, and the deadline. A carrier may move a
return that has no carrier yet, and becomes its carrier by the move.
Errors: RT010 unknown return, or one that the caller may not see.';

CREATE FUNCTION returns.event_hash(previous bytea, order_ref text, return_id bigint, seq int,
	epoch int, xid xid8, at timestamptz, actor text, actor_ref text, db_role name,
	from_state text, to_state text, kind text, note text, details jsonb,
	due_at timestamptz) RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'returns_event_hash';
COMMENT ON FUNCTION returns.event_hash(bytea, text, bigint, int, int, xid8, timestamptz, text, text, name, text, text, text, text, jsonb, timestamptz) IS
'The hash of an event with this content

sha256 over the hash of the previous event (NULL for the first event) and every field, each with its
length. returns.verify() compares return_event.hash with it.';
