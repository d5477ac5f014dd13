-- Marks of malicious callers: one person proposes, another approves, a mark expires, the caller may object (decision 0077).
-- It warns the agent who takes the next call, and blocks nothing. No number is kept: a mark hangs on the blind index.
-- migrate:up
CREATE TABLE vault.caller_mark (
    mark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    index   bytea CHECK (octet_length(index) = 16), -- as in vault.caller; NULL: the mark is over and was swept
    days    int   NOT NULL CHECK (days BETWEEN 1 AND 366) -- how long it warns, from its approval on: of the rule set
);
CREATE INDEX caller_mark_index ON vault.caller_mark (index) WHERE index IS NOT NULL;
CREATE INDEX call_caller_place ON intake.call_caller (caller); -- how often a caller called is asked for each mark

-- Each act by its own row: a mark is what its acts say.
CREATE TABLE vault.caller_mark_act (
    mark_id  bigint      NOT NULL REFERENCES vault.caller_mark,
    number   int         NOT NULL CHECK (number > 0), -- of the mark, from 1 on
    act      text        NOT NULL CHECK (act IN ('PROPOSED', 'APPROVED', 'REFUSED', 'OBJECTED', 'UPHELD', 'LIFTED')),
    actorid  text        NOT NULL, -- of web.staff
    reason   text        NOT NULL, -- of an objection the caller's own words
    acted_at timestamptz NOT NULL, -- in the city's time
    login    text        NOT NULL DEFAULT session_user,
    PRIMARY KEY (mark_id, number)
);

-- How each mark stands now. What nobody has decided within its days is over too.
CREATE VIEW vault.caller_mark_now AS
SELECT m.mark_id, m.index, m.days, first.actorid AS proposed_by, first.acted_at AS proposed_at, first.reason,
       agreed.actorid AS approved_by, agreed.acted_at AS approved_at, ends.at AS expires_at,
       said.act AS last_act, said.actorid AS last_by, said.acted_at AS last_at, said.reason AS last_reason,
       CASE WHEN said.act IN ('REFUSED', 'LIFTED') THEN said.act
            WHEN ends.at <= es.present() THEN 'EXPIRED'
            WHEN said.act IN ('PROPOSED', 'OBJECTED') THEN said.act ELSE 'IN_FORCE' END AS standing
FROM vault.caller_mark m
JOIN vault.caller_mark_act first ON first.mark_id = m.mark_id AND first.number = 1
LEFT JOIN vault.caller_mark_act agreed ON agreed.mark_id = m.mark_id AND agreed.act = 'APPROVED'
CROSS JOIN LATERAL (SELECT coalesce(agreed.acted_at, first.acted_at) + make_interval(days => m.days) AS at) ends
CROSS JOIN LATERAL (
    SELECT * FROM vault.caller_mark_act a WHERE a.mark_id = m.mark_id ORDER BY a.number DESC LIMIT 1) said;

