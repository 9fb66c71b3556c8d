\set other random(1, 1000)
SELECT bench.transfer(0, :other, 100);
