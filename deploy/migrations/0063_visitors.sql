-- A person who asks citizens reads the number for the visit that is due, under a login of that role (decision 0026).
-- migrate:up
DO $$
BEGIN
    -- Roles belong to the whole server: several databases of one server share them.
    PERFORM pg_advisory_xact_lock(hashtext('hotline.roles'));
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hotline_visitor') THEN
        CREATE ROLE hotline_visitor NOLOGIN;
    END IF;
END $$;
GRANT USAGE ON SCHEMA vault TO hotline_visitor;

ALTER TABLE vault.access DROP CONSTRAINT access_as_a_check;
ALTER TABLE vault.access ADD CONSTRAINT access_as_a_check CHECK (as_a IN ('UNIT', 'AGENT', 'OPERATOR', 'VISITOR'));

-- Who asks a citizen just now, so that no second one calls him meanwhile. The attempt taken last; vault.access keeps all.
CREATE TABLE vault.visit_taken (
    stream_id uuid        PRIMARY KEY,
    visit     int         NOT NULL,
    attempt   int         NOT NULL,
    who       text        NOT NULL,
    taken_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    login     text        NOT NULL DEFAULT session_user
);

-- Takes this attempt for a person; refused while somebody else has had it for less than p_held.
CREATE FUNCTION vault.take_visit(p_stream uuid, p_visit int, p_attempt int, p_who text, p_held interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
DECLARE
    other record;
BEGIN
    PERFORM es.must_say('who', p_who);
    INSERT INTO visit_taken AS t (stream_id, visit, attempt, who) VALUES (p_stream, p_visit, p_attempt, p_who)
        ON CONFLICT (stream_id) DO UPDATE
            SET visit = excluded.visit, attempt = excluded.attempt, who = excluded.who,
                taken_at = excluded.taken_at, login = excluded.login
            WHERE (t.visit, t.attempt) <> (excluded.visit, excluded.attempt) OR t.who = excluded.who
               OR t.taken_at <= clock_timestamp() - p_held;
    IF NOT FOUND THEN
        SELECT t.who, ceil(extract(epoch FROM t.taken_at + p_held - clock_timestamp()) / 60)::int AS minutes
            INTO other FROM visit_taken t WHERE t.stream_id = p_stream;
        RAISE EXCEPTION '% asks the citizen: wait % minutes, or until the outcome is written down',
            other.who, other.minutes USING ERRCODE = 'HL004';
    END IF;
END $$;

-- As in 0024, for one more kind of asker.
CREATE OR REPLACE FUNCTION vault.note(
    p_stream uuid, p_who text, p_as_a text, p_through text, p_outcome text, p_standing text, p_reason text
) RETURNS TABLE (contact bytea, key bytea, master bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be(CASE p_as_a WHEN 'UNIT' THEN 'dispatch' WHEN 'AGENT' THEN 'intake' WHEN 'VISITOR' THEN 'visitor' END);
    IF p_outcome NOT IN ('FULL', 'MASKED', 'NOTHING', 'REFUSED') THEN
        RAISE EXCEPTION 'outcome %: expected that of a reading', p_outcome USING ERRCODE = '22023';
    END IF;
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        VALUES (p_stream, p_who, p_as_a, p_through, p_outcome, p_standing, p_reason);
    RETURN QUERY SELECT c.sealed, k.sealed, k.master FROM contact c JOIN key k USING (stream_id)
        WHERE c.stream_id = p_stream AND p_outcome IN ('FULL', 'MASKED');
END $$;

REVOKE ALL ON FUNCTION vault.take_visit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.take_visit, vault.look, vault.note TO hotline_visitor;
GRANT SELECT ON vault.visit_taken TO hotline_reader;

-- migrate:down
