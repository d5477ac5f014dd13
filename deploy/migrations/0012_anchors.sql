-- Anchors: for each stretch of the log, in order of position, the root of its facts' hashes, chained to the one before.
-- What is written here is handed on to a topic and a file (shared/log/anchoring.py): whoever can change the log can
-- change this table, but not what lies elsewhere by then.
-- migrate:up
CREATE TABLE es.anchor (
    number   bigint  PRIMARY KEY CHECK (number > 0),
    last     bigint  NOT NULL, -- everything up to this position is anchored
    hash     bytea   NOT NULL UNIQUE CHECK (octet_length(hash) = 32), -- of the line
    restored boolean NOT NULL DEFAULT false, -- says that the log was put back from a backup, and covers nothing
    line     bytea   NOT NULL -- the very bytes that are handed on
);
ALTER TABLE es.anchor ALTER COLUMN line SET STORAGE EXTERNAL; -- hashes do not get smaller
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es.anchor
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse();

GRANT SELECT, INSERT ON es.anchor TO hotline_relay;
GRANT SELECT ON SEQUENCE es.position_seq TO hotline_relay;
GRANT SELECT ON es.anchor TO hotline_reader;

-- As in 0009, and what is not anchored yet stays: stretches are read where the log is appended to. Where nothing is
-- anchored at all, nothing waits for it.
CREATE OR REPLACE FUNCTION es.archive(p_month date, p_streams uuid[]) RETURNS TABLE (lives bigint, facts bigint)
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
    FROM stream s, (SELECT min(pg_snapshot_xmin(r.snap_a)) AS sent FROM relay r) r,
         (SELECT coalesce((SELECT a.last FROM anchor a ORDER BY a.number DESC LIMIT 1), 9223372036854775807) AS last) n
    WHERE s.stream_id = ANY (p_streams)
      AND date_trunc('month', (s.state::json #>> '{ended,at}')::timestamptz AT TIME ZONE 'UTC')::date = p_month
      AND NOT EXISTS (SELECT FROM timer t WHERE t.stream_id = s.stream_id)
      AND NOT EXISTS (SELECT FROM parked p WHERE p.complaint_id = s.stream_id)
      AND NOT EXISTS (SELECT FROM event e WHERE e.stream_id = s.stream_id AND (e.xid >= r.sent OR e.position > n.last));
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

-- migrate:down
