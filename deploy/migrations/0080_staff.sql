-- People who sign in to the pages (hotline/web/pages): each is a credential of one role, as keys are (decision 0062).
-- migrate:up

-- A person stays here when he is revoked: facts name him by his id.
CREATE TABLE web.staff (
    staff_id   text        PRIMARY KEY, -- stands in facts and traces instead of the name
    name       text        NOT NULL,    -- as pages show it
    role       text        NOT NULL,    -- shared/roles.py
    unit       text        NOT NULL,    -- of the role unit; else empty
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    login      text        NOT NULL DEFAULT session_user,
    revoked_at timestamptz
);

-- A link signs a person in once.
CREATE TABLE web.staff_link (
    hash       bytea       PRIMARY KEY CHECK (octet_length(hash) = 32), -- of 32 random bytes
    staff_id   text        NOT NULL REFERENCES web.staff,
    expires_at timestamptz NOT NULL
);
CREATE INDEX staff_link_by_staff ON web.staff_link (staff_id);

CREATE TABLE web.session (
    hash       bytea       PRIMARY KEY CHECK (octet_length(hash) = 32), -- of 32 random bytes, which the cookie holds
    staff_id   text        NOT NULL REFERENCES web.staff,
    begun_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(), -- to the minute
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_by_staff ON web.session (staff_id);

CREATE FUNCTION web.add_link(p_id text, p_hash bytea, p_valid interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    PERFORM FROM staff WHERE staff_id = p_id AND revoked_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is nobody % who may sign in', p_id USING ERRCODE = 'HL004';
    END IF;
    DELETE FROM staff_link WHERE staff_id = p_id OR expires_at < clock_timestamp();
    INSERT INTO staff_link VALUES (p_hash, p_id, clock_timestamp() + p_valid);
END $$;

CREATE FUNCTION web.add_staff(
    p_id text, p_name text, p_role text, p_unit text, p_hash bytea, p_valid interval
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    PERFORM es.must_say('name', p_name);
    PERFORM es.must_say('role', p_role);
    INSERT INTO staff (staff_id, name, role, unit) VALUES (p_id, p_name, p_role, p_unit);
    PERFORM web.add_link(p_id, p_hash, p_valid);
END $$;

CREATE FUNCTION web.revoke_staff(p_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    UPDATE staff SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE staff_id = p_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is nobody %', p_id USING ERRCODE = 'HL004';
    END IF;
    DELETE FROM session WHERE staff_id = p_id;
    DELETE FROM staff_link WHERE staff_id = p_id;
END $$;

-- The person whom a link that can still be used signs in; no row where there is none.
CREATE FUNCTION web.link_of(p_hash bytea) RETURNS TABLE (staff_id text, name text, role text, unit text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = web, pg_catalog AS $$
    SELECT s.staff_id, s.name, s.role, s.unit FROM staff_link l JOIN staff s USING (staff_id)
    WHERE l.hash = p_hash AND l.expires_at > clock_timestamp() AND s.revoked_at IS NULL
$$;

-- Use a link up, and begin a session; false where the link is none any more.
CREATE FUNCTION web.sign_in(p_link bytea, p_session bytea, p_longest interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
DECLARE
    who text;
BEGIN
    DELETE FROM staff_link WHERE hash = p_link AND expires_at > clock_timestamp() RETURNING staff_id INTO who;
    IF who IS NULL THEN
        RETURN false;
    END IF;
    DELETE FROM session WHERE expires_at < clock_timestamp();
    INSERT INTO session (hash, staff_id, expires_at) VALUES (p_session, who, clock_timestamp() + p_longest);
    RETURN true;
END $$;

-- The person of a session that goes on; no row where it is over. That it was used is written once a minute.
CREATE FUNCTION web.session_of(p_hash bytea, p_idle interval)
RETURNS TABLE (staff_id text, name text, role text, unit text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
#variable_conflict use_column
BEGIN
    UPDATE session SET seen_at = clock_timestamp()
        WHERE hash = p_hash AND expires_at > clock_timestamp()
          AND seen_at BETWEEN clock_timestamp() - p_idle AND clock_timestamp() - interval '1 minute';
    RETURN QUERY SELECT s.staff_id, s.name, s.role, s.unit FROM session n JOIN staff s USING (staff_id)
        WHERE n.hash = p_hash AND n.expires_at > clock_timestamp() AND n.seen_at > clock_timestamp() - p_idle
          AND s.revoked_at IS NULL;
END $$;

CREATE FUNCTION web.sign_out(p_hash bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
    DELETE FROM session WHERE hash = p_hash
$$;

REVOKE ALL ON FUNCTION web.add_link, web.add_staff, web.revoke_staff, web.link_of, web.sign_in, web.session_of,
    web.sign_out FROM PUBLIC;
GRANT EXECUTE ON FUNCTION web.add_staff, web.add_link, web.revoke_staff TO hotline_operator;
GRANT EXECUTE ON FUNCTION web.link_of, web.sign_in, web.session_of, web.sign_out TO hotline_web;
GRANT SELECT ON web.staff TO hotline_reader, hotline_web;
GRANT SELECT (staff_id, begun_at, seen_at, expires_at) ON web.session TO hotline_reader;

-- The pages find complaints by words, as the commands do.
GRANT EXECUTE ON FUNCTION read.found, read.month_words TO hotline_web;

-- migrate:down
