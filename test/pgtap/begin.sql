-- What a new return begins with.
\set QUIET on
SET client_min_messages = warning;
SELECT no_plan();

SET returns.clock = '2026-03-02 10:00+05';
SET returns.actor = 'operator:o';
\ir ../harness/refunds.sql
SELECT pg_temp.sell('new', 1, 1, 60) \g /dev/null
INSERT INTO returns.return_request (order_ref, reason) VALUES ('new', 'changed_mind') RETURNING id \gset
SELECT results_eq(format('SELECT status, failures, overdue, last_seq, last_transfer, refund_total, closed_at, requested_at FROM returns.return_request WHERE id = %s', :id),
	$$VALUES ('draft', 0, false, 1, 0, NULL::numeric, NULL::timestamptz, NULL::timestamptz)$$,
	'a new return is a draft without failures, transfers and amounts, and not overdue');
SELECT results_eq(format('SELECT buyer_ref, seller_ref, market, currency::text, resolution FROM returns.return_request WHERE id = %s', :id),
	$$VALUES ('b-new', NULL::text, 'kz', 'KZT', 'refund')$$, 'a new return has the buyer, market and currency of its order, and its seller when it is requested');
SELECT * FROM finish();
