-- The rules that all markets share: the workflow, reasons, categories,
-- currencies and the chart of accounts. setup() applies this preset once, so
-- later edits of the DBA stay.

-- ---------------------------------------------------------------- workflow
-- The states and transitions of a machine are inserted only if it has none, so
-- a transition that the DBA has removed does not come back.

INSERT INTO returns.state (machine, code, kind, label)
SELECT 'return', v.code, v.kind, jsonb_build_object('en', v.en, 'ru', v.ru, 'kk', v.kk)
  FROM (VALUES
	('draft',            'initial', 'Draft',                     'Черновик',                      'Жоба'),
	('requested',        'open',    'Return requested',          'Возврат запрошен',              'Қайтару сұралды'),
	('approved',         'open',    'Approved, send the goods',  'Одобрено, отправьте товар',     'Мақұлданды, тауарды жіберіңіз'),
	('in_transit',       'open',    'Goods on the way back',     'Товар едет к продавцу',         'Тауар сатушыға жолда'),
	('received',         'open',    'Goods received, in check',  'Товар получен, идёт проверка',  'Тауар алынды, тексерілуде'),
	('rejected',         'open',    'Request rejected',          'В возврате отказано',           'Қайтарудан бас тартылды'),
	('request_disputed', 'open',    'Rejection disputed',        'Отказ оспаривается',            'Бас тарту дауланып жатыр'),
	('declined',         'open',    'Declined after the check',  'Отказано после проверки',       'Тексеруден кейін бас тартылды'),
	('outcome_disputed', 'open',    'Outcome disputed',          'Итог оспаривается',             'Нәтиже дауланып жатыр'),
	('refund_due',       'open',    'Refund on its way',         'Деньги возвращаются',           'Ақша қайтарылуда'),
	('refunded',         'final',   'Refunded',                  'Деньги возвращены',             'Ақша қайтарылды'),
	('exchange_due',     'open',    'Exchange in preparation',   'Готовится замена',              'Алмастыру дайындалуда'),
	('exchange_sent',    'open',    'Replacement sent',          'Замена отправлена',             'Алмастыратын тауар жіберілді'),
	('exchanged',        'final',   'Exchanged',                 'Товар заменён',                 'Тауар алмастырылды'),
	('cancelled',        'final',   'Cancelled',                 'Заявка отменена',               'Өтінім жойылды'),
	('expired',          'final',   'Not sent in time',          'Товар не отправлен в срок',     'Тауар мерзімінде жіберілмеді'),
	('closed',           'final',   'Closed without a refund',   'Закрыто без возврата денег',    'Ақша қайтарылмай жабылды')
  ) AS v (code, kind, en, ru, kk)
 WHERE NOT EXISTS (SELECT FROM returns.state WHERE machine = 'return');

INSERT INTO returns.state (machine, code, kind, label)
SELECT 'refund', v.code, v.kind, jsonb_build_object('en', v.en, 'ru', v.ru, 'kk', v.kk)
  FROM (VALUES
	('pending', 'initial', 'Waiting to be sent',           'Ожидает отправки',              'Жіберуді күтуде'),
	('sent',    'open',    'Sent to the payment provider', 'Передан платёжному провайдеру', 'Төлем провайдеріне жіберілді'),
	('settled', 'final',   'Paid out',                     'Выплачен',                      'Төленді'),
	('failed',  'open',    'Failed',                       'Не прошёл',                     'Өтпеді')
  ) AS v (code, kind, en, ru, kk)
 WHERE NOT EXISTS (SELECT FROM returns.state WHERE machine = 'refund');

