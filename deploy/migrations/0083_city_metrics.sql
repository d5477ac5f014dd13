-- The projector shows the figures of the whole city to Prometheus (decision 0069): it alone has one owner at a time.
-- migrate:up

-- How late the relay and the clock are, by the projector's login. unsent: how old the oldest fact is that is not known as
-- sent. late: how long ago the timer was due that should have fired first. Null: there is none.
CREATE FUNCTION es.lateness(p_shards int) RETURNS TABLE (unsent interval, late interval)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = es, pg_catalog SET enable_seqscan = off AS $$
    SELECT (SELECT clock_timestamp() - min(least(
                (SELECT e.recorded_at FROM event e WHERE e.xid >= pg_snapshot_xmax(r.snap_a)
                 AND (n.shards = 1 OR relay_shard(e.stream_id, n.shards) = r.shard) ORDER BY e.xid, e.position LIMIT 1),
                (SELECT min(e.recorded_at) FROM event e WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(r.snap_a)))
                 AND (n.shards = 1 OR relay_shard(e.stream_id, n.shards) = r.shard))))
            FROM relay r, (SELECT count(*)::int AS shards FROM relay) n),
           (SELECT present() - min(o.due_at) FROM overdue(p_shards) o)
$$;
REVOKE ALL ON FUNCTION es.lateness FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.lateness, es.present, read.standing TO hotline_projector;
GRANT SELECT ON read.call_hour TO hotline_projector;
GRANT SELECT (parked_id, consumer, parked_at) ON es.parked TO hotline_projector;
GRANT SELECT (consumer, door, topic, resumed_at) ON es.door_stopped TO hotline_projector;

-- migrate:down
