-- Deadlines as rows. A row is what the head says must be watched: both change in one transaction.
-- migrate:up
CREATE TABLE es.timer (
    stream_id uuid        NOT NULL,
    kind      smallint    NOT NULL, -- 1 SIGN, 2 ANSWER, 3 LADDER (TIMER_KINDS in shared/log)
    shard     smallint    NOT NULL,
    due_at    timestamptz NOT NULL, -- the last instant in time: it fires when the clock is past it
    PRIMARY KEY (stream_id, kind)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX timer_due ON es.timer (shard, due_at, stream_id);

-- City time in a rehearsal: `now` is how far inputs may reach, `settled` is the instant up to which
-- everything has been taken in by all desks, so that timers may fire up to it. No row: real time.
CREATE TABLE es.city_clock (
    one     boolean     PRIMARY KEY DEFAULT true CHECK (one),
    now     timestamptz NOT NULL,
    settled timestamptz NOT NULL CHECK (settled <= now)
);

CREATE FUNCTION es.city_time() RETURNS TABLE (now timestamptz, settled timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT c.now, c.settled FROM city_clock c
$$;

-- A page of what is due, by time; the next one begins behind the last row of this one.
CREATE FUNCTION es.due(p_shards smallint[], p_from timestamptz, p_until timestamptz, p_limit int,
                       p_behind uuid DEFAULT '00000000-0000-0000-0000-000000000000')
RETURNS TABLE (stream_id uuid, due_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT d.stream_id, d.due_at
    FROM unnest(p_shards) AS s (shard),
         LATERAL (
             SELECT t.stream_id, t.due_at FROM timer t
             WHERE t.shard = s.shard AND (t.due_at, t.stream_id) > (p_from, p_behind) AND t.due_at < p_until
             ORDER BY t.due_at, t.stream_id LIMIT p_limit
         ) d
    ORDER BY d.due_at, d.stream_id LIMIT p_limit
$$;

-- In a rehearsal each complaint has a time of its own: these may fire before the city's time is settled.
CREATE TABLE es.city_fire (
    stream_id uuid        PRIMARY KEY,
    until     timestamptz NOT NULL -- its timers before this may fire
);

CREATE FUNCTION es.city_due(p_shards smallint[], p_limit int)
RETURNS TABLE (stream_id uuid, due_at timestamptz, until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT f.stream_id, t.due_at, f.until
    FROM city_fire f,
         LATERAL (
             SELECT min(t.due_at) AS due_at FROM timer t
             WHERE t.stream_id = f.stream_id AND t.due_at < f.until AND t.shard = ANY (p_shards)
         ) t
    WHERE t.due_at IS NOT NULL
    LIMIT p_limit
$$;

-- migrate:down
