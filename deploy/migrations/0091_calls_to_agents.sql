-- A call that is answered pops up for the person who took it, with the caller's open complaints (decision 0065).
-- migrate:up
ALTER TABLE web.staff ADD COLUMN agent text NOT NULL DEFAULT ''; -- as the switch names the person; empty: it does not
CREATE UNIQUE INDEX staff_agent ON web.staff (agent) WHERE agent <> '' AND revoked_at IS NULL;

-- From now on the switch means this person by that name, and nobody else. An empty name: it means him by none.
CREATE FUNCTION web.name_agent(p_id text, p_agent text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    UPDATE staff SET agent = '' WHERE agent = p_agent AND p_agent <> '' AND staff_id <> p_id AND revoked_at IS NULL;
    UPDATE staff SET agent = p_agent WHERE staff_id = p_id AND role = 'agents' AND revoked_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no agent % who may sign in', p_id USING ERRCODE = 'HL004';
    END IF;
END $$;

-- Calls of people in the register, the callers of calls, and what was recorded of them on pages: kept for a day.
CREATE TABLE intake.call_taken (
    staff_id    text        NOT NULL,
    call_id     text        NOT NULL,
    answered_at timestamptz NOT NULL, -- the last time this person took it
    told_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (staff_id, call_id)
);
CREATE INDEX call_taken_last ON intake.call_taken (staff_id, answered_at DESC, call_id);
CREATE INDEX call_taken_told ON intake.call_taken (told_at);
CREATE TABLE intake.call_caller (
    call_id text        PRIMARY KEY,
    caller  bytea       NOT NULL CHECK (octet_length(caller) = 16), -- as in vault.caller; no number
    told_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX call_caller_told ON intake.call_caller (told_at);
CREATE TABLE intake.call_record (
    call_id   text        NOT NULL,
    stream_id uuid        NOT NULL,
    told_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (call_id, stream_id)
);
CREATE INDEX call_record_told ON intake.call_record (told_at);

-- As before, and who took a call and who called. The same in any order and any number of times.
CREATE FUNCTION intake.note_calls(
    p_call text[], p_at timestamptz[], p_what text[], p_agent text[], p_caller bytea[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
BEGIN
    PERFORM intake.note_calls(p_call, p_at, p_what);
    IF array_remove(p_agent, '') <> '{}' THEN
        INSERT INTO call_taken AS t (staff_id, call_id, answered_at)
            SELECT s.staff_id, u.call, max(u.at) FROM unnest(p_call, p_at, p_agent) AS u (call, at, agent)
            JOIN web.staff s ON s.agent = u.agent AND s.agent <> '' AND s.revoked_at IS NULL
            GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (staff_id, call_id) DO UPDATE SET answered_at = excluded.answered_at
            WHERE t.answered_at < excluded.answered_at;
        DELETE FROM call_taken WHERE (staff_id, call_id) IN (
            SELECT staff_id, call_id FROM call_taken WHERE told_at < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED);
    END IF;
    IF array_remove(p_caller, NULL) <> '{}' THEN
        INSERT INTO call_caller AS c (call_id, caller)
            SELECT u.call, min(u.caller) FROM unnest(p_call, p_caller) AS u (call, caller)
            WHERE u.caller IS NOT NULL GROUP BY 1 ORDER BY 1
        ON CONFLICT (call_id) DO UPDATE SET caller = excluded.caller WHERE excluded.caller < c.caller;
        DELETE FROM call_caller WHERE (call_id) IN (
            SELECT call_id FROM call_caller WHERE told_at < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED);
    END IF;
END $$;

-- The last call of each of these people, with all that is told of it.
CREATE FUNCTION web.calls_of_staff(p_staff text[])
RETURNS TABLE (staff_id text, call_id text, answered_at timestamptz, told text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
    SELECT w.staff_id, t.call_id, t.answered_at, c.told
    FROM unnest(p_staff) AS w (staff_id)
    CROSS JOIN LATERAL (
        SELECT * FROM call_taken t WHERE t.staff_id = w.staff_id ORDER BY answered_at DESC, call_id LIMIT 1) t
    JOIN call c ON c.call_id = t.call_id
$$;

-- Whether this person took the call: else its caller is none of this person's.
CREATE FUNCTION web.took_call(p_staff text, p_call text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
    SELECT EXISTS (SELECT FROM call_taken WHERE staff_id = p_staff AND call_id = p_call)
$$;

-- What was recorded of a call on pages.
CREATE FUNCTION web.note_record(p_call text, p_stream uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
BEGIN
    INSERT INTO call_record (call_id, stream_id) VALUES (p_call, p_stream) ON CONFLICT DO NOTHING;
    DELETE FROM call_record WHERE (call_id, stream_id) IN (
            SELECT call_id, stream_id FROM call_record WHERE told_at < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED);
END $$;
CREATE FUNCTION web.records_of_call(p_call text) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
    SELECT stream_id FROM call_record WHERE call_id = p_call ORDER BY told_at
$$;

ALTER TABLE vault.access DROP CONSTRAINT access_through_check;
ALTER TABLE vault.access ADD CONSTRAINT access_through_check CHECK (through IN ('DOOR', 'COMMAND', 'PAGE'));

-- As vault.of_caller, for a page: the newest contact first, each that is found noted in its access log.
CREATE FUNCTION vault.of_caller_on_page(p_index bytea, p_who text, p_most integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    RETURN QUERY
        WITH found AS (
            SELECT stream_id, taken_at FROM caller JOIN contact USING (stream_id)
            WHERE index = p_index ORDER BY taken_at DESC, stream_id LIMIT p_most
        ), noted AS (
            INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
            SELECT stream_id, p_who, 'AGENT', 'PAGE', 'FOUND', 'AGENT', '' FROM found RETURNING 1
        )
        SELECT stream_id FROM found ORDER BY taken_at DESC, stream_id;
END $$;

-- The same of who called in a call that this person took. The index stays in the database.
CREATE FUNCTION vault.of_call(p_call text, p_who text, p_most integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
DECLARE
    wanted bytea;
BEGIN
    PERFORM es.must_be('staff');
    SELECT c.caller INTO wanted FROM intake.call_caller c JOIN intake.call_taken t USING (call_id)
        WHERE c.call_id = p_call AND t.staff_id = p_who;
    IF wanted IS NOT NULL THEN
        RETURN QUERY SELECT vault.of_caller_on_page(wanted, p_who, p_most);
    END IF;
END $$;

-- By which numbers a contact is found that this sender just sealed.
CREATE FUNCTION vault.index_sealed(p_stream uuid, p_sender text, p_indexes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    INSERT INTO caller (index, stream_id)
        SELECT one, p_stream FROM unnest(p_indexes) AS one
        WHERE EXISTS (SELECT FROM contact c JOIN key k USING (stream_id)
                      WHERE c.stream_id = p_stream AND c.taken_by = p_sender)
        ON CONFLICT DO NOTHING;
END $$;

REVOKE ALL ON FUNCTION web.name_agent, web.calls_of_staff, web.took_call, web.note_record, web.records_of_call,
    intake.note_calls(text[], timestamptz[], text[], text[], bytea[]),
    vault.of_caller_on_page, vault.of_call, vault.index_sealed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION web.name_agent TO hotline_operator;
GRANT EXECUTE ON FUNCTION web.calls_of_staff, web.took_call, web.note_record, web.records_of_call TO hotline_web;
GRANT EXECUTE ON FUNCTION intake.note_calls(text[], timestamptz[], text[], text[], bytea[]) TO hotline_intake;
GRANT EXECUTE ON FUNCTION vault.of_caller_on_page, vault.of_call, vault.index_sealed TO hotline_staff;

-- migrate:down
