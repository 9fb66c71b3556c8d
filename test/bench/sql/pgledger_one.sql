\set other random(1, 1000)
SELECT id FROM pgledger_create_transfer('a0', 'a' || :other, 100);
