-- Parked messages on a page: supervision opens, releases and drops them, and each act names the person (decision 0077).
-- migrate:up
CREATE TABLE es.parked_act (
    act_id    text        NOT NULL, -- of the form or of the command; the same form sent twice is one act
    parked_id bigint      NOT NULL,
    act       text        NOT NULL CHECK (act IN ('OPENED', 'RELEASED', 'DROPPED')),
    consumer  text        NOT NULL,
    actorid   text        NOT NULL, -- of web.staff; empty: somebody at the command line, and the login says who
    reason    text        NOT NULL, -- empty: opened, or by a command that asks for none
    acted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    login     text        NOT NULL DEFAULT session_user,
    PRIMARY KEY (act_id, parked_id)
);
CREATE INDEX parked_act_of_message ON es.parked_act (parked_id, acted_at);

-- For the acts of people on pages: the person is in the register, with this role, and not revoked.
CREATE FUNCTION web.must_be_a(p_role text, p_who text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = web, pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM staff s WHERE s.staff_id = p_who AND s.role = p_role AND s.revoked_at IS NULL) THEN
        RAISE EXCEPTION '% has not the role % in the register of people', coalesce(p_who, 'nobody'), p_role
            USING ERRCODE = 'HL004';
    END IF;
END $$;

-- The whole of one message. That it was opened is written down in the same transaction. No row: there is none.
CREATE FUNCTION es.open_parked(p_id bigint, p_who text)
RETURNS TABLE (key bytea, headers bytea, value bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
#variable_conflict use_column
BEGIN
    PERFORM must_be('staff');
    PERFORM web.must_be_a('supervision', p_who);
    INSERT INTO parked_act (act_id, parked_id, act, consumer, actorid, reason)
        SELECT gen_random_uuid()::text, p.parked_id, 'OPENED', p.consumer, p_who, ''
        FROM parked p WHERE p.parked_id = p_id;
    RETURN QUERY SELECT p.key, p.headers, p.value FROM parked p WHERE p.parked_id = p_id;
END $$;

-- As es.release_parked, of several; what a desk has still to take up is not handed in twice. Sent again it is done.
-- The messages that wait behind those chosen are locked with them, all in one order.
CREATE FUNCTION es.release_parked_on_page(p_ids bigint[], p_who text, p_reason text, p_act text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    PERFORM must_be('staff');
    PERFORM web.must_be_a('supervision', p_who);
    PERFORM must_say('reason', p_reason);
    PERFORM must_say('act', p_act);
    PERFORM FROM parked p WHERE p.parked_id IN (
            SELECT s.parked_id FROM parked one JOIN parked s ON s.consumer = one.consumer
                AND (s.parked_id = one.parked_id OR s.complaint_id = one.complaint_id)
            WHERE one.parked_id = ANY (p_ids))
        ORDER BY p.parked_id FOR UPDATE;
    IF EXISTS (SELECT FROM parked_act a WHERE a.act_id = p_act) THEN
        RETURN;
    END IF;
    WITH let AS (
        UPDATE parked p SET released_at = clock_timestamp()
        FROM parked one
        WHERE one.parked_id = ANY (p_ids) AND p.released_at IS NULL AND p.consumer = one.consumer
          AND (p.parked_id = one.parked_id OR p.complaint_id = one.complaint_id)
        RETURNING p.parked_id, p.consumer
    )
    INSERT INTO parked_act (act_id, parked_id, act, consumer, actorid, reason)
        SELECT p_act, let.parked_id, 'RELEASED', let.consumer, p_who, p_reason FROM let;
END $$;

-- As es.drop_parked.
CREATE FUNCTION es.drop_parked_on_page(p_id bigint, p_who text, p_reason text, p_act text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    PERFORM must_be('staff');
    PERFORM web.must_be_a('supervision', p_who);
    PERFORM must_say('reason', p_reason);
    WITH gone AS (DELETE FROM parked p WHERE p.parked_id = p_id RETURNING *),
    kept AS (INSERT INTO parked_dropped SELECT gone.*, p_reason FROM gone)
    INSERT INTO parked_act (act_id, parked_id, act, consumer, actorid, reason)
        SELECT p_act, gone.parked_id, 'DROPPED', gone.consumer, p_who, p_reason FROM gone ON CONFLICT DO NOTHING;
END $$;

-- As in 0040, and written down beside the acts of pages.
CREATE OR REPLACE FUNCTION es.release_parked(p_id bigint) RETURNS SETOF bigint
LANGUAGE sql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    WITH let AS (
        UPDATE parked p SET released_at = clock_timestamp()
        FROM parked one
        WHERE one.parked_id = p_id AND p.consumer = one.consumer
          AND (p.parked_id = one.parked_id OR p.complaint_id = one.complaint_id)
        RETURNING p.parked_id, p.consumer
    ), noted AS (
        INSERT INTO parked_act (act_id, parked_id, act, consumer, actorid, reason)
            SELECT o.act_id, let.parked_id, 'RELEASED', let.consumer, '', ''
            FROM let, (SELECT gen_random_uuid()::text AS act_id OFFSET 0) o
    )
    SELECT parked_id FROM let
$$;

CREATE OR REPLACE FUNCTION es.drop_parked(p_id bigint, p_why text) RETURNS TABLE (consumer text, complaint_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
#variable_conflict use_column
BEGIN
    PERFORM must_say('reason', p_why);
    INSERT INTO parked_act (act_id, parked_id, act, consumer, actorid, reason)
        SELECT gen_random_uuid()::text, p.parked_id, 'DROPPED', p.consumer, '', p_why
        FROM parked p WHERE p.parked_id = p_id;
    RETURN QUERY
        WITH gone AS (DELETE FROM parked p WHERE p.parked_id = p_id RETURNING *)
        INSERT INTO parked_dropped SELECT gone.*, p_why FROM gone RETURNING consumer, complaint_id;
END $$;

REVOKE ALL ON FUNCTION web.must_be_a, es.open_parked, es.release_parked_on_page, es.drop_parked_on_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.open_parked, es.release_parked_on_page, es.drop_parked_on_page TO hotline_staff;
-- The listener for staff reads who acted, and how it stands; what a message holds it reads by es.open_parked alone.
GRANT SELECT (complaint_id, released_at) ON es.parked TO hotline_staff;
GRANT SELECT ON es.parked_act TO hotline_staff, hotline_reader;

-- migrate:down
