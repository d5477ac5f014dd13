-- Each act of a person at the centre is a function that one role may call (decision 0046). The function guards what it
-- changes, in the transaction of the change, and the row says which login wrote it.
-- HL004 refuses an act: its text is a sentence for the person who asked.
-- migrate:up
DO $$
DECLARE
    r text;
BEGIN
    -- Roles belong to the whole server: several databases of one server share them.
    PERFORM pg_advisory_xact_lock(hashtext('hotline.roles'));
    FOREACH r IN ARRAY ARRAY['hotline_editor', 'hotline_governor', 'hotline_operator'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', r);
        END IF;
    END LOOP;
END $$;
GRANT USAGE ON SCHEMA intake TO hotline_editor;
GRANT USAGE ON SCHEMA es TO hotline_governor;
GRANT USAGE ON SCHEMA es, vault TO hotline_operator;

-- Which login wrote a row, beside the name that a person gave. NULL: it was written before this was kept.
ALTER TABLE intake.article ADD COLUMN login text;
ALTER TABLE intake.article_withdrawn ADD COLUMN login text;
ALTER TABLE es.programme_fact ADD COLUMN login text;
ALTER TABLE es.score_month ADD COLUMN login text;
ALTER TABLE es.parked_dropped ADD COLUMN login text;
ALTER TABLE es.door_stopped ADD COLUMN resumed_login text;
ALTER TABLE vault.access ADD COLUMN login text;
ALTER TABLE intake.article ALTER COLUMN login SET DEFAULT session_user;
ALTER TABLE intake.article_withdrawn ALTER COLUMN login SET DEFAULT session_user;
ALTER TABLE es.programme_fact ALTER COLUMN login SET DEFAULT session_user;
ALTER TABLE es.score_month ALTER COLUMN login SET DEFAULT session_user;
ALTER TABLE es.parked_dropped ALTER COLUMN login SET DEFAULT session_user;
ALTER TABLE vault.access ALTER COLUMN login SET DEFAULT session_user;

-- For the acts themselves: a text that must say something.
CREATE FUNCTION es.must_say(p_field text, p_text text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
BEGIN
    IF coalesce(p_text, '') !~ '\S' THEN
        RAISE EXCEPTION '%: expected words', p_field USING ERRCODE = '22023';
    END IF;
END $$;
REVOKE ALL ON FUNCTION es.must_say FROM PUBLIC;

-- -- the editor: the articles of the knowledge base

-- Adds one version and returns its number. NULL asks for the next one: then nobody else adds until the commit.
CREATE FUNCTION intake.add_article(
    p_article text, p_version int, p_subject text, p_title text, p_body text, p_title_words text, p_body_words text,
    p_valid_from timestamptz, p_source text
) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
BEGIN
    PERFORM es.must_say(f.field, f.said) FROM (VALUES ('article', p_article), ('subject', p_subject),
        ('title', p_title), ('text', p_body), ('source', p_source)) AS f (field, said);
    IF p_version IS NULL THEN
        LOCK TABLE article IN SHARE ROW EXCLUSIVE MODE;
        SELECT coalesce(max(a.version), 0) + 1 INTO p_version FROM article a WHERE a.article_id = p_article;
    END IF;
    INSERT INTO article (article_id, version, subject, title, body, title_words, body_words, valid_from, source)
        VALUES (p_article, p_version, p_subject, p_title, p_body, p_title_words, p_body_words, p_valid_from, p_source)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'article % has a version % already: expected a new version', p_article, p_version
            USING ERRCODE = 'HL004';
    END IF;
    RETURN p_version;
END $$;

-- The reason may be empty: a file of articles need not give one.
CREATE FUNCTION intake.withdraw_article(p_article text, p_version int, p_at timestamptz, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM article a WHERE a.article_id = p_article AND a.version = p_version) THEN
        RAISE EXCEPTION 'the knowledge base has no %@%', p_article, p_version USING ERRCODE = 'HL004';
    END IF;
    INSERT INTO article_withdrawn (article_id, version, withdrawn_at, reason)
        VALUES (p_article, p_version, p_at, p_reason) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%@% was withdrawn already', p_article, p_version USING ERRCODE = 'HL004';
    END IF;
END $$;

REVOKE ALL ON FUNCTION intake.add_article, intake.withdraw_article FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.add_article, intake.withdraw_article TO hotline_editor;
GRANT SELECT ON intake.article, intake.article_version TO hotline_editor;

-- -- the governor: monthly programmes and project lists, the scores and their frozen months

GRANT EXECUTE ON FUNCTION es.append_programme TO hotline_governor;
GRANT SELECT ON es.programme_fact TO hotline_governor;

-- Until the commit nobody appends: no position up to the last one is still to come.
CREATE FUNCTION es.hold_log() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE;
END $$;

-- Freezes the month that these bytes publish: JSON with month, frozen_at, frozen_by, through. The zone is the one in
-- which the city's months end. `seen` is a snapshot, and what it has not seen is found by an index alone.
CREATE FUNCTION es.freeze_month(p_published bytea, p_zone text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog SET enable_seqscan = off AS $$
DECLARE
    said json := convert_from(p_published, 'UTF8')::json;
    which date := said ->> 'month';
    at timestamptz := said ->> 'frozen_at';
    log_end bigint;
    snapshot pg_snapshot;
    n bigint;
BEGIN
    PERFORM es.must_say('frozen_by', said ->> 'frozen_by');
    IF NOT coalesce(at >= (which + interval '1 month') AT TIME ZONE p_zone, false) THEN
        RAISE EXCEPTION '% is not over', to_char(which, 'YYYY-MM') USING ERRCODE = 'HL004';
    END IF;
    PERFORM hold_log();
    IF EXISTS (SELECT FROM score_month m WHERE m.month = which) THEN
        RAISE EXCEPTION '% is frozen already', to_char(which, 'YYYY-MM') USING ERRCODE = 'HL004';
    END IF;
    SELECT count(*) INTO n FROM score_unread;
    IF n > 0 THEN
        RAISE EXCEPTION 'nothing is frozen on what cannot be read: of % complaints a fact cannot be read, `hotline rank show` names them',
            to_char(n, 'FM999,999,999,999') USING ERRCODE = 'HL004';
    END IF;
    SELECT count(*) INTO n FROM detached_life d JOIN stream s USING (stream_id)
        LEFT JOIN score_life l USING (stream_id) WHERE l.version IS DISTINCT FROM s.version;
    IF n > 0 THEN
        RAISE EXCEPTION '% complaints lie in months of the archive that are detached: attach them first',
            to_char(n, 'FM999,999,999,999') USING ERRCODE = 'HL004';
    END IF;
    SELECT v.seen::pg_snapshot INTO snapshot FROM score_view v;
    SELECT q.last_value INTO log_end FROM position_seq q;
    IF snapshot IS NULL OR log_end IS DISTINCT FROM (said ->> 'through')::bigint
       OR EXISTS (SELECT FROM event e WHERE e.xid >= pg_snapshot_xmax(snapshot))
       OR EXISTS (SELECT FROM event e WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(snapshot)))) THEN
        RAISE EXCEPTION 'the scores are behind the log: count the month again' USING ERRCODE = 'HL004';
    END IF;
    INSERT INTO score_month (month, through, frozen_at, published) VALUES (which, log_end, at, p_published);
END $$;

REVOKE ALL ON FUNCTION es.hold_log, es.freeze_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.hold_log, es.freeze_month TO hotline_governor;
-- The scores are a view that the ledger folds outside the database: it reads the log and writes these four tables.
GRANT EXECUTE ON FUNCTION es.archive_held() TO hotline_governor;
GRANT SELECT ON es.event, es.fact, es.detached_life, es.archive_month, es.stream, es.position_seq,
    es.score_life, es.score_view, es.score_month, es.score_correction, es.score_unread TO hotline_governor;
GRANT INSERT, DELETE ON es.score_life, es.score_correction, es.score_unread TO hotline_governor;
GRANT INSERT, UPDATE ON es.score_view TO hotline_governor;

-- -- the operator: parked messages, stopped doors, views of the log, the archive, relays, contacts

-- A message released alone would overtake the earlier ones of its complaint, and the later ones would wait for ever
-- behind it: the whole queue of a complaint goes together, oldest first. Returns the numbers that were released.
CREATE FUNCTION es.release_parked(p_id bigint) RETURNS SETOF bigint
LANGUAGE sql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    UPDATE parked p SET released_at = clock_timestamp()
    FROM parked one
    WHERE one.parked_id = p_id AND p.consumer = one.consumer
      AND (p.parked_id = one.parked_id OR p.complaint_id = one.complaint_id)
    RETURNING p.parked_id
$$;

-- No row: nothing is parked under this number.
CREATE FUNCTION es.drop_parked(p_id bigint, p_why text) RETURNS TABLE (consumer text, complaint_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
#variable_conflict use_column
BEGIN
    PERFORM must_say('reason', p_why);
    RETURN QUERY
        WITH gone AS (DELETE FROM parked p WHERE p.parked_id = p_id RETURNING *)
        INSERT INTO parked_dropped SELECT gone.*, p_why FROM gone RETURNING consumer, complaint_id;
END $$;

-- These topics of a door, or all of them where none is named; returns those that were stopped.
CREATE FUNCTION es.resume_door(p_consumer text, p_door text, p_topics text[]) RETURNS SETOF text
LANGUAGE sql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
    UPDATE door_stopped s SET resumed_at = clock_timestamp(), resumed_login = session_user
    WHERE s.consumer = p_consumer AND s.door = p_door AND s.resumed_at IS NULL
      AND (cardinality(p_topics) = 0 OR s.topic = ANY (p_topics))
    RETURNING s.topic
$$;

-- Until the commit nobody appends and nobody moves a timer. In the order in which es.append takes them, or the two
-- could wait for each other.
CREATE FUNCTION es.hold_views() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    LOCK TABLE stream, event, timer IN SHARE ROW EXCLUSIVE MODE;
END $$;

-- As in 0009, of a month that is attached alone: what is away must come back as it went.
CREATE OR REPLACE FUNCTION es.archive_close(p_month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    PERFORM FROM archive_month m WHERE m.month = p_month AND m.attached FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the month % is not attached', p_month USING ERRCODE = 'HL004';
    END IF;
    UPDATE archive_month m SET lives = s.lives, facts = s.facts, digest = s.digest
        FROM archive_sum(p_month) s WHERE m.month = p_month;
END $$;

CREATE OR REPLACE FUNCTION es.archive_detach(p_month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    PERFORM archive_close(p_month);
    UPDATE archive_month SET attached = false WHERE month = p_month;
    EXECUTE format('ALTER TABLE es.archived DETACH PARTITION es.%I', archive_table(p_month));
END $$;

ALTER FUNCTION es.archive_open(date) SECURITY DEFINER;
ALTER FUNCTION es.archivable(timestamptz) SECURITY DEFINER;
ALTER FUNCTION es.archivable_read(timestamptz) SECURITY DEFINER;
ALTER FUNCTION es.archive(date, uuid[]) SECURITY DEFINER;
ALTER FUNCTION es.archive_attach(date) SECURITY DEFINER;
ALTER FUNCTION es.archive_alone(interval) SECURITY DEFINER SET search_path = pg_catalog;
ALTER FUNCTION es.set_relay_shards(int) SECURITY DEFINER;

-- Gives a unit a token for the door, salted and hashed; the one before is void.
CREATE FUNCTION vault.give_token(p_unit text, p_salt bytea, p_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
BEGIN
    PERFORM es.must_say('unit', p_unit);
    IF NOT coalesce(octet_length(p_salt) >= 16, false) THEN
        RAISE EXCEPTION 'salt: expected 16 bytes at least' USING ERRCODE = '22023';
    END IF;
    INSERT INTO token (unit, salt, hash) VALUES (p_unit, p_salt, p_hash)
        ON CONFLICT (unit) DO UPDATE SET salt = excluded.salt, hash = excluded.hash, made_at = clock_timestamp();
END $$;

-- As in 0024, and says why. Returns how many were shredded.
CREATE OR REPLACE FUNCTION vault.shred(p_streams uuid[], p_reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM es.must_say('reason', p_reason);
    WITH gone AS (DELETE FROM key WHERE stream_id = ANY (p_streams) RETURNING stream_id)
    INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
        SELECT stream_id, 'operator', 'OPERATOR', 'COMMAND', 'SHREDDED', 'OPERATOR', p_reason FROM gone;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

REVOKE ALL ON FUNCTION es.release_parked, es.drop_parked, es.resume_door, es.hold_views, vault.give_token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.release_parked, es.drop_parked, es.resume_door, es.hold_views,
    es.archive_open, es.archivable, es.archivable_read, es.archive, es.archive_close, es.archive_detach,
    es.archive_attach, es.archive_alone, es.set_relay_shards, vault.give_token, vault.shred TO hotline_operator;
-- Its login reads what a reader reads (deploy/city/city.py). Heads and timers are folded outside the database.
GRANT INSERT, DELETE ON es.stream, es.timer TO hotline_operator;
-- Which complaints have a contact that can be read. A shredded key lies in its page until the table is vacuumed.
GRANT SELECT (stream_id), MAINTAIN ON vault.key TO hotline_operator;

-- migrate:down
