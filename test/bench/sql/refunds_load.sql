-- Every return owes its money: one pending refund each.  It came by the
-- extension's own moves.

\set ON_ERROR_STOP 1
SET returns.actor = 'operator:bench';
UPDATE returns.return_request SET status = 'refund_due';
