-- Facts of lives that ended long ago: out of the log that is appended to, into one table a month, which can be
-- detached, carried away and attached again. Nothing is lost on the way, and all of it can still be verified.
-- migrate:up
CREATE TABLE es.archived (
    xid            xid8        NOT NULL,
    position       bigint      NOT NULL,
    stream_id      uuid        NOT NULL,
    version        int         NOT NULL CHECK (version > 0),
    event_id       uuid        NOT NULL,
    type           text        NOT NULL,
    schema_version smallint    NOT NULL,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    caused_by      text        NOT NULL,
    actor          text        NOT NULL,
    body           bytea       NOT NULL,
    hash           bytea       NOT NULL CHECK (octet_length(hash) = 32),
    month          date        NOT NULL, -- the first day, in UTC, of the month in which the life ended
    PRIMARY KEY (stream_id, version, month)
) PARTITION BY LIST (month);

CREATE TABLE es.archive_month (
    month    date    PRIMARY KEY CHECK (extract(day FROM month) = 1),
    attached boolean NOT NULL DEFAULT true,
    lives    bigint  NOT NULL DEFAULT 0, -- as of the last time it was moved into
    facts    bigint  NOT NULL DEFAULT 0,
    digest   bytea                       -- of its facts' hashes, see es.archive_sum
);

-- How far the archive goes for a life: what its next fact follows, also where the month is away.
CREATE TABLE es.archived_life (
    stream_id uuid  PRIMARY KEY,
    month     date  NOT NULL REFERENCES es.archive_month,
    version   int   NOT NULL,
    hash      bytea NOT NULL
);

-- All facts that are at hand, wherever they lie: what readers of whole lives read.
CREATE VIEW es.fact AS
    SELECT xid, position, stream_id, version, event_id, type, schema_version, occurred_at, recorded_at, caused_by,
           actor, body, hash FROM es.event
    UNION ALL
    SELECT xid, position, stream_id, version, event_id, type, schema_version, occurred_at, recorded_at, caused_by,
           actor, body, hash FROM es.archived;

CREATE VIEW es.detached_life AS
    SELECT l.* FROM es.archived_life l JOIN es.archive_month m USING (month) WHERE NOT m.attached;

-- A fact leaves the log for the archive only, and stays what it was: whoever deletes one that does not lie there
-- with the same hash is refused, the owner too.
CREATE FUNCTION es.leaves_for_the_archive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM gone g WHERE NOT EXISTS (
            SELECT FROM es.archived a WHERE a.stream_id = g.stream_id AND a.version = g.version AND a.hash = g.hash)) THEN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'HL003';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER append_only ON es.event;
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON es.event
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse();
CREATE TRIGGER leaves_for_the_archive AFTER DELETE ON es.event REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION es.leaves_for_the_archive();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es.archived
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse();

CREATE FUNCTION es.archive_table(p_month date) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'archived_' || to_char(p_month, 'YYYY_MM') $$;

-- The month's table, made where there is none. The check says what the partition says, so that attaching it again
-- reads nothing; the trigger of the whole does not cover who names the part.
CREATE FUNCTION es.archive_open(p_month date) RETURNS void
LANGUAGE plpgsql SET search_path = es, pg_catalog AS $$
BEGIN
    INSERT INTO archive_month (month) VALUES (p_month) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        EXECUTE format('CREATE TABLE es.%I PARTITION OF es.archived (CHECK (month = %L)) FOR VALUES IN (%2$L)',
                       archive_table(p_month), p_month);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION es.refuse()', archive_table(p_month));
    END IF;
END $$;

