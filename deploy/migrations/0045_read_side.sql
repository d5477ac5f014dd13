-- The read side: what lists, counts and searches are answered from. The projector (hotline/readside) keeps these tables
-- up with the log; nobody else writes them (decision 0048). A row follows from the facts of its complaint alone.
-- migrate:up
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('hotline.roles'));
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hotline_projector') THEN
        CREATE ROLE hotline_projector NOLOGIN;
    END IF;
END $$;

CREATE SCHEMA read;

-- How far each projection is. Whoever writes its tables holds this table until the commit, and moves the position in
-- the same transaction: two projectors cannot both take in the same facts.
CREATE TABLE read.projection (
    name     text        PRIMARY KEY,
    version  int         NOT NULL, -- of its fold: another one goes through everything
    seen     pg_snapshot NOT NULL, -- what is visible here is taken in
    made_in  text        NOT NULL, -- the database whose transactions that snapshot counts
    archived bigint      NOT NULL, -- facts in the archive then
    position bigint      NOT NULL, -- the last position of the log among them
    going    text        -- it goes through everything and is this far; null: it is through
);

-- A complaint as lists show it. Texts, which rarely change, stand in a table of their own.
CREATE TABLE read.complaint (
    stream_id   uuid        PRIMARY KEY,
    version     int         NOT NULL, -- how far its facts are taken in
    stage       text        NOT NULL, -- shared.complaint.stage.Stage
    ended       text        NOT NULL, -- the fact that ended it; empty while it goes on
    district    text        NOT NULL,
    street      text        NOT NULL, -- empty: none
    subject     text        NOT NULL,
    urgency     text        NOT NULL, -- empty before it is classified
    unit        text        NOT NULL, -- with whom its last order lies or lay; empty: none
    assignment  int         NOT NULL,
    round       int         NOT NULL,
    standing    text        NOT NULL, -- of its order: new, signed, in review, disputed, answered; empty: there is none
    due_at      timestamptz,          -- the limit of its order
    paused_until timestamptz,
    provisional boolean     NOT NULL,
    unlisted    text        NOT NULL, -- what the catalogue does not know, with commas between
    received_at timestamptz NOT NULL,
    day         date,                 -- on which it counts as received, by its rules; null: it counts as none
    ruleset     text        NOT NULL,
    calendar    text        NOT NULL,
    heat        int         NOT NULL,
    timers      int         NOT NULL  -- set for it
) WITH (fillfactor = 70);
CREATE INDEX complaint_received ON read.complaint (received_at, stream_id);
CREATE INDEX complaint_open ON read.complaint (received_at, stream_id) WHERE ended = '';
CREATE INDEX complaint_district ON read.complaint (district, received_at, stream_id);
CREATE INDEX complaint_subject ON read.complaint (subject, received_at, stream_id);
CREATE INDEX complaint_place ON read.complaint (district, subject, received_at, stream_id);
CREATE INDEX complaint_calendar ON read.complaint (calendar, stream_id) WHERE ended = '';

CREATE TABLE read.wording (
    stream_id   uuid   PRIMARY KEY,
    received_at timestamptz NOT NULL,
    request_id  text   NOT NULL,
    title       text   NOT NULL,
    content     text   NOT NULL,
    address     text   NOT NULL,
    attachments text   NOT NULL, -- JSON
    words       text[] NOT NULL  -- each with the month of receipt before it (hotline/readside/words.py)
);
CREATE INDEX wording_words ON read.wording USING gin (words);

-- Something that waits for somebody: an order for a unit, a question for reviewers, a visit for the dialler.
CREATE TABLE read.waiting (
    list      text        NOT NULL, -- orders, reviews, corrections, supervision, visits
    party     text        NOT NULL, -- of orders the unit; else empty
    due_at    timestamptz NOT NULL,
    stream_id uuid        NOT NULL,
    role      text        NOT NULL, -- of orders: lead, help, called; of reviews what is asked; of visits the reason
    number    int         NOT NULL, -- of the whistle, the visit
    unit      text        NOT NULL, -- whom it is about
    subject   text        NOT NULL,
    district  text        NOT NULL,
    urgency   text        NOT NULL,
    PRIMARY KEY (stream_id, list, party, role, number)
) WITH (fillfactor = 80);
CREATE INDEX waiting_due ON read.waiting (list, party, due_at, stream_id, role, number);

