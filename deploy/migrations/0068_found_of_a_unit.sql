-- Complaints are found by the unit with which their last order lies or lay, too.
-- migrate:up
CREATE INDEX complaint_unit ON read.complaint (unit, received_at, stream_id);

DROP FUNCTION read.found(text[], text, text, timestamptz, uuid, boolean, int);

-- The newest complaints that have all these words (given without a month), received before (p_before, p_stream);
-- p_district and p_subject are among the words, or empty; p_unit is the unit with whom the last order lies or lay, or
-- empty. It looks through the newest ones of that district, that subject and that unit, or of all, first, so that what is
-- common is found at once. Then it goes back by the words' index, a month at a time: no look goes through more than one
-- month's rows of a word. Where only open ones or those of one unit are asked for, it gives up once it has passed over
-- others_left that are none.
CREATE FUNCTION read.found(p_words text[], p_district text, p_subject text, p_before timestamptz, p_stream uuid,
                           p_open boolean, p_limit int, p_unit text DEFAULT '')
RETURNS TABLE (stream_id uuid, received_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = read, pg_catalog SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    newest constant int := CASE WHEN p_open THEN 2000 ELSE 500 END; -- going back passes over what has ended
    looked int := 0;
    others_left int := 2000; -- so many that have ended, or lie with another unit, are passed over
    any_fits constant boolean := NOT p_open AND p_unit = '';
    wanted int := p_limit;
    last timestamptz := p_before;
    last_stream uuid := p_stream;
    first timestamptz;
    month date;
    begins timestamptz := 'infinity'; -- the month of wanted_words
    wanted_words text[];
    one record;
BEGIN
    FOR one IN EXECUTE format(
        'SELECT c.stream_id, c.received_at, w.words FROM (
             SELECT n.stream_id, n.received_at FROM complaint n WHERE (n.received_at, n.stream_id) < ($1, $2) %s
             ORDER BY n.received_at DESC, n.stream_id DESC LIMIT $3
         ) c JOIN wording w ON w.stream_id = c.stream_id ORDER BY c.received_at DESC, c.stream_id DESC',
        CASE WHEN p_district <> '' THEN ' AND n.district = $4' ELSE '' END
            || CASE WHEN p_subject <> '' THEN ' AND n.subject = $5' ELSE '' END
            || CASE WHEN p_unit <> '' THEN ' AND n.unit = $6' ELSE '' END
            || CASE WHEN p_open THEN ' AND n.ended = ''''' ELSE '' END)
        USING p_before, p_stream, newest, p_district, p_subject, p_unit
    LOOP
        last := one.received_at;
        last_stream := one.stream_id;
        looked := looked + 1;
        IF one.received_at < begins THEN
            wanted_words := month_words(one.received_at, p_words);
            begins := date_trunc('month', one.received_at, 'UTC');
        END IF;
        IF one.words @> wanted_words THEN
            stream_id := one.stream_id;
            received_at := one.received_at;
            wanted := wanted - 1;
            RETURN NEXT;
            IF wanted = 0 THEN
                RETURN;
            END IF;
        END IF;
    END LOOP;
    IF looked < newest THEN
        RETURN;
    END IF;
    SELECT min(n.received_at) INTO first FROM complaint n;
    month := date_trunc('month', last AT TIME ZONE 'UTC')::date;
    WHILE wanted > 0 AND month >= date_trunc('month', first AT TIME ZONE 'UTC')::date LOOP
        FOR one IN
            SELECT w.stream_id, w.received_at,
                   any_fits OR EXISTS (SELECT FROM complaint c WHERE c.stream_id = w.stream_id
                                       AND (c.ended = '' OR NOT p_open) AND p_unit IN ('', c.unit)) AS fits
            FROM wording w
            WHERE w.words @> month_words(month::timestamp AT TIME ZONE 'UTC', p_words)
              AND (w.received_at, w.stream_id) < (last, last_stream)
            ORDER BY w.received_at DESC, w.stream_id DESC
            LIMIT CASE WHEN any_fits THEN wanted ELSE wanted + others_left END
        LOOP
            IF NOT one.fits THEN
                others_left := others_left - 1;
                EXIT WHEN others_left = 0;
                CONTINUE;
            END IF;
            stream_id := one.stream_id;
            received_at := one.received_at;
            wanted := wanted - 1;
            RETURN NEXT;
            EXIT WHEN wanted = 0;
        END LOOP;
        EXIT WHEN others_left = 0;
        month := (month - interval '1 month')::date;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION read.found FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.found TO hotline_reader;

-- migrate:down
