-- All returns so far have ended: their refunds were sent and settled, by moves
-- of the extension.

\set ON_ERROR_STOP 1
SET returns.actor = 'operator:bench';
UPDATE returns.return_request SET status = 'refund_due';
UPDATE returns.refund SET status = 'sent';
UPDATE returns.refund SET status = 'settled', provider_ref = 'H' || id;