-- When a message was taken up that a citizen had sent (A3).
CREATE TABLE read.message (
    stream_id   uuid        PRIMARY KEY,
    channel     text        NOT NULL,
    received_at timestamptz NOT NULL,
    waited      interval    NOT NULL
);
CREATE INDEX message_received ON read.message (received_at) INCLUDE (channel, waited);

-- Sums over read.complaint, moved with its rows. A sum of nothing may stay as 0.
CREATE TABLE read.count (
    stage      text   NOT NULL,
    district   text   NOT NULL,
    unit       text   NOT NULL,
    subject    text   NOT NULL,
    complaints bigint NOT NULL,
    PRIMARY KEY (stage, district, unit, subject)
) WITH (fillfactor = 50);
CREATE TABLE read.total (
    stage      text   PRIMARY KEY,
    complaints bigint NOT NULL,
    facts      bigint NOT NULL,
    timers     bigint NOT NULL,
    unlisted   bigint NOT NULL -- of open ones: how many name what the catalogue does not know
) WITH (fillfactor = 50);
CREATE TABLE read.received (
    span       text   NOT NULL, -- month or day
    day        date   NOT NULL, -- the first of it
    subject    text   NOT NULL,
    district   text   NOT NULL,
    complaints bigint NOT NULL,
    PRIMARY KEY (span, day, subject, district)
) WITH (fillfactor = 50);

-- A complaint that no list can show, as its head cannot be read; its rows stay what they were.
CREATE TABLE read.unread (
    stream_id uuid PRIMARY KEY,
    why       text NOT NULL
);

CREATE TABLE read.call_unread (
    call_id text PRIMARY KEY,
    why     text NOT NULL
);

-- A call as its figures count it, and how many there were in each minute.
CREATE TABLE read.call (
    call_id text        PRIMARY KEY,
    at      timestamptz NOT NULL, -- the instant it belongs to
    minute  timestamptz NOT NULL, -- the end of its minute, which belongs to it
    outcome text        NOT NULL, -- empty: it waits
    reached boolean     NOT NULL, -- a queue had it
    waited  interval,
    gave_up interval,
    talked  interval
) WITH (fillfactor = 80);
CREATE INDEX call_at ON read.call (at) INCLUDE (outcome, reached, waited, gave_up, talked);
CREATE TABLE read.call_minute (
    minute  timestamptz NOT NULL,
    outcome text        NOT NULL,
    reached boolean     NOT NULL,
    calls   bigint      NOT NULL,
    PRIMARY KEY (minute, outcome, reached)
) WITH (fillfactor = 50);

CREATE TABLE read.call_total (
    outcome text   PRIMARY KEY,
    calls   bigint NOT NULL
) WITH (fillfactor = 50);

-- Which calls changed since a snapshot, as es.event has it for facts.
ALTER TABLE intake.call ADD COLUMN xid xid8 NOT NULL DEFAULT '2';
ALTER TABLE intake.call ALTER COLUMN xid SET DEFAULT pg_current_xact_id();
CREATE INDEX call_xid ON intake.call (xid);
CREATE OR REPLACE FUNCTION intake.note_calls(p_call text[], p_at timestamptz[], p_what text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
    INSERT INTO call AS c (call_id, told)
        SELECT u.id, told_together('{}', array_agg(told(u.at, u.what)))
        FROM unnest(p_call, p_at, p_what) AS u (id, at, what)
        GROUP BY u.id ORDER BY u.id
    ON CONFLICT (call_id) DO UPDATE SET told = told_together(c.told, excluded.told), xid = pg_current_xact_id()
        WHERE NOT excluded.told <@ c.told
$$;

-- How far the lists are: the last position of the log in them, and how old the oldest fact is that is not; null where
-- every fact is.
CREATE FUNCTION read.standing() RETURNS TABLE (through bigint, behind interval, going boolean)
LANGUAGE sql STABLE SET search_path = read, pg_catalog SET enable_seqscan = off AS $$
    SELECT p.position, clock_timestamp() - least(
        (SELECT e.recorded_at FROM es.event e WHERE e.xid >= pg_snapshot_xmax(p.seen) ORDER BY e.xid, e.position LIMIT 1),
        (SELECT min(e.recorded_at) FROM es.event e WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(p.seen))))),
        p.going IS NOT NULL
    FROM projection p WHERE p.name = 'lists'
