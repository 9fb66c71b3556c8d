-- Money: the triggers of its tables, the queue of refunds, the preview, grants.

CREATE FUNCTION returns.sale_line_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_sale_line_row';
COMMENT ON FUNCTION returns.sale_line_row() IS
'Row trigger of sale_line: known codes and exact amounts

Errors: RT010 unknown code; 22003 an amount has more decimals than its currency;
RT007 a computed column, or a fact that a return depends on, would change.';

CREATE FUNCTION returns.payment_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_payment_row';
COMMENT ON FUNCTION returns.payment_row() IS
'Row trigger of payment: known codes and exact amounts

Errors: RT010 unknown currency; 22003 the amount has more decimals than its currency;
RT007 a computed column, or a fact that a refund depends on, would change.';

CREATE FUNCTION returns.protected() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_protected';
COMMENT ON FUNCTION returns.protected() IS
'Trigger of tables that only the extension writes: refuses other writes

The extension may insert, and delete the history of a deleted draft; with the argument ''kept'' it may
also update. Errors: RT007 any other write.';

CREATE FUNCTION returns.refund_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_refund_row';
COMMENT ON FUNCTION returns.refund_row() IS
'Row trigger of refund: checks a report and moves the refund to its next state';

CREATE FUNCTION returns.refund_booked() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_refund_booked';
COMMENT ON FUNCTION returns.refund_booked() IS
'Row trigger of refund after a change: posts it and moves the return

It also writes the event of the change.';

CREATE FUNCTION returns.is_party(order_ref text, return_id bigint) RETURNS boolean
LANGUAGE C STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'returns_is_party';
COMMENT ON FUNCTION returns.is_party(text, bigint) IS
'Whether the actor of the session is the buyer or the seller of a return

The row-level security policies call it.';

CREATE FUNCTION returns.claim_refunds(max_rows int, lease interval DEFAULT '10 minutes',
	OUT id bigint, OUT order_ref text, OUT return_id bigint, OUT payment_no int,
	OUT amount numeric, OUT currency text, OUT idempotency_key text, OUT provider text,
	OUT payment_ref text, OUT attempt int, OUT lease_until timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_claim_refunds';
COMMENT ON FUNCTION returns.claim_refunds(int, interval) IS
'Claim up to max_rows pending refunds to send them, the oldest first

They become "sent" and stay so until they are reported as settled or failed, or until the lease
ends: then they are pending again under the same idempotency_key. Commit before you call the
payment provider. Many sessions may claim at the same time; none waits for another. An actor
provider:<ref> gets the refunds of that provider, an operator gets all. Payments with an open or
lost chargeback are passed over. payment_ref is the provider_ref of the payment.
Errors: RT002 actor; 22004 an argument is NULL; 22023 max_rows < 1, or the lease is not positive.';

CREATE FUNCTION returns.preview_refund(return_id bigint, OUT kind text, OUT line_no int,
	OUT payment_no int, OUT goods numeric, OUT fee numeric, OUT deduction numeric,
	OUT shipping numeric, OUT amount numeric, OUT currency text)
RETURNS SETOF record
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_preview_refund';
COMMENT ON FUNCTION returns.preview_refund(bigint) IS
'The amounts that a return pays, or would pay if it were decided now

One row of kind "line" for each line, with amount = goods - fee - deduction + shipping, then one row
of kind "tender" for each payment that gets money back. The code that pays computes it. No row for a
return that ended without a refund. All amounts are in the column currency.
Errors: RT006 the payments of the order cannot cover it; RT010 unknown return, or one that the
caller may not see.';

CREATE FUNCTION returns.grant_refund(return_id bigint, amount numeric, note text) RETURNS numeric
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_grant_refund';
COMMENT ON FUNCTION returns.grant_refund(bigint, numeric, text) IS
'Give the buyer an amount beyond the rules; returns the amount

For operators: goodwill, or part of the price while the buyer keeps the goods. amount is in the
currency of the return; the platform bears it. It cannot exceed what the payments of the order have
left. The history gets an event "override" with the note; the refunds are processed like all others.
Errors: RT001 the return is a draft; RT002 not an operator; RT006 the payments cannot cover it;
RT008 no note; RT010 unknown return; 22004 an argument is NULL; 22003 the amount has too many
decimals; 22023 the amount is not positive.';
