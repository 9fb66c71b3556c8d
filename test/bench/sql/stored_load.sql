-- The usual ledger in plain SQL: the balance of an account is stored on its row,
-- both rows are locked in order, and every entry has the new balance.

\set ON_ERROR_STOP 1
CREATE TABLE bench.account (
	id bigint PRIMARY KEY, balance numeric NOT NULL DEFAULT 0, version bigint NOT NULL DEFAULT 0,
	updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE bench.transfer (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	from_account bigint NOT NULL REFERENCES bench.account, to_account bigint NOT NULL REFERENCES bench.account,
	amount numeric NOT NULL CHECK (amount > 0), created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON bench.transfer (from_account);
CREATE INDEX ON bench.transfer (to_account);
CREATE TABLE bench.entry (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account bigint NOT NULL REFERENCES bench.account, transfer bigint NOT NULL REFERENCES bench.transfer,
	amount numeric NOT NULL, previous_balance numeric NOT NULL, current_balance numeric NOT NULL,
	version bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON bench.entry (account);
CREATE INDEX ON bench.entry (transfer);
INSERT INTO bench.account (id) SELECT i FROM generate_series(0, 1000) AS i;

CREATE FUNCTION bench.transfer(from_id bigint, to_id bigint, amount numeric) RETURNS bigint
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
	payer bench.account;
	payee bench.account;
	made bigint;
BEGIN
	PERFORM FROM bench.account AS a WHERE a.id = least(from_id, to_id) FOR UPDATE;
	PERFORM FROM bench.account AS a WHERE a.id = greatest(from_id, to_id) FOR UPDATE;
	UPDATE bench.account AS a SET balance = a.balance - amount, version = a.version + 1, updated_at = now()
	  WHERE a.id = from_id RETURNING * INTO payer;
	UPDATE bench.account AS a SET balance = a.balance + amount, version = a.version + 1, updated_at = now()
	  WHERE a.id = to_id RETURNING * INTO payee;
	INSERT INTO bench.transfer AS t (from_account, to_account, amount) VALUES (from_id, to_id, amount)
	  RETURNING t.id INTO made;
	INSERT INTO bench.entry (account, transfer, amount, previous_balance, current_balance, version)
	VALUES (from_id, made, -amount, payer.balance + amount, payer.balance, payer.version),
		(to_id, made, amount, payee.balance - amount, payee.balance, payee.version);
	RETURN made;
END $$;
VACUUM ANALYZE;