$$;

-- Whether everything is taken in that was committed when this snapshot was taken.
CREATE FUNCTION read.holds(p_snapshot pg_snapshot) RETURNS boolean
LANGUAGE sql STABLE SET search_path = read, pg_catalog SET enable_seqscan = off AS $$
    SELECT coalesce(bool_and(p.going IS NULL
        AND NOT EXISTS (SELECT FROM es.event e WHERE e.xid >= pg_snapshot_xmax(p.seen)
                        AND pg_visible_in_snapshot(e.xid, p_snapshot))
        AND NOT EXISTS (SELECT FROM es.event e WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(p.seen)))
                        AND pg_visible_in_snapshot(e.xid, p_snapshot))), false)
    FROM projection p WHERE p.name = 'lists'
$$;

-- Words as a complaint received then has them.
CREATE FUNCTION read.month_words(p_received timestamptz, p_words text[]) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT coalesce(array_agg(to_char(p_received AT TIME ZONE 'UTC', 'YYMM') || p), '{}') FROM unnest(p_words) AS p
$$;

-- The newest complaints that have all these words (given without a month), received before (p_before, p_stream);
-- p_district and p_subject are among the words, or empty. It looks through the newest ones of that district and that
-- subject, or of all, first, so that what is common is found at once. Then it goes back by the words' index, a month at a
-- time: no look goes through more than one month's rows of a word. Where only open ones are asked for, it gives up once
-- it has passed over ended_left that have ended.
CREATE FUNCTION read.found(p_words text[], p_district text, p_subject text, p_before timestamptz, p_stream uuid,
                           p_open boolean, p_limit int)
RETURNS TABLE (stream_id uuid, received_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = read, pg_catalog SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    newest constant int := CASE WHEN p_open THEN 2000 ELSE 500 END; -- going back passes over what has ended
    looked int := 0;
    ended_left int := 2000; -- where open ones are asked for: so many that have ended are passed over
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
            || CASE WHEN p_open THEN ' AND n.ended = ''''' ELSE '' END)
        USING p_before, p_stream, newest, p_district, p_subject
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
                   NOT p_open OR EXISTS (SELECT FROM complaint c WHERE c.stream_id = w.stream_id AND c.ended = '') AS fits
            FROM wording w
            WHERE w.words @> month_words(month::timestamp AT TIME ZONE 'UTC', p_words)
              AND (w.received_at, w.stream_id) < (last, last_stream)
            ORDER BY w.received_at DESC, w.stream_id DESC
            LIMIT CASE WHEN p_open THEN wanted + ended_left ELSE wanted END
        LOOP
            IF NOT one.fits THEN
                ended_left := ended_left - 1;
                EXIT WHEN ended_left = 0;
                CONTINUE;
            END IF;
            stream_id := one.stream_id;
            received_at := one.received_at;
            wanted := wanted - 1;
            RETURN NEXT;
            EXIT WHEN wanted = 0;
        END LOOP;
        EXIT WHEN ended_left = 0;
        month := (month - interval '1 month')::date;
    END LOOP;
END $$;

-- What was received when is asked of the read side: no append pays for these any more.
DROP INDEX es.event_received;
DROP INDEX es.archived_received;

REVOKE ALL ON FUNCTION read.standing, read.holds, read.month_words, read.found FROM PUBLIC;
GRANT USAGE ON SCHEMA read TO hotline_reader, hotline_operator, hotline_projector;
GRANT SELECT ON ALL TABLES IN SCHEMA read TO hotline_reader;
GRANT EXECUTE ON FUNCTION read.standing, read.holds, read.month_words, read.found TO hotline_reader;

-- The projector reads facts, heads and calls, and folds them outside the database. `hotline rebuild lists` does the same
-- as an act of the operator, whose login reads what a reader reads.
GRANT USAGE ON SCHEMA es, intake TO hotline_projector;
GRANT SELECT ON es.event, es.fact, es.stream, es.archive_month, es.archived_life, es.detached_life, intake.call
    TO hotline_projector;
GRANT EXECUTE ON FUNCTION es.log_format TO hotline_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA read TO hotline_projector;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA read TO hotline_operator;

-- migrate:down
