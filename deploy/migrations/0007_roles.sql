-- Who may do what. Desks execute the functions and hold no right on any table; facts are changed by nobody.
-- migrate:up
DO $$
DECLARE
    r text;
BEGIN
    -- Roles belong to the whole server: several databases of one server share them.
    PERFORM pg_advisory_xact_lock(hashtext('hotline.roles'));
    FOREACH r IN ARRAY ARRAY['hotline_desk', 'hotline_relay', 'hotline_reader'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', r);
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA es, intake FROM PUBLIC;
GRANT USAGE ON SCHEMA es, intake TO hotline_desk, hotline_relay, hotline_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA es, intake TO hotline_desk;
REVOKE ALL ON FUNCTION es.set_relay_shards(int) FROM hotline_desk; -- the owner's

GRANT SELECT ON es.event TO hotline_relay;
GRANT SELECT, UPDATE ON es.relay TO hotline_relay;
GRANT EXECUTE ON FUNCTION es.relay_shard(uuid, int) TO hotline_relay;
GRANT EXECUTE ON FUNCTION es.drained() TO hotline_relay, hotline_reader;

GRANT SELECT ON ALL TABLES IN SCHEMA es, intake TO hotline_reader;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA es TO hotline_reader;
GRANT SELECT ON SEQUENCE es.position_seq TO hotline_reader; -- how far the log goes, for verify

-- migrate:down
