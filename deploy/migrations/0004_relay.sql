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

-- Whether every committed fact has been published: what a rehearsal waits for between its steps.
CREATE FUNCTION es.drained() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    -- Two questions, each answered by the index; joined by OR they walked the whole log.
    SELECT r.snap_b IS NULL
       AND NOT EXISTS (SELECT 1 FROM event e WHERE e.xid >= pg_snapshot_xmax(r.snap_a))
       AND NOT EXISTS (SELECT 1 FROM event e WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(r.snap_a))))
    FROM relay r WHERE r.shard = 0
$$;

-- migrate:down
