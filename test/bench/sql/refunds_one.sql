\set i :i + 1
\set id :i * :clients + :client_id
UPDATE returns.refund SET status = 'sent' WHERE id = :id;
