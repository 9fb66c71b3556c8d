-- Tables for the two files in their original form.

CREATE TABLE staged_line (order_ref text, line_no int, buyer_ref text, seller_ref text, sku text,
	category text, quantity int, amount_paid numeric, shipping_paid numeric, currency text,
	purchased_at timestamp, delivered_at timestamp, order_status text, review_score text);
CREATE TABLE staged_payment (order_ref text, payment_no int, method text, installments int,
	amount numeric, currency text, captured_at timestamp);
