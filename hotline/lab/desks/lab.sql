-- The laboratory adds this to the database of a city that it lives: a clock that its conductor moves, and the city's
-- own answers to "what time is it" and "which timers are due". It may be said again at any time.

CREATE SCHEMA IF NOT EXISTS lab;

-- `now` is how far inputs may reach. `settled` is the instant up to which every desk has taken in everything, so that
-- timers may fire up to it. No row: nobody has conducted yet, and the time is real.
CREATE TABLE IF NOT EXISTS lab.city_clock (
    one     boolean     PRIMARY KEY DEFAULT true CHECK (one),
    now     timestamptz NOT NULL,
    settled timestamptz NOT NULL CHECK (settled <= now)
);

-- Each complaint has a time of its own: these may fire before the city's time is settled.
CREATE TABLE IF NOT EXISTS lab.city_fire (
    stream_id uuid        PRIMARY KEY,
    until     timestamptz NOT NULL -- its timers before this may fire
);

-- How far the conductor has come; NULL where nobody conducts.
CREATE OR REPLACE FUNCTION lab.conducted() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = lab, pg_catalog AS $$
    SELECT c.now FROM city_clock c
$$;

CREATE OR REPLACE FUNCTION lab.due(p_shards smallint[], p_limit int)
RETURNS TABLE (stream_id uuid, due_at timestamptz, until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = lab, pg_catalog AS $$
    SELECT f.stream_id, t.due_at, f.until
    FROM city_fire f,
         LATERAL (
             SELECT min(t.due_at) AS due_at FROM es.timer t
             WHERE t.stream_id = f.stream_id AND t.due_at < f.until AND t.shard = ANY (p_shards)
         ) t
    WHERE t.due_at IS NOT NULL
    LIMIT p_limit
$$;

CREATE OR REPLACE FUNCTION es.present() RETURNS timestamptz
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = lab, pg_catalog AS $$
    SELECT coalesce((SELECT c.now FROM city_clock c), clock_timestamp())
$$;

CREATE OR REPLACE FUNCTION es.timers_until() RETURNS timestamptz
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = lab, pg_catalog AS $$
    SELECT coalesce((SELECT c.settled FROM city_clock c), clock_timestamp())
$$;

-- Also the first of those that the conductor lets fire.
CREATE OR REPLACE FUNCTION es.overdue(p_shards int)
RETURNS TABLE (shard int, stream_id uuid, kind smallint, due_at timestamptz)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT s.shard, first.stream_id, first.kind, first.due_at
    FROM generate_series(0, p_shards - 1) AS s (shard), LATERAL (
        SELECT t.stream_id, t.kind, t.due_at FROM timer t
        WHERE t.shard = s.shard AND coalesce(t.look_at, t.due_at) < (SELECT timers_until())
        ORDER BY coalesce(t.look_at, t.due_at), t.stream_id LIMIT 1
    ) AS first
    UNION ALL (
        SELECT t.shard::int, t.stream_id, t.kind, t.due_at FROM lab.city_fire f JOIN timer t USING (stream_id)
        WHERE t.due_at < f.until ORDER BY t.due_at, t.stream_id LIMIT 1
    )
$$;

-- City time goes forward as its conductor likes, and its clock looks from the beginning each time: nothing is known
-- late to it.
DROP TRIGGER IF EXISTS known_late_new ON es.timer;
DROP TRIGGER IF EXISTS known_late_moved ON es.timer;

REVOKE ALL ON FUNCTION lab.conducted, lab.due FROM PUBLIC;
GRANT USAGE ON SCHEMA lab TO hotline_desk;
GRANT EXECUTE ON FUNCTION lab.conducted TO hotline_desk;
GRANT EXECUTE ON FUNCTION lab.due TO hotline_escalation;
GRANT EXECUTE ON FUNCTION es.timers_until TO hotline_escalation;
