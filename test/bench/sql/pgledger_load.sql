-- Accounts of pgledger: number 0 is the hot one.

\set ON_ERROR_STOP 1
INSERT INTO pgledger_accounts (id, name, currency, allow_negative_balance, allow_positive_balance,
	created_at, updated_at)
SELECT 'a' || i, 'a' || i, 'KZT', true, true, now(), now() FROM generate_series(0, 1000) AS i;
VACUUM ANALYZE;
