-- The workflow that the DBA edits: its defects, its diagram, its triggers, and
-- the effect of a change on open returns.

CREATE FUNCTION returns.check_workflow(OUT machine text, OUT state text, OUT defect text, OUT detail text)
RETURNS SETOF record
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_check_workflow';
COMMENT ON FUNCTION returns.check_workflow() IS
'The defects of the workflow, one row for each; none when it is sound

A commit that would leave a defect is refused with RT009. The defects are:
no initial state; several initial states; state that the extension needs; unreachable state;
no path to a final state; open state without an exit by timer or system;
timer whose target is no edge for system; timer of a final state;
final state with an ordinary exit; transition back to the initial state;
move that money and goods do not follow (a way into or out of refund_due, refunded and exchanged for
which refunds or decisions would not be made); transition that nobody can make;
guard that is no function; no end when nobody acts (a ring of timers); unknown state;
records in a removed state (this one reads all returns and refunds).';

CREATE FUNCTION returns.workflow_diagram(machine text, format text) RETURNS text
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'returns_workflow_diagram';
COMMENT ON FUNCTION returns.workflow_diagram(text, text) IS
'The states, transitions and timers of a machine as the text of a diagram

machine is return or refund; format is mermaid (a stateDiagram-v2) or dot (Graphviz). An edge shows
the actors of the move and, in brackets, what it requires. A timer of several markets is shown once.
Errors: RT010 unknown machine or format.';

CREATE FUNCTION returns.workflow_checked() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_workflow_checked';
COMMENT ON FUNCTION returns.workflow_checked() IS
'Deferred trigger of the workflow tables: checks the workflow at commit

It checks all rules once for each transaction, whatever number of rows was written.
Errors: RT009 the commit would leave a defect of returns.check_workflow().';

CREATE FUNCTION returns.rule_lock() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_rule_lock';
COMMENT ON FUNCTION returns.rule_lock() IS
'Statement trigger of the workflow and of category: one editor at a time

One transaction at a time edits state, transition and stage_deadline, and one edits category.';

CREATE FUNCTION returns.rule_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_rule_row';
COMMENT ON FUNCTION returns.rule_row() IS
'Row trigger of stage_deadline, market, category, reason and currency

Errors: RT010 unknown on_timeout; RT009 an unknown time zone; a category above itself; the removal
of a reason that returns have; other minor units for a currency in use; another parent for a
category after a line was sold in it or below it; another fault for a reason while there are
sales; a parent or fault by which a policy would give less than the law.';

CREATE FUNCTION returns.installation_guard() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_installation_guard';
COMMENT ON FUNCTION returns.installation_guard() IS
'Trigger of installation: only the extension writes it, other writes get RT007';

CREATE FUNCTION returns.reschedule() RETURNS int
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_reschedule';
COMMENT ON FUNCTION returns.reschedule() IS
'Compute the deadlines of all open stages again after a calendar change

A deadline never becomes earlier; the state that follows it and the windows of requested lines stay.
Each changed return gets an event "override" with the old deadline in details.due_at_before. Returns
the number of changed returns. Commit the change of the calendar before you call it, because
concurrent moves use the committed calendar. For operators and the owner of the tables. A return
whose term leaves the calendar of its market keeps its deadline; there is one WARNING for each such
market.
Errors: 42501 another role or actor.';

CREATE FUNCTION returns.explain(return_id bigint) RETURNS SETOF text
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_explain';
COMMENT ON FUNCTION returns.explain(bigint) IS
'Why a return is in its state and what comes next, in lines of text

Which policy applies to each of its lines, why, and how its window is computed; how the deadline of
its state is computed; what happens if no actor moves it, and which actors may. For a draft: the
answer that a request would get.
Errors: RT010 unknown return, or one that the caller may not see.';
