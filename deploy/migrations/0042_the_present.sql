-- One function says what time it is in a city, and no table knows a clock that somebody moves.
-- migrate:up

-- The laboratory keeps such a clock in a schema of its own now. A city that it lived before keeps its time here.
DO $$
BEGIN
    IF EXISTS (SELECT FROM es.city_clock) THEN
        RAISE EXCEPTION 'an earlier version rehearsed in this city: it cannot be brought up to date, make it anew';
    END IF;
END $$;

DROP TABLE es.city_clock, es.city_fire;
DROP FUNCTION es.rehearsal_begins(), es.city_time(), es.city_due(smallint[], int), es.timer_clock();

-- The present of this city. Statements, programs and people all ask here. A row says when it was made
-- (`recorded_at`, `parked_at`) by the machine's time, and does not ask. A plain body, so that PostgreSQL inlines it.
CREATE FUNCTION es.present() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$ SELECT pg_catalog.clock_timestamp() $$;

-- Before this instant no timer is left that may not fire.
CREATE FUNCTION es.timers_until() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$ SELECT es.present() $$;

-- Of each shard the timer that would fire next and is due. They fire in this order, so if it stays, so do all behind
-- it. One that was passed over is looked at later and hides none.
CREATE FUNCTION es.overdue(p_shards int)
RETURNS TABLE (shard int, stream_id uuid, kind smallint, due_at timestamptz)
LANGUAGE sql VOLATILE SET search_path = es, pg_catalog AS $$
    SELECT s.shard, first.stream_id, first.kind, first.due_at
    FROM generate_series(0, p_shards - 1) AS s (shard), LATERAL (
        SELECT t.stream_id, t.kind, t.due_at FROM timer t
        WHERE t.shard = s.shard AND coalesce(t.look_at, t.due_at) < (SELECT timers_until())
        ORDER BY coalesce(t.look_at, t.due_at), t.stream_id LIMIT 1
    ) AS first
$$;

CREATE OR REPLACE FUNCTION es.known_late() RETURNS trigger
LANGUAGE plpgsql SET search_path = es, pg_catalog AS $$
BEGIN
    NEW.look_at := present();
    IF NEW.due_at >= NEW.look_at THEN
        NEW.look_at := NULL;
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER known_late_new ON es.timer;
CREATE TRIGGER known_late_new BEFORE INSERT ON es.timer
    FOR EACH ROW WHEN (NEW.look_at IS NULL AND NEW.due_at < es.present())
    EXECUTE FUNCTION es.known_late();
DROP TRIGGER known_late_moved ON es.timer;
CREATE TRIGGER known_late_moved BEFORE UPDATE OF due_at ON es.timer
    FOR EACH ROW WHEN (OLD.look_at IS NOT NULL OR NEW.due_at < es.present())
    EXECUTE FUNCTION es.known_late();

-- A timer that could not be decided, or whose firing said nothing, is left alone for so long, unless it was set anew
-- meanwhile.
DROP FUNCTION es.pass_over(uuid, timestamptz, timestamptz, double precision);
CREATE FUNCTION es.pass_over(p_stream uuid, p_due timestamptz, p_look timestamptz, p_seconds double precision)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    UPDATE timer SET look_at = present() + p_seconds * interval '1 second'
    WHERE stream_id = p_stream AND due_at = p_due AND coalesce(look_at, due_at) = p_look
$$;

REVOKE ALL ON FUNCTION es.present, es.timers_until, es.overdue, es.pass_over FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.present TO hotline_escalation, hotline_reader;
GRANT EXECUTE ON FUNCTION es.timers_until, es.overdue TO hotline_reader;
GRANT EXECUTE ON FUNCTION es.pass_over TO hotline_escalation;

-- migrate:down
