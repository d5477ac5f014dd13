-- A door that would set aside most of what comes stops taking in instead, until a person says that it may go on.
-- migrate:up

-- A topic that is made anew begins with offset 0 again: what was parked of the old one is another message.
ALTER TABLE es.parked DROP CONSTRAINT parked_consumer_topic_part_kafka_offset_key,
    ADD UNIQUE (consumer, topic, part, kafka_offset, sent_at_ms);
DO $$
DECLARE
    known text := pg_get_functiondef('es.append'::regproc);
    wanted text := replace(known, 'ON CONFLICT (consumer, topic, part, kafka_offset)',
                           'ON CONFLICT (consumer, topic, part, kafka_offset, sent_at_ms)');
BEGIN
    IF wanted = known THEN
        RAISE EXCEPTION 'es.append is not what 0005 made it';
    END IF;
    EXECUTE wanted;
END $$;

CREATE TABLE es.door_stopped (
    consumer   text        NOT NULL,
    door       text        NOT NULL,
    stopped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason     text        NOT NULL,
    resumed_at timestamptz, -- by a person
    PRIMARY KEY (consumer, door, stopped_at)
);
CREATE UNIQUE INDEX door_stopped_now ON es.door_stopped (consumer, door) WHERE resumed_at IS NULL;

CREATE FUNCTION es.stop_door(p_consumer text, p_door text, p_reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    INSERT INTO door_stopped (consumer, door, reason) VALUES (p_consumer, p_door, p_reason) ON CONFLICT DO NOTHING
$$;

-- Why a door is stopped; NULL where it is not.
CREATE FUNCTION es.door_stopped(p_consumer text, p_door text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT s.reason FROM door_stopped s
    WHERE s.consumer = p_consumer AND s.door = p_door AND s.resumed_at IS NULL
$$;

REVOKE ALL ON FUNCTION es.stop_door(text, text, text), es.door_stopped(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.stop_door(text, text, text), es.door_stopped(text, text) TO hotline_desk;
GRANT SELECT ON es.door_stopped TO hotline_reader;

-- Whoever asks has settings of his own, and with 50 million facts the planner hoped to find one that is not sent at
-- the beginning of the log: status, verify and the conductor went through all of it, 25 GB, each time.
ALTER FUNCTION es.drained() SET enable_seqscan = off;

-- migrate:down