-- Two lines of the register that are one person: the same line, or the same account of the identity provider.
CREATE FUNCTION web.is_same_person(p_one text, p_other text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = web, pg_catalog AS $$
    SELECT p_one = p_other OR EXISTS (
        SELECT FROM staff a JOIN staff b USING (issuer, account)
        WHERE a.staff_id = p_one AND b.staff_id = p_other AND a.account <> '')
$$;

-- For the acts themselves. Nobody else marks until the commit.
CREATE FUNCTION vault.add_mark_act(p_mark bigint, p_act text, p_who text, p_reason text) RETURNS void
LANGUAGE plpgsql SET search_path = vault, pg_catalog AS $$
BEGIN
    INSERT INTO caller_mark_act (mark_id, number, act, actorid, reason, acted_at)
        SELECT p_mark, count(*) + 1, p_act, p_who, p_reason, es.present()
        FROM caller_mark_act WHERE mark_id = p_mark;
END $$;

-- An agent proposes to mark a caller. Returns the mark; the same proposal again is the same one.
CREATE FUNCTION vault.propose_mark(p_index bytea, p_who text, p_reason text, p_days int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
DECLARE
    there record;
    made bigint;
BEGIN
    PERFORM es.must_say('reason', p_reason);
    PERFORM web.must_be_a('agents', p_who);
    IF p_index IS NULL THEN
        RAISE EXCEPTION 'nobody knows the number of this caller' USING ERRCODE = 'HL004';
    END IF;
    LOCK TABLE caller_mark IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO there FROM caller_mark_now n
        WHERE n.index = p_index AND n.standing IN ('PROPOSED', 'IN_FORCE', 'OBJECTED');
    IF there.standing = 'PROPOSED' AND (there.proposed_by, there.reason) = (p_who, p_reason) THEN
        RETURN there.mark_id;
    ELSIF there.standing = 'PROPOSED' THEN
        RAISE EXCEPTION 'a proposal about this caller waits already' USING ERRCODE = 'HL004';
    ELSIF there.standing IS NOT NULL THEN
        RAISE EXCEPTION 'this caller is marked already' USING ERRCODE = 'HL004';
    END IF;
    INSERT INTO caller_mark (index, days) VALUES (p_index, p_days) RETURNING mark_id INTO made;
    PERFORM add_mark_act(made, 'PROPOSED', p_who, p_reason);
    RETURN made;
END $$;

-- An agent writes down that the caller objects, in the caller's words. Returns the mark.
CREATE FUNCTION vault.object_to_mark(p_index bytea, p_who text, p_words text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
DECLARE
    there record;
BEGIN
    PERFORM es.must_say('objection', p_words);
    PERFORM web.must_be_a('agents', p_who);
    LOCK TABLE caller_mark IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO there FROM caller_mark_now n WHERE n.index = p_index AND n.standing IN ('IN_FORCE', 'OBJECTED');
    IF there.standing IS NULL THEN
        RAISE EXCEPTION 'this caller is not marked' USING ERRCODE = 'HL004';
    ELSIF there.standing = 'IN_FORCE' THEN
        PERFORM add_mark_act(there.mark_id, 'OBJECTED', p_who, p_words);
    ELSIF there.last_reason <> p_words THEN
        RAISE EXCEPTION 'an objection of this caller waits already' USING ERRCODE = 'HL004';
    END IF;
    RETURN there.mark_id;
END $$;

-- Supervision decides: APPROVED or REFUSED on a proposal, UPHELD or LIFTED on an objection; without one it may be LIFTED.
-- Nobody decides on what he proposed, and nobody on an objection to what he approved.
CREATE FUNCTION vault.decide_mark(p_mark bigint, p_act text, p_who text, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
DECLARE
    there record;
BEGIN
    PERFORM es.must_say('reason', p_reason);
    PERFORM web.must_be_a('supervision', p_who);
    LOCK TABLE caller_mark IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO there FROM caller_mark_now n WHERE n.mark_id = p_mark;
    IF there.mark_id IS NULL THEN
        RAISE EXCEPTION 'there is no mark %', p_mark USING ERRCODE = 'HL004';
    ELSIF (there.last_act, there.last_by, there.last_reason) = (p_act, p_who, p_reason) THEN
        RETURN; -- told twice
    ELSIF NOT coalesce(p_act = ANY (CASE there.standing
            WHEN 'PROPOSED' THEN ARRAY['APPROVED', 'REFUSED']
            WHEN 'OBJECTED' THEN ARRAY['UPHELD', 'LIFTED']
            WHEN 'IN_FORCE' THEN ARRAY['LIFTED'] END), false) THEN
        RAISE EXCEPTION 'this is not to be decided now' USING ERRCODE = 'HL004';
    ELSIF web.is_same_person(p_who, there.proposed_by) THEN
        RAISE EXCEPTION 'nobody decides on what he proposed' USING ERRCODE = 'HL004';
    ELSIF there.standing = 'OBJECTED' AND web.is_same_person(p_who, there.approved_by) THEN
        RAISE EXCEPTION 'nobody decides on an objection to what he approved' USING ERRCODE = 'HL004';
    END IF;
    PERFORM add_mark_act(p_mark, p_act, p_who, p_reason);
END $$;

-- -- for the page of an agent: the caller of a call that this person took. The index stays in the database.
CREATE FUNCTION vault.caller_of_call(p_call text, p_who text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = intake, pg_catalog AS $$
    SELECT c.caller FROM call_caller c JOIN call_taken t USING (call_id)
    WHERE c.call_id = p_call AND t.staff_id = p_who
$$;
CREATE FUNCTION vault.propose_mark_of_call(p_call text, p_who text, p_reason text, p_days int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    RETURN propose_mark(caller_of_call(p_call, p_who), p_who, p_reason, p_days);
END $$;
CREATE FUNCTION vault.object_to_mark_of_call(p_call text, p_who text, p_words text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    RETURN object_to_mark(caller_of_call(p_call, p_who), p_who, p_words);
END $$;

-- The mark that an agent is warned by, or the proposal that waits.
CREATE FUNCTION vault.mark_of_caller(p_index bytea)
RETURNS TABLE (mark_id bigint, standing text, reason text, proposed_at timestamptz, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
    SELECT n.mark_id, n.standing, n.reason, n.proposed_at, n.expires_at FROM caller_mark_now n
    WHERE n.index = p_index AND n.standing IN ('PROPOSED', 'IN_FORCE', 'OBJECTED')
$$;
CREATE FUNCTION vault.mark_of_call(p_call text, p_who text)
RETURNS TABLE (mark_id bigint, standing text, reason text, proposed_at timestamptz, expires_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    RETURN QUERY SELECT * FROM mark_of_caller(caller_of_call(p_call, p_who));
END $$;
CREATE FUNCTION vault.call_has_number(p_call text, p_who text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
    SELECT caller_of_call(p_call, p_who) IS NOT NULL
$$;

-- For supervision: a mark, what the caller has on record, and how often he called within a day.
CREATE VIEW vault.caller_mark_shown AS
    SELECT n.mark_id, n.standing, n.days, n.reason, n.proposed_by, n.proposed_at, n.approved_by, n.approved_at,
           n.expires_at, n.last_act, n.last_by, n.last_at, n.last_reason,
           (SELECT count(*) FROM vault.caller c WHERE c.index = n.index) AS complaints,
           (SELECT count(*) FROM intake.call_caller c WHERE c.caller = n.index) AS calls
    FROM vault.caller_mark_now n;
-- The marks: what waits for a decision first, the oldest of that first.
CREATE FUNCTION vault.marks(p_most int)
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

-- Marks that are over are found by no number any more. The acts stay, but for the words of citizens who objected.
-- Returns how many there were.
CREATE FUNCTION vault.marks_over() RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = vault, pg_catalog AS $$
    SELECT n.mark_id FROM caller_mark_now n
    WHERE n.index IS NOT NULL AND n.standing IN ('REFUSED', 'LIFTED', 'EXPIRED') ORDER BY 1
$$;
CREATE FUNCTION vault.forget_marks(p_marks bigint[]) RETURNS bigint
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

REVOKE ALL ON FUNCTION web.is_same_person, vault.add_mark_act, vault.propose_mark, vault.object_to_mark,
    vault.decide_mark, vault.caller_of_call, vault.propose_mark_of_call, vault.object_to_mark_of_call,
    vault.mark_of_caller, vault.mark_of_call, vault.call_has_number, vault.marks, vault.mark, vault.marks_over,
    vault.forget_marks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.propose_mark, vault.object_to_mark TO hotline_agent;
GRANT EXECUTE ON FUNCTION vault.decide_mark TO hotline_operator, hotline_staff;
GRANT EXECUTE ON FUNCTION vault.propose_mark_of_call, vault.object_to_mark_of_call, vault.mark_of_caller,
    vault.mark_of_call, vault.call_has_number TO hotline_staff;
GRANT EXECUTE ON FUNCTION vault.marks, vault.mark TO hotline_staff, hotline_reader;
GRANT EXECUTE ON FUNCTION vault.marks_over, vault.forget_marks TO hotline_operator;
GRANT SELECT ON vault.caller_mark_act TO hotline_staff, hotline_reader;

-- migrate:down
