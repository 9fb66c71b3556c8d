-- Facts that the shop supplies: the lines of orders and their payments.
-- The row triggers check amounts against the minor units of their currency.

CREATE TABLE IF NOT EXISTS returns.sale_line (
	order_ref       text NOT NULL CHECK (order_ref <> ''),
	line_no         int  NOT NULL,
	buyer_ref       text NOT NULL CHECK (buyer_ref <> ''),
	seller_ref      text NOT NULL CHECK (seller_ref <> ''),
	sku             text NOT NULL,
	category        text NOT NULL REFERENCES returns.category ON UPDATE CASCADE,
	market          text NOT NULL REFERENCES returns.market ON UPDATE CASCADE,
	quantity        int  NOT NULL CHECK (quantity > 0),
	amount_paid     numeric NOT NULL CHECK (amount_paid >= 0 AND amount_paid < 1e14),
	shipping_paid   numeric NOT NULL DEFAULT 0 CHECK (shipping_paid >= 0 AND shipping_paid < 1e14),
	commission_rate numeric NOT NULL DEFAULT 0 CHECK (commission_rate BETWEEN 0 AND 1),
	currency        text NOT NULL REFERENCES returns.currency ON UPDATE CASCADE,
	purchased_at    timestamptz NOT NULL CHECK (isfinite(purchased_at)),
	delivered_at    timestamptz CHECK (isfinite(delivered_at)),
	-- computed
	reserved        int     NOT NULL DEFAULT 0,
	returned        int     NOT NULL DEFAULT 0,
	refunded        numeric NOT NULL DEFAULT 0,
	PRIMARY KEY (order_ref, line_no),
	CONSTRAINT sale_line_units CHECK (reserved >= 0 AND returned >= 0 AND reserved + returned <= quantity),
	CONSTRAINT sale_line_money CHECK (refunded >= 0 AND refunded <= amount_paid + shipping_paid)
);
CREATE INDEX IF NOT EXISTS sale_line_buyer ON returns.sale_line (buyer_ref);
CREATE INDEX IF NOT EXISTS sale_line_seller ON returns.sale_line (seller_ref);

CREATE TABLE IF NOT EXISTS returns.payment (
	order_ref    text NOT NULL CHECK (order_ref <> ''),
	payment_no   int  NOT NULL,
	method       text NOT NULL,
	amount       numeric NOT NULL CHECK (amount >= 0 AND amount < 1e14),
	currency     text NOT NULL REFERENCES returns.currency ON UPDATE CASCADE,
	provider     text,
	provider_ref text,
	refund_rank  int  NOT NULL DEFAULT 100,
	captured_at  timestamptz CHECK (isfinite(captured_at)),
	chargeback   text NOT NULL DEFAULT 'none' CHECK (chargeback IN ('none', 'open', 'won', 'lost')),
	-- computed
	refunded     numeric NOT NULL DEFAULT 0,
	PRIMARY KEY (order_ref, payment_no),
	CONSTRAINT payment_money CHECK (refunded >= 0 AND refunded <= amount)
);
