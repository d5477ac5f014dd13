-- A month neither goes nor comes back while somebody reads the whole log: what a partition holds follows no
-- snapshot, so its lives would be found neither in the log nor among those that are away, or in both.
-- migrate:up

-- For the connection's life, and before its transaction begins: a snapshot taken while waiting would be too old.
CREATE FUNCTION es.archive_held() RETURNS void
LANGUAGE sql AS $$ SELECT pg_advisory_lock_shared(hashtext('hotline.archive')) $$;

-- Asked for again and again, never queued: whoever only wants to show one life must not stand behind a month that
-- waits for a long reading.
CREATE FUNCTION es.archive_alone(p_wait interval) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    give_up_at timestamptz := clock_timestamp() + p_wait;
BEGIN
    WHILE NOT pg_try_advisory_xact_lock(hashtext('hotline.archive')) LOOP
        IF clock_timestamp() > give_up_at THEN
            RAISE EXCEPTION 'the whole log is being read (verify, digest, rebuild or backup): the month stays as it is, try again after that'
                USING ERRCODE = 'HL004';
        END IF;
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION es.archive_held(), es.archive_alone(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.archive_held() TO hotline_reader;

-- migrate:down
