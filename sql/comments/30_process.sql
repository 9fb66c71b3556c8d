-- Comments that an application developer sees in \d+: returns, lines, history.

COMMENT ON TABLE returns.return_request IS
'One return of goods of one order, from draft to its final state

A client writes order_ref, reason, resolution, status, note, details, carrier, tracking_ref and
idempotency_key. All other columns are computed: a statement that changes one gets RT007.';
COMMENT ON COLUMN returns.return_request.id IS 'Key of the return';
COMMENT ON COLUMN returns.return_request.last_xid IS 'Transaction of the last event; computed';
COMMENT ON COLUMN returns.return_request.last_seq IS 'Number of the last event, return_event.seq; computed';
COMMENT ON COLUMN returns.return_request.last_transfer IS 'Number of the last ledger transfer of the return, 0: none; computed';
COMMENT ON COLUMN returns.return_request.failures IS 'How often the timer of the present state failed to make its move; computed';
COMMENT ON COLUMN returns.return_request.overdue IS 'Whether the deadline has passed and the return is still in its state; computed';
COMMENT ON COLUMN returns.return_request.order_ref IS 'The order, as in sale_line.order_ref; written with the draft, never changes';
COMMENT ON COLUMN returns.return_request.status IS 'State of the return, returns.state; a client moves the return by changing it';
COMMENT ON COLUMN returns.return_request.resolution IS 'Resolution that the buyer asks for: refund or exchange; changed in a draft only';
COMMENT ON COLUMN returns.return_request.reason IS 'Reason of the return, returns.reason; changed in a draft only';
COMMENT ON COLUMN returns.return_request.last_hash IS 'Hash of the last event, the head of the chain; computed';
COMMENT ON COLUMN returns.return_request.created_at IS 'When the draft was inserted; computed';
COMMENT ON COLUMN returns.return_request.updated_at IS 'When the return was last changed; computed';
COMMENT ON COLUMN returns.return_request.requested_at IS 'When the draft was requested; NULL: it never was; computed';
COMMENT ON COLUMN returns.return_request.closed_at IS 'When it entered its final state; NULL: it is not in one; computed';
COMMENT ON COLUMN returns.return_request.due_at IS 'When the stage ends; an act is in time before it; NULL: no deadline; computed';
COMMENT ON COLUMN returns.return_request.wake_at IS 'When the sweep handles it next: reminder, deadline, retry; NULL: never; computed';
COMMENT ON COLUMN returns.return_request.on_timeout IS 'State that follows at due_at; NULL: it stays and is marked overdue; computed';
COMMENT ON COLUMN returns.return_request.buyer_ref IS 'Buyer of the order, from its sale lines when the draft is inserted; computed';
COMMENT ON COLUMN returns.return_request.seller_ref IS 'Seller of the lines; NULL until requested; computed';
COMMENT ON COLUMN returns.return_request.market IS 'Market of the return, from its order; computed';
COMMENT ON COLUMN returns.return_request.currency IS 'Currency of all amounts of the return, from its order; computed';
COMMENT ON COLUMN returns.return_request.categories IS 'Categories of its lines, fixed when requested; NULL: still a draft; computed';
COMMENT ON COLUMN returns.return_request.refund_total IS
'Sum of the refunds of its lines; NULL: not decided for money; computed

In currency: goods - fee - deduction + delivery. Refunds that an operator grants are not in it.';
COMMENT ON COLUMN returns.return_request.note IS
'Text that goes with the last move or edit; written by the party that makes it

A move that requires a note needs one in the same statement.';
COMMENT ON COLUMN returns.return_request.details IS
'JSON object with facts of the shop; NULL: none

Evidence is a non-empty array of references under the key "evidence".';
COMMENT ON COLUMN returns.return_request.carrier IS 'Carrier of the goods, as in the actor carrier:<ref>; NULL: not known yet';
COMMENT ON COLUMN returns.return_request.tracking_ref IS
'The carrier''s number of the parcel; NULL: not known yet

A move that requires tracking needs a number that no earlier move has used.';
COMMENT ON COLUMN returns.return_request.idempotency_key IS 'The client''s key of the return, unique in its order; NULL: none; never changes';
COMMENT ON COLUMN returns.return_request.content_hash IS 'Hash of the open_return() call that opened it; NULL: opened without it; computed';

