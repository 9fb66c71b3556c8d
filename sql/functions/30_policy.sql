-- Policies: what the buyer may return, and the guards of their definition.

CREATE FUNCTION returns.eligibility(order_ref text, reason text DEFAULT NULL)
RETURNS TABLE (line_no int, returnable boolean, units_left int, amount_left numeric,
	window_ends_at timestamptz, sqlstate text, why text)
LANGUAGE C STABLE ROWS 5 AS 'MODULE_PATHNAME', 'returns_eligibility';
COMMENT ON FUNCTION returns.eligibility(text, text) IS
'One row per line of an order: may a unit of it be returned now? units_left are those bought that are neither returned nor in an open return; amount_left is what was paid for their goods. An act is in time if and only if it is before window_ends_at; NULL: no window, because nothing is taken back or it starts at a delivery that has not happened. sqlstate and why, NULL when returnable, are what a request would be refused with: RT004 not delivered or not returnable, RT003 window passed, RT005 no units left. Without a reason: one that is nobody''s fault. The buyer of the order and, for own lines, the seller see it, and operators; without an actor only the owner of the tables. Errors: RT010 unknown order (to those who see all) or reason, RT009 the window leaves the market''s calendar, 22004 NULL order.';

CREATE FUNCTION returns.policy_for(order_ref text, line_no int, reason text DEFAULT NULL)
RETURNS bigint
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_policy_for';
COMMENT ON FUNCTION returns.policy_for(text, int, text) IS
'The id of the policy that governs a sale line for a reason, as eligibility() judges it: valid at purchased_at, most specific first: seller, then nearest category up the tree, then reason, then fault, then market. NULL when no policy speaks of it or the line is not to be seen. Errors: RT010 unknown order (to those who see all) or reason, 22004 NULL order or line.';

CREATE FUNCTION returns.policy_lock() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_policy_lock';
COMMENT ON FUNCTION returns.policy_lock() IS
'Trigger of policy before a statement: lets one transaction at a time define policies; refuses to truncate them once anything was sold (RT009).';

CREATE FUNCTION returns.policy_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_policy_row';
COMMENT ON FUNCTION returns.policy_row() IS
'Trigger of policy before a row: unknown codes RT010, also of a row that the same statement inserts (insert it by a statement of its own); RT009 for a definition without sense, and for a change of a policy in force, which can only be ended (valid_to not in the past).';

CREATE FUNCTION returns.policy_changed() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_policy_changed';
COMMENT ON FUNCTION returns.policy_changed() IS
'Trigger of policy after a statement: RT009 for two that tie, for one that gives the buyer less than the statutory one it stands before, when a sale already made would change its rule, and for the deletion of one that has begun, once anything was sold. A sale that no policy governs may get one. Waits for transactions that are writing sale lines when a policy begins or ends now or earlier.';
