-- The same rules in optimized PL/pgSQL.  They are read at every move from the
-- same tables, each by one probe of an index, so that an edit takes effect at
-- once.  The tree of categories is stored as its closure, and the business days
-- are numbered.  The function runs as its owner, because callers must not write
-- the history themselves.

\set ON_ERROR_STOP 1
SET client_min_messages = warning;

CREATE TABLE bench.twin_request (LIKE returns.return_request INCLUDING DEFAULTS INCLUDING INDEXES);
CREATE TABLE bench.twin_event (LIKE returns.return_event INCLUDING DEFAULTS INCLUDING INDEXES);
INSERT INTO bench.twin_request TABLE returns.return_request;
INSERT INTO bench.twin_event TABLE returns.return_event;

CREATE TABLE bench.category_above AS
WITH RECURSIVE tree (category, above, distance) AS (
	SELECT code, code, 0 FROM returns.category
	UNION ALL
	SELECT t.category, c.parent, t.distance + 1
	  FROM tree t JOIN returns.category c ON c.code = t.above WHERE c.parent IS NOT NULL
)
SELECT * FROM tree;
ALTER TABLE bench.category_above ADD PRIMARY KEY (category, above);
CREATE INDEX ON returns.stage_deadline (state) WHERE machine = 'return';
VACUUM ANALYZE bench.category_above;
VACUUM ANALYZE returns.stage_deadline;

-- Every day with the number of working days up to it.
CREATE TABLE bench.calendar_day AS
SELECT calendar, day, working,
	sum(working::int) OVER (PARTITION BY calendar ORDER BY day)::int AS number
  FROM (SELECT c.code AS calendar, d::date AS day,
			coalesce(x.working, extract(isodow FROM d) <> ALL (c.weekend)) AS working
		  FROM returns.calendar c, generate_series(c.first_day::timestamp, c.last_day, '1 day') AS d
			LEFT JOIN returns.calendar_day x ON x.calendar = 'kz' AND x.day = d
		 WHERE c.code = 'kz') AS days;
ALTER TABLE bench.calendar_day ADD PRIMARY KEY (calendar, day);
CREATE UNIQUE INDEX ON bench.calendar_day (calendar, number) INCLUDE (day) WHERE working;

-- One trigger function for each way to find the last day of a term in business
-- days.
DO $do$
DECLARE
	way record;
