-- Money: refunds move by reports; the ledger is written by the extension alone.

CREATE OR REPLACE TRIGGER zz_returns_refund
	BEFORE INSERT OR UPDATE ON returns.refund
	FOR EACH ROW EXECUTE FUNCTION returns.refund_row();
-- 00_: a trigger of the user's may change the refund again when it sees the change.
DROP TRIGGER IF EXISTS zz_returns_refund_booked ON returns.refund;
CREATE OR REPLACE TRIGGER "00_returns_refund_booked"
	AFTER UPDATE ON returns.refund
	FOR EACH ROW EXECUTE FUNCTION returns.refund_booked();
CREATE OR REPLACE TRIGGER zz_returns_refund_protected
	BEFORE DELETE OR TRUNCATE ON returns.refund
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected();

CREATE OR REPLACE TRIGGER zz_returns_ledger_transfer
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON returns.ledger_transfer
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected();
CREATE OR REPLACE TRIGGER zz_returns_ledger_entry
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON returns.ledger_entry
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected();

CREATE OR REPLACE TRIGGER zz_returns_ledger_checkpoint
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON returns.ledger_checkpoint
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected('kept');
CREATE OR REPLACE TRIGGER zz_returns_ledger_horizon
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON returns.ledger_horizon
	FOR EACH STATEMENT EXECUTE FUNCTION returns.protected('kept');

-- A buyer and a seller see the money of their own returns, in the ledger what is
-- booked on them; a provider sees the refunds that it pays.

ALTER TABLE returns.refund ENABLE ROW LEVEL SECURITY;
ALTER TABLE returns.ledger_transfer ENABLE ROW LEVEL SECURITY;
ALTER TABLE returns.ledger_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE returns.ledger_checkpoint ENABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS returns_parties ON returns.refund;
CREATE POLICY returns_parties ON returns.refund USING (
	(SELECT returns.acting_as('operator')) IS NOT NULL
	OR provider = (SELECT returns.acting_as('provider'))
	OR returns.is_party(order_ref, return_id));

DROP POLICY IF EXISTS returns_parties ON returns.ledger_transfer;
CREATE POLICY returns_parties ON returns.ledger_transfer USING (
	(SELECT returns.acting_as('operator')) IS NOT NULL
	OR EXISTS (
		SELECT FROM returns.ledger_entry e
		WHERE e.order_ref = ledger_transfer.order_ref AND e.return_id = ledger_transfer.return_id
			AND e.transfer_no = ledger_transfer.transfer_no));

DROP POLICY IF EXISTS returns_parties ON returns.ledger_entry;
CREATE POLICY returns_parties ON returns.ledger_entry USING (
	(SELECT returns.acting_as('operator')) IS NOT NULL
	OR account = 'buyer_payable' AND party_ref = (SELECT returns.acting_as('buyer'))
	OR account = 'seller_receivable' AND party_ref = (SELECT returns.acting_as('seller')));

DROP POLICY IF EXISTS returns_parties ON returns.ledger_checkpoint;
CREATE POLICY returns_parties ON returns.ledger_checkpoint USING (
	(SELECT returns.acting_as('operator')) IS NOT NULL
	OR account = 'buyer_payable' AND party_ref = (SELECT returns.acting_as('buyer'))
	OR account = 'seller_receivable' AND party_ref = (SELECT returns.acting_as('seller')));
