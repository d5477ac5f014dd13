-- Secrets by which a sender signs what it sends over HTTP (decision 0061): each belongs to a key.
-- migrate:up
-- A secret must be had to compare a signature, so it is kept as it is. No login reads this table; the door asks a
-- function, and a backup leaves the rows out. A secret that is void is gone, its row stays.
CREATE TABLE web.secret (
    secret_id  text        PRIMARY KEY, -- no secret
    key_id     text        NOT NULL REFERENCES web.key,
    secret     bytea       CHECK (octet_length(secret) BETWEEN 24 AND 64),
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    login      text        NOT NULL DEFAULT session_user,
    revoked_at timestamptz,
    CHECK ((secret IS NULL) = (revoked_at IS NOT NULL))
);
CREATE INDEX secret_key_id ON web.secret (key_id) WHERE revoked_at IS NULL;

-- p_most: so many of a key may be valid at once.
CREATE FUNCTION web.add_secret(p_id text, p_key text, p_secret bytea, p_most int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    PERFORM FROM key WHERE key_id = p_key AND revoked_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no key %', p_key USING ERRCODE = 'HL004';
    END IF;
    IF (SELECT count(*) FROM secret WHERE key_id = p_key AND revoked_at IS NULL) >= p_most THEN
        RAISE EXCEPTION 'the key % has % secrets: make one of them void first', p_key, p_most
            USING ERRCODE = 'HL004';
    END IF;
    INSERT INTO secret (secret_id, key_id, secret) VALUES (p_id, p_key, p_secret);
END $$;

CREATE FUNCTION web.revoke_secret(p_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    UPDATE secret SET revoked_at = coalesce(revoked_at, clock_timestamp()), secret = NULL WHERE secret_id = p_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no secret %', p_id USING ERRCODE = 'HL004';
    END IF;
END $$;

-- The valid secrets of a key, the newest first.
CREATE FUNCTION web.secrets_of(p_key text) RETURNS SETOF bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = web, pg_catalog AS $$
    SELECT secret FROM secret WHERE key_id = p_key AND revoked_at IS NULL ORDER BY made_at DESC
$$;

REVOKE ALL ON FUNCTION web.add_secret, web.revoke_secret, web.secrets_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION web.add_secret, web.revoke_secret TO hotline_operator;
GRANT EXECUTE ON FUNCTION web.secrets_of TO hotline_web;
GRANT SELECT (secret_id, key_id, made_at, login, revoked_at) ON web.secret TO hotline_reader;

-- migrate:down
