-- The blind index of callers: the complaints of a number are found again, and no number is kept (shared/contacts/callers.py).
-- migrate:up

CREATE TABLE vault.caller (
    index     bytea NOT NULL CHECK (octet_length(index) = 16), -- an HMAC under a key that is nowhere in the database
    stream_id uuid  NOT NULL REFERENCES vault.key ON DELETE CASCADE, -- what is shredded is found no more
    PRIMARY KEY (index, stream_id)
);
CREATE INDEX caller_stream ON vault.caller (stream_id);

ALTER TABLE vault.access DROP CONSTRAINT access_outcome_check;
ALTER TABLE vault.access ADD CONSTRAINT access_outcome_check
    CHECK (outcome IN ('FULL', 'MASKED', 'NOTHING', 'REFUSED', 'PUT', 'SHREDDED', 'FOUND'));

-- A contact that was put is found by these from now on, and by those before no more.
CREATE FUNCTION vault.put_callers(p_stream uuid, p_indexes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('intake');
    DELETE FROM caller WHERE stream_id = p_stream;
    INSERT INTO caller (index, stream_id) SELECT one, p_stream FROM unnest(p_indexes) one;
END $$;

-- The latest complaints of a caller, the newest contact first; each that is found is noted in its access log.
CREATE FUNCTION vault.of_caller(p_index bytea, p_agent text, p_most integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('intake');
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

REVOKE ALL ON FUNCTION vault.put_callers, vault.of_caller FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.put_callers, vault.of_caller TO hotline_intake;

-- migrate:down