COMMENT ON TABLE returns.return_line IS
'Units of one sale line in a return

Lines are chosen while the return is a draft, by its buyer or an operator. received, accepted,
deduction and deduction_note are written while it is in transit or received, by the seller or an
operator. Amounts are for the units of this return, in the currency of the return.';
COMMENT ON COLUMN returns.return_line.order_ref IS 'The order; filled in from the return when left out';
COMMENT ON COLUMN returns.return_line.return_id IS 'The return';
COMMENT ON COLUMN returns.return_line.line_no IS 'The line of the order, sale_line.line_no';
COMMENT ON COLUMN returns.return_line.quantity IS 'Units the buyer wants to return';
COMMENT ON COLUMN returns.return_line.received IS 'Units that were received, at most quantity; NULL: all of them';
COMMENT ON COLUMN returns.return_line.accepted IS
'Units that are accepted, at most received; NULL until the decision: all received

A decision writes the units that it pays: accepted or, if that is NULL, received or quantity.';
COMMENT ON COLUMN returns.return_line.deduction IS
'Amount deducted for the condition of the goods; NULL: none

Only where the fault of the reason is none. At most the goods less the fee; a decision lowers it to
that limit where other units of the sale line were decided since.';
COMMENT ON COLUMN returns.return_line.deduction_note IS 'Reason for the deduction; NULL: not given';
COMMENT ON COLUMN returns.return_line.policy_id IS 'Policy that applies, fixed when requested; NULL: still a draft; computed';
COMMENT ON COLUMN returns.return_line.window_ends_at IS 'End of the return window, fixed when requested; NULL: still a draft; computed';
COMMENT ON COLUMN returns.return_line.refund_goods IS 'Share of amount_paid for the accepted units; NULL: not decided; computed';
COMMENT ON COLUMN returns.return_line.refund_fee IS 'Restocking fee that is deducted; NULL: not decided; computed';
COMMENT ON COLUMN returns.return_line.refund_shipping IS 'Share of shipping_paid that is paid back; NULL: not decided; computed';

COMMENT ON TABLE returns.return_event IS
'History of each return: append-only, chained by hashes; computed

Written by the extension in the statement that causes the event; other writes get RT007.';
COMMENT ON COLUMN returns.return_event.return_id IS 'The return; computed';
COMMENT ON COLUMN returns.return_event.xid IS 'Transaction of the event, never before that of the previous event; computed';
COMMENT ON COLUMN returns.return_event.at IS 'When it happened, by the clock of the rules; computed';
COMMENT ON COLUMN returns.return_event.seq IS 'Number of the event in its return, from 1; computed';
COMMENT ON COLUMN returns.return_event.epoch IS 'Life of the cluster that xid belongs to, installation.epoch; computed';
COMMENT ON COLUMN returns.return_event.order_ref IS 'The order of the return; computed';
COMMENT ON COLUMN returns.return_event.kind IS 'transition, reminder, overdue, receipt, refund or override; computed';
COMMENT ON COLUMN returns.return_event.from_state IS 'State of the return before the event; NULL: its first event; computed';
COMMENT ON COLUMN returns.return_event.to_state IS 'State of the return after the event; computed';
COMMENT ON COLUMN returns.return_event.actor IS 'Kind of actor: buyer, seller, carrier, provider, operator or system; computed';
COMMENT ON COLUMN returns.return_event.actor_ref IS 'Reference of the actor; NULL: the system; computed';
COMMENT ON COLUMN returns.return_event.db_role IS 'Database role of the statement; computed';
COMMENT ON COLUMN returns.return_event.hash IS 'sha256 of the previous hash and all fields, see event_hash(); computed';
COMMENT ON COLUMN returns.return_event.due_at IS 'Deadline of the return after the event; NULL: none; computed';
COMMENT ON COLUMN returns.return_event.note IS 'Note given with the move, or the cause of a failure; NULL: none; computed';
COMMENT ON COLUMN returns.return_event.details IS 'Facts; "booked" has refunds and hashes of transfers; NULL: none; computed';
