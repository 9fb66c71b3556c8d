-- Every return has one pending refund, created by moves of the extension.

\set ON_ERROR_STOP 1
SET returns.actor = 'operator:bench';
UPDATE returns.return_request SET status = 'refund_due';
