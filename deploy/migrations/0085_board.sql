-- The board: what lies with all units together, by its limit; and how far everybody is, in one look.
-- migrate:up
-- The orders of all units by their limit, the earliest first. All that is counted of them stands in the index.
CREATE INDEX waiting_leads ON read.waiting (due_at, stream_id) INCLUDE (district, unit)
    WHERE list = 'orders' AND role = 'lead';

-- What waits for a person, and how late the relay and the clock are; nothing of what is parked itself.
-- unsent: how old the oldest fact is that is not known as sent. late: how long ago the timer was due that should have
-- fired first. Null: there is none.
CREATE FUNCTION web.health(p_shards int)
RETURNS TABLE (parked bigint, parked_since timestamptz, stopped bigint, unsent interval, late interval)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = es, pg_catalog SET enable_seqscan = off AS $$
    SELECT (SELECT count(*) FROM parked), (SELECT min(p.parked_at) FROM parked p),
           (SELECT count(*) FROM door_stopped s WHERE s.resumed_at IS NULL),
           (SELECT clock_timestamp() - min(least(
                (SELECT e.recorded_at FROM event e WHERE e.xid >= pg_snapshot_xmax(r.snap_a)
                 AND (n.shards = 1 OR relay_shard(e.stream_id, n.shards) = r.shard) ORDER BY e.xid, e.position LIMIT 1),
                (SELECT min(e.recorded_at) FROM event e WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(r.snap_a)))
                 AND (n.shards = 1 OR relay_shard(e.stream_id, n.shards) = r.shard))))
            FROM relay r, (SELECT count(*)::int AS shards FROM relay) n),
           (SELECT present() - min(o.due_at) FROM overdue(p_shards) o)
$$;
REVOKE ALL ON FUNCTION web.health FROM PUBLIC;
GRANT EXECUTE ON FUNCTION web.health TO hotline_web, hotline_reader;

GRANT SELECT (parked_id, parked_at) ON es.parked TO hotline_web;

-- migrate:down
