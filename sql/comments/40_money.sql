-- Comments that an application developer sees in \d+: refunds and the ledger.

COMMENT ON TABLE returns.refund IS
'One amount that goes back to one payment

The decision of the return inserts it. The provider or an operator reports on it by an UPDATE of
status, provider_ref and failure; all other columns are computed (RT007).';
COMMENT ON COLUMN returns.refund.id IS 'Key of the refund; computed';
COMMENT ON COLUMN returns.refund.order_ref IS 'The order; computed';
COMMENT ON COLUMN returns.refund.return_id IS 'The return that is paid back; computed';
COMMENT ON COLUMN returns.refund.payment_no IS 'The payment that gives the money back, payment.payment_no; computed';
COMMENT ON COLUMN returns.refund.amount IS 'Amount to pay, in currency, exact at its minor units; computed';
COMMENT ON COLUMN returns.refund.currency IS 'Currency of the amount; computed';
COMMENT ON COLUMN returns.refund.status IS 'pending, sent, settled or failed; written with a report';
COMMENT ON COLUMN returns.refund.attempt IS 'How often it was sent to the provider; computed';
COMMENT ON COLUMN returns.refund.idempotency_key IS 'Key to send to the provider, the same in every attempt; computed';
COMMENT ON COLUMN returns.refund.provider IS 'Provider that pays it, from the payment; NULL: an operator reports it; computed';
COMMENT ON COLUMN returns.refund.provider_ref IS 'The provider''s number of the refund; NULL: none yet; written with a report';
COMMENT ON COLUMN returns.refund.created_at IS 'When the refund was decided; computed';
COMMENT ON COLUMN returns.refund.sent_at IS 'When it last became sent; NULL: never; computed';
COMMENT ON COLUMN returns.refund.settled_at IS 'When it last became settled; NULL: never; it may have failed since; computed';
COMMENT ON COLUMN returns.refund.failed_at IS 'When it last failed; NULL: never; computed';
COMMENT ON COLUMN returns.refund.failure IS 'Why it last failed; written with the report of the failure';
COMMENT ON COLUMN returns.refund.lease_until IS 'When a sent refund becomes pending again; NULL: it is not sent; computed';

COMMENT ON TABLE returns.ledger_transfer IS
'Postings of the double-entry ledger; append-only; computed

The entries of a transfer sum to zero in one currency. A wrong posting is never changed: another
transfer reverses it.';
COMMENT ON COLUMN returns.ledger_transfer.order_ref IS 'The order; computed';
COMMENT ON COLUMN returns.ledger_transfer.return_id IS 'The return that caused the posting; computed';
COMMENT ON COLUMN returns.ledger_transfer.transfer_no IS 'Number of the transfer in its return, from 1; computed';
COMMENT ON COLUMN returns.ledger_transfer.refund_id IS 'The refund it is about; NULL: the return as a whole; computed';
COMMENT ON COLUMN returns.ledger_transfer.kind IS
'Kind of posting, for example refund_due; computed

refund_due: a return was decided; override: an operator granted a refund; refund_sent and
refund_settled: a refund was reported so; refund_failed and refund_pending reverse these.';
COMMENT ON COLUMN returns.ledger_transfer.at IS 'When it was posted; computed';
COMMENT ON COLUMN returns.ledger_transfer.reverses IS 'The transfer of the same return that it reverses; NULL: none; computed';

COMMENT ON TABLE returns.ledger_entry IS
'Entries of the ledger transfers; append-only; computed';
COMMENT ON COLUMN returns.ledger_entry.order_ref IS 'The order; computed';
COMMENT ON COLUMN returns.ledger_entry.return_id IS 'The return; computed';
COMMENT ON COLUMN returns.ledger_entry.written IS
'Position of the writing transaction; NULL: loaded by hand; computed

installation.epoch * 2^48 + transaction id; the checkpoint of the balances uses it.';
COMMENT ON COLUMN returns.ledger_entry.transfer_no IS 'The transfer of the return; computed';
COMMENT ON COLUMN returns.ledger_entry.entry_no IS 'Number of the entry in its transfer, from 1; computed';
COMMENT ON COLUMN returns.ledger_entry.account IS 'Account, ledger_account.code; computed';
COMMENT ON COLUMN returns.ledger_entry.party_ref IS
'Buyer, seller, carrier or provider that it is posted to; NULL: none; computed

On provider_clearing and cash: the provider of the payment or, if it has none, its method.';
COMMENT ON COLUMN returns.ledger_entry.amount IS 'Amount in currency: debit positive, credit negative; never 0; computed';
COMMENT ON COLUMN returns.ledger_entry.currency IS 'Currency of the amount; computed';

COMMENT ON TABLE returns.ledger_checkpoint IS
'Turnover of each account before the horizon; computed

sweep() and checkpoint_balances() keep it, so that balances read only newer entries. A balance is
debit - credit here plus the entries at or after ledger_horizon.written.';
COMMENT ON COLUMN returns.ledger_checkpoint.account IS 'Account, ledger_account.code; computed';
COMMENT ON COLUMN returns.ledger_checkpoint.party_ref IS 'Party of the entries; NULL: none; computed';
COMMENT ON COLUMN returns.ledger_checkpoint.currency IS 'Currency of the amounts; computed';
COMMENT ON COLUMN returns.ledger_checkpoint.debit IS 'Sum of the positive entries; computed';
COMMENT ON COLUMN returns.ledger_checkpoint.credit IS 'Sum of the negative entries, as a positive number; computed';

COMMENT ON TABLE returns.ledger_horizon IS
'Position up to which the checkpoint has summed the ledger; one row; computed';
COMMENT ON COLUMN returns.ledger_horizon.singleton IS 'Always true: the table has one row';
COMMENT ON COLUMN returns.ledger_horizon.written IS 'Entries with a smaller ledger_entry.written are in ledger_checkpoint; computed';
COMMENT ON COLUMN returns.ledger_horizon.at IS 'When the checkpoint was last advanced; NULL: never; computed';
