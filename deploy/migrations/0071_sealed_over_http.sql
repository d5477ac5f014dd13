-- The HTTP door seals contacts to a public key, before the request they belong to is sent (decision 0059).
-- migrate:up

ALTER TABLE vault.access DROP CONSTRAINT access_as_a_check;
ALTER TABLE vault.access ADD CONSTRAINT access_as_a_check
    CHECK (as_a IN ('UNIT', 'AGENT', 'OPERATOR', 'VISITOR', 'SENDER'));
COMMENT ON COLUMN vault.key.sealed IS 'under the master key, or to the public key that follows from it';
COMMENT ON COLUMN vault.key.master IS 'which of the two, and which one: its fingerprint';

-- Keeps what a sender over HTTP sealed, whether its request is on record yet or not. Empty where it is kept, else why not.
-- Once a request is on record, a repeat of it changes nothing: only who says so replaces the contact.
CREATE FUNCTION vault.seal(
    p_stream uuid, p_contact bytea, p_key bytea, p_master bytea, p_sender text, p_replaces boolean
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
DECLARE
    head json;
BEGIN
    PERFORM es.must_say('sender', p_sender);
    SELECT es.json_of(s.state) INTO head FROM es.stream s WHERE s.stream_id = p_stream;
    IF FOUND THEN
        IF NOT p_replaces THEN
            RETURN 'the request is on record';
        ELSIF head IS NULL OR head ->> 'ended' IS NOT NULL THEN
            RETURN 'the complaint has ended';
        ELSIF coalesce((head ->> 'anonymous')::boolean, false) THEN
            RETURN 'the complaint is anonymous';
        END IF;
    END IF;
    INSERT INTO contact AS c (stream_id, sealed, taken_by) VALUES (p_stream, p_contact, p_sender)
        ON CONFLICT (stream_id) DO UPDATE
            SET sealed = excluded.sealed, taken_by = excluded.taken_by, taken_at = clock_timestamp()
            WHERE c.taken_by = excluded.taken_by OR NOT EXISTS (SELECT FROM key k WHERE k.stream_id = c.stream_id);
    IF NOT FOUND THEN
        RETURN 'somebody else took the contact down';
    END IF;
    INSERT INTO key AS k (stream_id, sealed, master) VALUES (p_stream, p_key, p_master)
        ON CONFLICT (stream_id) DO UPDATE SET sealed = excluded.sealed, master = excluded.master;
    DELETE FROM caller WHERE stream_id = p_stream;
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        VALUES (p_stream, p_sender, 'SENDER', 'DOOR', 'PUT', 'SENDER', '');
    RETURN '';
END $$;

REVOKE ALL ON FUNCTION vault.seal FROM PUBLIC;
GRANT USAGE ON SCHEMA vault TO hotline_web;
GRANT EXECUTE ON FUNCTION vault.seal TO hotline_web;
-- Of how many requests that are not on record a contact is kept; nothing that is sealed.
GRANT SELECT (stream_id) ON vault.key TO hotline_reader;

-- migrate:down