INSERT INTO returns.transition (machine, from_state, to_state, actors, requires, resolution, reversal)
SELECT 'return', v.*
  FROM (VALUES
	('draft',            'requested',        '{buyer,operator}'::text[],        '{}'::text[], NULL::text, false),
	('draft',            'cancelled',        '{buyer,operator,system}',         '{}',         NULL,       false),
	('requested',        'approved',         '{seller,operator,system}',        '{}',         NULL,       false),
	('requested',        'rejected',         '{seller,operator}',               '{note}',     NULL,       false),
	('requested',        'refund_due',       '{operator,system}',               '{}',         NULL,       false),  -- keep the item
	('requested',        'cancelled',        '{buyer,operator}',                '{}',         NULL,       false),
	('approved',         'in_transit',       '{buyer,carrier,operator}',        '{tracking}', NULL,       false),
	('approved',         'received',         '{seller,operator}',               '{}',         NULL,       false),
	('approved',         'cancelled',        '{buyer,operator}',                '{}',         NULL,       false),
	('approved',         'expired',          '{system}',                        '{}',         NULL,       false),
	('in_transit',       'received',         '{carrier,seller,operator}',       '{}',         NULL,       false),
	('in_transit',       'outcome_disputed', '{buyer,seller,operator,system}',  '{}',         NULL,       false),
	('received',         'refund_due',       '{seller,operator,system}',        '{}',         'refund',   false),
	('received',         'exchange_due',     '{seller,operator,system}',        '{}',         'exchange', false),
	('received',         'declined',         '{seller,operator}',               '{note}',     NULL,       false),
	('rejected',         'request_disputed', '{buyer}',                         '{note}',     NULL,       false),
	('rejected',         'closed',           '{buyer,system}',                  '{}',         NULL,       false),
	('declined',         'outcome_disputed', '{buyer}',                         '{note}',     NULL,       false),
	('declined',         'closed',           '{buyer,system}',                  '{}',         NULL,       false),
	('request_disputed', 'approved',         '{operator,system}',               '{}',         NULL,       false),
	('request_disputed', 'closed',           '{operator}',                      '{note}',     NULL,       false),
	('outcome_disputed', 'refund_due',       '{operator,system}',               '{}',         NULL,       false),
	('outcome_disputed', 'exchange_due',     '{operator}',                      '{}',         'exchange', false),
	('outcome_disputed', 'closed',           '{operator}',                      '{note}',     NULL,       false),
	('exchange_due',     'exchange_sent',    '{seller,operator}',               '{tracking}', NULL,       false),
	('exchange_due',     'refund_due',       '{operator,system}',               '{}',         NULL,       false),
	('exchange_sent',    'exchanged',        '{buyer,carrier,operator,system}', '{}',         NULL,       false),
	('exchange_sent',    'outcome_disputed', '{buyer,operator}',                '{note}',     NULL,       false),
	('refund_due',       'refunded',         '{system}',                        '{}',         NULL,       false),  -- all its refunds settled
	('refunded',         'refund_due',       '{system}',                        '{}',         NULL,       true)   -- one failed late
  ) AS v
 WHERE NOT EXISTS (SELECT FROM returns.transition WHERE machine = 'return');

INSERT INTO returns.transition (machine, from_state, to_state, actors, reversal)
SELECT 'refund', v.*
  FROM (VALUES
	('pending', 'sent',    '{provider,operator,system}'::text[], false),
	('sent',    'settled', '{provider,operator,system}',         false),
	('pending', 'failed',  '{provider,operator,system}',         false),
	('sent',    'failed',  '{provider,operator,system}',         false),
	('sent',    'pending', '{system}',                           false),  -- its claim's lease ended
	('failed',  'pending', '{provider,operator,system}',         false),  -- try again, same idempotency key
	('settled', 'failed',  '{provider,operator,system}',         true)    -- failed late
  ) AS v
 WHERE NOT EXISTS (SELECT FROM returns.transition WHERE machine = 'refund');

-- ----------------------------------------------------------------- reasons
-- No reason requires evidence by default: a shop that collects photos turns it on
-- (UPDATE returns.reason SET evidence_required).

INSERT INTO returns.reason (code, fault, evidence_required, name) VALUES
	('changed_mind',        'none',    false, 'Changed my mind'),
	('wrong_size',          'none',    false, 'Wrong size or fit'),
	('defective',           'seller',  false, 'Defective'),
	('wrong_item',          'seller',  false, 'Another item was sent'),
	('not_as_described',    'seller',  false, 'Not as described'),
	('incomplete',          'seller',  false, 'Something is missing'),
	('damaged_in_delivery', 'carrier', false, 'Damaged in delivery'),
	('late_delivery',       'carrier', false, 'Delivered too late')
ON CONFLICT DO NOTHING;

-- -------------------------------------------------------------- categories

