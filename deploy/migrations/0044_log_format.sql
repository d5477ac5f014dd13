-- The log's format is the names of facts and the way their values read. There was another one before the first release.
-- migrate:up

-- Nothing translates it: a log that holds anything is refused.
DO $$
BEGIN
    IF EXISTS (SELECT FROM es.stream) THEN
        RAISE EXCEPTION 'an earlier version wrote this log, and this one cannot read it: make the city anew';
    END IF;
END $$;

CREATE FUNCTION es.log_format() RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 2 $$;

REVOKE ALL ON FUNCTION es.log_format FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.log_format TO hotline_desk, hotline_relay, hotline_reader;

-- migrate:down
