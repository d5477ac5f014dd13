-- Filters of lists that a person keeps, and an index for the units that streets wait for (decision 0076).
-- migrate:up
CREATE TABLE web.saved_filter (
    staff_id text        NOT NULL REFERENCES web.staff,
    list     text        NOT NULL, -- which list it is a filter of: orders
    name     text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 20),
    query    text        NOT NULL CHECK (char_length(query) <= 2000), -- as the address of the list has it
    made_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (staff_id, list, name)
);

-- Keep a filter of this person; one of the same name is replaced. It says what came of it: kept, or full (p_most there are).
CREATE FUNCTION web.keep_filter(p_staff text, p_list text, p_name text, p_query text, p_most int) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    PERFORM FROM staff WHERE staff_id = p_staff AND revoked_at IS NULL FOR UPDATE; -- so one at a time is counted
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is nobody % who may sign in', p_staff USING ERRCODE = 'HL004';
    END IF;
    UPDATE saved_filter SET query = p_query WHERE (staff_id, list, name) = (p_staff, p_list, p_name);
    IF FOUND THEN
        RETURN 'kept';
    END IF;
    IF (SELECT count(*) FROM saved_filter WHERE (staff_id, list) = (p_staff, p_list)) >= p_most THEN
        RETURN 'full';
    END IF;
    INSERT INTO saved_filter (staff_id, list, name, query) VALUES (p_staff, p_list, p_name, p_query);
    RETURN 'kept';
END $$;

CREATE FUNCTION web.drop_filter(p_staff text, p_list text, p_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    DELETE FROM saved_filter WHERE (staff_id, list, name) = (p_staff, p_list, p_name);
END $$;

-- As before, and the person's filters go.
CREATE OR REPLACE FUNCTION web.revoke_staff(p_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    UPDATE staff SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE staff_id = p_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is nobody %', p_id USING ERRCODE = 'HL004';
    END IF;
    DELETE FROM session WHERE staff_id = p_id;
    DELETE FROM staff_link WHERE staff_id = p_id;
    DELETE FROM saved_filter WHERE staff_id = p_id;
END $$;

REVOKE ALL ON FUNCTION web.keep_filter, web.drop_filter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION web.keep_filter, web.drop_filter TO hotline_staff;
GRANT SELECT ON web.saved_filter TO hotline_web;

-- The units that a street has whistled for and that have not come, whichever unit it is.
CREATE INDEX waiting_called ON read.waiting (due_at, stream_id, party, number) WHERE role = 'called';

-- migrate:down
