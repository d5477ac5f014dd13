-- Pages show the knowledge base and the scores: what they read of them, and no more. Programmes: see 0077.
-- migrate:up
GRANT USAGE ON SCHEMA intake TO hotline_web;
GRANT SELECT ON intake.article, intake.article_withdrawn, intake.article_version TO hotline_web;

-- A month's sums, and whether lives are missing in it; of a head how far it is, and nothing of what it says.
GRANT SELECT ON es.score_life, es.score_view, es.score_month, es.score_correction, es.score_unread, es.archive_month,
    es.detached_life TO hotline_web;
GRANT SELECT (stream_id, version) ON es.stream TO hotline_web;
GRANT SELECT ON SEQUENCE es.position_seq TO hotline_web;

-- How old the oldest fact is that the scores have not taken in; null where they have all. No row: nobody made them yet.
CREATE FUNCTION web.scores_standing() RETURNS TABLE (behind interval)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog SET enable_seqscan = off AS $$
    SELECT clock_timestamp() - least(
        (SELECT e.recorded_at FROM event e WHERE e.xid >= pg_snapshot_xmax(v.seen::pg_snapshot)
         ORDER BY e.xid, e.position LIMIT 1),
        (SELECT min(e.recorded_at) FROM event e WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(v.seen::pg_snapshot)))))
    FROM score_view v
$$;
REVOKE ALL ON FUNCTION web.scores_standing FROM PUBLIC;
GRANT EXECUTE ON FUNCTION web.scores_standing TO hotline_web, hotline_reader;

-- migrate:down
