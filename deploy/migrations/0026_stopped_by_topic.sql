-- A door stops topic by topic: most of what one speaker says cannot be taken in, and all others are heard as before.
-- migrate:up

-- Empty: the whole door, as it stopped until now.
ALTER TABLE es.door_stopped ADD COLUMN topic text NOT NULL DEFAULT '';
ALTER TABLE es.door_stopped ALTER COLUMN topic DROP DEFAULT;
-- Two topics of one door may stop in the same microsecond.
ALTER TABLE es.door_stopped DROP CONSTRAINT door_stopped_pkey,
    ADD PRIMARY KEY (consumer, door, topic, stopped_at);
DROP INDEX es.door_stopped_now;
CREATE UNIQUE INDEX door_stopped_now ON es.door_stopped (consumer, door, topic) WHERE resumed_at IS NULL;

DROP FUNCTION es.stop_door(text, text, text);
DROP FUNCTION es.door_stopped(text, text);

CREATE FUNCTION es.stop_door(p_consumer text, p_door text, p_topic text, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    PERFORM must_be(p_consumer);
    INSERT INTO door_stopped (consumer, door, topic, reason) VALUES (p_consumer, p_door, p_topic, p_reason)
        ON CONFLICT (consumer, door, topic) WHERE resumed_at IS NULL DO NOTHING;
END $$;

-- The topics a door takes nothing in from, and why.
CREATE FUNCTION es.door_stopped(p_consumer text, p_door text) RETURNS TABLE (topic text, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT s.topic, s.reason FROM door_stopped s
    WHERE s.consumer = p_consumer AND s.door = p_door AND s.resumed_at IS NULL
$$;

REVOKE ALL ON FUNCTION es.stop_door(text, text, text, text), es.door_stopped(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.stop_door(text, text, text, text), es.door_stopped(text, text) TO hotline_desk;

-- migrate:down
