-- Comments that an application developer sees in \d+: the facts of the shop.

COMMENT ON TABLE returns.sale_line IS
'One line of an order, as it was sold; written by the shop

Amounts are for the whole line, in currency, with at most its minor units. Once a return has the
line, its facts cannot change (RT007), except delivered_at from NULL.';
COMMENT ON COLUMN returns.sale_line.order_ref IS 'The shop''s number of the order';
COMMENT ON COLUMN returns.sale_line.line_no IS 'Number of the line in its order';
COMMENT ON COLUMN returns.sale_line.buyer_ref IS 'The buyer, as in the actor buyer:<ref>';
COMMENT ON COLUMN returns.sale_line.seller_ref IS 'The seller, as in the actor seller:<ref>';
COMMENT ON COLUMN returns.sale_line.sku IS 'The shop''s number of the article; not interpreted';
COMMENT ON COLUMN returns.sale_line.category IS 'Category of the goods, for policies and stage deadlines';
COMMENT ON COLUMN returns.sale_line.market IS 'Market of the sale, for time zone, calendar and policies';
COMMENT ON COLUMN returns.sale_line.quantity IS 'Units sold';
COMMENT ON COLUMN returns.sale_line.amount_paid IS 'Paid for all units of the line: after every discount, tax included, no delivery';
COMMENT ON COLUMN returns.sale_line.shipping_paid IS 'Paid for the outbound delivery of the line, tax included; not in amount_paid';
COMMENT ON COLUMN returns.sale_line.commission_rate IS 'Commission of the platform on amount_paid, 0 to 1; given back with a refund';
COMMENT ON COLUMN returns.sale_line.currency IS 'Currency of all amounts of the line';
COMMENT ON COLUMN returns.sale_line.purchased_at IS 'When it was bought; policies valid at this time apply';
COMMENT ON COLUMN returns.sale_line.delivered_at IS 'When it was handed over to the buyer; NULL: not delivered, not returnable yet';
COMMENT ON COLUMN returns.sale_line.reserved IS 'Units in open returns; computed';
COMMENT ON COLUMN returns.sale_line.returned IS 'Accepted units of returns that are refunded or exchanged; computed';
COMMENT ON COLUMN returns.sale_line.refunded IS
'Money owed or paid back for the line; computed

Goods and delivery, less restocking fees and deductions; refunds granted by operators are not in it.';

COMMENT ON TABLE returns.payment IS
'One payment of an order; written by the shop

Refunds go back to the captured payments of the order. Once a refund exists, the facts cannot change
(RT007), except captured_at and provider_ref from NULL; refund_rank and chargeback may change.';
COMMENT ON COLUMN returns.payment.order_ref IS 'The shop''s number of the order';
COMMENT ON COLUMN returns.payment.payment_no IS 'Number of the payment in its order';
COMMENT ON COLUMN returns.payment.method IS 'Kind of payment, for example card; not interpreted';
COMMENT ON COLUMN returns.payment.amount IS 'Amount paid by this payment, in currency, with at most its minor units';
COMMENT ON COLUMN returns.payment.currency IS 'Currency of the payment; only payments in the currency of the return are used';
COMMENT ON COLUMN returns.payment.provider IS 'Provider of its refunds, as in provider:<ref>; NULL: an operator reports them';
COMMENT ON COLUMN returns.payment.provider_ref IS 'The provider''s number of the payment; NULL: none or not known yet';
COMMENT ON COLUMN returns.payment.refund_rank IS 'Order in which payments give money back: the lowest first, then payment_no';
COMMENT ON COLUMN returns.payment.captured_at IS 'When the money was received; NULL: not captured, nothing can be refunded from it';
COMMENT ON COLUMN returns.payment.chargeback IS
'Chargeback by the buyer''s bank: none, open, won or lost

While it is open or lost the payment gives no refund. won: the shop has kept the money.';
COMMENT ON COLUMN returns.payment.refunded IS 'Sum of its refunds that are pending, sent or settled; computed';