INSERT INTO returns.category (code, parent, name) VALUES
	('goods',           NULL,          'Goods'),
	('electronics',     'goods',       'Electronics'),
	('phones',          'electronics', 'Mobile phones'),
	('computers',       'electronics', 'Computers'),
	('appliances',      'goods',       'Household appliances'),
	('clothing',        'goods',       'Clothing'),
	('underwear',       'clothing',    'Underwear'),
	('hosiery',         'clothing',    'Hosiery'),
	('shoes',           'goods',       'Shoes'),
	('beauty',          'goods',       'Perfume and cosmetics'),
	('medicine',        'goods',       'Medicines'),
	('medical_devices', 'goods',       'Medical devices'),
	('furniture',       'goods',       'Furniture'),
	('books',           'goods',       'Books'),
	('toys',            'goods',       'Toys'),
	('food',            'goods',       'Food'),
	('animals',         'goods',       'Animals'),
	('plants',          'goods',       'Plants'),
	('goods_by_metre',  'goods',       'Goods sold by the metre'),
	('jewellery',       'goods',       'Jewellery'),
	('custom_made',     'goods',       'Made to the buyer''s order'),
	('other',           'goods',       'Other')
ON CONFLICT DO NOTHING;

-- -------------------------------------------------------------- currencies
-- ISO 4217, every code that has minor units: money and fund codes, but not
-- metals, units of account and test codes, for which the standard gives none.
-- Codes withdrawn since 2025 stay, because sales in them may still be returned.

INSERT INTO returns.currency (code, minor_units)
SELECT code, units
  FROM (VALUES
	(0, '{BIF,CLP,DJF,GNF,ISK,JPY,KMF,KRW,PYG,RWF,UGX,UYI,VND,VUV,XAF,XOF,XPF}'::text[]),
	(2, '{AED,AFN,ALL,AMD,ANG,AOA,ARS,AUD,AWG,AZN,BAM,BBD,BDT,BGN,BMD,BND,BOB,BOV,BRL,BSD,
	      BTN,BWP,BYN,BZD,CAD,CDF,CHE,CHF,CHW,CNY,COP,COU,CRC,CUP,CVE,CZK,DKK,DOP,DZD,EGP,
	      ERN,ETB,EUR,FJD,FKP,GBP,GEL,GHS,GIP,GMD,GTQ,GYD,HKD,HNL,HTG,HUF,IDR,ILS,INR,IRR,
	      JMD,KES,KGS,KHR,KPW,KYD,KZT,LAK,LBP,LKR,LRD,LSL,MAD,MDL,MGA,MKD,MMK,MNT,MOP,MRU,
	      MUR,MVR,MWK,MXN,MXV,MYR,MZN,NAD,NGN,NIO,NOK,NPR,NZD,PAB,PEN,PGK,PHP,PKR,PLN,QAR,
	      RON,RSD,RUB,SAR,SBD,SCR,SDG,SEK,SGD,SHP,SLE,SOS,SRD,SSP,STN,SVC,SYP,SZL,THB,TJS,
	      TMT,TOP,TRY,TTD,TWD,TZS,UAH,USD,USN,UYU,UZS,VED,VES,WST,XCD,XCG,YER,ZAR,ZMW,ZWG}'),
	(3, '{BHD,IQD,JOD,KWD,LYD,OMR,TND}'),
	(4, '{CLF,UYW}')
  ) AS v (units, codes), unnest(codes) AS code
ON CONFLICT DO NOTHING;

-- ------------------------------------------------------- chart of accounts

INSERT INTO returns.ledger_account (code, name, normal_side, party) VALUES
	('buyer_payable',      'Owed to buyers for their returns',                  'credit', 'buyer'),
	('seller_receivable',  'Taken back from sellers',                           'debit',  'seller'),
	('carrier_receivable', 'Claimed from carriers',                             'debit',  NULL),
	('commission_income',  'Commission on sales',                               'credit', NULL),
	('restocking_income',  'Restocking fees',                                   'credit', NULL),
	('shipping_expense',   'Delivery refunded at the platform''s own cost',     'debit',  NULL),
	('goodwill_expense',   'Granted to buyers beyond the rule',                 'debit',  NULL),
	('provider_clearing',  'Handed to payment providers, not yet paid out',     'credit', NULL),
	('cash',               'Money at payment providers and banks',              'debit',  NULL)
ON CONFLICT DO NOTHING;
