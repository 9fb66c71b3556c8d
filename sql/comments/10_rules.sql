-- Comments that the DBA sees in \d+: the rule tables.

COMMENT ON TABLE returns.installation IS
'The version of these tables and the history of the cluster; one row, computed

Written by setup() and by the first event in another cluster; other writes get RT007.';
COMMENT ON COLUMN returns.installation.singleton IS 'Always true: the table has one row';
COMMENT ON COLUMN returns.installation.version IS 'Version of the extension that created the tables; computed by setup()';
COMMENT ON COLUMN returns.installation.epoch IS
'Number of the cluster''s life that transaction ids belong to; computed

A restored dump begins the next epoch with its first event, because transaction ids start again.';
COMMENT ON COLUMN returns.installation.system_identifier IS 'The cluster in which the last epoch began; computed';
COMMENT ON COLUMN returns.installation.presets IS 'Names of the presets that were applied; computed by setup()';

COMMENT ON TABLE returns.currency IS
'ISO 4217 currencies and their minor units';
COMMENT ON COLUMN returns.currency.code IS 'ISO 4217 code, three capital letters';
COMMENT ON COLUMN returns.currency.minor_units IS
'Decimals of an amount in this currency: 2 for EUR, 0 for JPY

An amount with more decimals is refused, never rounded. The number cannot change while the currency
is in use.';

COMMENT ON TABLE returns.calendar IS
'Calendars of working days, each valid between two dates';
COMMENT ON COLUMN returns.calendar.code IS 'Code of the calendar';
COMMENT ON COLUMN returns.calendar.weekend IS 'ISO numbers of the days off in every week, 1 = Monday to 7 = Sunday';
COMMENT ON COLUMN returns.calendar.first_day IS 'First day that the calendar covers';
COMMENT ON COLUMN returns.calendar.last_day IS
'Last day that the calendar covers

A term that leaves the calendar is an error (RT009). Extend the calendar in time.';
COMMENT ON COLUMN returns.calendar.name IS 'Name for people; NULL: none';

COMMENT ON TABLE returns.calendar_day IS
'Exceptions of a calendar: holidays, and working days on a weekend';
COMMENT ON COLUMN returns.calendar_day.calendar IS 'The calendar';
COMMENT ON COLUMN returns.calendar_day.day IS 'The local date';
COMMENT ON COLUMN returns.calendar_day.working IS 'false: a day off; true: a working day, also on a weekend';
COMMENT ON COLUMN returns.calendar_day.name IS 'Name of the day, shown by explain_deadline(); NULL: none';

COMMENT ON TABLE returns.market IS
'Where goods are sold: time zone, calendar and currency';
COMMENT ON COLUMN returns.market.code IS 'Code of the market, used by sale_line.market';
COMMENT ON COLUMN returns.market.timezone IS 'Time zone in which its terms are counted, for example Asia/Almaty';
COMMENT ON COLUMN returns.market.calendar IS 'Calendar with its working days';
COMMENT ON COLUMN returns.market.currency IS 'Usual currency; the currency of a sale is that of its sale_line';
COMMENT ON COLUMN returns.market.name IS 'Name for people; NULL: none';

COMMENT ON TABLE returns.category IS
'Tree of goods categories, for policies and stage deadlines';
COMMENT ON COLUMN returns.category.code IS 'Code of the category, used by sale_line.category';
COMMENT ON COLUMN returns.category.parent IS
'The category above; its policies apply where none of its own does; NULL: a root

It cannot change after a line was sold in the category or below it.';
COMMENT ON COLUMN returns.category.name IS 'Name for people; NULL: none';

COMMENT ON TABLE returns.reason IS
'Reasons for a return';
COMMENT ON COLUMN returns.reason.code IS 'Code of the reason, used by return_request.reason';
COMMENT ON COLUMN returns.reason.fault IS
'The party at fault: none, seller, carrier or platform

It decides the policy, whether a fee or deduction is allowed, and which party bears the delivery.';
COMMENT ON COLUMN returns.reason.evidence_required IS 'Whether a request needs a non-empty array "evidence" in its details';
COMMENT ON COLUMN returns.reason.name IS 'Name for people; NULL: none';

COMMENT ON TABLE returns.policy IS
'Which goods may be returned, until when, and with which refund

NULL in market, category, reason, fault or seller_ref means any. A policy applies to sales with
valid_from <= purchased_at < valid_to. Of several the most specific one applies: by seller, then by
the nearest category, then by reason, fault, market. A policy in force can only be ended.';
COMMENT ON COLUMN returns.policy.id IS 'Key of the policy, kept in return_line.policy_id';
COMMENT ON COLUMN returns.policy.market IS 'Market of the sale; NULL: any';
COMMENT ON COLUMN returns.policy.category IS 'Category of the goods, or one above it; NULL: any';
COMMENT ON COLUMN returns.policy.reason IS 'Reason of the return; NULL: any';
COMMENT ON COLUMN returns.policy.fault IS 'Fault of the reason of the return: none, seller, carrier, platform; NULL: any';
COMMENT ON COLUMN returns.policy.seller_ref IS 'Seller of the line; NULL: any';
COMMENT ON COLUMN returns.policy.valid_from IS 'The policy applies to sales made at this time or later';
COMMENT ON COLUMN returns.policy.valid_to IS 'The policy applies to sales made before this time';
COMMENT ON COLUMN returns.policy.returnable IS 'false: no returns are accepted, and window_term is not used';
COMMENT ON COLUMN returns.policy.window_term IS 'Length of the return window in window_unit; NULL only if not returnable';
COMMENT ON COLUMN returns.policy.window_unit IS 'Unit of window_term: hour, day, business_day, month or year';
COMMENT ON COLUMN returns.policy.window_from IS 'Start of the window: delivered (sale_line.delivered_at) or purchased';
COMMENT ON COLUMN returns.policy.window_roll IS 'Whether a window that ends on a day off ends on the next working day';
COMMENT ON COLUMN returns.policy.extended_until IS 'The window ends no earlier than with this local day; NULL: no extension';
COMMENT ON COLUMN returns.policy.resolutions IS 'Resolutions that the buyer may choose, as in return_request.resolution';
COMMENT ON COLUMN returns.policy.restocking_percent IS 'Fee in percent of the goods returned, where the fault is none';
COMMENT ON COLUMN returns.policy.refund_shipping IS 'Whether the outbound delivery of the returned units is paid back';
COMMENT ON COLUMN returns.policy.auto_approve_below IS
'A requested return worth less is approved at once; NULL: never

