-- The only way into the log: facts, heads, timers, offsets, inbox and parking in one transaction.
-- migrate:up

-- What a batch needs to decide, in one round trip. Three kinds of row, told apart by `version`:
--   > 0   the head of a complaint
--   = -1  `stream_id` is a message that already had its effect
--   = -2  `stream_id` is a complaint with something parked at this consumer
CREATE FUNCTION es.heads(p_consumer text, p_streams uuid[], p_inbox uuid[])
RETURNS TABLE (stream_id uuid, version int, head_hash bytea, state text, state_schema smallint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT s.stream_id, s.version, s.head_hash, s.state, s.state_schema
        FROM stream s WHERE s.stream_id = ANY (p_streams);
    IF cardinality(p_inbox) > 0 THEN
        RETURN QUERY SELECT i.message_id, -1, NULL::bytea, NULL::text, NULL::smallint
            FROM inbox i WHERE i.consumer = p_consumer AND i.message_id = ANY (p_inbox);
    END IF;
    IF EXISTS (SELECT 1 FROM parked WHERE consumer = p_consumer AND complaint_id IS NOT NULL) THEN
        RETURN QUERY SELECT DISTINCT p.complaint_id, -2, NULL::bytea, NULL::text, NULL::smallint
            FROM parked p WHERE p.consumer = p_consumer AND p.complaint_id = ANY (p_streams);
    END IF;
END $$;

-- HL001, or a key that is there already (23505: a complaint just opened, a message that had its effect): a head
-- moved, read it again and decide again. HL002: an offset moved (fenced: stop).
CREATE FUNCTION es.append(
    p_consumer text,
    -- consumed so far, by compare-and-set
    o_topic text[], o_part int[], o_old bigint[], o_new bigint[], o_batch bigint[], o_position bigint[],
    -- inputs that had their effect
    p_inbox uuid[],
    -- heads: the version decided on (0: new) and what it became
    h_stream uuid[], h_old int[], h_new int[], h_hash bytea[], h_state text[], p_state_schema smallint,
    -- facts
    f_stream uuid[], f_version int[], f_id uuid[], f_type text[], f_schema smallint[],
    f_at timestamptz[], f_cause text[], f_body bytea[], f_hash bytea[],
    -- timers to set and to cancel
    t_stream uuid[], t_kind smallint[], t_shard smallint[], t_due timestamptz[],
    c_stream uuid[], c_kind smallint[],
    -- messages to park, and parked ones that are now handled
    k_topic text[], k_part int[], k_offset bigint[], k_sent_at_ms bigint[], k_key bytea[],
    k_headers bytea[], k_value bytea[], k_complaint uuid[], k_reason text[],
    p_unpark bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
DECLARE
    n int;
    held uuid[];
BEGIN
    -- Locks first, before anything that takes a transaction id: whoever writes later in a stream then
    -- also has the later id. Sorted by the lock's own key, or two that collide could deadlock.
    IF cardinality(h_stream) > 0 THEN
        PERFORM pg_advisory_xact_lock(l.k) FROM (
            SELECT DISTINCT hashtextextended(x::text, 0) AS k FROM unnest(h_stream) AS x ORDER BY k
        ) AS l;
    END IF;

    IF cardinality(o_topic) > 0 THEN
        UPDATE consumer_offset o
            SET next_offset = u.new, mark_batch = u.batch, mark_position = u.pos
            FROM unnest(o_topic, o_part, o_old, o_new, o_batch, o_position)
                 AS u (topic, part, old, new, batch, pos)
            WHERE o.consumer = p_consumer AND o.topic = u.topic AND o.part = u.part
              AND o.next_offset = u.old;
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n <> cardinality(o_topic) THEN
            RAISE EXCEPTION '% has lost % of its partitions to another consumer',
                p_consumer, cardinality(o_topic) - n USING ERRCODE = 'HL002';
        END IF;
    END IF;

    IF cardinality(h_stream) > 0 THEN
        UPDATE stream s
            SET version = u.new, head_hash = u.hash, state = u.state, state_schema = p_state_schema
            FROM unnest(h_stream, h_old, h_new, h_hash, h_state) AS u (id, old, new, hash, state)
            WHERE s.stream_id = u.id AND s.version = u.old AND u.old > 0;
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n <> (SELECT count(*) FROM unnest(h_old) AS o WHERE o > 0) THEN
            RAISE EXCEPTION 'a head moved' USING ERRCODE = 'HL001';
        END IF;
        INSERT INTO stream (stream_id, version, head_hash, state, state_schema)
            SELECT u.id, u.new, u.hash, u.state, p_state_schema
            FROM unnest(h_stream, h_old, h_new, h_hash, h_state) AS u (id, old, new, hash, state)
            WHERE u.old = 0;

        INSERT INTO event (stream_id, version, event_id, type, schema_version, occurred_at,
                           caused_by, actor, body, hash)
            SELECT u.stream, u.version, u.id, u.type, u.schema, u.at, u.cause, p_consumer, u.body, u.hash
            FROM unnest(f_stream, f_version, f_id, f_type, f_schema, f_at, f_cause, f_body, f_hash)
                 AS u (stream, version, id, type, schema, at, cause, body, hash);
    END IF;

    IF cardinality(p_inbox) > 0 THEN
        INSERT INTO inbox (consumer, message_id) SELECT p_consumer, x FROM unnest(p_inbox) AS x;
    END IF;

    IF cardinality(c_stream) > 0 THEN
        DELETE FROM timer t USING unnest(c_stream, c_kind) AS u (stream, kind)
            WHERE t.stream_id = u.stream AND t.kind = u.kind;
    END IF;
    IF cardinality(t_stream) > 0 THEN
        INSERT INTO timer (stream_id, kind, shard, due_at)
            SELECT u.stream, u.kind, u.shard, u.due
            FROM unnest(t_stream, t_kind, t_shard, t_due) AS u (stream, kind, shard, due)
            ON CONFLICT (stream_id, kind) DO UPDATE SET due_at = excluded.due_at;
    END IF;

    IF cardinality(k_topic) > 0 THEN
        WITH kept AS (
            INSERT INTO parked (consumer, topic, part, kafka_offset, sent_at_ms, key, headers, value,
                                complaint_id, reason)
                SELECT p_consumer, u.* FROM unnest(k_topic, k_part, k_offset, k_sent_at_ms, k_key,
                                                   k_headers, k_value, k_complaint, k_reason) AS u
                ON CONFLICT (consumer, topic, part, kafka_offset)
                    DO UPDATE SET reason = excluded.reason, released_at = NULL,
                                  complaint_id = coalesce(parked.complaint_id, excluded.complaint_id)
                RETURNING complaint_id
        )
        SELECT array_agg(DISTINCT complaint_id) INTO held FROM kept WHERE complaint_id IS NOT NULL;
        -- What was released behind a message that is parked again waits again.
        UPDATE parked b SET released_at = NULL
            FROM parked a
            WHERE a.consumer = p_consumer AND a.complaint_id = ANY (held) AND a.released_at IS NULL
              AND b.consumer = p_consumer AND b.complaint_id = a.complaint_id
              AND b.parked_id > a.parked_id AND b.released_at IS NOT NULL;
    END IF;
    IF cardinality(p_unpark) > 0 THEN
        DELETE FROM parked WHERE consumer = p_consumer AND parked_id = ANY (p_unpark);
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n <> cardinality(p_unpark) THEN
            RAISE EXCEPTION 'a released message was taken up or dropped meanwhile' USING ERRCODE = 'HL002';
        END IF;
    END IF;
END $$;

-- migrate:down
