-- A limit that is over when it becomes known is stated at the next tick, and one that cannot be decided stops no other.
-- migrate:up

-- Where the clock looks at a timer at another time than at its limit. Empty: at its limit.
--   * The limit was over before it became known: the instant it became known, so that it lies before the clock's look
--     and not below what the clock has looked through already.
--   * It could not be decided: when it is tried again.
ALTER TABLE es.timer ADD COLUMN look_at timestamptz;
UPDATE es.timer SET look_at = clock_timestamp() WHERE due_at < clock_timestamp();

DROP INDEX es.timer_due;
CREATE INDEX timer_due ON es.timer (shard, (coalesce(look_at, due_at)), stream_id);

-- In a rehearsal the clock looks from the beginning each time, so a limit is enough.
CREATE FUNCTION es.known_late() RETURNS trigger
LANGUAGE plpgsql SET search_path = es, pg_catalog AS $$
BEGIN
    NEW.look_at := clock_timestamp();
    IF NEW.due_at >= NEW.look_at OR EXISTS (SELECT FROM city_clock) THEN
        NEW.look_at := NULL;
    END IF;
    RETURN NEW;
END $$;

-- However a timer comes into the table: by an append, a rebuild, a repair by hand. A restored backup brings its own.
CREATE TRIGGER known_late_new BEFORE INSERT ON es.timer
    FOR EACH ROW WHEN (NEW.look_at IS NULL AND NEW.due_at < clock_timestamp())
    EXECUTE FUNCTION es.known_late();
CREATE TRIGGER known_late_moved BEFORE UPDATE OF due_at ON es.timer
    FOR EACH ROW WHEN (OLD.look_at IS NOT NULL OR NEW.due_at < clock_timestamp())
    EXECUTE FUNCTION es.known_late();

-- What was known by the server's clock says nothing in a rehearsal's time.
CREATE FUNCTION es.rehearsal_begins() RETURNS trigger
LANGUAGE plpgsql SET search_path = es, pg_catalog AS $$
BEGIN
    UPDATE timer SET look_at = NULL WHERE look_at IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER rehearsal_begins AFTER INSERT ON es.city_clock
    FOR EACH ROW EXECUTE FUNCTION es.rehearsal_begins();

-- The time by which timers fire, and whether it is a conductor's.
CREATE FUNCTION es.timer_clock(OUT now timestamptz, OUT rehearsed boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    SELECT c.settled INTO now FROM city_clock c;
    rehearsed := FOUND;
    IF NOT rehearsed THEN
        now := clock_timestamp();
    END IF;
END $$;

-- Which transactions are writing timers now. It is asked for after the time was read: a transaction that is not among
-- them has committed, or it judges by a later time what is over. The server goes through its whole table of locks for
-- it (1 ms where there is room for many), so it is asked for once a second and not at each tick.
CREATE FUNCTION es.timer_writers() RETURNS text[]
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT coalesce(array_agg(DISTINCT l.virtualtransaction), '{}')
    FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.relation = 'es.timer'::regclass AND l.mode = 'RowExclusiveLock'
      AND l.granted AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
$$;

DROP FUNCTION es.city_time(); -- nobody else asked

-- A page of what is due, in the order in which it is looked at; the next one begins behind the last row of this one.
DROP FUNCTION es.due(smallint[], timestamptz, timestamptz, int, uuid);
CREATE FUNCTION es.due(p_shards smallint[], p_from timestamptz, p_until timestamptz, p_limit int,
                       p_behind uuid DEFAULT '00000000-0000-0000-0000-000000000000')
RETURNS TABLE (stream_id uuid, due_at timestamptz, look_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT d.stream_id, d.due_at, d.look_at
    FROM unnest(p_shards) AS s (shard),
         LATERAL (
             SELECT t.stream_id, t.due_at, coalesce(t.look_at, t.due_at) AS look_at FROM timer t
             WHERE t.shard = s.shard AND (coalesce(t.look_at, t.due_at), t.stream_id) > (p_from, p_behind)
               AND coalesce(t.look_at, t.due_at) <= p_until AND t.due_at < p_until
             ORDER BY coalesce(t.look_at, t.due_at), t.stream_id LIMIT p_limit
         ) d
    ORDER BY d.look_at, d.stream_id LIMIT p_limit
$$;

-- A timer that could not be decided, or whose firing said nothing, is left alone for so long, unless it was set anew
-- meanwhile. False in a rehearsal: city time does not go on by itself, so its owner has to remember.
CREATE FUNCTION es.pass_over(p_stream uuid, p_due timestamptz, p_look timestamptz, p_seconds double precision)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    IF EXISTS (SELECT FROM city_clock) THEN
        RETURN false;
    END IF;
    UPDATE timer SET look_at = clock_timestamp() + p_seconds * interval '1 second'
        WHERE stream_id = p_stream AND due_at = p_due AND coalesce(look_at, due_at) = p_look;
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION es.timer_clock, es.timer_writers, es.due, es.pass_over, es.known_late, es.rehearsal_begins
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.timer_clock, es.timer_writers, es.due, es.pass_over TO hotline_escalation;

-- migrate:down
