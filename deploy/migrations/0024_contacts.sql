-- The vault: citizens' contacts, sealed outside the database (shared/contacts.py), and who read which.
-- migrate:up
CREATE SCHEMA vault;

CREATE TABLE vault.contact (
    stream_id uuid        PRIMARY KEY, -- the complaint
    sealed    bytea       NOT NULL,
    taken_by  text        NOT NULL,    -- the agent who took it down
    taken_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Apart from what it opens: to shred is to delete this row, and nothing else has to be found and overwritten.
CREATE TABLE vault.key (
    stream_id uuid  PRIMARY KEY REFERENCES vault.contact,
    sealed    bytea NOT NULL, -- under the master key, which is nowhere in the database
    master    bytea NOT NULL CHECK (octet_length(master) = 8) -- which master key: its fingerprint
);

-- No reference to es.stream, which a rebuild swaps; `hotline verify` looks whether each complaint is in the log.
CREATE TABLE vault.access (
    number    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    stream_id uuid        NOT NULL,
    who       text        NOT NULL, -- a unit, an agent, or the operator
    as_a      text        NOT NULL CHECK (as_a IN ('UNIT', 'AGENT', 'OPERATOR')),
    through   text        NOT NULL CHECK (through IN ('DOOR', 'COMMAND')),
    outcome   text        NOT NULL CHECK (outcome IN ('FULL', 'MASKED', 'NOTHING', 'REFUSED', 'PUT', 'SHREDDED')),
    standing  text        NOT NULL, -- by what it was granted or refused
    reason    text        NOT NULL  -- as the asker gave it
);
CREATE INDEX access_stream ON vault.access (stream_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON vault.access
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse();

-- A unit's token for the door, salted and hashed.
CREATE TABLE vault.token (
    unit    text        PRIMARY KEY,
    salt    bytea       NOT NULL,
    hash    bytea       NOT NULL CHECK (octet_length(hash) = 32),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What a reading is decided on, no row where the complaint is not on record. By the lock that es.append takes before it
-- writes, a return has either been committed before, and the head read here knows it, or it waits for our commit.
CREATE FUNCTION vault.look(p_stream uuid)
RETURNS TABLE (state text, state_schema smallint, taken_by text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(p_stream::text, 0));
    RETURN QUERY SELECT s.state, s.state_schema, c.taken_by
        FROM es.stream s LEFT JOIN (contact c JOIN key k USING (stream_id)) USING (stream_id)
        WHERE s.stream_id = p_stream;
END $$;

-- The only way to what is sealed: it writes the access row, and gives nothing where that says so.
CREATE FUNCTION vault.note(
    p_stream uuid, p_who text, p_as_a text, p_through text, p_outcome text, p_standing text, p_reason text
) RETURNS TABLE (contact bytea, key bytea, master bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be(CASE p_as_a WHEN 'UNIT' THEN 'dispatch' WHEN 'AGENT' THEN 'intake' END);
    IF p_outcome NOT IN ('FULL', 'MASKED', 'NOTHING', 'REFUSED') THEN
        RAISE EXCEPTION 'outcome %: expected that of a reading', p_outcome USING ERRCODE = '22023';
    END IF;
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        VALUES (p_stream, p_who, p_as_a, p_through, p_outcome, p_standing, p_reason);
    RETURN QUERY SELECT c.sealed, k.sealed, k.master FROM contact c JOIN key k USING (stream_id)
        WHERE c.stream_id = p_stream AND p_outcome IN ('FULL', 'MASKED');
END $$;

CREATE FUNCTION vault.put(p_stream uuid, p_contact bytea, p_key bytea, p_master bytea, p_agent text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('intake');
    INSERT INTO contact AS c (stream_id, sealed, taken_by) VALUES (p_stream, p_contact, p_agent)
        ON CONFLICT (stream_id) DO UPDATE
            SET sealed = excluded.sealed, taken_by = excluded.taken_by, taken_at = excluded.taken_at;
    INSERT INTO key AS k (stream_id, sealed, master) VALUES (p_stream, p_key, p_master)
        ON CONFLICT (stream_id) DO UPDATE SET sealed = excluded.sealed, master = excluded.master;
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        VALUES (p_stream, p_agent, 'AGENT', 'COMMAND', 'PUT', 'AGENT', '');
END $$;

CREATE FUNCTION vault.token_of(p_unit text) RETURNS TABLE (salt bytea, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
    SELECT t.salt, t.hash FROM token t WHERE t.unit = p_unit
$$;

-- The owner's. How many were shredded.
CREATE FUNCTION vault.shred(p_streams uuid[], p_reason text) RETURNS bigint
LANGUAGE sql SET search_path = vault, pg_catalog AS $$
    WITH gone AS (DELETE FROM key WHERE stream_id = ANY (p_streams) RETURNING stream_id),
    noted AS (
        INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        SELECT stream_id, 'operator', 'OPERATOR', 'COMMAND', 'SHREDDED', 'OPERATOR', p_reason FROM gone RETURNING 1
    )
    SELECT count(*) FROM noted
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA vault FROM PUBLIC;
GRANT USAGE ON SCHEMA vault TO hotline_intake, hotline_dispatch, hotline_reader;
GRANT EXECUTE ON FUNCTION vault.look, vault.note TO hotline_intake, hotline_dispatch;
GRANT EXECUTE ON FUNCTION vault.put TO hotline_intake;
GRANT EXECUTE ON FUNCTION vault.token_of TO hotline_dispatch;
-- Who judges sees who read what, and which complaints have a contact; nothing that is sealed, no key, no token.
GRANT SELECT ON vault.access TO hotline_reader;
GRANT SELECT (stream_id, taken_at) ON vault.contact TO hotline_reader;

-- migrate:down
