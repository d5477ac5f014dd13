-- A fact of a newer release waits in the parking of a desk that does not know it. A desk that knows it takes it up again.
-- migrate:up

-- What this consumer parked for one of these reasons, and what of the same complaints waits there with it.
CREATE FUNCTION es.release_for(p_consumer text, p_reasons text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
DECLARE
    number bigint;
BEGIN
    PERFORM must_be(p_consumer);
    WITH known AS (
        SELECT parked_id, complaint_id FROM parked
        WHERE consumer = p_consumer AND released_at IS NULL AND reason = ANY (p_reasons)
    ), gone AS (
        UPDATE parked p SET released_at = clock_timestamp()
        WHERE p.consumer = p_consumer AND p.released_at IS NULL
          AND (p.parked_id IN (SELECT parked_id FROM known) OR p.complaint_id IN (SELECT complaint_id FROM known))
        RETURNING 1
    )
    SELECT count(*) FROM gone INTO number;
    RETURN number;
END $$;

REVOKE ALL ON FUNCTION es.release_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.release_for TO hotline_desk;

-- migrate:down
