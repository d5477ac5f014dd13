-- How long the legs of a life took, as histograms by unit and hour of the city's time (decision 0075).
-- migrate:up
-- A row for each fact that ended a leg: it follows from the facts of its complaint up to this one, so it never changes.
CREATE TABLE read.leg (
    stream_id uuid        NOT NULL,
    version   int         NOT NULL, -- of the fact that ended it
    leg       text        NOT NULL, -- hotline.readside.legs.Leg
    unit      text        NOT NULL, -- with whom the order lay
    hour      timestamptz NOT NULL, -- the end of the hour in which it ended, which belongs to it
    bucket    smallint    NOT NULL, -- hotline/readside/leg_edges.py
    PRIMARY KEY (stream_id, version)
);

-- The sums over them: of each unit, and under the empty name of all together.
CREATE TABLE read.leg_hour (
    unit   text        NOT NULL,
    hour   timestamptz NOT NULL,
    leg    text        NOT NULL,
    bucket smallint    NOT NULL,
    legs   bigint      NOT NULL, -- a sum of nothing may stay as 0
    PRIMARY KEY (unit, hour, leg, bucket)
) WITH (fillfactor = 50);

CREATE FUNCTION read.legs_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO read.leg_hour AS t
            SELECT coalesce(a.unit, ''), a.hour, a.leg, a.bucket, count(*) FROM added a
            GROUP BY GROUPING SETS ((a.unit, a.hour, a.leg, a.bucket), (a.hour, a.leg, a.bucket)) ORDER BY 1, 2, 3, 4
            ON CONFLICT (unit, hour, leg, bucket) DO UPDATE SET legs = t.legs + excluded.legs;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO read.leg_hour AS t
            SELECT coalesce(r.unit, ''), r.hour, r.leg, r.bucket, -count(*) FROM removed r
            GROUP BY GROUPING SETS ((r.unit, r.hour, r.leg, r.bucket), (r.hour, r.leg, r.bucket)) ORDER BY 1, 2, 3, 4
            ON CONFLICT (unit, hour, leg, bucket) DO UPDATE SET legs = t.legs + excluded.legs;
    ELSE
        INSERT INTO read.leg_hour AS t
            SELECT coalesce(m.unit, ''), m.hour, m.leg, m.bucket, sum(m.n) FROM (
                SELECT a.unit, a.hour, a.leg, a.bucket, 1 AS n FROM added a
                UNION ALL SELECT r.unit, r.hour, r.leg, r.bucket, -1 FROM removed r
            ) m GROUP BY GROUPING SETS ((m.unit, m.hour, m.leg, m.bucket), (m.hour, m.leg, m.bucket))
            HAVING sum(m.n) <> 0 ORDER BY 1, 2, 3, 4
            ON CONFLICT (unit, hour, leg, bucket) DO UPDATE SET legs = t.legs + excluded.legs;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER legs_added AFTER INSERT ON read.leg REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION read.legs_changed();
CREATE TRIGGER legs_moved AFTER UPDATE ON read.leg REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION read.legs_changed();
CREATE TRIGGER legs_removed AFTER DELETE ON read.leg REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION read.legs_changed();

REVOKE ALL ON FUNCTION read.legs_changed FROM PUBLIC;
GRANT SELECT ON read.leg, read.leg_hour TO hotline_reader, hotline_operator;
GRANT SELECT ON read.leg_hour TO hotline_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON read.leg TO hotline_projector;
GRANT INSERT, UPDATE, DELETE ON read.leg, read.leg_hour TO hotline_operator;

-- migrate:down
