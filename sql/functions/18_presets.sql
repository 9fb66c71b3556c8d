-- Functions that the presets of the markets share.

CREATE FUNCTION returns.platform_terms(OUT state text, OUT resolution text, OUT term int,
	OUT unit text, OUT on_timeout text)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 13
AS $$
VALUES
	('draft',            NULL::text,  1, 'day',          'cancelled'),
	('requested',        NULL,        2, 'business_day', 'approved'),
	('approved',         NULL,        7, 'day',          'expired'),
	('in_transit',       NULL,       14, 'day',          'outcome_disputed'),
	('received',         'refund',    3, 'business_day', 'refund_due'),
	('received',         'exchange',  3, 'business_day', 'exchange_due'),
	('rejected',         NULL,        5, 'day',          'closed'),
	('declined',         NULL,        5, 'day',          'closed'),
	('request_disputed', NULL,        5, 'business_day', 'approved'),
	('outcome_disputed', NULL,        5, 'business_day', 'refund_due'),
	('exchange_due',     NULL,        5, 'business_day', 'refund_due'),
	('exchange_sent',    NULL,       14, 'day',          'exchanged'),
	('refund_due',       NULL,        1, 'business_day', NULL)
$$;
COMMENT ON FUNCTION returns.platform_terms() IS
'The terms of the process that the presets give a new market

Terms of the platform, not of any law: how long a return may stay in a state, and the state that
follows then (NULL: it stays and is marked overdue). A preset inserts them into
returns.stage_deadline for its market while the market has no term there; a market of your own may
use them in the same way. They are not read after that: edit returns.stage_deadline.';
