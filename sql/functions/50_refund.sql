-- Money: the guards of its tables, the providers' queue, the preview.

CREATE FUNCTION returns.sale_line_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_sale_line_row';
COMMENT ON FUNCTION returns.sale_line_row() IS
'Row trigger of sale_line: known codes, exact amounts; facts that a return rests on stand (RT007).';

CREATE FUNCTION returns.payment_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_payment_row';
COMMENT ON FUNCTION returns.payment_row() IS
'Row trigger of payment: exact amounts; facts that a refund rests on stand (RT007).';

CREATE FUNCTION returns.protected() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_protected';
COMMENT ON FUNCTION returns.protected() IS
'Trigger of tables that the extension alone writes: refuses (RT007) everything but its own INSERT.';

CREATE FUNCTION returns.refund_row() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_refund_row';
COMMENT ON FUNCTION returns.refund_row() IS
'Row trigger of refund: which report moves it to which state.';

CREATE FUNCTION returns.refund_booked() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'returns_refund_booked';
COMMENT ON FUNCTION returns.refund_booked() IS
'Row trigger of refund, after the change: its postings, its event, and the move of its return.';

CREATE FUNCTION returns.is_party(order_ref text, return_id bigint) RETURNS boolean
LANGUAGE C STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'returns_is_party';
COMMENT ON FUNCTION returns.is_party(text, bigint) IS
'Is the session''s actor the buyer or the seller of this return? For the policies of row-level security.';

CREATE FUNCTION returns.claim_refunds(max_rows int, lease interval DEFAULT '10 minutes',
	OUT id bigint, OUT order_ref text, OUT return_id bigint, OUT payment_no int,
	OUT amount numeric, OUT currency text, OUT idempotency_key text, OUT provider text,
	OUT payment_ref text, OUT attempt int, OUT lease_until timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_claim_refunds';
COMMENT ON FUNCTION returns.claim_refunds(int, interval) IS
'Take up to max_rows pending refunds to send, the oldest first: they become "sent" and stay so until they are reported settled or failed, or their lease ends, which makes them pending again under the same idempotency_key. Commit before calling the provider. Many may claim at once; none waits for another. An actor provider:<ref> gets its own refunds, an operator all; a payment with an open or lost chargeback is passed over. payment_ref is the provider_ref of the payment. Refusals: RT002 actor; 22004 a null argument; 22023 max_rows < 1 or a lease that is not positive.';

CREATE FUNCTION returns.preview_refund(return_id bigint, OUT kind text, OUT line_no int,
	OUT payment_no int, OUT goods numeric, OUT fee numeric, OUT deduction numeric,
	OUT shipping numeric, OUT amount numeric, OUT currency text)
RETURNS SETOF record
LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'returns_preview_refund';
COMMENT ON FUNCTION returns.preview_refund(bigint) IS
'What a return pays, or would pay if it were decided now: one row of kind "line" for each line (amount = goods - fee - deduction + shipping), then one of kind "tender" for each payment that money goes to. Computed by the code that pays, and refused like it: RT006 when the payments cannot cover it. Nothing for a return that ended without a refund. Unknown return, or one that the caller may not see: RT010.';

CREATE FUNCTION returns.grant_refund(return_id bigint, amount numeric, note text) RETURNS numeric
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_grant_refund';
COMMENT ON FUNCTION returns.grant_refund(bigint, numeric, text) IS
'An operator grants the buyer an amount beyond the rule (goodwill, a part of the price without a return), at the platform''s cost and never more than the order''s payments have left. It is journaled as event "override" with the note; the refunds then go the way of all refunds. Returns the amount. Refusals: RT001 in a draft, RT002 not an operator, RT006 payments cannot cover it, RT008 no note, RT010 unknown return; 22004 a null, 22003 not an exact amount, 22023 not positive.';
