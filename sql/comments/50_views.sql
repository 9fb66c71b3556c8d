-- Comments that reporting tools show of the views.

COMMENT ON VIEW returns.timeline IS
'The history of each return, for people

Filter by return_id and order by seq. label is in the language of the setting returns.language.';
COMMENT ON COLUMN returns.timeline.return_id IS 'The return';
COMMENT ON COLUMN returns.timeline.seq IS 'Number of the event in its return, from 1';
COMMENT ON COLUMN returns.timeline.at IS 'When it happened';
COMMENT ON COLUMN returns.timeline.state IS 'State of the return after the event';
COMMENT ON COLUMN returns.timeline.label IS 'Name of the state; for an event of a refund, of the state of the refund';
COMMENT ON COLUMN returns.timeline.actor IS 'Kind of actor, as in return_event.actor';
COMMENT ON COLUMN returns.timeline.note IS 'Note given with the move; NULL: none';
COMMENT ON COLUMN returns.timeline.due_at IS 'Deadline after the event; NULL: none';
COMMENT ON COLUMN returns.timeline.kind IS 'transition, reminder, overdue, receipt, refund or override';
COMMENT ON COLUMN returns.timeline.details IS 'Facts of the event as a JSON object; NULL: none';

COMMENT ON VIEW returns.account_balance IS
'Balance of each account by party and currency

seller_receivable: the amount that a seller owes the platform for returns. buyer_payable (negative):
the amount that a buyer is still owed. provider_clearing (negative): the amount that was sent to a
provider and is not confirmed.';
COMMENT ON COLUMN returns.account_balance.account IS 'Account, ledger_account.code';
COMMENT ON COLUMN returns.account_balance.party_ref IS 'Buyer, seller, carrier or provider; NULL: none';
COMMENT ON COLUMN returns.account_balance.currency IS 'Currency of the balance';
COMMENT ON COLUMN returns.account_balance.balance IS 'Debit - credit';

COMMENT ON VIEW returns.trial_balance IS
'Turnover of each account by currency

The balances of a currency sum to zero.';
COMMENT ON COLUMN returns.trial_balance.account IS 'Account, ledger_account.code';
COMMENT ON COLUMN returns.trial_balance.name IS 'Name of the account';
COMMENT ON COLUMN returns.trial_balance.normal_side IS 'Side on which its balance usually is: debit or credit';
COMMENT ON COLUMN returns.trial_balance.currency IS 'Currency of the amounts';
COMMENT ON COLUMN returns.trial_balance.debit IS 'Sum of the debit entries';
COMMENT ON COLUMN returns.trial_balance.credit IS 'Sum of the credit entries, as a positive number';
COMMENT ON COLUMN returns.trial_balance.balance IS 'Debit - credit';

COMMENT ON VIEW returns.seller_statement IS
'The amounts charged to each seller for returns, with a running balance

Filter by seller_ref.';
COMMENT ON COLUMN returns.seller_statement.seller_ref IS 'The seller';
COMMENT ON COLUMN returns.seller_statement.currency IS 'Currency of the amounts';
COMMENT ON COLUMN returns.seller_statement.at IS 'When it was posted';
COMMENT ON COLUMN returns.seller_statement.order_ref IS 'The order';
COMMENT ON COLUMN returns.seller_statement.return_id IS 'The return';
COMMENT ON COLUMN returns.seller_statement.transfer_no IS 'Number of the ledger transfer in its return';
COMMENT ON COLUMN returns.seller_statement.kind IS 'Kind of the ledger transfer, for example refund_due';
COMMENT ON COLUMN returns.seller_statement.amount IS 'Amount charged to the seller; negative: given back to the seller';
COMMENT ON COLUMN returns.seller_statement.balance IS 'Sum of the amounts so far; positive: the seller owes it';

COMMENT ON VIEW returns.refund_register IS
'Each refund with its order, return and payment';
COMMENT ON COLUMN returns.refund_register.refund_id IS 'The refund, refund.id';
COMMENT ON COLUMN returns.refund_register.order_ref IS 'The order';
COMMENT ON COLUMN returns.refund_register.return_id IS 'The return';
COMMENT ON COLUMN returns.refund_register.buyer_ref IS 'The buyer';
COMMENT ON COLUMN returns.refund_register.seller_ref IS 'The seller';
COMMENT ON COLUMN returns.refund_register.payment_no IS 'The payment that gives the money back';
COMMENT ON COLUMN returns.refund_register.method IS 'Kind of the payment, for example card';
COMMENT ON COLUMN returns.refund_register.provider IS 'Provider that pays the refund; NULL: an operator reports it';
COMMENT ON COLUMN returns.refund_register.payment_ref IS 'The provider''s number of the payment';
COMMENT ON COLUMN returns.refund_register.amount IS 'Amount of the refund';
COMMENT ON COLUMN returns.refund_register.currency IS 'Currency of the amount';
COMMENT ON COLUMN returns.refund_register.status IS 'pending, sent, settled or failed';
COMMENT ON COLUMN returns.refund_register.label IS 'Name of the status in the language of returns.language';
COMMENT ON COLUMN returns.refund_register.attempt IS 'How often it was sent to the provider';
COMMENT ON COLUMN returns.refund_register.provider_ref IS 'The provider''s number of the refund; NULL: none yet';
COMMENT ON COLUMN returns.refund_register.failure IS 'Why it last failed; NULL: it never did, or no cause was given';
COMMENT ON COLUMN returns.refund_register.created_at IS 'When the refund was decided';
COMMENT ON COLUMN returns.refund_register.sent_at IS 'When it last became sent; NULL: never';
COMMENT ON COLUMN returns.refund_register.settled_at IS 'When it last became settled; NULL: never; status says whether it still is';
COMMENT ON COLUMN returns.refund_register.failed_at IS 'When it last failed; NULL: never; status says whether it still is';
COMMENT ON COLUMN returns.refund_register.lease_until IS 'When a sent refund becomes pending again; NULL: it is not sent';
COMMENT ON COLUMN returns.refund_register.idempotency_key IS 'Key that the provider gets with every attempt';

