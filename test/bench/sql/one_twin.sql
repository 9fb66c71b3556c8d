\set i :i + 1
\set id :i * :clients + :client_id
UPDATE bench.twin_request SET status = 'approved' WHERE id = :id;
