-- Numbers that intake took out of a citizen's text, sealed to the public key beside the contact (decision 0060).
-- migrate:up

-- One row for each input that held some. To shred is to delete the row.
-- Not `text`: a table is a type too, and the functions here look into this schema first.
CREATE TABLE vault.text_number (
    stream_id  uuid        NOT NULL, -- the complaint
    message_id uuid        NOT NULL, -- the input; its facts hold the marks
    sealed     bytea       NOT NULL, -- the marks and what they stand for
    key        bytea       NOT NULL, -- the key of its own, to the public key
    master     bytea       NOT NULL CHECK (octet_length(master) = 8), -- which public key: its fingerprint
    kept_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream_id, message_id)
);

-- In the transaction of es.append that states the facts.
CREATE FUNCTION vault.seal_texts(
    p_streams uuid[], p_messages uuid[], p_sealed bytea[], p_keys bytea[], p_masters bytea[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('intake');
    INSERT INTO text_number (stream_id, message_id, sealed, key, master)
        SELECT * FROM unnest(p_streams, p_messages, p_sealed, p_keys, p_masters);
END $$;

-- As in 0024, and says whether numbers of texts are kept.
DROP FUNCTION vault.look;
CREATE FUNCTION vault.look(p_stream uuid)
RETURNS TABLE (state text, state_schema smallint, taken_by text, texts boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(p_stream::text, 0));
    RETURN QUERY SELECT s.state, s.state_schema, c.taken_by,
            EXISTS (SELECT FROM text_number t WHERE t.stream_id = s.stream_id)
        FROM es.stream s LEFT JOIN (contact c JOIN key k USING (stream_id)) USING (stream_id)
        WHERE s.stream_id = p_stream;
END $$;

-- As in 0072, and gives the numbers of texts in rows that name their input, in the order in which they were kept.
DROP FUNCTION vault.note;
CREATE FUNCTION vault.note(
    p_stream uuid, p_who text, p_as_a text, p_through text, p_outcome text, p_standing text, p_reason text
) RETURNS TABLE (sealed bytea, key bytea, master bytea, message_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be(CASE p_as_a WHEN 'UNIT' THEN 'staff' WHEN 'AGENT' THEN 'agent' WHEN 'VISITOR' THEN 'visitor' END);
    IF p_outcome NOT IN ('FULL', 'MASKED', 'NOTHING', 'REFUSED') THEN
        RAISE EXCEPTION 'outcome %: expected that of a reading', p_outcome USING ERRCODE = '22023';
    END IF;
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        VALUES (p_stream, p_who, p_as_a, p_through, p_outcome, p_standing, p_reason);
    IF p_outcome IN ('FULL', 'MASKED') THEN
        RETURN QUERY SELECT c.sealed, k.sealed, k.master, NULL::uuid FROM contact c JOIN vault.key k USING (stream_id)
            WHERE c.stream_id = p_stream;
        RETURN QUERY SELECT t.sealed, t.key, t.master, t.message_id FROM text_number t
            WHERE t.stream_id = p_stream ORDER BY t.kept_at, t.message_id;
    END IF;
END $$;

-- As in 0040; the numbers of texts go with the contact. Returns of how many complaints something was shredded.
CREATE OR REPLACE FUNCTION vault.shred(p_streams uuid[], p_reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM es.must_say('reason', p_reason);
    WITH keys AS (DELETE FROM key WHERE stream_id = ANY (p_streams) RETURNING stream_id),
    texts AS (DELETE FROM text_number WHERE stream_id = ANY (p_streams) RETURNING stream_id)
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        SELECT stream_id, 'operator', 'OPERATOR', 'COMMAND', 'SHREDDED', 'OPERATOR', p_reason
        FROM (SELECT stream_id FROM keys UNION SELECT stream_id FROM texts) gone;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

REVOKE ALL ON FUNCTION vault.seal_texts, vault.look, vault.note FROM PUBLIC;
GRANT USAGE ON SCHEMA vault TO hotline_intake;
GRANT EXECUTE ON FUNCTION vault.seal_texts TO hotline_intake;
GRANT EXECUTE ON FUNCTION vault.look, vault.note TO hotline_staff, hotline_agent, hotline_visitor;
GRANT SELECT (stream_id, message_id, kept_at) ON vault.text_number TO hotline_reader;
GRANT SELECT (stream_id), MAINTAIN ON vault.text_number TO hotline_operator;

-- migrate:down