-- Lives that may go: over before this instant, sent by the relay, with nothing set, parked or away. A life some of
-- which is archived already may have said more since (it was asked again, and refused).
CREATE FUNCTION es.archivable(p_before timestamptz) RETURNS TABLE (stream_id uuid, month date)
LANGUAGE sql STABLE SET search_path = es, pg_catalog AS $$
    SELECT s.stream_id, m.month
    FROM stream s
    CROSS JOIN LATERAL (SELECT (s.state::json #>> '{ended,at}')::timestamptz AS ended_at) e
    CROSS JOIN LATERAL (SELECT date_trunc('month', e.ended_at AT TIME ZONE 'UTC')::date AS month) m
    LEFT JOIN archived_life l ON l.stream_id = s.stream_id
    LEFT JOIN archive_month a ON a.month = m.month
    WHERE e.ended_at < p_before AND coalesce(l.version, 0) < s.version AND coalesce(a.attached, true)
    ORDER BY m.month, s.stream_id
$$;

-- Move these lives of one month, all in one transaction; how many lives and facts went. Those about which somebody
-- has something to say just now, or of which something is still to be sent or done, stay where they are.
CREATE FUNCTION es.archive(p_month date, p_streams uuid[]) RETURNS TABLE (lives bigint, facts bigint)
LANGUAGE plpgsql SET search_path = es, pg_catalog AS $$
DECLARE
    chosen uuid[];
    moved bigint;
BEGIN
    -- The locks of es.append, in its order: who appends is before us, or waits and finds the head unmoved.
    PERFORM pg_advisory_xact_lock(l.k) FROM (
        SELECT DISTINCT hashtextextended(x::text, 0) AS k FROM unnest(p_streams) AS x ORDER BY k
    ) AS l;
    PERFORM FROM archive_month m WHERE m.month = p_month AND m.attached FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the month % is not attached', p_month USING ERRCODE = 'HL004';
    END IF;
    SELECT array_agg(s.stream_id) INTO chosen
    FROM stream s, (SELECT min(pg_snapshot_xmin(r.snap_a)) AS sent FROM relay r) r
    WHERE s.stream_id = ANY (p_streams)
      AND date_trunc('month', (s.state::json #>> '{ended,at}')::timestamptz AT TIME ZONE 'UTC')::date = p_month
      AND NOT EXISTS (SELECT FROM timer t WHERE t.stream_id = s.stream_id)
      AND NOT EXISTS (SELECT FROM parked p WHERE p.complaint_id = s.stream_id)
      AND NOT EXISTS (SELECT FROM event e WHERE e.stream_id = s.stream_id AND e.xid >= r.sent);
    IF chosen IS NULL THEN
        RETURN QUERY SELECT 0::bigint, 0::bigint;
        RETURN;
    END IF;
    INSERT INTO archived SELECT e.*, p_month FROM event e WHERE e.stream_id = ANY (chosen);
    GET DIAGNOSTICS moved = ROW_COUNT;
    DELETE FROM event e WHERE e.stream_id = ANY (chosen);
    INSERT INTO archived_life (stream_id, month, version, hash)
        SELECT s.stream_id, p_month, s.version, s.head_hash FROM stream s WHERE s.stream_id = ANY (chosen)
        ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version, hash = excluded.hash;
    RETURN QUERY SELECT cardinality(chosen)::bigint, moved;
END $$;

-- What a month's table holds: the same facts, in whatever order they lie, give the same.
CREATE FUNCTION es.archive_sum(p_month date) RETURNS TABLE (lives bigint, facts bigint, digest bytea)
LANGUAGE plpgsql STABLE SET search_path = es, pg_catalog AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT count(*), coalesce(sum(n), 0)::bigint, sha256(coalesce(string_agg(h, '''' ORDER BY stream_id), '''')) '
        'FROM (SELECT stream_id, count(*) AS n, sha256(string_agg(hash, '''' ORDER BY version)) AS h '
        'FROM es.%I GROUP BY stream_id) x', archive_table(p_month));
END $$;

-- After moving: what will have to be there when the month comes back.
CREATE FUNCTION es.archive_close(p_month date) RETURNS void
LANGUAGE sql SET search_path = es, pg_catalog AS $$
    UPDATE archive_month m SET lives = s.lives, facts = s.facts, digest = s.digest
    FROM archive_sum(p_month) s WHERE m.month = p_month
$$;

CREATE FUNCTION es.archive_detach(p_month date) RETURNS void
LANGUAGE plpgsql SET search_path = es, pg_catalog AS $$
BEGIN
    UPDATE archive_month SET attached = false WHERE month = p_month AND attached;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the month % is not attached', p_month USING ERRCODE = 'HL004';
    END IF;
    PERFORM archive_close(p_month);
    EXECUTE format('ALTER TABLE es.archived DETACH PARTITION es.%I', archive_table(p_month));
END $$;

CREATE FUNCTION es.archive_attach(p_month date) RETURNS void
LANGUAGE plpgsql SET search_path = es, pg_catalog AS $$
DECLARE
    known archive_month;
    there archive_month;
BEGIN
    UPDATE archive_month SET attached = true WHERE month = p_month AND NOT attached RETURNING * INTO known;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the month % is not detached', p_month USING ERRCODE = 'HL004';
    END IF;
    IF to_regclass('es.' || archive_table(p_month)) IS NULL THEN
        RAISE EXCEPTION 'there is no table es.%: bring it back first', archive_table(p_month) USING ERRCODE = 'HL004';
    END IF;
    SELECT p_month, true, s.* INTO there FROM archive_sum(p_month) s;
    IF there IS DISTINCT FROM known THEN
        RAISE EXCEPTION 'es.% holds % facts of % lives, not the % facts of % lives it was detached with',
            archive_table(p_month), there.facts, there.lives, known.facts, known.lives USING ERRCODE = 'HL004';
    END IF;
    EXECUTE format('ALTER TABLE es.archived ATTACH PARTITION es.%I FOR VALUES IN (%L)',
                   archive_table(p_month), p_month);
END $$;

-- The owner's, as the log itself is; a reader reads.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA es FROM PUBLIC;
GRANT SELECT ON es.archived, es.archive_month, es.archived_life, es.fact, es.detached_life TO hotline_reader;

-- migrate:down
