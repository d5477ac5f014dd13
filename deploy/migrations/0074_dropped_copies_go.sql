-- A message that an operator gave up goes as its topic forgets it: nobody reads what the sender wrote for longer.
-- migrate:up

-- Deletes copies of dropped messages, by their numbers. How many there were.
CREATE FUNCTION es.shred_dropped(p_numbers bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM parked_dropped WHERE parked_id = ANY (p_numbers);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

REVOKE ALL ON FUNCTION es.shred_dropped FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.shred_dropped TO hotline_operator;
GRANT MAINTAIN ON es.parked_dropped TO hotline_operator;

-- migrate:down
