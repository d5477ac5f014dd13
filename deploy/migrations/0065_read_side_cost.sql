-- A day's telephone figures are sums of hours, and the rows of complaints are written again where they lie.
-- migrate:up
-- One batch writes many rows of a page anew. Only where the page has room for all of them, no index is touched: by
-- measurement 156 and not 214 us of a backend for the three rows of a life (docs/performance.md).
ALTER TABLE read.complaint SET (fillfactor = 45);

-- The sums of the calls of an hour. A trigger keeps them, so a projector of the release before keeps them too.
CREATE TABLE read.call_hour (
    hour    timestamptz NOT NULL, -- the end of the hour, which belongs to it
    outcome text        NOT NULL,
    reached boolean     NOT NULL,
    seconds integer     NOT NULL, -- a wait rounded up, a caller's patience rounded down; -1 where neither is known
    calls   bigint      NOT NULL,
    waits   bigint      NOT NULL, -- calls whose wait is known
    waited  interval    NOT NULL,
    quits   bigint      NOT NULL, -- calls given up after a known time
    talks   bigint      NOT NULL,
    talked  interval    NOT NULL,
    PRIMARY KEY (hour, outcome, reached, seconds)
) WITH (fillfactor = 50);

CREATE FUNCTION read.hours_of(p_calls read.call[])
    RETURNS TABLE (hour timestamptz, outcome text, reached boolean, seconds integer, calls bigint, waits bigint,
                   waited interval, quits bigint, talks bigint, talked interval)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT date_bin('1 hour', c.at - interval '1 microsecond', '2000-01-01 00:00+00') + interval '1 hour', c.outcome,
           c.reached, coalesce(ceil(extract(epoch FROM c.waited)), floor(extract(epoch FROM c.gave_up)), -1)::integer,
           count(*), count(c.waited), coalesce(sum(c.waited), '0'), count(c.gave_up), count(c.talked),
           coalesce(sum(c.talked), '0')
    FROM unnest(p_calls) c GROUP BY 1, 2, 3, 4
$$;

CREATE FUNCTION read.add_to_hours(p_calls read.call[], p_times integer) RETURNS void LANGUAGE sql AS $$
    INSERT INTO read.call_hour AS t
    SELECT h.hour, h.outcome, h.reached, h.seconds, p_times * h.calls, p_times * h.waits, p_times * h.waited,
           p_times * h.quits, p_times * h.talks, p_times * h.talked
    FROM read.hours_of(p_calls) h ORDER BY 1, 2, 3, 4
    ON CONFLICT (hour, outcome, reached, seconds) DO UPDATE SET calls = t.calls + excluded.calls,
        waits = t.waits + excluded.waits, waited = t.waited + excluded.waited, quits = t.quits + excluded.quits,
        talks = t.talks + excluded.talks, talked = t.talked + excluded.talked
$$;

CREATE FUNCTION read.calls_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM read.add_to_hours((SELECT array_agg(ROW(o.*)::read.call) FROM removed o), -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM read.add_to_hours((SELECT array_agg(ROW(n.*)::read.call) FROM added n), 1);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER calls_added AFTER INSERT ON read.call REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION read.calls_changed();
CREATE TRIGGER calls_moved AFTER UPDATE ON read.call REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION read.calls_changed();
CREATE TRIGGER calls_removed AFTER DELETE ON read.call REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION read.calls_changed();

-- The same of all calls, a day at a time: an array holds at most a gigabyte.
CREATE VIEW read.call_hour_made AS
SELECT h.* FROM (SELECT DISTINCT date_bin('1 day', at - interval '1 microsecond', '2000-01-01 00:00+00') FROM read.call) d (day),
    LATERAL read.hours_of(
        (SELECT array_agg(c) FROM read.call c WHERE c.at > d.day AND c.at <= d.day + interval '1 day')) h;
INSERT INTO read.call_hour TABLE read.call_hour_made;

REVOKE ALL ON FUNCTION read.hours_of, read.add_to_hours, read.calls_changed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.hours_of TO hotline_reader, hotline_operator;
GRANT SELECT ON read.call_hour, read.call_hour_made TO hotline_reader, hotline_operator;
GRANT INSERT, UPDATE, DELETE ON read.call_hour TO hotline_operator;

-- migrate:down
