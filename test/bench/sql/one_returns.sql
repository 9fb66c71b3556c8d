\set i :i + 1
\set id :i * :clients + :client_id
UPDATE returns.return_request SET status = 'approved' WHERE id = :id;
