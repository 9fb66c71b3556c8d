-- The ledger's balances.

CREATE FUNCTION returns.checkpoint_balances(min_entries int DEFAULT 1) RETURNS bigint
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'returns_checkpoint_balances';
REVOKE ALL ON FUNCTION returns.checkpoint_balances(int) FROM PUBLIC;
COMMENT ON FUNCTION returns.checkpoint_balances(int) IS
'Sum what finished transactions have posted since the last checkpoint, if it is at least min_entries, so that balances need not read it again; returns how many entries. 0: there was less, or another session is at it. Transactions that are still running hold it up, never falsify it. sweep() calls it.';

-- Planned for the present horizon, hence dynamic: a plan that did not know it
-- would read the whole table.
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
'Turnover by account, party and currency of the entries that returns.ledger_checkpoint does not contain yet: written by transactions behind the horizon, or loaded by hand (written is null). With the rights of the caller.';
