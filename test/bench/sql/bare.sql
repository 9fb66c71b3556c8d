-- The same rows in tables of the same shape, with the same indexes, without rules.

\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE TABLE bench.bare_request (LIKE returns.return_request INCLUDING DEFAULTS INCLUDING INDEXES);
CREATE TABLE bench.bare_event (LIKE returns.return_event INCLUDING DEFAULTS INCLUDING INDEXES);
INSERT INTO bench.bare_request TABLE returns.return_request;
INSERT INTO bench.bare_event TABLE returns.return_event;