In the currency of the return; compared with its whole refund. All lines must have such a limit.';
COMMENT ON COLUMN returns.policy.keep_item_below IS
'A requested return worth less is refunded without the goods; NULL: never

In the currency of the return; compared with its whole refund. All lines must have such a limit.';
COMMENT ON COLUMN returns.policy.statutory IS 'Whether it is the law: a policy that overrides it may not give the buyer less';
COMMENT ON COLUMN returns.policy.source IS 'The law or the practice that the policy follows; NULL: not given';

COMMENT ON TABLE returns.state IS
'The states of returns and of refunds';
COMMENT ON COLUMN returns.state.machine IS 'Machine that has the state: return or refund';
COMMENT ON COLUMN returns.state.code IS 'Code of the state, used by return_request.status or refund.status';
COMMENT ON COLUMN returns.state.kind IS 'initial, open or final';
COMMENT ON COLUMN returns.state.label IS 'Names for people by language, for example {"en": "Approved"}';

COMMENT ON TABLE returns.transition IS
'The moves that the workflow allows';
COMMENT ON COLUMN returns.transition.machine IS 'Machine that has the move: return or refund';
COMMENT ON COLUMN returns.transition.from_state IS 'State that the move leaves';
COMMENT ON COLUMN returns.transition.to_state IS 'State that the move enters';
COMMENT ON COLUMN returns.transition.actors IS 'Kinds of actors that may make the move, as in return_event.actor';
COMMENT ON COLUMN returns.transition.requires IS 'Requirements of the move: note, tracking, evidence';
COMMENT ON COLUMN returns.transition.resolution IS 'Only for returns with this resolution; NULL: any';
COMMENT ON COLUMN returns.transition.reversal IS 'Whether the move may leave a final state';
COMMENT ON COLUMN returns.transition.guard IS
'Function that may refuse the move, as schema.function; NULL: none

It takes (return_id bigint, to_state text), runs as the owner of the tables and returns NULL to let
the move pass, or the text that says why not.';

COMMENT ON TABLE returns.stage_deadline IS
'How long a return may stay in a state, and what happens then

NULL in market, category or resolution means any; the most specific row applies. Where the lines of
a return fall under several rows, the one that ends first applies. A refund has no row here.';
COMMENT ON COLUMN returns.stage_deadline.machine IS 'Always return: refunds have no stage deadlines';
COMMENT ON COLUMN returns.stage_deadline.market IS 'Market of the return; NULL: any';
COMMENT ON COLUMN returns.stage_deadline.category IS 'Category of a line of the return, or one above it; NULL: any';
COMMENT ON COLUMN returns.stage_deadline.resolution IS 'Resolution of the return; NULL: any';
COMMENT ON COLUMN returns.stage_deadline.state IS 'The state';
COMMENT ON COLUMN returns.stage_deadline.term IS 'Length of the stage in unit; 0: it ends with the day on which it began';
COMMENT ON COLUMN returns.stage_deadline.unit IS 'Unit of term and remind: hour, day, business_day, month or year';
COMMENT ON COLUMN returns.stage_deadline.on_timeout IS 'State that follows when the term is over; NULL: it stays and is marked overdue';
COMMENT ON COLUMN returns.stage_deadline.remind IS 'A reminder event is written so many units before the end; NULL: none';

COMMENT ON TABLE returns.actor_grant IS
'Which database role may act as which actor

setup() grants every kind of actor to its caller.';
COMMENT ON COLUMN returns.actor_grant.db_role IS 'The role; its members have the grant too';
COMMENT ON COLUMN returns.actor_grant.actor IS 'Kind of actor, as in return_event.actor; not system';
COMMENT ON COLUMN returns.actor_grant.ref IS 'Reference of the only actor that the role may be; NULL: any actor of the kind';

COMMENT ON TABLE returns.ledger_account IS
'The chart of accounts of the double-entry ledger';
COMMENT ON COLUMN returns.ledger_account.code IS 'Code of the account, used by ledger_entry.account';
COMMENT ON COLUMN returns.ledger_account.name IS 'Name for people';
COMMENT ON COLUMN returns.ledger_account.normal_side IS 'Side on which its balance usually is: debit (positive) or credit (negative)';
COMMENT ON COLUMN returns.ledger_account.party IS
'Party that sees the entries posted to it: buyer, seller; NULL: operators only

setup() writes it into the row-level security policies: call setup() after a change.';
