-- Marks are found one by one and by an index; releases lock in one order; a contact that is shredded meanwhile is not placed.
-- migrate:up

-- How often a caller called within a day is asked for each mark.
CREATE INDEX call_caller_place ON intake.call_caller (caller);

-- As the rule set's own bound: with more the end of a mark could be no instant.
ALTER TABLE vault.caller_mark DROP CONSTRAINT caller_mark_days_check;
ALTER TABLE vault.caller_mark ADD CONSTRAINT caller_mark_days_check CHECK (days BETWEEN 1 AND 366);

CREATE VIEW vault.caller_mark_shown AS
    SELECT n.mark_id, n.standing, n.days, n.reason, n.proposed_by, n.proposed_at, n.approved_by, n.approved_at,
           n.expires_at, n.last_act, n.last_by, n.last_at, n.last_reason,
           (SELECT count(*) FROM vault.caller c WHERE c.index = n.index) AS complaints,
           (SELECT count(*) FROM intake.call_caller c WHERE c.caller = n.index) AS calls
    FROM vault.caller_mark_now n;

-- As in 0102; of those that wait for a decision the oldest first.
CREATE OR REPLACE FUNCTION vault.marks(p_most int)
RETURNS TABLE (mark_id bigint, standing text, days int, reason text, proposed_by text, proposed_at timestamptz,
               approved_by text, approved_at timestamptz, expires_at timestamptz, last_act text, last_by text,
               last_at timestamptz, last_reason text, complaints bigint, calls bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
    SELECT * FROM caller_mark_shown n
    ORDER BY array_position(ARRAY['OBJECTED', 'PROPOSED', 'IN_FORCE'], n.standing),
        CASE WHEN n.standing IN ('OBJECTED', 'PROPOSED') THEN n.mark_id ELSE -n.mark_id END
    LIMIT p_most
$$;
CREATE FUNCTION vault.mark(p_mark bigint)
RETURNS TABLE (mark_id bigint, standing text, days int, reason text, proposed_by text, proposed_at timestamptz,
               approved_by text, approved_at timestamptz, expires_at timestamptz, last_act text, last_by text,
               last_at timestamptz, last_reason text, complaints bigint, calls bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
    SELECT * FROM caller_mark_shown n WHERE n.mark_id = p_mark
$$;

-- As in 0102; the words of the citizens who objected go too.
CREATE OR REPLACE FUNCTION vault.forget_marks(p_marks bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
DECLARE
    gone bigint[];
BEGIN
    WITH swept AS (
        UPDATE caller_mark m SET index = NULL WHERE m.mark_id = ANY (p_marks) AND m.mark_id IN (SELECT marks_over())
        RETURNING m.mark_id
    )
    SELECT coalesce(array_agg(s.mark_id), '{}') INTO gone FROM swept s;
    UPDATE caller_mark_act a SET reason = '' WHERE a.mark_id = ANY (gone) AND a.act = 'OBJECTED';
    RETURN cardinality(gone);
END $$;

-- As in 0101. The messages that wait behind those chosen are locked with them, all in one order.
CREATE OR REPLACE FUNCTION es.release_parked_on_page(p_ids bigint[], p_who text, p_reason text, p_act text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    PERFORM must_be('staff');
    PERFORM web.must_be_a('supervision', p_who);
    PERFORM must_say('reason', p_reason);
    PERFORM must_say('act', p_act);
    PERFORM FROM parked p WHERE p.parked_id IN (
            SELECT s.parked_id FROM parked one JOIN parked s ON s.consumer = one.consumer
                AND (s.parked_id = one.parked_id OR s.complaint_id = one.complaint_id)
            WHERE one.parked_id = ANY (p_ids))
        ORDER BY p.parked_id FOR UPDATE;
    IF EXISTS (SELECT FROM parked_act a WHERE a.act_id = p_act) THEN
        RETURN;
    END IF;
    WITH let AS (
        UPDATE parked p SET released_at = clock_timestamp()
        FROM parked one
        WHERE one.parked_id = ANY (p_ids) AND p.released_at IS NULL AND p.consumer = one.consumer
          AND (p.parked_id = one.parked_id OR p.complaint_id = one.complaint_id)
        RETURNING p.parked_id, p.consumer
    )
    INSERT INTO parked_act (act_id, parked_id, act, consumer, actorid, reason)
        SELECT p_act, let.parked_id, 'RELEASED', let.consumer, p_who, p_reason FROM let;
END $$;

-- As in 0105. The key is held until the numbers are placed: who shreds it meanwhile waits, and takes them away with it.
CREATE OR REPLACE FUNCTION vault.index_taken(p_stream uuid, p_taken_at timestamptz, p_indexes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    PERFORM FROM key k WHERE k.stream_id = p_stream FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE contact c SET index_due = NULL WHERE c.stream_id = p_stream AND c.taken_at = p_taken_at;
    IF FOUND THEN
        INSERT INTO caller (index, stream_id) SELECT one, p_stream FROM unnest(p_indexes) AS one ON CONFLICT DO NOTHING;
    END IF;
END $$;
CREATE OR REPLACE FUNCTION vault.index_sealed(p_stream uuid, p_sender text, p_indexes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    PERFORM FROM key k WHERE k.stream_id = p_stream FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE contact c SET index_due = NULL WHERE c.stream_id = p_stream AND c.taken_by = p_sender;
    IF FOUND THEN
        INSERT INTO caller (index, stream_id) SELECT one, p_stream FROM unnest(p_indexes) AS one ON CONFLICT DO NOTHING;
    END IF;
END $$;

REVOKE ALL ON FUNCTION vault.mark FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.mark TO hotline_staff, hotline_reader;

-- migrate:down
