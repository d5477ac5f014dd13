-- What a message said is kept beside its id, so that an id with other content is found out; and which complaint was
-- on record before which, so that a link points at what was there first.
-- migrate:up

-- BLAKE2b-128 over the CloudEvents type and the data as this system writes it. NULL: taken in before this was kept,
-- or held by a desk's own claim; then an equal id is a repeat.
ALTER TABLE es.inbox ADD COLUMN content uuid;

DO $$
DECLARE
    known text := pg_get_functiondef('es.heads'::regproc);
    wanted text := replace(known, 'SELECT i.message_id, -1, NULL::bytea,', 'SELECT i.message_id, -1, uuid_send(i.content),');
    old regprocedure := 'es.append'::regproc;
    made text;
BEGIN
    IF wanted = known THEN
        RAISE EXCEPTION 'es.heads is not what 0005 made it';
    END IF;
    EXECUTE wanted;

    -- One column more is another function: the old one goes, so that nobody can call it by mistake.
    known := pg_get_functiondef(old);
    wanted := regexp_replace(known, 'p_inbox uuid\[\],', 'p_inbox uuid[], p_content uuid[],');
    made := replace(wanted,
        'INSERT INTO inbox (consumer, message_id) SELECT p_consumer, x FROM unnest(p_inbox) AS x;',
        'INSERT INTO inbox (consumer, message_id, content)
            SELECT p_consumer, u.message_id, u.content FROM unnest(p_inbox, p_content) AS u (message_id, content);');
    IF wanted = known OR made = wanted THEN
        RAISE EXCEPTION 'es.append is not what 0005, 0011 and 0013 made it';
    END IF;
    EXECUTE format('DROP FUNCTION %s', old);
    EXECUTE made;
END $$;
REVOKE ALL ON FUNCTION es.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.append TO hotline_desk;

-- Where in the log these complaints were put on record; no row for one that is not. 0 where its facts are with a month
-- that was taken out: such a life ended long ago, and counts as older than all that are here.
CREATE FUNCTION es.begun(p_streams uuid[]) RETURNS TABLE (stream_id uuid, "position" bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    SELECT s.stream_id, coalesce(
        (SELECT e.position FROM event e WHERE e.stream_id = s.stream_id AND e.version = 1),
        (SELECT a.position FROM archived a WHERE a.stream_id = s.stream_id AND a.version = 1),
        0)
    FROM stream s WHERE s.stream_id = ANY (p_streams)
$$;
REVOKE ALL ON FUNCTION es.begun(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.begun(uuid[]) TO hotline_intake;

-- migrate:down
