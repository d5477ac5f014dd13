-- Keys for HTTP (hotline/web): each is a credential of one login of a role, as Kafka's logins are (decision 0057).
-- migrate:up
DO $$
BEGIN
    -- Roles belong to the whole server: several databases of one server share them.
    PERFORM pg_advisory_xact_lock(hashtext('hotline.roles'));
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hotline_web') THEN
        CREATE ROLE hotline_web NOLOGIN;
    END IF;
END $$;

-- What the HTTP door keeps that is no fact of a complaint.
CREATE SCHEMA web;

-- A key stays here when it is revoked: a log may name it.
CREATE TABLE web.key (
    key_id     text        PRIMARY KEY, -- the part before the dot; no secret
    role       text        NOT NULL,    -- shared/roles.py
    name       text        NOT NULL,    -- of a unit's key the unit; else of its login, empty: on the plain topic
    scopes     text[]      NOT NULL CHECK (cardinality(scopes) > 0),
    sources    text[]      NOT NULL CHECK (cardinality(sources) > 0), -- CloudEvents sources it may speak for
    rate       int         NOT NULL CHECK (rate > 0),                 -- events and requests a second
    note       text        NOT NULL,    -- whose it is, in words
    salt       bytea       NOT NULL CHECK (octet_length(salt) >= 16),
    hash       bytea       NOT NULL CHECK (octet_length(hash) = 32),
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    login      text        NOT NULL DEFAULT session_user,
    used_at    timestamptz, -- the last use, to the minute
    revoked_at timestamptz
);

CREATE FUNCTION web.add_key(
    p_id text, p_role text, p_name text, p_scopes text[], p_sources text[], p_rate int, p_note text,
    p_salt bytea, p_hash bytea
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    PERFORM es.must_say('role', p_role);
    PERFORM es.must_say('source', x) FROM unnest(p_sources) AS x;
    INSERT INTO key (key_id, role, name, scopes, sources, rate, note, salt, hash)
        VALUES (p_id, p_role, p_name, p_scopes, p_sources, p_rate, p_note, p_salt, p_hash);
END $$;

CREATE FUNCTION web.revoke_key(p_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    UPDATE key SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE key_id = p_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no key %', p_id USING ERRCODE = 'HL004';
    END IF;
END $$;

-- A key as it is checked; no row where there is none, or none any more.
CREATE FUNCTION web.key_of(p_id text)
RETURNS TABLE (role text, name text, scopes text[], sources text[], rate int, salt bytea, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = web, pg_catalog AS $$
    SELECT k.role, k.name, k.scopes, k.sources, k.rate, k.salt, k.hash FROM key k
    WHERE k.key_id = p_id AND k.revoked_at IS NULL
$$;

CREATE FUNCTION web.note_used(p_ids text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
    UPDATE key SET used_at = clock_timestamp() WHERE key_id = ANY (p_ids)
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA web FROM PUBLIC;
GRANT USAGE ON SCHEMA web TO hotline_web, hotline_operator, hotline_reader;
GRANT EXECUTE ON FUNCTION web.add_key, web.revoke_key TO hotline_operator;
GRANT EXECUTE ON FUNCTION web.key_of, web.note_used TO hotline_web;
GRANT SELECT (key_id, role, name, scopes, sources, rate, note, made_at, login, used_at, revoked_at) ON web.key
    TO hotline_reader;

-- The door reads what came of an input, the facts it led to, and the read side. It writes none of it, and sees no head,
-- no contact and no body of what is parked.
GRANT USAGE ON SCHEMA es, read TO hotline_web;
GRANT SELECT ON es.event, es.fact TO hotline_web;
GRANT SELECT (consumer, message_id, content) ON es.inbox TO hotline_web;
GRANT SELECT (consumer, topic, part, kafka_offset, reason) ON es.parked TO hotline_web;
GRANT EXECUTE ON FUNCTION es.present TO hotline_web;
GRANT SELECT ON ALL TABLES IN SCHEMA read TO hotline_web;
GRANT EXECUTE ON FUNCTION read.standing, read.holds TO hotline_web;

-- migrate:down
