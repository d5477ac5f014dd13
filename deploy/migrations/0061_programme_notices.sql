-- Owners hear of the tasks of programmes on their units' topics: what they are told stands in the programmes' own log
-- beside the fact, and the relay sends it with a cursor of its own (decision 0055).
-- migrate:up
-- Facts of before have no notices: nobody is told of them afterwards.
ALTER TABLE es.programme_fact
    ADD COLUMN xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ADD COLUMN notices text CHECK (notices IS JSON ARRAY); -- [{"unit": …, "body": {…}}, …]; null: nobody is told
CREATE INDEX programme_fact_xid ON es.programme_fact (xid, programme_id, position) WHERE notices IS NOT NULL;

-- What of it has been sent: all that is visible in this snapshot. Who may move it: the owner of shard 0 of es.relay.
CREATE TABLE es.programme_relay (
    one    boolean     PRIMARY KEY DEFAULT true CHECK (one), -- there is one row
    snap_a pg_snapshot NOT NULL
);
INSERT INTO es.programme_relay (snap_a) VALUES (pg_current_snapshot());

-- Appends facts behind a position, each with what is told of it; false where somebody else was faster, and then
-- nothing is written.
CREATE FUNCTION es.append_programme(
    p_programme uuid, p_expected int, p_kinds text[], p_at timestamptz[], p_by text[], p_bodies text[],
    p_notices text[]
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    -- Whoever appends to the same programme waits here until the commit. So the position read next is the last there
    -- is, and the facts of one programme become visible in their order.
    PERFORM pg_advisory_xact_lock(hashtext('hotline.programme'), hashtext(p_programme::text));
    IF (SELECT coalesce(max(position), 0) FROM programme_fact WHERE programme_id = p_programme) <> p_expected THEN
        RETURN false;
    END IF;
    INSERT INTO programme_fact (programme_id, position, kind, occurred_at, recorded_by, body, notices)
    SELECT p_programme, p_expected + f.n, f.kind, f.at, f.by, f.body, f.notices
    FROM unnest(p_kinds, p_at, p_by, p_bodies, p_notices) WITH ORDINALITY AS f (kind, at, by, body, notices, n);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION es.append_programme(uuid, int, text[], timestamptz[], text[], text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.append_programme(uuid, int, text[], timestamptz[], text[], text[], text[])
    TO hotline_governor;

GRANT SELECT ON es.programme_fact, es.programme_relay TO hotline_relay;
GRANT SELECT ON es.programme_relay TO hotline_reader;
GRANT UPDATE ON es.programme_relay TO hotline_relay;

-- migrate:down
