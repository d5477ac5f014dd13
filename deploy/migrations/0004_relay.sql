-- Where the relay stands: which snapshots' difference it is sending, and who may send.
-- migrate:up
CREATE TABLE es.relay (
    shard  smallint    PRIMARY KEY,
    epoch  bigint      NOT NULL DEFAULT 0, -- an owner with an older epoch is fenced
    batch  bigint      NOT NULL DEFAULT 0, -- number of the batch (snap_a, snap_b]; travels with each message
    snap_a pg_snapshot NOT NULL,           -- everything visible here has been published
    snap_b pg_snapshot,                    -- open batch: visible in b, not in a
    pos    bigint      NOT NULL DEFAULT 0  -- how far into the open batch we are
);
INSERT INTO es.relay (shard, snap_a) VALUES (0, pg_current_snapshot());

-- Which relay sends a complaint's facts: by its partition of complaints.log (shared/topics.py: CRC-32 of the key,
-- four partitions), so that a partition only ever gets messages of one relay and their marks stay comparable.
CREATE FUNCTION es.relay_shard(p_stream uuid, p_shards int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (crc32(convert_to(p_stream::text, 'UTF8')) % 4 % p_shards)::int
$$;

-- Whether every committed fact has been published: what a rehearsal waits for between its steps.
CREATE FUNCTION es.drained() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    -- Two questions, each answered by the index; joined by OR they walked the whole log.
    SELECT bool_and(r.snap_b IS NULL
       AND NOT EXISTS (SELECT 1 FROM event e WHERE e.xid >= pg_snapshot_xmax(r.snap_a)
                       AND (n.shards = 1 OR relay_shard(e.stream_id, n.shards) = r.shard))
       AND NOT EXISTS (SELECT 1 FROM event e WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(r.snap_a)))
                       AND (n.shards = 1 OR relay_shard(e.stream_id, n.shards) = r.shard)))
    FROM relay r, (SELECT count(*)::int AS shards FROM relay) n
$$;

-- How many relays share the log, from now on. Nobody can append meanwhile, and everything must have been sent: each
-- shard begins at this very snapshot, with a batch no mark has reached yet. Owners from before are fenced.
CREATE FUNCTION es.set_relay_shards(p_shards int) RETURNS void
LANGUAGE plpgsql SET search_path = es, pg_catalog AS $$
DECLARE
    last record;
BEGIN
    IF p_shards NOT BETWEEN 1 AND 4 THEN
        RAISE EXCEPTION 'complaints.log has 4 partitions: 1 to 4 relays can share it, not %', p_shards;
    END IF;
    LOCK TABLE event IN SHARE MODE;
    LOCK TABLE relay IN EXCLUSIVE MODE;
    IF (SELECT count(*) FROM relay) = p_shards THEN
        RETURN;
    END IF;
    IF NOT drained() THEN
        RAISE EXCEPTION 'facts wait to be sent: let the relays finish before their number changes';
    END IF;
    SELECT max(epoch) AS epoch, max(batch) AS batch INTO last FROM relay;
    DELETE FROM relay;
    INSERT INTO relay (shard, epoch, batch, snap_a)
        SELECT n, last.epoch + 1, last.batch, pg_current_snapshot() FROM generate_series(0, p_shards - 1) AS n;
END $$;

-- migrate:down
