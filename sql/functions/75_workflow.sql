-- The workflow as the DBA edits it: its defects, its picture, its triggers.

CREATE FUNCTION returns.check_workflow(OUT machine text, OUT state text, OUT defect text, OUT detail text)
RETURNS SETOF record
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_check_workflow';
COMMENT ON FUNCTION returns.check_workflow() IS
'One row per defect of the workflow, none when it is sound; a commit that would leave one is refused (RT009). Defects: no initial state; several initial states; state that the extension needs; unreachable state; no path to a final state; open state without an exit by timer or system; timer whose target is no edge for system; timer of a final state; final state with an ordinary exit; transition back to the initial state; move that money and goods do not follow (a way into or out of refund_due, refunded and exchanged that refunds or decisions would be left behind by); transition that nobody can make; guard that is no function; no end when nobody acts (timers that lead round in a ring); unknown state; records in a removed state (for this it reads all returns and refunds).';

CREATE FUNCTION returns.workflow_diagram(machine text, format text) RETURNS text
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'returns_workflow_diagram';
COMMENT ON FUNCTION returns.workflow_diagram(text, text) IS
'The states of a machine (return, refund) and its transitions and timers as they are now, in the language of a tool that draws them: mermaid (a stateDiagram-v2) or dot (Graphviz). Edges tell who makes the move and in brackets what it requires; a timer of several markets is told once. Other machine or format: RT010.';

CREATE FUNCTION returns.workflow_checked() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_workflow_checked';
COMMENT ON FUNCTION returns.workflow_checked() IS
'Deferred trigger of state, transition and stage_deadline: a commit that would leave a defect of check_workflow() fails with RT009. It judges all rules once, however many rows were written.';

CREATE FUNCTION returns.rule_lock() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_rule_lock';
COMMENT ON FUNCTION returns.rule_lock() IS
'Statement trigger of state, transition, stage_deadline and category: one transaction at a time edits the workflow, and one the tree of categories.';

CREATE FUNCTION returns.rule_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_rule_row';
COMMENT ON FUNCTION returns.rule_row() IS
'Row trigger of stage_deadline, market, category, reason and currency. Refuses an unknown on_timeout (RT010); an unknown time zone, a category above itself, the removal of a reason that returns have, other minor units for a currency in use, another parent for a category once a line was sold in it or below it, another fault for a reason once anything was sold, and either where a policy would then give less than the law (RT009).';

CREATE FUNCTION returns.installation_guard() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_installation_guard';
COMMENT ON FUNCTION returns.installation_guard() IS
'Trigger of installation: setup() and the journal write it, everybody else is refused (RT007).';

CREATE FUNCTION returns.reschedule() RETURNS int
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_reschedule';
COMMENT ON FUNCTION returns.reschedule() IS
'After a calendar has changed: count the deadline of every open stage again from where it began, by the rules as they are now. A deadline only ever becomes later, and what follows it stays as promised; the windows of requested lines stay too. Each return changed gets an event "override" with due_at_before in its details. Returns how many there were. Commit the change of the calendar first: whoever moves a return meanwhile counts by what is committed. For the owner of the tables and operators, else 42501. A return whose term would leave the calendar of its market keeps its deadline, with a WARNING for each such market.';

CREATE FUNCTION returns.explain(return_id bigint) RETURNS SETOF text
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_explain';
COMMENT ON FUNCTION returns.explain(bigint) IS
'Why a return stands where it stands, in lines of text: which policy governs each of its lines, why that one, and how its window is counted; how the deadline of its state is counted; what happens when nobody acts, and who may act. For a draft: what a request would meet. Unknown return, or one that the caller may not see: RT010.';
