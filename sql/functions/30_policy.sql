-- Policies: which units a buyer may return, and the triggers of policy.

CREATE FUNCTION returns.eligibility(order_ref text, reason text DEFAULT NULL)
RETURNS TABLE (line_no int, returnable boolean, units_left int, amount_left numeric,
	window_ends_at timestamptz, sqlstate text, why text)
LANGUAGE C STABLE ROWS 5 AS 'MODULE_PATHNAME', 'returns_eligibility';
COMMENT ON FUNCTION returns.eligibility(text, text) IS
'Which lines of an order can be returned now, and why not

One row for each line of the order that the caller may see: the buyer of the order, a seller for own
lines, an operator, or the owner of the tables without an actor. Without reason the answer is for a
reason with fault "none".
returnable: whether a request for one unit would be accepted now.
units_left: units bought that are neither returned nor in an open return.
amount_left: the exact share of units_left in amount_paid, in the currency of the line.
window_ends_at: the return must be requested before it. NULL: there is no window, because the policy
accepts no returns or the window starts at a delivery that has not happened.
sqlstate, why: the error that a request would get, NULL where returnable: RT004 not delivered or not
returnable, RT003 window passed, RT005 no units left.
Errors: RT010 unknown reason, or unknown order for a caller that sees all orders; RT009 the window
leaves the calendar of the market; 22004 order_ref is NULL.';

CREATE FUNCTION returns.policy_for(order_ref text, line_no int, reason text DEFAULT NULL)
RETURNS bigint
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_policy_for';
COMMENT ON FUNCTION returns.policy_for(text, int, text) IS
'The id of the policy that applies to an order line for a reason

The policy must be valid at purchased_at. Of several the most specific one applies: by seller, then
by the nearest category up the tree, then by reason, then by fault, then by market. NULL: no policy
applies, or the caller may not see the line. returns.eligibility() uses the same policy.
Errors: RT010 unknown reason, or unknown order for a caller that sees all orders; 22004 order_ref or
line_no is NULL.';

CREATE FUNCTION returns.policy_lock() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_policy_lock';
COMMENT ON FUNCTION returns.policy_lock() IS
'Trigger of policy before a statement: one transaction at a time writes policies

Errors: RT009 TRUNCATE while there are sales.';

CREATE FUNCTION returns.policy_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_policy_row';
COMMENT ON FUNCTION returns.policy_row() IS
'Trigger of policy before a row: checks a policy by its own content

A code must have been inserted by an earlier statement than the policy that uses it.
Errors: RT010 unknown code; RT009 a contradictory definition, or a change of a policy that is in
force: it can only be ended, by a valid_to that is not in the past.';

CREATE FUNCTION returns.policy_changed() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_policy_changed';
COMMENT ON FUNCTION returns.policy_changed() IS
'Trigger of policy after a statement: checks policies against each other

Waits for transactions that are inserting sale lines when a policy begins or ends now or earlier.
A sale that no policy applies to may get one.
Errors (RT009): two policies of equal precedence that apply to the same sale; a policy that gives
the buyer less than the statutory policy that it overrides; a change by which another policy would
apply to a sale already made; the deletion of a policy that has begun, while there are sales.';
