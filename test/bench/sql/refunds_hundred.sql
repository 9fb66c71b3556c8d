\set i :i + 1
\set first (:i * :clients + :client_id) * 100 + 1
UPDATE returns.refund SET status = 'sent' WHERE id BETWEEN :first AND :first + 99;
