-- Units read contacts over the HTTP door for staff, with a key that has the scope `contacts` (decision 0059).
-- migrate:up
DO $$
BEGIN
    -- Roles belong to the whole server: several databases of one server share them.
    PERFORM pg_advisory_xact_lock(hashtext('hotline.roles'));
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hotline_staff') THEN
        CREATE ROLE hotline_staff NOLOGIN;
    END IF;
END $$;

-- As in 0069, but the asker UNIT is the login of the door for staff.
CREATE OR REPLACE FUNCTION vault.note(
    p_stream uuid, p_who text, p_as_a text, p_through text, p_outcome text, p_standing text, p_reason text
) RETURNS TABLE (contact bytea, key bytea, master bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be(CASE p_as_a WHEN 'UNIT' THEN 'staff' WHEN 'AGENT' THEN 'agent' WHEN 'VISITOR' THEN 'visitor' END);
    IF p_outcome NOT IN ('FULL', 'MASKED', 'NOTHING', 'REFUSED') THEN
        RAISE EXCEPTION 'outcome %: expected that of a reading', p_outcome USING ERRCODE = '22023';
    END IF;
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        VALUES (p_stream, p_who, p_as_a, p_through, p_outcome, p_standing, p_reason);
    RETURN QUERY SELECT c.sealed, k.sealed, k.master FROM contact c JOIN key k USING (stream_id)
        WHERE c.stream_id = p_stream AND p_outcome IN ('FULL', 'MASKED');
END $$;

-- A key of web.key takes the place of a token.
DROP FUNCTION vault.token_of, vault.give_token;
DROP TABLE vault.token;

GRANT USAGE ON SCHEMA vault TO hotline_staff;
GRANT EXECUTE ON FUNCTION vault.look, vault.note TO hotline_staff;
REVOKE EXECUTE ON FUNCTION vault.look, vault.note FROM hotline_dispatch;
REVOKE USAGE ON SCHEMA vault FROM hotline_dispatch;

-- migrate:down
