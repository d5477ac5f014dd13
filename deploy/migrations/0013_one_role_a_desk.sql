-- One role a desk: what only one of them does only it may do, and none may speak as another.
-- migrate:up
DO $$
DECLARE
    r text;
BEGIN
    -- Roles belong to the whole server: several databases of one server share them.
    PERFORM pg_advisory_xact_lock(hashtext('hotline.roles'));
    FOREACH r IN ARRAY ARRAY['hotline_intake', 'hotline_dispatch', 'hotline_escalation', 'hotline_feedback'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', r);
        END IF;
    END LOOP;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA es, intake FROM hotline_desk;
GRANT EXECUTE ON FUNCTION es.heads, es.append, es.offsets, es.released, es.stop_door, es.door_stopped TO hotline_desk;
GRANT EXECUTE ON FUNCTION intake.note_calls TO hotline_intake;
GRANT EXECUTE ON FUNCTION es.due, es.city_due, es.city_time TO hotline_escalation;

-- Who is logged in must be the desk he says he is; the owner may be any, for tests and repairs.
CREATE FUNCTION es.must_be(p_consumer text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = es, pg_catalog AS $$
BEGIN
    IF session_user <> current_user
       AND NOT coalesce(pg_has_role(session_user, to_regrole('hotline_' || p_consumer), 'MEMBER'), false) THEN
        RAISE insufficient_privilege USING MESSAGE = format('%s may not speak as %s', session_user, p_consumer);
    END IF;
END $$;
REVOKE ALL ON FUNCTION es.must_be(text) FROM PUBLIC;

DO $$
DECLARE
    f regprocedure;
    known text;
    wanted text;
BEGIN
    FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'es'::regnamespace
             AND p.proname IN ('append', 'offsets') LOOP
        known := pg_get_functiondef(f);
        wanted := regexp_replace(known, '\nBEGIN\n', E'\nBEGIN\n    PERFORM must_be(p_consumer);\n');
        IF wanted = known THEN
            RAISE EXCEPTION '% has no beginning', f;
        END IF;
        EXECUTE wanted;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION es.stop_door(p_consumer text, p_door text, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    PERFORM must_be(p_consumer);
    INSERT INTO door_stopped (consumer, door, reason) VALUES (p_consumer, p_door, p_reason) ON CONFLICT DO NOTHING;
END $$;

-- migrate:down
