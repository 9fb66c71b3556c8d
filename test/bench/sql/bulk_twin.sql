UPDATE bench.twin_request SET status = 'approved' WHERE status = 'requested' AND id <= :n;
