-- workflow_diagram(): text that Mermaid and Graphviz draw.
-- Both programs accept the expected output.
\pset format unaligned
\pset tuples_only on

SELECT returns.workflow_diagram('return', 'mermaid');
SELECT returns.workflow_diagram('return', 'dot');
SELECT returns.workflow_diagram('refund', 'mermaid');
SELECT returns.workflow_diagram('refund', 'dot');

-- Several markets share a timer, one differs, one has its own for a category.
SET client_min_messages = error;
CALL returns.setup('eu', 'us');
UPDATE returns.stage_deadline SET term = 10 WHERE market = 'eu' AND state = 'approved';
INSERT INTO returns.stage_deadline (market, category, resolution, state, term, unit, on_timeout) VALUES
	('kz', 'phones', 'exchange', 'approved', 7, 'day', 'expired'),
	(NULL, NULL, NULL, 'approved', 1, 'month', NULL);
SELECT line FROM regexp_split_to_table(returns.workflow_diagram('return', 'mermaid'), '\n') AS line
 WHERE line ~ 'approved.* : (timer|overdue)';

-- Names that have a meaning in the two programs, requirements and guards.
CREATE SCHEMA shop;
CREATE FUNCTION shop."May; it: ""really""?"(bigint, text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
BEGIN;
INSERT INTO returns.state (code, kind) VALUES
	('end', 'open'), ('лаборатория', 'open'), ('a "b" <c> \n & #1; {d} %%{e}', 'open'),
	('backslash\', 'open'), (E'two\nlines', 'open'), ('2nd', 'open'), ('state_7', 'open'), ('--> [*] : x', 'final');
INSERT INTO returns.transition (from_state, to_state, actors, requires, guard) VALUES
	('requested', 'end', '{seller}', '{note,evidence}', 'shop."May; it: ""really""?"'),
	('end', 'лаборатория', '{system}', '{}', NULL),
	('лаборатория', 'a "b" <c> \n & #1; {d} %%{e}', '{system}', '{}', NULL),
	('a "b" <c> \n & #1; {d} %%{e}', 'backslash\', '{system}', '{}', NULL),
	('backslash\', E'two\nlines', '{system}', '{}', NULL),
	(E'two\nlines', '2nd', '{system}', '{}', NULL),
	('2nd', 'state_7', '{system}', '{}', NULL),
	('state_7', '--> [*] : x', '{system}', '{}', NULL);
COMMIT;
SELECT line FROM regexp_split_to_table(returns.workflow_diagram('return', 'mermaid'), '\n') AS line
 WHERE line ~ 'state_|end|line';
SELECT line FROM regexp_split_to_table(returns.workflow_diagram('return', 'dot'), '\n') AS line
 WHERE line ~ 'state_|end|line';

-- A machine and a format that do not exist.
SELECT returns.workflow_diagram('order', 'dot');
\echo :SQLSTATE
SELECT returns.workflow_diagram('return', 'png');
\echo :SQLSTATE
SELECT returns.workflow_diagram('return', NULL) IS NULL;
