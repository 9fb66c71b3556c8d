-- The balances of the ledger.

CREATE FUNCTION returns.checkpoint_balances(min_entries int DEFAULT 1) RETURNS bigint
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_checkpoint_balances';
REVOKE ALL ON FUNCTION returns.checkpoint_balances(int) FROM PUBLIC;
COMMENT ON FUNCTION returns.checkpoint_balances(int) IS
'Add the entries since the last checkpoint to it; returns their number

So the balance views need not read these entries again. The result is 0 where there are fewer than
min_entries, or where another session writes a checkpoint. Entries of transactions that are still
running are left to a later checkpoint. returns.sweep() calls it.
Errors: 22004 min_entries is NULL.';

-- The query is dynamic so that the planner sees the horizon as a constant: a
-- plan that does not know it would read the whole table.
CREATE FUNCTION returns.ledger_since_checkpoint(OUT account text, OUT party_ref text,
	OUT currency text, OUT debit numeric, OUT credit numeric)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format(
		'SELECT e.account, e.party_ref, e.currency,
			coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0),
			coalesce(-sum(e.amount) FILTER (WHERE e.amount < 0), 0)
		FROM returns.ledger_entry e
		WHERE e.written >= %s OR e.written IS NULL
		GROUP BY e.account, e.party_ref, e.currency',
		coalesce((SELECT h.written FROM returns.ledger_horizon h), 0));
END
$$;
COMMENT ON FUNCTION returns.ledger_since_checkpoint() IS
'Turnover of the entries that ledger_checkpoint does not contain yet

One row for each account, party and currency. The entries were written by transactions at or after
the horizon, or loaded by hand (written is NULL). It reads with the rights of the caller.';
