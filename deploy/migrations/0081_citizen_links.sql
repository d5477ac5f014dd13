-- The secret links by which citizens see their own complaints (hotline/web/pages/citizen, decision 0068).
-- migrate:up

-- A row stays when its code is void: it says who made it, when, and how often it was opened. What is a year old goes.
CREATE TABLE web.citizen_link (
    link_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_id  uuid        NOT NULL, -- its request may not be on record yet
    hash       bytea       CHECK (octet_length(hash) = 32), -- of 26 random characters; gone once they are void
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by    text        NOT NULL, -- the login whose request it was, or the agent
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    opened     int         NOT NULL DEFAULT 0,
    opened_at  timestamptz, -- the last time
    CHECK ((hash IS NULL) = (revoked_at IS NOT NULL))
);
CREATE UNIQUE INDEX citizen_link_valid ON web.citizen_link (stream_id) WHERE revoked_at IS NULL;
CREATE INDEX citizen_link_expires_at ON web.citizen_link (expires_at);

CREATE TABLE web.citizen_session (
    hash       bytea       PRIMARY KEY CHECK (octet_length(hash) = 32), -- of 32 random bytes, which the cookie holds
    link_id    bigint      NOT NULL REFERENCES web.citizen_link ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX citizen_session_link_id ON web.citizen_session (link_id);
CREATE INDEX citizen_session_expires_at ON web.citizen_session (expires_at);

-- Make the code of a complaint void, and end what was opened with it; whether there was one.
CREATE FUNCTION web.void_link(p_stream uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
DECLARE
    gone bigint;
BEGIN
    UPDATE citizen_link SET hash = NULL, revoked_at = clock_timestamp()
        WHERE stream_id = p_stream AND revoked_at IS NULL RETURNING link_id INTO gone;
    DELETE FROM citizen_session WHERE link_id = gone;
    RETURN gone IS NOT NULL;
END $$;

-- A new code for a complaint in the place of the one before; two at once wait for each other.
CREATE FUNCTION web.put_link(p_stream uuid, p_hash bytea, p_by text, p_valid interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_say('made_by', p_by);
    PERFORM pg_advisory_xact_lock(hashtextextended('web.citizen_link ' || p_stream, 0));
    DELETE FROM citizen_link WHERE expires_at < clock_timestamp();
    PERFORM web.void_link(p_stream);
    INSERT INTO citizen_link (stream_id, hash, made_by, expires_at)
        VALUES (p_stream, p_hash, p_by, clock_timestamp() + p_valid);
END $$;

-- The code of a request that a sender has just sent. First fact of the complaint, where it is on record already.
CREATE FUNCTION web.link_request(p_stream uuid, p_hash bytea, p_sender text, p_valid interval)
RETURNS TABLE (type text, schema_version int, body bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, es, pg_catalog AS $$
#variable_conflict use_column
BEGIN
    PERFORM web.put_link(p_stream, p_hash, p_sender, p_valid);
    RETURN QUERY SELECT f.type::text, f.schema_version::int, f.body FROM es.fact f
        WHERE f.stream_id = p_stream AND f.version = 1;
END $$;

-- An agent makes a new link after a call, or makes the one there is void; both stand in the access log.
CREATE FUNCTION web.make_link(p_stream uuid, p_hash bytea, p_agent text, p_valid interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_say('agent', p_agent);
    IF NOT EXISTS (SELECT FROM es.stream WHERE stream_id = p_stream) THEN
        RAISE EXCEPTION 'there is no complaint %', p_stream USING ERRCODE = 'HL004';
    END IF;
    PERFORM web.put_link(p_stream, p_hash, p_agent, p_valid);
    INSERT INTO vault.access (stream_id, who, as_a, through, outcome, standing, reason)
        VALUES (p_stream, p_agent, 'AGENT', 'COMMAND', 'LINKED', 'AGENT', '');
END $$;

CREATE FUNCTION web.revoke_link(p_stream uuid, p_agent text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, vault, es, pg_catalog AS $$
DECLARE
    gone boolean;
BEGIN
    PERFORM es.must_say('agent', p_agent);
    gone := web.void_link(p_stream);
    IF gone THEN
        INSERT INTO vault.access (stream_id, who, as_a, through, outcome, standing, reason)
            VALUES (p_stream, p_agent, 'AGENT', 'COMMAND', 'UNLINKED', 'AGENT', '');
    END IF;
    RETURN gone;
END $$;

ALTER TABLE vault.access DROP CONSTRAINT access_outcome_check;
ALTER TABLE vault.access ADD CONSTRAINT access_outcome_check CHECK (outcome IN
    ('FULL', 'MASKED', 'NOTHING', 'REFUSED', 'PUT', 'SHREDDED', 'FOUND', 'LINKED', 'UNLINKED'));

-- The links that hold of the complaints a number can stand for: mostly one, or none.
CREATE FUNCTION web.links_between(p_first uuid, p_last uuid)
RETURNS TABLE (link_id bigint, stream_id uuid, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = web, pg_catalog AS $$
    SELECT l.link_id, l.stream_id, l.hash FROM citizen_link l
    WHERE l.stream_id BETWEEN p_first AND p_last AND l.revoked_at IS NULL AND l.expires_at > clock_timestamp()
    ORDER BY l.link_id LIMIT 4
$$;

-- Begin a session with this link; false where it does not hold any more.
CREATE FUNCTION web.open_link(p_link bigint, p_session bytea, p_longest interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    UPDATE citizen_link SET opened = opened + 1, opened_at = clock_timestamp()
        WHERE link_id = p_link AND revoked_at IS NULL AND expires_at > clock_timestamp();
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM citizen_session WHERE expires_at < clock_timestamp();
    INSERT INTO citizen_session VALUES (p_session, p_link, clock_timestamp() + p_longest);
    RETURN true;
END $$;

-- The complaint of a session that goes on; null where it is over.
CREATE FUNCTION web.complaint_of_session(p_hash bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = web, pg_catalog AS $$
    SELECT l.stream_id FROM citizen_session s JOIN citizen_link l USING (link_id)
    WHERE s.hash = p_hash AND s.expires_at > clock_timestamp() AND l.revoked_at IS NULL
      AND l.expires_at > clock_timestamp()
$$;

CREATE FUNCTION web.close_session(p_hash bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
    DELETE FROM citizen_session WHERE hash = p_hash
$$;

REVOKE ALL ON FUNCTION web.void_link, web.put_link, web.link_request, web.make_link, web.revoke_link,
    web.links_between, web.open_link, web.complaint_of_session, web.close_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION web.link_request, web.links_between, web.open_link, web.complaint_of_session,
    web.close_session TO hotline_web;
GRANT USAGE ON SCHEMA web TO hotline_agent;
GRANT EXECUTE ON FUNCTION web.make_link, web.revoke_link TO hotline_agent;
GRANT SELECT (link_id, stream_id, made_at, made_by, expires_at, revoked_at, opened, opened_at) ON web.citizen_link
    TO hotline_reader;

-- migrate:down
