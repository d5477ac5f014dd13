-- A month of the archive is the city's, not UTC's: its connection says in which zone the days of the city begin.
-- migrate:up
DO $$
DECLARE
    which text;
    known text;
    wanted text;
BEGIN
    FOREACH which IN ARRAY ARRAY[
        'es.archivable(timestamptz)', 'es.archivable_read(timestamptz)', 'es.archive(date, uuid[])'
    ] LOOP
        known := pg_get_functiondef(which::regprocedure);
        wanted := replace(known, 'AT TIME ZONE ''UTC''', 'AT TIME ZONE current_setting(''TimeZone'')');
        IF wanted = known THEN
            RAISE EXCEPTION '% is not what it was', which;
        END IF;
        EXECUTE wanted;
    END LOOP;
END $$;

-- migrate:down