BEGIN
	FOR way IN VALUES
		('calendar', $$(SELECT n.day FROM bench.calendar_day d
				JOIN bench.calendar_day n ON n.calendar = d.calendar AND n.number = d.number + stage.term AND n.working
			 WHERE d.calendar = stage.calendar AND d.day = today)$$),
		('series', $$(SELECT d::date
			  FROM generate_series(today + 1, today + 20 + 2 * stage.term, interval '1 day') AS d
				LEFT JOIN returns.calendar_day x ON x.calendar = stage.calendar AND x.day = d::date
			 WHERE coalesce(x.working, extract(isodow FROM d) < 6)
			 ORDER BY d OFFSET stage.term - 1 LIMIT 1)$$)
	LOOP
		EXECUTE format('CREATE FUNCTION bench.twin_by_%s() RETURNS trigger'
			' LANGUAGE plpgsql SECURITY DEFINER AS %L',
			way.column1, replace($body$
DECLARE
	actor_kind text := split_part(current_setting('bench.actor'), ':', 1);
	actor_ref text := split_part(current_setting('bench.actor'), ':', 2);
	edge returns.transition;
	stage record;
	goods text;
	today date;
	due timestamptz;
	refusal text;
BEGIN
	IF (NEW.id, NEW.order_ref, NEW.idempotency_key, NEW.last_seq, NEW.last_transfer, NEW.failures,
		NEW.overdue, NEW.last_hash, NEW.created_at, NEW.updated_at, NEW.requested_at, NEW.closed_at,
		NEW.due_at, NEW.wake_at, NEW.on_timeout, NEW.buyer_ref, NEW.seller_ref, NEW.market,
		NEW.currency, NEW.categories, NEW.refund_total, NEW.content_hash, NEW.reason, NEW.resolution)
		IS DISTINCT FROM
		(OLD.id, OLD.order_ref, OLD.idempotency_key, OLD.last_seq, OLD.last_transfer, OLD.failures,
		OLD.overdue, OLD.last_hash, OLD.created_at, OLD.updated_at, OLD.requested_at, OLD.closed_at,
		OLD.due_at, OLD.wake_at, OLD.on_timeout, OLD.buyer_ref, OLD.seller_ref, OLD.market,
		OLD.currency, OLD.categories, OLD.refund_total, OLD.content_hash, OLD.reason, OLD.resolution)
	THEN
		RAISE EXCEPTION 'a protected column of return % cannot be changed', NEW.id;
	END IF;
	IF NEW.status = OLD.status THEN
		RETURN NEW;
	END IF;

	PERFORM FROM returns.actor_grant
	  WHERE actor = actor_kind AND (ref IS NULL OR ref = actor_ref)
		AND pg_has_role(session_user, db_role, 'MEMBER');
	IF NOT FOUND THEN
		RAISE EXCEPTION 'role % may not act as %', session_user, current_setting('bench.actor');
	END IF;
	SELECT * INTO edge FROM returns.transition
	  WHERE machine = 'return' AND from_state = OLD.status AND to_state = NEW.status;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'return % cannot move from % to %', NEW.id, OLD.status, NEW.status;
	END IF;
	IF actor_kind <> ALL (edge.actors)
		OR actor_kind = 'buyer' AND NEW.buyer_ref <> actor_ref
		OR actor_kind = 'seller' AND NEW.seller_ref <> actor_ref
		OR actor_kind = 'carrier' AND NEW.carrier IS DISTINCT FROM actor_ref
	THEN
		RAISE EXCEPTION '% may not move return % to %', actor_kind, NEW.id, NEW.status;
	END IF;
	IF OLD.due_at <= now() AND OLD.on_timeout IS NOT NULL AND actor_kind <> 'operator' THEN
		RAISE EXCEPTION 'too late to move return %', NEW.id;
	END IF;
	IF edge.resolution <> NEW.resolution
		OR edge.requires <> '{}' AND (
			'note' = ANY (edge.requires) AND coalesce(NEW.note, '') = ''
			OR 'tracking' = ANY (edge.requires) AND coalesce(NEW.tracking_ref, '') = ''
			OR 'evidence' = ANY (edge.requires)
				AND coalesce(jsonb_array_length(NEW.details -> 'evidence'), 0) = 0)
	THEN
		RAISE EXCEPTION 'a requirement for moving return % to % is missing', NEW.id, NEW.status;
	END IF;
	IF edge.guard IS NOT NULL THEN
		EXECUTE format('SELECT %s($1, $2)', edge.guard) INTO refusal USING NEW.id, NEW.status;
		IF refusal IS NOT NULL THEN
			RAISE EXCEPTION 'guard refuses to move return % to %: %', NEW.id, NEW.status, refusal;
		END IF;
	END IF;

	-- The term of its goods that ends first applies.
	NEW.due_at := NULL;
	NEW.wake_at := NULL;
	NEW.on_timeout := NULL;
	FOREACH goods IN ARRAY coalesce(NEW.categories, '{}')
	LOOP
		SELECT d.term, d.unit, d.on_timeout, d.remind, m.timezone, m.calendar INTO stage
		  FROM returns.stage_deadline d
			JOIN returns.market m ON m.code = NEW.market
			LEFT JOIN bench.category_above c ON c.category = goods AND c.above = d.category
		 WHERE d.machine = 'return' AND d.state = NEW.status
			AND (d.market IS NULL OR d.market = NEW.market)
			AND (d.category IS NULL OR c.above IS NOT NULL)
			AND (d.resolution IS NULL OR d.resolution = NEW.resolution)
		 ORDER BY d.market IS NULL, c.distance, d.resolution IS NULL LIMIT 1;
		CONTINUE WHEN NOT FOUND;
		today := (now() AT TIME ZONE stage.timezone)::date;
		IF stage.unit = 'business_day' THEN
			today := <last business day>;
		ELSE
			today := (SELECT min(day) FROM bench.calendar_day
				WHERE calendar = stage.calendar AND day >= today + stage.term AND working);
		END IF;
		due := (today + 1)::timestamp AT TIME ZONE stage.timezone;
		IF NEW.due_at IS NULL OR due < NEW.due_at THEN
			NEW.due_at := due;
			NEW.wake_at := coalesce(due - stage.remind * interval '1 day', due);
			NEW.on_timeout := stage.on_timeout;
		END IF;
	END LOOP;
	NEW.updated_at := now();
	NEW.overdue := false;
	NEW.failures := 0;
	NEW.last_seq := OLD.last_seq + 1;
	NEW.last_hash := sha256(OLD.last_hash || convert_to(concat_ws('|', NEW.order_ref, NEW.id,
		NEW.last_seq, 1, pg_current_xact_id(), now(), actor_kind, actor_ref, session_user, OLD.status,
		NEW.status, 'transition', NEW.note, NEW.details, NEW.due_at), 'UTF8'));
	INSERT INTO bench.twin_event (return_id, xid, at, seq, epoch, order_ref, kind, from_state, to_state,
		actor, actor_ref, db_role, hash, due_at, note, details)
	VALUES (NEW.id, pg_current_xact_id(), now(), NEW.last_seq, 1, NEW.order_ref, 'transition',
		OLD.status, NEW.status, actor_kind, actor_ref, session_user, NEW.last_hash, NEW.due_at,
		NULL, NULL);
	RETURN NEW;
END $body$, '<last business day>', way.column2));
	END LOOP;
END $do$;

CREATE TRIGGER twin_calendar BEFORE UPDATE ON bench.twin_request
	FOR EACH ROW EXECUTE FUNCTION bench.twin_by_calendar();
CREATE TRIGGER twin_series BEFORE UPDATE ON bench.twin_request
	FOR EACH ROW EXECUTE FUNCTION bench.twin_by_series();
ALTER TABLE bench.twin_request DISABLE TRIGGER twin_series;