COMMENT ON VIEW returns.deadline_board IS
'Every return that has a deadline, and the actors that may move it

ORDER BY due_at shows the returns whose stage ends first.';
COMMENT ON COLUMN returns.deadline_board.return_id IS 'The return';
COMMENT ON COLUMN returns.deadline_board.order_ref IS 'The order';
COMMENT ON COLUMN returns.deadline_board.seller_ref IS 'The seller';
COMMENT ON COLUMN returns.deadline_board.buyer_ref IS 'The buyer';
COMMENT ON COLUMN returns.deadline_board.market IS 'The market';
COMMENT ON COLUMN returns.deadline_board.status IS 'State of the return';
COMMENT ON COLUMN returns.deadline_board.label IS 'Name of the state in the language of returns.language';
COMMENT ON COLUMN returns.deadline_board.waits_for IS 'Kinds of actors that may move the return on';
COMMENT ON COLUMN returns.deadline_board.due_at IS 'When the present stage ends';
COMMENT ON COLUMN returns.deadline_board.on_timeout IS 'State that follows then; NULL: the return stays and is marked overdue';
COMMENT ON COLUMN returns.deadline_board.time_left IS 'Time until due_at; negative when it has passed';
COMMENT ON COLUMN returns.deadline_board.overdue IS 'Whether the return stayed in its state after the deadline';
COMMENT ON COLUMN returns.deadline_board.failures IS 'How often the timer failed to make its move';
COMMENT ON COLUMN returns.deadline_board.next_try IS 'When the timer tries again; NULL: it has not failed';
COMMENT ON COLUMN returns.deadline_board.last_error IS 'Message of its last failure; NULL: it has not failed';

COMMENT ON VIEW returns.seller_scorecard IS
'How each seller handles returns, by currency';
COMMENT ON COLUMN returns.seller_scorecard.seller_ref IS 'The seller';
COMMENT ON COLUMN returns.seller_scorecard.currency IS 'Currency of refund_total';
COMMENT ON COLUMN returns.seller_scorecard.units_sold IS 'Units sold';
COMMENT ON COLUMN returns.seller_scorecard.units_returned IS 'Accepted units of refunded or exchanged returns';
COMMENT ON COLUMN returns.seller_scorecard.return_rate IS 'units_returned in percent of units_sold';
COMMENT ON COLUMN returns.seller_scorecard.returns IS 'Returns that were requested';
COMMENT ON COLUMN returns.seller_scorecard.open IS 'Requested returns that are not in a final state';
COMMENT ON COLUMN returns.seller_scorecard.overdue IS 'Returns that have passed the deadline of their present state';
COMMENT ON COLUMN returns.seller_scorecard.answered IS 'Requests that the seller answered';
COMMENT ON COLUMN returns.seller_scorecard.silent IS 'Requests whose deadline passed without an answer';
COMMENT ON COLUMN returns.seller_scorecard.answer_time IS 'Median time from request to answer of the seller';
COMMENT ON COLUMN returns.seller_scorecard.rejected IS 'Requests that were rejected';
COMMENT ON COLUMN returns.seller_scorecard.unchecked IS 'Returns whose goods were not checked in time';
COMMENT ON COLUMN returns.seller_scorecard.declined IS 'Returns that were declined after the check';
COMMENT ON COLUMN returns.seller_scorecard.disputed IS 'Returns in which the buyer or another party began a dispute';
COMMENT ON COLUMN returns.seller_scorecard.overruled IS 'Disputes that ended against the seller';
COMMENT ON COLUMN returns.seller_scorecard.refund_total IS 'Sum of the refunds of the returns';

COMMENT ON VIEW returns.category_report IS
'The returns of each category, by market and currency';
COMMENT ON COLUMN returns.category_report.category IS 'The category of the sale lines';
COMMENT ON COLUMN returns.category_report.name IS 'Name of the category';
COMMENT ON COLUMN returns.category_report.market IS 'The market';
COMMENT ON COLUMN returns.category_report.currency IS 'Currency of the amounts';
COMMENT ON COLUMN returns.category_report.units_sold IS 'Units sold';
COMMENT ON COLUMN returns.category_report.units_returned IS 'Accepted units of refunded or exchanged returns';
COMMENT ON COLUMN returns.category_report.return_rate IS 'units_returned in percent of units_sold';
COMMENT ON COLUMN returns.category_report.units_open IS 'Units in open returns';
COMMENT ON COLUMN returns.category_report.returns IS 'Lines of requested returns';
COMMENT ON COLUMN returns.category_report.units_requested IS 'Units in requested returns';
COMMENT ON COLUMN returns.category_report.units_seller_fault IS 'Units requested for a reason with fault seller';
COMMENT ON COLUMN returns.category_report.units_carrier_fault IS 'Units requested for a reason with fault carrier';
COMMENT ON COLUMN returns.category_report.main_reason IS 'Most frequent reason';
COMMENT ON COLUMN returns.category_report.amount_sold IS 'Sum of amount_paid of the sale lines';
COMMENT ON COLUMN returns.category_report.refunded IS 'Money owed or paid back';
COMMENT ON COLUMN returns.category_report.fees IS 'Sum of the restocking fees';
