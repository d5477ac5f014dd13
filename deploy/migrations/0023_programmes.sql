-- Proactive governance: what happened to monthly topics and project lists, each in a row of its own, append-only
-- (hotline/proactive). It lies beside the lives of complaints: no desk reads or writes it, nothing of it is relayed.
-- migrate:up
CREATE TABLE es.programme_fact (
    programme_id uuid        NOT NULL,
    position     int         NOT NULL CHECK (position >= 1), -- 1, 2, 3 … within the programme, without a gap
    kind         text        NOT NULL CHECK (kind <> ''),
    occurred_at  timestamptz NOT NULL,
    recorded_by  text        NOT NULL CHECK (recorded_by <> ''),
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    body         text        NOT NULL CHECK (body IS JSON OBJECT), -- text, not jsonb: the very bytes
    PRIMARY KEY (programme_id, position)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es.programme_fact
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse();

-- Appends facts behind a position; false where somebody else was faster, and then nothing is written.
CREATE FUNCTION es.append_programme(
    p_programme uuid, p_expected int, p_kinds text[], p_at timestamptz[], p_by text[], p_bodies text[]
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    -- Whoever appends to the same programme waits here, so the position read next is the last there is.
    PERFORM pg_advisory_xact_lock(hashtext('hotline.programme'), hashtext(p_programme::text));
    IF (SELECT coalesce(max(position), 0) FROM programme_fact WHERE programme_id = p_programme) <> p_expected THEN
        RETURN false;
    END IF;
    INSERT INTO programme_fact (programme_id, position, kind, occurred_at, recorded_by, body)
    SELECT p_programme, p_expected + f.n, f.kind, f.at, f.by, f.body
    FROM unnest(p_kinds, p_at, p_by, p_bodies) WITH ORDINALITY AS f (kind, at, by, body, n);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION es.append_programme(uuid, int, text[], timestamptz[], text[], text[]) FROM PUBLIC;

GRANT SELECT ON es.programme_fact TO hotline_reader;

-- migrate:down
