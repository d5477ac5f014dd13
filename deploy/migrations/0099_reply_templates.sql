-- Texts that a unit's people write once and fill into the forms of their acts (decision 0076).
-- migrate:up
CREATE TABLE web.reply_template (
    template_id bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    unit        text        NOT NULL,
    verb        text        NOT NULL, -- the act whose text it fills, by the name in the address (hotline/web/pages/verbs.py)
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 40),
    text        text        NOT NULL CHECK (char_length(text) BETWEEN 1 AND 4000),
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    staff_id    text        NOT NULL REFERENCES web.staff, -- the person who wrote it so
    UNIQUE (unit, verb, name)
);

-- Keep a template of the person's unit: a new one, or with p_id that one as it is now. It says what came of it: kept, full
-- (the unit has p_most already), taken (another one of that act has the name), gone (p_id is none of the unit's).
CREATE FUNCTION web.keep_template(p_staff text, p_id bigint, p_verb text, p_name text, p_text text, p_most int) RETURNS text
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

-- Delete a template of the person's unit; one that is gone already stays so.
CREATE FUNCTION web.drop_template(p_staff text, p_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    DELETE FROM reply_template t USING staff s
        WHERE t.template_id = p_id AND s.staff_id = p_staff AND s.unit = t.unit AND s.revoked_at IS NULL;
END $$;

REVOKE ALL ON FUNCTION web.keep_template, web.drop_template FROM PUBLIC;
GRANT EXECUTE ON FUNCTION web.keep_template, web.drop_template TO hotline_staff; -- they believe the id of the person
GRANT SELECT ON web.reply_template TO hotline_web, hotline_reader;

-- migrate:down
