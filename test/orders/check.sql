-- Facts that must be true now, each computed without the code under test.

CREATE VIEW checks AS
SELECT 'every delivered line was returned whole' AS name, count(*) AS faults
  FROM returns.sale_line WHERE delivered_at IS NOT NULL AND (returned <> quantity OR reserved <> 0)
UNION ALL
SELECT 'no other line was', count(*)
  FROM returns.sale_line WHERE delivered_at IS NULL AND (returned <> 0 OR refunded <> 0)
UNION ALL
SELECT 'every return ended as refunded', count(*) FROM returns.return_request WHERE status <> 'refunded'
UNION ALL
SELECT 'what was paid for each delivered line was refunded, to the cent', count(*)
  FROM returns.sale_line WHERE delivered_at IS NOT NULL AND refunded <> amount_paid + shipping_paid
UNION ALL
SELECT 'what each order got back is what its delivered lines had cost', count(*)
  FROM (SELECT order_ref, sum(amount_paid + shipping_paid) AS cost
		  FROM returns.sale_line WHERE delivered_at IS NOT NULL GROUP BY 1) l
  FULL JOIN (SELECT order_ref, sum(amount) AS refunded
			   FROM returns.refund WHERE status = 'settled' GROUP BY 1) r USING (order_ref)
 WHERE coalesce(cost, 0) <> coalesce(r.refunded, 0)
UNION ALL
SELECT 'no tender got back more than it gave', count(*) FROM returns.payment WHERE refunded > amount
UNION ALL
SELECT 'the buyers are owed nothing', count(*)
  FROM (SELECT 1 FROM returns.ledger_entry WHERE account = 'buyer_payable'
		 GROUP BY party_ref HAVING sum(amount) <> 0) o
UNION ALL
SELECT 'debits are credits', count(*)
  FROM (SELECT 1 FROM returns.ledger_entry GROUP BY currency HAVING sum(amount) <> 0) o
UNION ALL
SELECT 'cash went down by what was refunded', count(*)
  FROM (SELECT sum(amount) AS paid FROM returns.ledger_entry WHERE account = 'cash') c,
	   (SELECT sum(amount) AS refunded FROM returns.refund) r
 WHERE c.paid <> -r.refunded
UNION ALL
SELECT 'returns.verify() finds nothing', count(*) FROM returns.verify();

CREATE TABLE outcome AS SELECT * FROM checks;
SELECT CASE WHEN faults = 0 THEN 'ok     ' ELSE 'not ok ' END || name ||
	CASE WHEN faults = 0 THEN '' ELSE ': ' || faults END FROM outcome;
SELECT count(*) || ' orders, ' || (SELECT count(*) FROM returns.return_request) || ' returns, ' ||
	(SELECT sum(amount) FROM returns.refund) || ' refunded'
  FROM (SELECT DISTINCT order_ref FROM returns.sale_line) o;
SELECT count(*) FILTER (WHERE faults = 0) || ' passed, ' || count(*) FILTER (WHERE faults > 0) || ' failed'
  FROM outcome;
SELECT 1 / (count(*) = 0)::int FROM outcome WHERE faults > 0 \g /dev/null
