-- Row-level security of the money: a buyer and a seller see the refunds of their
-- own returns and the ledger entries posted to them; a provider sees the
-- refunds that it pays.

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

-- The accounts of a party are those of the chart, written into the policies, so
-- that a query needs no look-up for each row.
DO $$
DECLARE
	visible text := (
		SELECT concat_ws(' OR ', '(SELECT returns.acting_as(''operator'')) IS NOT NULL',
			string_agg(format('account = %L AND party_ref = (SELECT returns.acting_as(%L))', code, party),
				' OR ' ORDER BY code COLLATE "C"))
		FROM returns.ledger_account
		WHERE party IS NOT NULL);
	ledger_table text;
BEGIN
	FOREACH ledger_table IN ARRAY '{ledger_entry,ledger_checkpoint}'::text[]
	LOOP
		EXECUTE format('DROP POLICY IF EXISTS returns_parties ON returns.%I', ledger_table);
		EXECUTE format('CREATE POLICY returns_parties ON returns.%I USING (%s)', ledger_table, visible);
	END LOOP;
END $$;
