-- Agents put contacts into the vault, read back their own and find callers under a login of their own (decision 0026).
-- Before, commands used intake's login, which states facts: no container of commands may have that.
-- migrate:up
DO $$
BEGIN
    -- Roles belong to the whole server: several databases of one server share them.
    PERFORM pg_advisory_xact_lock(hashtext('hotline.roles'));
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hotline_agent') THEN
        CREATE ROLE hotline_agent NOLOGIN;
    END IF;
END $$;

-- As in 0063, but the asker AGENT is the agents' login.
CREATE OR REPLACE FUNCTION vault.note(
    p_stream uuid, p_who text, p_as_a text, p_through text, p_outcome text, p_standing text, p_reason text
) RETURNS TABLE (contact bytea, key bytea, master bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be(CASE p_as_a WHEN 'UNIT' THEN 'dispatch' WHEN 'AGENT' THEN 'agent' WHEN 'VISITOR' THEN 'visitor' END);
    IF p_outcome NOT IN ('FULL', 'MASKED', 'NOTHING', 'REFUSED') THEN
        RAISE EXCEPTION 'outcome %: expected that of a reading', p_outcome USING ERRCODE = '22023';
    END IF;
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        VALUES (p_stream, p_who, p_as_a, p_through, p_outcome, p_standing, p_reason);
    RETURN QUERY SELECT c.sealed, k.sealed, k.master FROM contact c JOIN key k USING (stream_id)
        WHERE c.stream_id = p_stream AND p_outcome IN ('FULL', 'MASKED');
END $$;

-- As in 0024.
CREATE OR REPLACE FUNCTION vault.put(p_stream uuid, p_contact bytea, p_key bytea, p_master bytea, p_agent text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('agent');
    INSERT INTO contact AS c (stream_id, sealed, taken_by) VALUES (p_stream, p_contact, p_agent)
        ON CONFLICT (stream_id) DO UPDATE
            SET sealed = excluded.sealed, taken_by = excluded.taken_by, taken_at = excluded.taken_at;
    INSERT INTO key AS k (stream_id, sealed, master) VALUES (p_stream, p_key, p_master)
        ON CONFLICT (stream_id) DO UPDATE SET sealed = excluded.sealed, master = excluded.master;
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        VALUES (p_stream, p_agent, 'AGENT', 'COMMAND', 'PUT', 'AGENT', '');
END $$;

-- As in 0060.
CREATE OR REPLACE FUNCTION vault.put_callers(p_stream uuid, p_indexes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('agent');
    DELETE FROM caller WHERE stream_id = p_stream;
    INSERT INTO caller (index, stream_id) SELECT one, p_stream FROM unnest(p_indexes) one;
END $$;

CREATE OR REPLACE FUNCTION vault.of_caller(p_index bytea, p_agent text, p_most integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('agent');
    RETURN QUERY
        WITH found AS (
            SELECT stream_id, taken_at FROM caller JOIN contact USING (stream_id)
            WHERE index = p_index ORDER BY taken_at DESC, stream_id LIMIT p_most
        ), noted AS (
            INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
            SELECT stream_id, p_agent, 'AGENT', 'COMMAND', 'FOUND', 'AGENT', '' FROM found RETURNING 1
        )
        SELECT stream_id FROM found ORDER BY taken_at DESC, stream_id;
END $$;

GRANT USAGE ON SCHEMA vault TO hotline_agent;
GRANT EXECUTE ON FUNCTION vault.look, vault.note, vault.put, vault.put_callers, vault.of_caller TO hotline_agent;
REVOKE EXECUTE ON FUNCTION vault.look, vault.note, vault.put, vault.put_callers, vault.of_caller FROM hotline_intake;
REVOKE USAGE ON SCHEMA vault FROM hotline_intake;

-- migrate:down
