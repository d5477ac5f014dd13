-- A unit's templates and a person's filters are kept by the listener for staff alone: the functions believe the id of
-- the person, and the login of the public listener could give any (decision 0076).
-- migrate:up

-- As in 0099, for the login of the listener for staff.
CREATE OR REPLACE FUNCTION web.keep_template(p_staff text, p_id bigint, p_verb text, p_name text, p_text text, p_most int) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
DECLARE
    its_unit text;
BEGIN
    PERFORM es.must_be('staff');
    SELECT s.unit INTO its_unit FROM staff s WHERE s.staff_id = p_staff AND s.unit <> '' AND s.revoked_at IS NULL;
    IF its_unit IS NULL THEN
        RAISE EXCEPTION 'there is nobody % of a unit', p_staff USING ERRCODE = 'HL004';
    END IF;
    LOCK TABLE reply_template IN SHARE ROW EXCLUSIVE MODE; -- it is counted, and rarely written
    IF EXISTS (SELECT FROM reply_template t
               WHERE (t.unit, t.verb, t.name) = (its_unit, p_verb, p_name) AND t.template_id IS DISTINCT FROM p_id) THEN
        RETURN 'taken';
    END IF;
    IF p_id IS NOT NULL THEN
        UPDATE reply_template t SET verb = p_verb, name = p_name, text = p_text, changed_at = clock_timestamp(),
            staff_id = p_staff WHERE t.template_id = p_id AND t.unit = its_unit;
        RETURN CASE WHEN FOUND THEN 'kept' ELSE 'gone' END;
    END IF;
    IF (SELECT count(*) FROM reply_template t WHERE t.unit = its_unit) >= p_most THEN
        RETURN 'full';
    END IF;
    INSERT INTO reply_template (unit, verb, name, text, staff_id) VALUES (its_unit, p_verb, p_name, p_text, p_staff);
    RETURN 'kept';
END $$;

CREATE OR REPLACE FUNCTION web.drop_template(p_staff text, p_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    DELETE FROM reply_template t USING staff s
        WHERE t.template_id = p_id AND s.staff_id = p_staff AND s.unit = t.unit AND s.revoked_at IS NULL;
END $$;

-- As in 0100, for the same login.
CREATE OR REPLACE FUNCTION web.keep_filter(p_staff text, p_list text, p_name text, p_query text, p_most int) RETURNS text
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

CREATE OR REPLACE FUNCTION web.drop_filter(p_staff text, p_list text, p_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    DELETE FROM saved_filter WHERE (staff_id, list, name) = (p_staff, p_list, p_name);
END $$;

REVOKE EXECUTE ON FUNCTION web.keep_template, web.drop_template, web.keep_filter, web.drop_filter FROM hotline_web;
GRANT EXECUTE ON FUNCTION web.keep_template, web.drop_template, web.keep_filter, web.drop_filter TO hotline_staff;

-- migrate:down
