-- What each desk has taken in, beside the facts it led to.
-- migrate:up
-- Offsets move by compare-and-set in the transaction of the effects: a consumer that lost its
-- partition fails its compare and stops. (mark_batch, mark_position) is the relay's own place of the
-- last message taken from this partition: anything not greater is a repeat of the relay's.
CREATE TABLE es.consumer_offset (
    consumer      text   NOT NULL,
    topic         text   NOT NULL,
    part          int    NOT NULL,
    next_offset   bigint NOT NULL,
    mark_batch    bigint NOT NULL DEFAULT 0,
    mark_position bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer, topic, part)
) WITH (fillfactor = 50);

-- Inputs from outside that had their effect, by the identity of their CloudEvent on its topic.
CREATE TABLE es.inbox (
    consumer   text NOT NULL,
    message_id uuid NOT NULL,
    PRIMARY KEY (consumer, message_id)
);

-- What could not be handled, whole, with its reason; nothing is lost and nothing else stops.
CREATE TABLE es.parked (
    parked_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer     text        NOT NULL,
    topic        text        NOT NULL,
    part         int         NOT NULL,
    kafka_offset bigint      NOT NULL,
    sent_at_ms   bigint      NOT NULL,
    key          bytea,
    headers      bytea       NOT NULL, -- JSON list of [name, base64 of the value or null]
    value        bytea,
    complaint_id uuid, -- where known: later messages of this complaint wait behind it
    reason       text        NOT NULL,
    parked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    released_at  timestamptz,
    UNIQUE (consumer, topic, part, kafka_offset)
);
CREATE INDEX parked_complaint ON es.parked (consumer, complaint_id);

CREATE FUNCTION es.offsets(p_consumer text, p_topics text[], p_parts int[])
RETURNS TABLE (topic text, part int, next_offset bigint, mark_batch bigint, mark_position bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO consumer_offset (consumer, topic, part, next_offset)
        SELECT p_consumer, t.topic, t.part, 0 FROM unnest(p_topics, p_parts) AS t (topic, part)
        ON CONFLICT DO NOTHING;
    RETURN QUERY
        SELECT o.topic, o.part, o.next_offset, o.mark_batch, o.mark_position
        FROM consumer_offset o
        JOIN unnest(p_topics, p_parts) AS t (topic, part) ON o.topic = t.topic AND o.part = t.part
        WHERE o.consumer = p_consumer;
END $$;

-- Released messages, oldest first, for the desk that parked them. Of one complaint only those are given out
-- before which nothing of it is parked but what comes back by the same door and partition in the same order:
-- two doors of a desk take up at different times, and a later message must not come first.
CREATE FUNCTION es.released(p_consumer text)
RETURNS TABLE (parked_id bigint, topic text, part int, kafka_offset bigint, sent_at_ms bigint,
               key bytea, headers bytea, value bytea, complaint_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT p.parked_id, p.topic, p.part, p.kafka_offset, p.sent_at_ms, p.key, p.headers, p.value, p.complaint_id
    FROM parked p WHERE p.consumer = p_consumer AND p.released_at IS NOT NULL
      AND NOT EXISTS (
          SELECT 1 FROM parked e
          WHERE e.consumer = p_consumer AND e.complaint_id = p.complaint_id AND e.parked_id < p.parked_id
            AND (e.released_at IS NULL OR (e.topic, e.part) <> (p.topic, p.part)))
    ORDER BY p.parked_id LIMIT 500
$$;

-- migrate:down
